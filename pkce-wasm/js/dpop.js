// Proof of possession (RFC 9449): a key of this browser, proofs made with it (§4.2), and the nonces that
// servers want to see in them (§8, §9). `iat` is this machine's clock: a server that allows for wrong clocks
// names a nonce (§11.1); the `Date` of an answer cannot be read across origins.
import { PkceError } from "./errors.js";

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const bytes = (text) => new TextEncoder().encode(text);

function base64url(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

const encoded = (value) => base64url(bytes(JSON.stringify(value)));

// Only secure origins have it. The core needs no WebCrypto, but only WebCrypto has keys that no script can read.
function subtle() {
  const found = globalThis.crypto?.subtle;
  if (!found) throw new PkceError("unsupported");
  return found;
}

const generate = () => subtle().generateKey(ES256, false, ["sign", "verify"]);
const digest = async (text) => base64url(await subtle().digest("SHA-256", bytes(text)));

// RFC 7638 §3.2: these members, in this order, are also what the thumbprint is of.
async function publicJwk({ publicKey }) {
  const { crv, kty, x, y } = await subtle().exportKey("jwk", publicKey);
  return { crv, kty, x, y };
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = request.oncomplete = resolve;
    request.onerror = request.onabort = () => reject(request.error);
  });
}

// One transaction on the stored keys; those of all tabs run one after the other.
async function stored(act) {
  const opening = indexedDB.open("pkce-wasm");
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  await settled(opening);
  const database = opening.result;
  try {
    const transaction = database.transaction("keys", "readwrite");
    const request = act(transaction.objectStore("keys"));
    await settled(transaction);
    return request.result;
  } finally {
    database.close();
  }
}

const placeOf = (url) => new URL(url, globalThis.location?.href);

export function createDpop({ name = "dpop" } = {}) {
  const nonces = new Map(); // by origin
  let seen; // the stored key, as last read
  let own; // the key of this page alone, once IndexedDB refused: kept, for tokens are bound to it

  const read = async () => (seen = await stored((keys) => keys.get(name)));

  // Read each time: another tab may have deleted the key, or made one. Of tabs that make one at the same time the first
  // wins, and the others read again.
  async function pair() {
    if (own) return own;
    try {
      let found = await read();
      if (!found) {
        const made = await generate();
        await stored((keys) => keys.add(made, name)).catch(() => {});
        found = await read();
      }
      if (found) return found;
    } catch {}
    return (own ??= seen ?? generate());
  }

  return {
    async proof({ method, url, accessToken }) {
      const key = await pair();
      const { origin, pathname } = placeOf(url);
      const head = encoded({ typ: "dpop+jwt", alg: "ES256", jwk: await publicJwk(key) });
      const claims = encoded({
        jti: crypto.randomUUID(),
        htm: method.toUpperCase(),
        htu: origin + pathname,
        iat: Math.floor(Date.now() / 1000),
        ath: accessToken && (await digest(accessToken)),
        nonce: nonces.get(origin),
      });
      const signed = `${head}.${claims}`;
      return `${signed}.${base64url(await subtle().sign(ES256, key.privateKey, bytes(signed)))}`;
    },

    async thumbprint() {
      return digest(JSON.stringify(await publicJwk(await pair())));
    },

    noteNonce(url, { headers }) {
      const nonce = headers.get("dpop-nonce");
      if (nonce) nonces.set(placeOf(url).origin, nonce);
      return Boolean(nonce);
    },

    async forget() {
      const known = seen;
      seen = own = undefined;
      nonces.clear();
      try {
        await stored((keys) => keys.delete(name));
      } catch (cause) {
        if (known) throw new PkceError("storage_unavailable", { cause });
      }
    },
  };
}
