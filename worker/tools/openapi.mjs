#!/usr/bin/env node
// The description of the management API (OpenAPI 3.1) from the compact definitions in openapi/. The build puts it into
// the static files as /openapi.json; run by itself, this prints it. tests/openapi.test.mjs holds the Worker to it.
import { paths } from "./openapi/paths.mjs";
import { SCOPES, schemas } from "./openapi/schemas.mjs";
import { isMain } from "./lib/process.mjs";

const path = (name, schema, description) => ({ name, in: "path", required: true, description, schema });
const query = (name, schema, description) => ({ name, in: "query", description, schema });
const ID = { type: "string", pattern: "^[0-9a-f]{32}$" };
const CLIENT_ID = { type: "string", pattern: "^[A-Za-z0-9_-]{1,40}$" };

const parameters = {
  client_id: path("client_id", CLIENT_ID, "the app"),
  server: path("client_id", CLIENT_ID, "the resource server"),
  hint: path("hint", { type: "string", minLength: 1, maxLength: 10 }, "the last four characters of the secret"),
  account: path("account", ID, "the account; another one than the token's is not found"),
  person: path("person", ID, "the person"),
  id: path("id", ID, "the id that the list gives"),
  limit: query("limit", { type: "integer", minimum: 1, maximum: 200, default: 50 }, "how many at most"),
  cursor: query("cursor", { type: "string", maxLength: 100 }, "next_cursor of the page before"),
  status: query("status", { enum: ["waiting", "pending", "approved", "rejected", "suspended"] }, "waiting: for review, the longest first"),
  name: query("name", { type: "string", maxLength: 100 }, "part of the name"),
  of_account: query("account", ID, "only this account's part"),
  of_app: query("client_id", CLIENT_ID, "only what concerns this app"),
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Sent again with the same key and body within 24 hours, the request makes nothing new and gets the first one's answer, without a secret. With another body it is refused with 422.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x20-\\x7e]+$" },
  },
};

const seconds = { schema: { type: "integer", minimum: 0 }, description: "seconds to wait" };
const textHeader = { schema: { type: "string" } };
/** What each refusal means, with the headers it comes with. */
const REFUSALS = {
  400: ["What was sent is wrong; errors names the fields"],
  401: ["No management token, or one that has ended", { "WWW-Authenticate": textHeader }],
  403: ["The token's scopes or its account do not reach that far"],
  404: ["There is no such thing, or none that this token may know of"],
  405: ["Another method than those of this address", { Allow: textHeader }],
  409: ["It does not fit how things stand; or the first request with this key still runs", { "Retry-After": seconds }],
  413: ["The body is too large"],
  422: ["The Idempotency-Key was used for another request"],
  429: ["Too many requests without a token", { "Retry-After": seconds }],
  503: ["A part of the server did not answer: try again", { "Retry-After": seconds }],
};
const responses = Object.fromEntries(
  Object.entries(REFUSALS).map(([code, [description, headers]]) => {
    const schema = { $ref: `#/components/schemas/${code === "400" ? "InvalidProblem" : "Problem"}` };
    return [`Problem${code}`, { description, ...(headers && { headers }), content: { "application/problem+json": { schema } } }];
  }),
);

/** The whole document. */
export const document = () => ({
  openapi: "3.1.0",
  info: {
    title: "Edgegrant management API",
    version: "1",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    description: `For the platform and for programs of its accounts. Every request carries a management token as a bearer token (RFC 6750); cookies count nothing, and scripts of other origins cannot read the answers. A token belongs to the platform or to one account, and does what its scopes say:\n\n${Object.entries(SCOPES)
      .map(([name, words]) => `- \`${name}\`: ${words}`)
      .join("\n")}\n\nErrors are problems (RFC 9457). GET is answered for HEAD too. Members that are not described are refused.`,
  },
  servers: [{ url: "/manage/v1" }],
  security: [{ token: [] }],
  paths,
  components: {
    securitySchemes: { token: { type: "http", scheme: "bearer", description: "A management token. What an operation names here is the scope that it asks for." } },
    parameters,
    responses,
    schemas,
  },
});

if (isMain(import.meta.url)) process.stdout.write(`${JSON.stringify(document(), null, 2)}\n`);
