// Who may do what: every page, form and management operation, and what each kind of caller is answered.
//
// Words of the cells: a status; `login`, sent to the sign-in page and back; `-`, there is no such case.
// Braces stand for something that the test makes: `{app}` is an app of Demo Salon in review, `{approved}` and
// `{suspended}` are others of its apps; a call that may change something gets one of its own. What a form sends is in
// requests.mjs, by the request. Words in parentheses tell rows of the same request apart.

/**
 * Pages, forms and endpoints of apps.
 *
 * stranger   not signed in
 * member     staff@demo.example: a member of Demo Salon whose role decides nothing
 * owner      owner@demo.example: decides for Demo Salon and develops its apps
 * other      owner of another account, with apps there
 * staff      platform staff, member of no account
 * forged     the owner's browser with a form that another site made
 * app        no browser: an app's access token as bearer
 * token      no browser: a management token that may do everything, as bearer
 */
export const PAGES = `
request                                         | stranger | member | owner | other | staff | forged | app   | token
GET /                                           | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
GET /login                                      | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
POST /login                                     | 303      | 303    | 303   | 303   | 303   | 403    | 403   | 403
POST /login/{provider}                          | 303      | 303    | 303   | 303   | 303   | 403    | 403   | 403
GET /login/{provider}/callback                  | 400      | 400    | 400   | 400   | 400   | -      | 400   | 400
POST /logout                                    | 303      | 303    | 303   | 303   | 303   | 403    | 303   | 303
GET /platform.css                               | 404      | 404    | 404   | 404   | 404   | -      | 404   | 404
GET /health                                     | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
GET /openapi.json                               | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
GET /logo/{logo}                                | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
GET /marketplace                                | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200

GET /account/apps                               | login    | 200    | 200   | 200   | 200   | -      | login | login
GET /account/apps/disconnect                    | login    | 404    | 200   | 404   | 404   | -      | login | login
POST /account/apps/disconnect                   | login    | 404    | 303   | 404   | 404   | 403    | login | login
GET /account/keys                               | login    | 403    | 200   | 200   | 403   | -      | login | login
GET /account/keys/new                           | login    | 403    | 200   | 200   | 403   | -      | login | login
POST /account/keys/new (for Demo Salon)         | login    | 403    | 200   | 404   | 404   | 403    | login | login
GET /account/keys/revoke                        | login    | 403    | 200   | 404   | 404   | -      | login | login
POST /account/keys/revoke                       | login    | 403    | 303   | 404   | 404   | 403    | login | login
GET /account/activity (of Demo Salon)           | login    | 404    | 200   | 404   | 404   | -      | login | login
GET /account/activity.csv (of Demo Salon)       | login    | 404    | 200   | 404   | 404   | -      | login | login
GET /account/profile                            | login    | 200    | 200   | 200   | 200   | -      | login | login
GET /account/profile/name                       | login    | 200    | 200   | 200   | 200   | -      | login | login
POST /account/profile/name                      | login    | 303    | 303   | 303   | 303   | 403    | login | login
GET /account/profile/password                   | login    | 200    | 200   | 200   | 200   | -      | login | login
POST /account/profile/password                  | login    | 303    | 303   | 303   | 303   | 403    | login | login
POST /account/profile/sessions                  | login    | 303    | 303   | 303   | 303   | 403    | login | login
GET /account/profile/export                     | login    | 200    | 200   | 200   | 200   | -      | login | login
GET /account/profile/delete                     | login    | 200    | 200   | 200   | 200   | -      | login | login
POST /account/profile/delete                    | login    | 200    | 200   | 200   | 200   | 403    | login | login

GET /developers                                 | login    | 403    | 200   | 200   | 200   | -      | login | login
GET /developers/new                             | login    | 303    | 200   | 200   | 200   | -      | login | login
POST /developers/new (for Demo Salon)           | login    | 403    | 303   | 404   | 404   | 403    | login | login
POST /developers/new (for no account)           | login    | 403    | 400   | 400   | 303   | 403    | login | login
GET /developers/apps/{app}                      | login    | 404    | 200   | 404   | 200   | -      | login | login
GET /developers/apps/{app}/edit                 | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/edit                | login    | 404    | 303   | 404   | 303   | 403    | login | login
GET /developers/apps/{app}/logo                 | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/logo                | login    | 404    | 303   | 404   | 303   | 403    | login | login
GET /developers/apps/{app}/rate                 | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/rate                | login    | 404    | 303   | 404   | 303   | 403    | login | login
POST /developers/apps/{app}/secrets             | login    | 404    | 200   | 404   | 200   | 403    | login | login
GET /developers/apps/{app}/secrets/revoke       | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/secrets/revoke      | login    | 404    | 303   | 404   | 303   | 403    | login | login
GET /developers/apps/{app}/delete               | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/delete              | login    | 404    | 303   | 404   | 303   | 403    | login | login
GET /developers/apps/{app}/failures             | login    | 404    | 200   | 404   | 200   | -      | login | login
GET /developers/apps/{app}/activity             | login    | 404    | 200   | 404   | 200   | -      | login | login
GET /developers/apps/{app}/try                  | login    | 404    | 200   | 404   | 200   | -      | login | login
POST /developers/apps/{app}/try                 | login    | 404    | 200   | 404   | 200   | 403    | login | login

GET /admin                                      | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/setup                                | 404      | 404    | 404   | 404   | 404   | -      | 404   | 404
POST /admin/setup                               | 404      | 404    | 404   | 404   | 404   | 404    | 404   | 404
GET /admin/activity                             | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/activity.csv                         | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/metrics                              | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/tokens                               | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/tokens/new                           | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/tokens/new                          | login    | 404    | 404   | 404   | 200   | 403    | login | login
POST /admin/tokens/revoke                       | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/resource-servers                     | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/resource-servers/new                 | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/resource-servers/new                | login    | 404    | 404   | 404   | 200   | 403    | login | login
GET /admin/resource-servers/{server}            | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/resource-servers/{server}/secrets   | login    | 404    | 404   | 404   | 200   | 403    | login | login
GET /admin/resource-servers/{server}/revoke     | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/resource-servers/{server}/revoke    | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/resource-servers/{server}/delete     | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/resource-servers/{server}/delete    | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/apps                                 | login    | 404    | 404   | 404   | 200   | -      | login | login
GET /admin/apps/{app}                           | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/apps/{app}/approve                  | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/apps/{app}/reject                    | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/apps/{app}/reject                   | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/apps/{app}/suspend                   | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/apps/{app}/suspend                  | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/apps/{suspended}/restore             | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/apps/{suspended}/restore            | login    | 404    | 404   | 404   | 303   | 403    | login | login
GET /admin/apps/{app}/limits                    | login    | 404    | 404   | 404   | 200   | -      | login | login
POST /admin/apps/{app}/limits                   | login    | 404    | 404   | 404   | 303   | 403    | login | login

GET /oauth/authorize                            | login    | 403    | 200   | 200   | 403   | -      | login | login
POST /oauth/authorize                           | login    | 403    | 200   | 200   | 403   | -      | login | login
POST /oauth/authorize/decision (the owner's)    | 403      | 403    | 303   | 403   | 403   | -      | 403   | 403
POST /oauth/token                               | 401      | 401    | 401   | 401   | 401   | -      | 401   | 401
POST /oauth/revoke                              | 401      | 401    | 401   | 401   | 401   | -      | 401   | 401
POST /oauth/introspect                          | 401      | 401    | 401   | 401   | 401   | -      | 401   | 401
GET /api/v1/me                                  | 401      | 401    | 401   | 401   | 401   | -      | 200   | 401
POST /api/v1/me                                 | 401      | 401    | 401   | 401   | 401   | -      | 200   | 401
GET /.well-known/oauth-authorization-server     | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
GET /.well-known/oauth-protected-resource       | 200      | 200    | 200   | 200   | 200   | -      | 200   | 200
`;

/**
 * The management API. Every row is also called without a token, with the cookie of platform staff, with an app's
 * access token and with a token that has expired: 401, always. Of platform tokens with one scope, the one with the
 * row's scope is answered as one that may do everything; with any other scope, 403.
 *
 * scope      what the token must have
 * platform   a token of the platform
 * ours       a token of Demo Salon that may do everything
 * theirs     the same of another account
 */
export const OPERATIONS = `
request                                                | scope          | platform | ours | theirs
GET /manage/v1/apps                                    | apps:read      | 200      | 200  | 200
POST /manage/v1/apps (for Demo Salon)                  | apps:write     | 201      | 201  | 404
POST /manage/v1/apps (for no account)                  | apps:write     | 201      | 201  | 201
GET /manage/v1/apps/{app}                              | apps:read      | 200      | 200  | 404
PUT /manage/v1/apps/{app}                              | apps:write     | 200      | 200  | 404
DELETE /manage/v1/apps/{app}                           | apps:write     | 200      | 200  | 404
PUT /manage/v1/apps/{app}/logo                         | apps:write     | 200      | 200  | 404
POST /manage/v1/apps/{app}/secrets                     | apps:write     | 201      | 201  | 404
DELETE /manage/v1/apps/{app}/secrets/{hint}            | apps:write     | 200      | 200  | 404
POST /manage/v1/apps/{app}/approve                     | review         | 200      | 403  | 404
POST /manage/v1/apps/{app}/reject                      | review         | 200      | 403  | 404
POST /manage/v1/apps/{approved}/review                 | review         | 200      | 403  | 404
POST /manage/v1/apps/{app}/suspend                     | review         | 200      | 403  | 404
POST /manage/v1/apps/{suspended}/restore               | review         | 200      | 403  | 404
PUT /manage/v1/apps/{app}/policy                       | review         | 200      | 403  | 404

GET /manage/v1/accounts                                | accounts:read  | 200      | 200  | 200
POST /manage/v1/accounts                               | accounts:write | 201      | 403  | 403
GET /manage/v1/accounts/{account}                      | accounts:read  | 200      | 200  | 404
GET /manage/v1/accounts/{account}/members              | accounts:read  | 200      | 200  | 404
POST /manage/v1/accounts/{account}/members             | accounts:write | 201      | 403  | 404
DELETE /manage/v1/accounts/{account}/members/{person}  | accounts:write | 200      | 403  | 404
GET /manage/v1/accounts/{account}/installs             | installs:read  | 200      | 200  | 404
DELETE /manage/v1/accounts/{account}/installs/{client} | installs:write | 200      | 200  | 404
GET /manage/v1/accounts/{account}/keys                 | keys:read      | 200      | 200  | 404
POST /manage/v1/accounts/{account}/keys                | keys:write     | 201      | 201  | 404
DELETE /manage/v1/accounts/{account}/keys/{key}        | keys:write     | 200      | 200  | 404
GET /manage/v1/people                                  | people:read    | 200      | 403  | 403
POST /manage/v1/people                                 | people:write   | 201      | 403  | 403
GET /manage/v1/people/{person}                         | people:read    | 200      | 403  | 403
DELETE /manage/v1/people/{person}                      | people:write   | 200      | 403  | 403

GET /manage/v1/resource-servers                        | resource_servers:read  | 200 | 403 | 403
POST /manage/v1/resource-servers                       | resource_servers:write | 201 | 403 | 403
GET /manage/v1/resource-servers/{server}               | resource_servers:read  | 200 | 403 | 403
DELETE /manage/v1/resource-servers/{server}            | resource_servers:write | 200 | 403 | 403
POST /manage/v1/resource-servers/{server}/secrets      | resource_servers:write | 201 | 403 | 403
DELETE /manage/v1/resource-servers/{server}/secrets/{hint} | resource_servers:write | 200 | 403 | 403

GET /manage/v1/audit                                   | audit:read     | 200      | 200  | 200
GET /manage/v1/audit (of Demo Salon)                   | audit:read     | 200      | 200  | 404
GET /manage/v1/tokens                                  | tokens         | 200      | 403  | 403
POST /manage/v1/tokens                                 | tokens         | 201      | 403  | 403
DELETE /manage/v1/tokens/{id}                          | tokens         | 200      | 403  | 403
`;

/** Reads one of the tables: `[{ request, method, path, cells: { column: word } }]`. */
export function rows(table) {
  const [head, ...lines] = table
    .trim()
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return lines.map(([request, ...cells]) => {
    if (cells.length !== head.length - 1) throw new Error(`${request}: ${cells.length} cells, ${head.length - 1} columns`);
    const [method, path] = request.split(" ");
    return { request, method, path, cells: Object.fromEntries(cells.map((cell, at) => [head[at + 1], cell])) };
  });
}

/** The arms of the dispatch in worker/src/routes/mod.rs that match more than one path, with the paths they stand for. */
export const ARMS = {
  METADATA: "/.well-known/oauth-authorization-server",
  "serves(resource_metadata::methods(call, path), &method)": "/.well-known/oauth-protected-resource",
  'serves(below(path, "/developers").map_or("", developers::methods), &method)': "/developers",
  'serves(below(path, "/admin").map_or("", admin::methods), &method)': "/admin",
  "setup::HERE": "/admin/setup",
  "health::HERE": "/health",
  "provider::is_start(path)": "/login/{provider}",
  "provider::is_callback(path)": "/login/{provider}/callback",
  "serves(activity::methods(path), &method)": "/account/activity",
  "serves(profile::methods(path), &method)": "/account/profile",
  "serves(keys::methods(call, path), &method)": "/account/keys",
  'path.starts_with("/logo/")': "/logo/{logo}",
  'path.starts_with("/manage/v1/")': "/manage/v1/",
  'path.starts_with("/__dev/")': null, // in no deployment, see release.test.mjs
};
