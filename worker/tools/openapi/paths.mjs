// The addresses of the management API: which method asks for which scope, takes what, answers what.

const ref = (kind, name) => ({ $ref: `#/components/${kind}/${name}` });
const json = (name) => ({ "application/json": { schema: ref("schemas", name) } });

/** Answers that every operation may give. */
const ALWAYS = [401, 403, 405, 429, 503];

/**
 * One operation. `then`: the answer when it is done, as [status, schema, description]; `refuses`: what else it may say;
 * `takes`: the schema of its body.
 */
function operation(operationId, summary, scope, { then, refuses = [], parameters = [], takes, optional, create, image, description }) {
  const [status, schema, told] = then;
  const body = takes && { required: !optional, content: json(takes) };
  const picture = image && { required: true, content: { "image/png": {}, "image/jpeg": {}, "image/webp": {} } };
  const more = [...(takes || image ? [400, 413] : []), ...(create ? [400, 409, 413, 422] : [])];
  const codes = [...new Set([...ALWAYS, ...refuses, ...more])].sort();
  const headers = create && { Location: { description: "where it can be read, for apps and accounts", schema: { type: "string" } } };
  return {
    operationId,
    summary,
    ...(description && { description }),
    security: [{ token: [scope] }],
    parameters: [...(create ? [ref("parameters", "IdempotencyKey")] : []), ...parameters.map((name) => ref("parameters", name))],
    ...((body || picture) && { requestBody: body || picture }),
    responses: {
      [status]: { description: told ?? "Done", ...(headers && { headers }), content: json(schema) },
      ...Object.fromEntries(codes.map((code) => [code, ref("responses", `Problem${code}`)])),
    },
  };
}

const list = (operationId, summary, scope, schema, { refuses = [], parameters = [], ...more } = {}) =>
  operation(operationId, summary, scope, {
    then: [200, schema, "A page of the list"],
    refuses: [400, ...refuses],
    parameters: ["limit", "cursor", ...parameters],
    ...more,
  });

const at = (name) => [ref("parameters", name)];
const STAFF = "For tokens of the platform.";

const decision = (verb, summary) => ({
  post: operation(`${verb}App`, summary, "review", {
    then: [200, "AppState", verb === "suspend" ? "It holds everywhere" : "Done"],
    refuses: [404, 409],
    takes: "Decision",
    optional: true,
    description: `${STAFF} It has answered when it holds everywhere, after up to 7 seconds.`,
  }),
});

const app = (more) => ({ parameters: at("client_id"), ...more });
const account = (more, ...names) => ({ parameters: [...at("account"), ...names.flatMap(at)], ...more });

export const paths = {
  "/apps": {
    get: list("listApps", "Apps: of the platform's token all, of an account's its own; the newest first", "apps:read", "AppList", {
      parameters: ["status", "name"],
    }),
    post: operation("createApp", "Registers an app; it waits for review where the policy has one", "apps:write", {
      then: [201, "App", "Registered"],
      refuses: [404],
      takes: "NewApp",
      create: true,
    }),
  },
  "/apps/{client_id}": app({
    get: operation("getApp", "An app", "apps:read", { then: [200, "App"], refuses: [404] }),
    put: operation("editApp", "New details; by what people trust it, a version in use is reviewed again first", "apps:write", {
      then: [200, "App"],
      refuses: [404, 409],
      takes: "AppEdit",
    }),
    delete: operation("deleteApp", "Gone for ever, with every connection; nothing of it works any more", "apps:write", {
      then: [200, "AppState"],
      refuses: [404, 409],
    }),
  }),
  "/apps/{client_id}/approve": app(decision("approve", "Review ends well; or the version that waits takes the place of the old one")),
  "/apps/{client_id}/reject": app(decision("reject", "Review ends badly; or the version that waits is dropped")),
  "/apps/{client_id}/review": app(decision("review", "Back to review")),
  "/apps/{client_id}/suspend": app(decision("suspend", "Stopped for the time being: nothing of it works")),
  "/apps/{client_id}/restore": app(decision("restore", "Goes on after a suspension, with all its connections")),
  "/apps/{client_id}/policy": app({
    put: operation("setAppPolicy", "The knobs that the policy lets staff set for one app", "review", {
      then: [200, "AppPolicy"],
      refuses: [404, 409],
      takes: "Overrides",
      description: STAFF,
    }),
  }),
  "/apps/{client_id}/logo": app({
    put: operation("setAppLogo", "Its logo: PNG, JPEG or WebP, told by its bytes; 32 to 512 pixels a side, at most 64 KB", "apps:write", {
      then: [200, "App"],
      refuses: [404, 409],
      image: true,
    }),
  }),
  "/apps/{client_id}/secrets": app({
    post: operation("addSecret", "One more secret, shown once; where there may be only one it takes the old one's place", "apps:write", {
      then: [201, "NewSecret", "Made"],
      refuses: [404],
      create: true,
    }),
  }),
  "/apps/{client_id}/secrets/{hint}": {
    parameters: [...at("client_id"), ...at("hint")],
    delete: operation("removeSecret", "A secret less: it works nowhere any more; the last one stays", "apps:write", {
      then: [200, "Secrets"],
      refuses: [404, 409],
    }),
  },
  "/accounts": {
    get: list("listAccounts", "Accounts; an account's token sees its own", "accounts:read", "AccountList"),
    post: operation("createAccount", "Makes an account", "accounts:write", {
      then: [201, "Account", "Made"],
      takes: "NewAccount",
      create: true,
      description: STAFF,
    }),
  },
  "/accounts/{account}": account({
    get: operation("getAccount", "An account", "accounts:read", { then: [200, "Account"], refuses: [404] }),
  }),
  "/accounts/{account}/members": account({
    get: list("listMembers", "Who belongs to an account", "accounts:read", "MemberList", { refuses: [404] }),
    post: operation("putMember", "Makes somebody a member, or gives a member another role", "accounts:write", {
      then: [201, "PutMember"],
      refuses: [404],
      takes: "NewMember",
      create: true,
      description: STAFF,
    }),
  }),
  "/accounts/{account}/members/{person}": account(
    {
      delete: operation("removeMember", "Somebody does not belong to the account any more; what they connected stays", "accounts:write", {
        then: [200, "RemovedMember"],
        refuses: [404],
        description: STAFF,
      }),
    },
    "person",
  ),
  "/accounts/{account}/installs": account({
    get: list("listInstalls", "What is and was connected to an account", "installs:read", "InstallList", { refuses: [404] }),
  }),
  "/accounts/{account}/installs/{client_id}": account(
    {
      delete: operation("endInstall", "Disconnects: when it has answered nothing of the connection works", "installs:write", {
        then: [200, "EndedInstall"],
        refuses: [404],
      }),
    },
    "client_id",
  ),
  "/accounts/{account}/keys": account({
    get: list("listKeys", "API keys, the newest first; 404 where the policy has none", "keys:read", "KeyList", { refuses: [404] }),
    post: operation("createKey", "Makes an API key, which is shown once", "keys:write", {
      then: [201, "MadeKey", "Made"],
      refuses: [404],
      takes: "NewKey",
      create: true,
    }),
  }),
  "/accounts/{account}/keys/{id}": account(
    {
      delete: operation("revokeKey", "Revokes an API key: nothing works with it any more", "keys:write", {
        then: [200, "EndedKey"],
        refuses: [404],
      }),
    },
    "id",
  ),
  "/people": {
    get: list("listPeople", "People", "people:read", "PersonList", { description: STAFF }),
    post: operation("createPerson", "Makes a person; 409 when the e-mail address is somebody's", "people:write", {
      then: [201, "CreatedPerson", "Made"],
      takes: "NewPerson",
      create: true,
      description: STAFF,
    }),
  },
  "/people/{person}": {
    parameters: at("person"),
    get: operation("exportPerson", "Everything that is stored about a person; that it was asked for is recorded", "people:read", {
      then: [200, "PersonCopy"],
      refuses: [404],
      description: STAFF,
    }),
    delete: operation("deletePerson", "Nothing of the person opens any more; 409 while something would be left to nobody", "people:write", {
      then: [200, "DeletedPerson"],
      refuses: [404, 409],
      description: STAFF,
    }),
  },
  "/resource-servers": {
    get: list("listResourceServers", "Resource servers, the newest first", "resource_servers:read", "ResourceServerList", { description: STAFF }),
    post: operation("createResourceServer", "Registers an API of the platform, with a first secret, which is shown once", "resource_servers:write", {
      then: [201, "MadeResourceServer", "Registered"],
      takes: "NewResourceServer",
      create: true,
      description: `${STAFF} 409 when another one has the identifier.`,
    }),
  },
  "/resource-servers/{client_id}": {
    parameters: at("server"),
    get: operation("getResourceServer", "A resource server", "resource_servers:read", {
      then: [200, "ResourceServer"],
      refuses: [404],
      description: STAFF,
    }),
    delete: operation("deleteResourceServer", "Gone for ever: it can introspect nothing any more", "resource_servers:write", {
      then: [200, "DeletedResourceServer", "It holds everywhere"],
      refuses: [404],
      description: STAFF,
    }),
  },
  "/resource-servers/{client_id}/secrets": {
    parameters: at("server"),
    post: operation("addServerSecret", "One more secret, shown once; there may be two", "resource_servers:write", {
      then: [201, "NewSecret", "Made"],
      refuses: [404],
      create: true,
      description: STAFF,
    }),
  },
  "/resource-servers/{client_id}/secrets/{hint}": {
    parameters: [...at("server"), ...at("hint")],
    delete: operation("removeServerSecret", "A secret less: it works nowhere any more; the last one stays", "resource_servers:write", {
      then: [200, "Secrets"],
      refuses: [404, 409],
      description: STAFF,
    }),
  },
  "/audit": {
    get: list("listAudit", "Who did what, the newest first; an account's token sees its account's part", "audit:read", "AuditList", {
      refuses: [404],
      parameters: ["of_account", "of_app"],
    }),
  },
  "/tokens": {
    get: list("listTokens", "Management tokens, the newest first", "tokens", "TokenList", { description: STAFF }),
    post: operation("createToken", "Makes a management token, which is shown once; none that may do more than the caller's", "tokens", {
      then: [201, "MadeToken", "Made"],
      takes: "NewToken",
      create: true,
      description: STAFF,
    }),
  },
  "/tokens/{id}": {
    parameters: at("id"),
    delete: operation("revokeToken", "Revokes a token: it is dead when this has answered", "tokens", {
      then: [200, "RevokedToken"],
      refuses: [404],
      description: STAFF,
    }),
  },
};
