// A token endpoint that rotates refresh tokens and takes a second use of one for theft, which ends
// the family (RFC 9700 §4.14.2). Tokens are named at-FAMILY-NUMBER and rt-FAMILY-NUMBER.
import { until } from "./server.mjs";

const INVALID_GRANT = { status: 400, json: { error: "invalid_grant" } };

/**
 * Answers /token, /revoke and /api of `server`. `life` is in seconds. While `hold` is true, refresh
 * requests wait; one that the client gives up meanwhile counts for nothing.
 */
export function rotate(server, { life = 3600 } = {}) {
  const latest = new Map(); // the number of the refresh token that holds, by family
  const seen = { life, hold: false, waiting: 0, exchanges: 0, refreshes: 0, thefts: 0, revoked: [], latest };

  const issue = (family) => {
    const number = (latest.get(family) ?? -1) + 1;
    latest.set(family, number);
    const name = `${family}-${number}`;
    return {
      json: { access_token: `at-${name}`, refresh_token: `rt-${name}`, token_type: "Bearer", expires_in: seen.life },
    };
  };

  async function refreshed({ form, gone }) {
    seen.waiting += 1;
    await until(() => !seen.hold || gone());
    seen.waiting -= 1;
    if (gone()) return INVALID_GRANT;
    const [, family, number] = form.get("refresh_token").split("-");
    seen.refreshes += 1;
    if (latest.get(family) === Number(number)) return issue(family);
    if (latest.delete(family)) seen.thefts += 1;
    return INVALID_GRANT;
  }

  server.answer("/token", (request) => {
    if (request.form.get("grant_type") === "refresh_token") return refreshed(request);
    return issue(String((seen.exchanges += 1)));
  });
  server.answer("/revoke", ({ form }) => {
    const token = form.get("token");
    seen.revoked.push(token);
    latest.delete(token.split("-")[1]);
    return { json: {} };
  });
  server.answer("/api", ({ headers }) => {
    const [, family, number] = headers.authorization?.split("-") ?? [];
    const fresh = latest.get(family) === Number(number);
    return fresh ? { json: { family, number: Number(number) } } : { status: 401, json: {} };
  });
  return seen;
}
