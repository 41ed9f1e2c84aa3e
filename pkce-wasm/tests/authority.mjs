// An authorization server and an API for apps that run in a browser: codes are bound to their challenge and used once,
// refresh tokens rotate, other origins are let in by CORS.
import { createHash, randomUUID } from "node:crypto";
import { startServer } from "./server.mjs";

/**
 * Starts both on one origin. `seen` counts; `deny` makes the person refuse; exchanges wait for `held`; `secret` makes the
 * client confidential.
 */
export async function startAuthority({ secret } = {}) {
  const server = await startServer();
  const issuer = server.origin;
  const codes = new Map();
  const seen = { exchanges: 0, refused: 0, revoked: [], waiting: 0 };
  const live = new Set();
  const authority = { ...server, seen, live, deny: false };

  const open = (path, work) =>
    server.answer(path, async (request) => {
      const cors = {
        "access-control-allow-origin": request.headers.origin ?? "null",
        "access-control-allow-headers": "authorization",
      };
      const made = request.method === "OPTIONS" ? { status: 204, text: "" } : await work(request);
      return { ...made, headers: { ...cors, ...made.headers } };
    });

  open("/.well-known/oauth-authorization-server", () => ({
    json: {
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      authorization_response_iss_parameter_supported: true,
    },
  }));

  open("/oauth/authorize", ({ query }) => {
    const answer = { state: query.get("state"), iss: issuer };
    if (authority.deny) answer.error = "access_denied";
    else codes.set((answer.code = randomUUID()), query);
    const location = `${query.get("redirect_uri")}?${new URLSearchParams(answer)}`;
    return { status: 303, headers: { location }, text: "" };
  });

  function issue(scope) {
    const accessToken = `at-${randomUUID()}`;
    live.add(accessToken);
    return { json: { access_token: accessToken, token_type: "Bearer", expires_in: 3600, refresh_token: `rt-${accessToken}`, scope } };
  }

  open("/oauth/token", async ({ form, headers }) => {
    seen.waiting += 1;
    await authority.held;
    seen.waiting -= 1;
    const asked = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const proven = asked?.get("code_challenge") === challenge && asked.get("redirect_uri") === form.get("redirect_uri");
    const basic = secret ? `Basic ${btoa(`${asked?.get("client_id")}:${secret}`)}` : undefined;
    if (!proven || headers.authorization !== basic) {
      seen.refused += 1;
      return { status: 400, json: { error: "invalid_grant" } };
    }
    seen.exchanges += 1;
    return issue(asked.get("scope"));
  });

  open("/oauth/revoke", ({ form }) => {
    seen.revoked.push(form.get("token"));
    live.delete(form.get("token").replace(/^rt-/, ""));
    return { json: {} };
  });

  open("/me", ({ headers }) =>
    live.has(headers.authorization?.replace(/^Bearer /, "")) ? { json: { name: "Ada" } } : { status: 401, json: {} },
  );
  return authority;
}
