// What travels in the management API, as JSON Schemas. Limits are those of the code; what a platform's policy decides
// (how many redirect URIs, which scopes) is told by the answers. `examples` are good values.

const ref = (name) => ({ $ref: `#/components/schemas/${name}` });
/** An object: every member required but those marked with "?", and no other ones. */
const object = (members, more = {}) => ({
  type: "object",
  additionalProperties: false,
  required: Object.keys(members).filter((name) => !name.endsWith("?")),
  properties: Object.fromEntries(Object.entries(members).map(([name, schema]) => [name.replace("?", ""), schema])),
  ...more,
});
const text = (least, most, description, more = {}) => ({ type: "string", minLength: least, maxLength: most, description, ...more });
const orNull = ({ type, ...rest }) => ({ type: [type, "null"], ...rest });
const seconds = (description) => ({ type: "integer", minimum: 0, description: `${description}, in seconds since 1970` });
const words = (description) => ({ type: "string", description });
const list = (name) =>
  object({
    items: { type: "array", maxItems: 200, items: ref(name) },
    next_cursor: { type: ["string", "null"], description: "for the next request; null at the end" },
  });

const id = { type: "string", pattern: "^[0-9a-f]{32}$", description: "32 hexadecimal digits, random, never used again" };
const clientId = { type: "string", pattern: "^[A-Za-z0-9_-]{1,40}$" };
const status = { enum: ["pending", "approved", "rejected", "suspended", "deleted"] };
const account = orNull({ ...id, description: "the account whose developers manage it; null: the platform" });
const clientType = { enum: ["confidential", "public"], description: "RFC 6749 section 2.1" };
const contact = text(5, 254, "an e-mail address; kept sealed", { examples: ["dev@planner.example"] });

export const SCOPES = {
  "*": "everything",
  "accounts:read": "accounts and who belongs to them",
  "accounts:write": "create accounts, change who belongs to them",
  "apps:read": "apps",
  "apps:write": "register, change and delete apps, their secrets and logos",
  "audit:read": "the audit record",
  "installs:read": "what is connected",
  "installs:write": "disconnect",
  "keys:read": "API keys",
  "keys:write": "make and revoke API keys",
  "people:read": "people",
  "people:write": "create and delete people",
  "resource_servers:read": "resource servers",
  "resource_servers:write": "register and delete resource servers, their secrets",
  review: "approve, reject, suspend, restore; limits of one app",
  tokens: "management tokens",
};
const scopes = { type: "array", minItems: 1, uniqueItems: true, items: { enum: Object.keys(SCOPES) } };

const secretHints = { type: "array", items: { type: "string" }, description: "the last four characters of each live secret" };
const secretMembers = { client_id: clientId, client_secret_expires_at: { const: 0, description: "never" }, secret_hints: secretHints };
const shownBefore = { const: true, description: "this is a repeated request: the secret was in the first answer" };
const serverMembers = {
  client_id: clientId,
  resource: words("its identifier: the audience that introspection tells"),
  name: { type: "string" },
  scopes: { type: "array", items: { type: "string" }, description: "what it serves; it learns of no token without one of these" },
  created_at: seconds("when it was registered"),
};
const tokenMembers = {
  id,
  label: text(1, 60, "what its makers call it", { examples: ["nightly export"] }),
  scopes,
  account: orNull({ ...id, description: "the account that it belongs to; null: the platform" }),
  created_at: seconds("when it was made"),
  expires_at: seconds("its end; 0 is never"),
};
/** With a secret in the first answer, and the hint instead in a repeated one. */
const once = (members, secret, schema) => ({
  oneOf: [object({ ...members, [secret]: schema }), object({ ...members, secret_shown_before: shownBefore })],
});

const rowsOf = { type: "array", items: { type: "object" } };
const keyMembers = {
  id,
  label: { type: "string" },
  scope: words("what it may do"),
  hint: words("its last four characters"),
  created_at: seconds("when it was made"),
  expires_at: seconds("its end; 0 is never"),
};

const details = {
  name: text(2, 50, "one line in one script, unlike the names of other apps", { examples: ["Planner", "Рассылка"] }),
  description: text(10, 500, "what it does", { examples: ["Shows your bookings on one page."] }),
  website: text(1, 500, "https", { examples: ["https://planner.example/"] }),
  "install_url?": text(0, 500, "where somebody who wants to install it starts; https, on this computer, or empty", {
    examples: ["", "https://planner.example/start", "http://localhost:3000/start"],
  }),
  "logo?": { type: ["string", "null"], readOnly: true, description: "SHA-256 of its logo; set by PUT …/logo and ignored here" },
  redirect_uris: {
    type: "array",
    minItems: 1,
    maxItems: 255,
    uniqueItems: true,
    items: text(1, 2000, "RFC 9700 section 2.1, RFC 8252 section 7", {
      examples: ["https://planner.example/callback", "http://127.0.0.1:3000/callback", "https://planner.example/other?of=us"],
    }),
  },
  scopes: {
    type: "array",
    minItems: 1,
    description: "each once",
    items: object({
      name: text(1, 100, "a scope of this platform", { examples: ["bookings:read", "account:read"] }),
      reason: text(3, 200, "why the app needs it", { examples: ["to show them"] }),
    }),
  },
};

const window = (most) => ({ type: "integer", minimum: 1, maximum: most });

export const schemas = {
  Problem: {
    ...object({ type: { const: "about:blank" }, status: { type: "integer" }, title: words("what is wrong, and what to change") }),
    description: "RFC 9457",
  },
  InvalidProblem: object({
    type: { const: "about:blank" },
    status: { const: 400 },
    title: words("what is wrong"),
    "errors?": { type: "array", items: object({ field: { type: "string" }, problem: words("what to change") }) },
  }),
  Details: object(details),
  App: object({
    client_id: clientId,
    client_type: clientType,
    status,
    developer: words("who makes it, as people see it"),
    account,
    reason: words("why it was rejected or suspended"),
    created_at: seconds("when it was registered"),
    submitted_at: { ...seconds("waits for review since"), type: ["integer", "null"] },
    version: words("names what a decision is about: send it with the decision"),
    details: ref("ShownDetails"),
    revision: { oneOf: [ref("ShownDetails"), { type: "null" }], description: "the version that waits for review beside the one in use" },
  }),
  ShownDetails: object({
    name: { type: "string" },
    description: { type: "string" },
    website: { type: "string" },
    install_url: { type: "string" },
    logo: { type: ["string", "null"], description: "SHA-256: the image is at /logo/{logo}" },
    redirect_uris: { type: "array", items: { type: "string" } },
    scopes: { type: "array", items: object({ name: { type: "string" }, reason: { type: "string" } }) },
  }),
  AppList: list("App"),
  NewApp: object({
    "account?": account,
    "developer?": orNull(text(1, 100, "who makes it; an account's name counts instead", { examples: ["Planner Ltd"] })),
    client_type: clientType,
    contact,
    details: ref("Details"),
  }),
  AppEdit: object({ "contact?": orNull(contact), details: ref("Details") }),
  AppState: object({ client_id: clientId, status }),
  Decision: object({
    "reason?": text(0, 500, "for its developer", { examples: ["The website does not answer.", ""] }),
    "version?": orNull(text(0, 64, "what was looked at; when the app is another one by now, nothing is decided")),
  }),
  Overrides: object(
    {
      "authorize.pkce?": { enum: ["required", "required_for_public", null] },
      "token.auth_methods?": {
        type: ["array", "null"],
        minItems: 1,
        items: { enum: ["client_secret_basic", "client_secret_post"] },
      },
      "refresh.rotation?": { enum: ["rotate", "rotate_and_end_pair", "static", null] },
      "refresh.retry_window_ms?": { type: ["integer", "null"], minimum: 0, maximum: 60000 },
      "api.rate?": { oneOf: [object({ limit: window(1000000), window_s: window(86400) }), { type: "null" }] },
    },
    { description: "What is not named goes back to the policy. Which knobs may be set, the policy says.", examples: [{}, { "api.rate": { limit: 200, window_s: 60 } }] },
  ),
  AppPolicy: object({ client_id: clientId, policy: { type: "object" } }),
  NewSecret: once(secretMembers, "client_secret", words("shown once; a keyed hash is kept")),
  Secrets: object({ client_id: clientId, secret_hints: secretHints }),
  Account: object({ id, name: { type: "string" }, created_at: seconds("when it was made") }),
  AccountList: list("Account"),
  NewAccount: object({ name: text(1, 100, "on one line", { examples: ["Third Salon", "サロン"] }) }),
  Member: object({
    person: id,
    role: { type: "string" },
    email: { type: ["string", "null"] },
    name: { type: ["string", "null"] },
  }),
  MemberList: list("Member"),
  NewMember: object({ person: id, role: text(1, 40, "as the policy names roles", { examples: ["owner", "staff"] }) }),
  PutMember: object({ account: id, person: id, role: { type: "string" } }),
  RemovedMember: object({ account: id, person: id, status: { const: "removed" } }),
  Install: object({
    client_id: clientId,
    name: { type: "string" },
    developer: { type: "string" },
    status: { enum: ["allowed", "connected", "ending", "ended"], description: "ending: a disconnect was not finished; send it again" },
    scope: words("what was allowed"),
    allowed_by: words("the person's id"),
    allowed_at: seconds("when"),
    used_at: { ...seconds("the last day of use"), type: ["integer", "null"] },
    ended_at: { ...seconds("when it ended"), type: ["integer", "null"] },
    ended_why: { type: ["string", "null"] },
  }),
  InstallList: list("Install"),
  EndedInstall: object({ account: id, client_id: clientId, status: { const: "ended" } }),
  Person: object({
    id,
    email: { type: ["string", "null"] },
    name: { type: ["string", "null"] },
    staff: { type: "boolean", description: "of the platform" },
    created_at: seconds("when the person was created"),
  }),
  PersonList: list("Person"),
  NewPerson: object({
    email: text(5, 254, "nobody else's", { examples: ["ann@shop.example"] }),
    name: text(1, 100, "on one line", { examples: ["Ann Other"] }),
    "password?": orNull(text(12, 200, "none that everybody tries; without one no password signs the person in", { examples: ["four plain words here"] })),
    "staff?": { type: "boolean", description: "of the platform; the token needs the scope *", default: false },
  }),
  CreatedPerson: object({ id, staff: { type: "boolean" }, created_at: seconds("when the person was created") }),
  DeletedPerson: object({ id, status: { const: "deleted" } }),
  PersonCopy: object(
    {
      issued_at: { type: "string" },
      profile: { type: "object" },
      contact_of_apps: { type: "array", items: clientId },
      activity_is_complete: { type: "boolean", description: "false: there is more than the newest that are here" },
      ...Object.fromEntries(
        ["sign_in_providers", "memberships", "sessions", "consents", "apps_registered", "keys_created", "activity"].map((part) => [part, rowsOf]),
      ),
    },
    { description: "everything that is stored about a person" },
  ),
  Key: object({ ...keyMembers, status: { enum: ["live", "ending", "ended"], description: "ending: a revocation was not finished; send it again" }, created_by: words("a person's id, or token: with a management token's id"), used_at: { ...seconds("the last day of use"), type: ["integer", "null"] }, revoked_at: { ...seconds("when it was revoked"), type: ["integer", "null"] } }),
  KeyList: list("Key"),
  NewKey: object({
    label: text(1, 60, "what its makers call it", { examples: ["cash desk"] }),
    scopes: { type: "array", minItems: 1, items: text(1, 100, "a scope of this platform", { examples: ["bookings:read", "account:read"] }) },
    life_s: { type: "integer", minimum: 0, maximum: 315360000, description: "seconds, as many as the policy allows; 0: until it is revoked", examples: [0, 86400] },
  }),
  MadeKey: once(keyMembers, "key", words("shown once; nothing of it is kept")),
  EndedKey: object({ id, status: { const: "ended" } }),
  AuditEntry: object({
    id: { type: "integer", minimum: 1 },
    at: seconds("when"),
    actor: words("a person's id, an app's client id, token: with a management token's id, or platform"),
    action: { type: "string" },
    account: { type: ["string", "null"] },
    client_id: { type: ["string", "null"] },
    subject: words("a hint or id of what it was about"),
    detail: { type: "string" },
    place: { type: ["string", "null"], description: "the caller's address" },
  }),
  AuditList: list("AuditEntry"),
  ResourceServer: object({ ...serverMembers, secret_hints: secretHints }),
  ListedResourceServer: object(serverMembers),
  ResourceServerList: list("ListedResourceServer"),
  NewResourceServer: object({
    resource: text(1, 500, "an absolute URI with https and without fragment; http on this computer only", {
      examples: ["https://api.platform.example", "https://platform.example/v2/", "http://localhost:3000"],
    }),
    name: text(1, 60, "what you call it, on one line", { examples: ["Bookings API"] }),
    scopes: { type: "array", minItems: 1, uniqueItems: true, items: text(1, 100, "a scope of this platform", { examples: ["bookings:read", "account:read"] }) },
  }),
  MadeResourceServer: once({ ...serverMembers, ...secretMembers }, "client_secret", words("shown once; a keyed hash is kept")),
  DeletedResourceServer: object({ client_id: clientId, status: { const: "deleted" } }),
  Token: object(tokenMembers),
  TokenList: list("Token"),
  NewToken: object({
    label: tokenMembers.label,
    scopes,
    "account?": tokenMembers.account,
    expires_at: { type: "integer", minimum: 0, maximum: 253402300799, description: "a second in the future, or 0 for never", examples: [0, 4102444800] },
  }),
  MadeToken: once(tokenMembers, "token", { type: "string", pattern: "^eg_mgmt_[A-Za-z0-9_-]{64}$", description: "shown once; a keyed hash is kept" }),
  RevokedToken: object({ id, status: { const: "revoked" } }),
};
