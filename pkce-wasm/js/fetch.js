// Requests to the API with the access token (RFC 6750 §2.1, RFC 9449 §7). Browsers take the header
// off when a redirect leads to another origin.
import { PkceError } from "./errors.js";
import { endpoint } from "./http.js";

// `current` gives the tokens to use, other ones than the access token it is given.
export async function fetchWith(config, current, input, { waitFor = 0, ...init } = {}) {
  const { href } = new URL(input.url ?? input, globalThis.location?.href);
  const url = endpoint({ allowInsecure: config.allowInsecure, url: href.split("#")[0] }, "url");
  const headers = new Headers(init.headers ?? input.headers);
  if (headers.has("authorization")) throw new PkceError("config_invalid", { subject: "authorization" });
  const method = init.method ?? input.method ?? "GET";
  let tokens = await current();
  let renewed = false;
  let proved = false;
  for (;;) {
    const { accessToken, tokenType = "Bearer" } = tokens;
    const dpop = tokenType === "DPoP" ? config.dpop : undefined;
    headers.set("authorization", `${tokenType} ${accessToken}`);
    if (dpop) headers.set("dpop", await dpop.proof({ method, url, accessToken }));
    const response = await (config.fetch ?? fetch)(input.clone?.() ?? url, { ...init, headers });
    const nonce = dpop?.noteNonce(url, response);
    const { status } = response;
    if (init.body?.getReader) return response; // a stream cannot be sent again

    if (status === 401 && nonce && !proved) {
      proved = true;
    } else if (status === 401 && !renewed) {
      renewed = true;
      try {
        tokens = await current(accessToken);
      } catch {
        return response;
      }
    } else {
      const seconds = status === 429 || status === 503 ? secondsToWait(response) : Infinity;
      if (!(seconds <= waitFor)) return response;
      waitFor -= seconds;
      await pause(seconds * 1000, init.signal ?? input.signal);
      tokens = await current();
    }
  }
}

// RFC 9110 §10.2.3: seconds or a date. At least one second, so that no server gets a storm.
function secondsToWait({ headers }) {
  const after = headers.get("retry-after");
  return Math.max(1, /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000);
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
