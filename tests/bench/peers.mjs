// What Edgegrant is measured beside: the bare hop, @cloudflare/workers-oauth-provider in the same workerd, and npm
// oidc-provider in a process of its own.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pkce } from "../harness/client.mjs";
import { several } from "./edgegrant.mjs";

/** The Workers beside Edgegrant. */
export const WORKERS = [
  { name: "caller", script: "bench/workers/caller.mjs", services: { AUTH: { name: "edgegrant", entrypoint: "Access" } } },
  { name: "api", script: "bench/workers/api.mjs" },
  { name: "hop", script: "bench/workers/hop.mjs", platform: { durableObjects: { HOP: { className: "Hop", useSQLite: true } } } },
  { name: "peer", script: "bench/workers/peer.mjs", platform: { kvNamespaces: { OAUTH_KV: "peer" } } },
];

export function hops(server) {
  const subject = (name, path, kind) => ({ name, group: "bare hop", kind, url: new URL(path, server.workers.hop).href });
  return [
    subject("hop, command and answer", "/", "check-base"),
    subject("hop, request passed on", "/on"),
    subject("hop, one row written", "/write", "refresh-base"),
  ];
}

const REDIRECT = "https://app.example/callback";

export async function workersOauthProvider(server, { connections }) {
  const at = (path) => new URL(path, server.workers.peer).href;
  const { clientId, clientSecret } = await (await fetch(at("/client"))).json();
  const client = { client_id: clientId, client_secret: clientSecret };
  let users = 0;
  const code = async () => {
    const { verifier, challenge } = pkce();
    const asked = { response_type: "code", client_id: clientId, redirect_uri: REDIRECT, scope: "bookings:read", state: "x" };
    const proof = { code_challenge: challenge, code_challenge_method: "S256" };
    const answer = await fetch(at(`/authorize?${new URLSearchParams({ ...asked, ...proof, user: `u${(users += 1)}` })}`));
    return { code: new URL(await answer.text()).searchParams.get("code"), verifier };
  };
  const formOf = ({ code: given, verifier }) => ({
    grant_type: "authorization_code",
    code: given,
    code_verifier: verifier,
    redirect_uri: REDIRECT,
    ...client,
  });
  const tokens = async () => (await fetch(at("/token"), { method: "POST", body: new URLSearchParams(formOf(await code())) })).json();
  const subject = (name, rest) => ({ name, group: "workers-oauth-provider 1.2.3", ...rest });
  const held = await tokens();
  return [
    subject("check: API route", { kind: "check-peer", url: at("/api/me"), headers: { authorization: `Bearer ${held.access_token}` } }),
    subject("refresh", {
      kind: "refresh-peer",
      url: at("/token"),
      pool: () => several(connections, async () => (await tokens()).refresh_token),
      formOf: (refresh_token) => ({ grant_type: "refresh_token", refresh_token, ...client }),
      next: (answer) => answer.refresh_token,
    }),
    subject("exchange of a code", { kind: "exchange-peer", url: at("/token"), pool: (codes) => several(codes, code), once: true, formOf }),
  ];
}

/** Starts it; ended with the function that comes back. */
export async function oidcProvider() {
  const child = fork(fileURLToPath(new URL("oidc-provider.mjs", import.meta.url)));
  const { url, body } = await new Promise((done, failed) => {
    child.once("message", done);
    child.once("exit", (code) => failed(new Error(`oidc-provider ended with ${code}`)));
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const subject = { name: "check: introspection, in memory", group: "oidc-provider 9.13, Node", kind: "check-node", url, headers, body, pid: child.pid };
  return { subjects: [subject], stop: () => child.disconnect() };
}
