// What the presets are held to: how each platform behaves, one row at a time. A test's name begins with the rows it
// proves; `npm run presets` prints which are proved by what.
//   1..34  the platform's behaviour    E1..E11  what an event ends    S1..S15  how an error is answered
// "~" marks a row on which the platform's documentation says nothing. "=" is the safe default of that event: the
// platform says nothing there either, but something has to happen, so it is held to this.

const SAFE = {
  E1: "A refresh ends the old refresh token; the access token lives on",
  E2: "Revoking an access token ends that token only",
  E3: "Revoking a refresh token ends all access and refresh tokens and the connection",
  E4: "Disconnecting ends all access and refresh tokens and the connection",
  E5: "Replaying a rotated refresh token ends its whole family and the connection",
  E6: "Replaying a code ends the access and refresh tokens that came from it",
  E7: "Rotating the client secret leaves all tokens alive",
  E8: "A suspended app gets no exchange, refresh or API answer at once; its connections are kept for re-approval",
  E9: "Deleting an app ends all its access and refresh tokens and connections",
  E10: "Consenting again to wider scopes updates the connection; old tokens keep their scopes",
  E11: "A refresh token left idle for its lifetime is dead; the connection stays, marked expired",
};

const SOURCES = {
  klippa: `
1 Under /api/v1/oauth/: authorize starts with GET and is decided with POST; token and revoke take POST
2 The token request is JSON, as in the guide's example; form encoding works too
3 The app's secret travels in the body as client_id and client_secret
4 The authorization request has client_id, redirect_uri, scope, response_type=code and state
5 A code is exchanged with grant_type, code, client_id and client_secret, without redirect_uri or verifier
6 A refresh is grant_type=refresh_token, refresh_token, client_id and client_secret at the token URL
7 PKCE is not mentioned: an app that sends no challenge gets its tokens
8 Redirect URIs are registered, several per app, one per line, localhost included; no other is accepted
9 Scopes are klippa.context, klippa.availability and klippa.book, separated by spaces
10 The state comes back as the app's CSRF token
11 The salon owner approves or denies on a consent page that posts to the authorize URL
12 An owner who is not signed in signs in first
13 A denial goes back to the app as error=access_denied
~14 How long a code lives
15 Access tokens live one hour
16 Refresh tokens live 30 days and rotate; each refresh revokes the old pair, access token included
17 Each refresh returns a new refresh token
~18 Whether the 30 days start again with each rotation
~19 How often an app may refresh
20 An access token may make 100 API requests a minute; an app can be given more
21 The token response has the standard names: access_token, token_type, expires_in, refresh_token
~22 How token endpoint and API word their errors
23 An access token can be revoked
~24 Where a salon disconnects an app
25 Anyone registers an app by form; it is reviewed within two business days and has credentials once approved
~26 Secret rotation and roles
27 An approved app appears in the marketplace for salons to connect
28 No sandbox: a localhost redirect URI and a test salon account on the production API
~29 An endpoint that tells who the token stands for
~30 API keys as an alternative
31 Clients' personal data is encrypted and readable only after explicit consent
32 Approved apps pay nothing
33 A connection belongs to the salon, consented by its owner
E1 A refresh ends the old access token and the old refresh token
E2 =
E3 =
E4 =
E5 =
E6 =
E7 =
E8 =
E9 =
E10 =
E11 A refresh token is dead after 30 days`,

  "cal-classic": `
1 The authorization page is GET /auth/oauth2/authorize
2 The token URL is POST /api/auth/oauth/token
3 Refreshing has a URL of its own: POST /api/auth/oauth/refreshToken
4 There is no revocation endpoint
5 Token requests are form-encoded; the earliest apps send JSON
6 The app's secret travels in the body; Basic is not taken
7 The authorization request has client_id, state, redirect_uri and scope; response_type is not needed
8 A code is exchanged with code, client_id, client_secret, grant_type and redirect_uri, each of them required
9 A refresh sends grant_type, client_id, client_secret and the refresh token as Authorization: Bearer
10 No PKCE: an app that sends no challenge gets its tokens
11 An app has one redirect URI, compared as a string
12 Scopes are READ_BOOKING and READ_PROFILE, separated by commas; the parameter is optional
13 The state comes back
14 The consent page shows the logo, a choice of account or team, what is permitted, and Go back / Allow
15 A trusted app is authorized without asking
16 Somebody not signed in goes to the login page and comes back to the same request
17 A denial goes back as error=access_denied with the state and without error_description
~18 Errors before the redirect
19 A code lives ten minutes and is good for one exchange
20 Access tokens live 30 minutes
21 Refresh tokens live 30 days from the exchange and do not rotate
22 A refresh returns an access token only, no refresh token
23 The token response is access_token and refresh_token, without token_type and expires_in
24 Token errors are {"message"}: 400 for a bad grant_type or no client, 401 Unauthorized, 405 Invalid method
25 The API answers a bad token with 401 {"message":"Unauthorized"}
26 GET and POST /api/auth/oauth/me need READ_PROFILE and answer 201 {"username"}
27 One listBookings endpoint takes an API key or a Bearer token with READ_BOOKING
28 A connection belongs to a user or to a team, the team's only by its owner or admin
29 Only the platform's staff registers apps: name, redirect URI, logo and link
~30 What a pending app may do
~31 What sends an app back to review
32 client_id and secret are 32 random bytes in hex; the secret is stored as a hash
~33 Rate limits
~34 Marketplace, disconnecting, personal data and sandbox
E1 A refresh ends nothing and gives no new refresh token
E2 =
E3 =
E4 =
E5 =
E6 A replayed code is answered 401
E7 =
E8 =
E9 =
E10 Consenting again gives new tokens
E11 A refresh token is dead after 30 days
S1 A denial: access_denied without description
S2 Unknown client at the token URL: 401 {"message":"Unauthorized"}
S3 Wrong secret: 401 {"message":"Unauthorized"}
~S4 An app that is not approved
S5 A bad, used or expired code: 401 {"message":"Unauthorized"}
S6 Another redirect_uri at the token URL: 401 {"message":"Unauthorized"}
~S7 A missing verifier
~S8 A malformed verifier
~S9 A wrong verifier
S10 A bad refresh token: 401 {"message":"Unauthorized"}
S11 A wrong grant_type: 400 {"message"}, "grant_type invalid" at the token URL, "grant type invalid" at refresh
S12 No client_id: 400 {"message":"Missing client id or secret"}
S13 The API and a bad token: 401 {"message":"Unauthorized"}
S14 The API and a missing scope: 401 {"message":"Unauthorized"}
~S15 The API and too many requests`,

  "cal-v2": `
1 The authorization page is GET /auth/oauth2/authorize; a decision is answered with 303
2 The token URL is POST /v2/auth/oauth2/token for both grants
3 A refresh goes to the token URL; the old refresh URL is still served
4 There is no revocation endpoint
5 Token requests are form-encoded or JSON
6 Confidential apps send the secret in the body, public apps none; Basic is not taken
7 The authorization request also has code_challenge and its method; scope is required, state recommended
8 A code is exchanged with either client_secret or code_verifier; both together are rejected
9 A refresh sends refresh_token in the body; the old URL also takes it as Authorization: Bearer
10 PKCE with S256 only: required for public apps, held to when a confidential app uses it, not part of a refresh
11 Up to ten redirect URIs, exact strings, https or http on loopback, no fragment, no duplicates
12 Scopes are split on commas or spaces and must be among the app's own; an ORG_ scope implies its TEAM_ scope
13 The state comes back only when one was sent
14 The consent page lists each requested scope in words, with Go back / Allow
15 A trusted app is authorized without asking
16 Somebody not signed in goes to the login page and comes back; register=false hides the sign-up
17 A denial goes back as error=access_denied with the state, without error_description
18 A bad app or redirect URI or no scope: an error on the page; scopes beyond the app's: an error at the app
19 A code lives ten minutes and is good for one exchange
20 Access tokens live 30 minutes
21 Refresh tokens live 30 days and rotate; the old one is refresh_token_revoked, the old access token lives on
22 A refresh returns a new refresh token
23 The token response has token_type "bearer", expires_in 1800 and scope, and must not be cached
24 Token errors are RFC 6749's, with the machine-readable reason as description
25 The API answers a bad token with 401 and {"status":"error","timestamp","path","error":{"code","message"}}
26 GET /v2/me needs PROFILE_READ
27 The API takes API keys that begin with cal_ as Bearer too
28 One connection per user or team and app, updated by a new consent; the app's owner can list who authorized it
29 Apps are registered by form and pending, then approved or rejected with a reason; no free mail accounts
30 A pending app works for its owner only, a rejected one for nobody; exchange and refresh look again
31 A new name, logo, website or wider scopes send an app back to review; fewer scopes do not
32 Up to two active secrets, shown once, the last cannot be deleted; revocation is immediate and tokens survive
33 An access token may make 500 API requests a minute; X-RateLimit-* headers tell the rest
34 Localhost redirect URIs stand in for a sandbox; a page to disconnect is not known
E1 A refresh ends the old refresh token of that app and user; the access token lives on
E2 =
E3 =
E4 =
E5 A replayed rotated refresh token is answered invalid_grant and nothing else ends
E6 A replayed code is answered invalid_grant and the tokens are kept
E7 Rotating the client secret leaves all tokens alive
E8 An app no longer approved gets no exchange or refresh; access tokens live until they expire
E9 Deleting an app removes it
E10 Consenting again updates the one connection; old tokens keep their scopes
E11 A refresh token is dead after 30 days
S1 A denial: access_denied without description
S2 Unknown client at the token URL: 401 invalid_client, client_not_found
S3 Wrong secret: 401 invalid_client, invalid_client_credentials
S4 An app that is not approved: 401 unauthorized_client, client_not_approved or client_rejected
S5 A bad, used or expired code: 400 invalid_grant, code_invalid_or_expired
S6 Another redirect_uri at the token URL: 400 invalid_grant, redirect_uri_mismatch
S7 A missing verifier: 400 invalid_request, pkce_missing_parameters_or_invalid_method
~S8 A malformed verifier
S9 A wrong verifier: 400 invalid_grant, pkce_verification_failed
S10 A bad refresh token: 400, invalid_refresh_token, refresh_token_revoked or client_id_mismatch
S11 A wrong grant_type: 400 invalid_request, grant_type must be 'authorization_code' or 'refresh_token'
S12 No client_id: 400 invalid_request, client_id is required
S13 The API and a bad token: 401 {"status":"error"}
S14 The API and a missing scope: 403 {"status":"error"}
S15 The API and too many requests: 429`,

  klaviyo: `
1 Authorize, token and revoke are under /oauth/; token and revoke live on the API's host, not on the website's
2 Token, refresh and revoke requests are form-encoded; JSON is refused
3 Apps authenticate with Basic only, plain base64 of id:secret, at token, refresh and revoke
4 response_type, client_id, redirect_uri, scope, state and an S256 code_challenge are required to authorize
5 A code is sent with code_verifier and redirect_uri, a refresh with refresh_token alone
6 PKCE with S256 is required of public and confidential apps; verifiers are 43 to 128 unreserved characters
7 The redirect URI matches the allowlist exactly and is the same at the token URL; http on localhost is allowed
8 Scopes are resource:read or resource:write, separated by spaces, registered for the app; accounts:read always
9 The state comes back unchanged on success and on denial, whatever it holds
10 The consent page lists the permissions with allow and deny; an app not reviewed carries a warning
11 Somebody not signed in is asked to sign in
12 A denial: access_denied, "The resource owner or authorization server denied the request", and the state
13 Other authorization errors are those of RFC 6749
14 A code lives five minutes
15 Access tokens have at most 4096 characters and live one hour, as expires_in says
16 Refresh tokens have at most 512 characters, live until uninstall, and die after 90 days without use
17 No rotation: a refresh returns the same refresh token, and the previous access token lives on
18 A refresh token may be used ten times a minute; above that it gives nothing until the window has passed
19 API limits are per app and account, by the second and the minute; 429 has Retry-After, not RateLimit-*
20 The token response has access_token, token_type "bearer", expires_in, refresh_token and scope
21 Token errors are RFC 6749's; a refresh that fails is 400 {"error":"invalid_grant"}
22 The API answers a missing or bad token with 401 in JSON:API form: not_authenticated or authentication_failed
23 A missing scope is 403, also when the app has it but the account has not consented again
24 Revoking takes token and an optional token_type_hint, form-encoded with Basic, and answers with JSON
25 Revoking removes the app from the account's page; the account can install it again
26 Uninstalling ends the tokens; the next refresh is 400 invalid_grant
27 Tokens stand for accounts, not for users
28 Owners, admins and managers may create apps, nobody else
29 client_id and secret come with the app; the secret is shown once, and a new one can be made
30 An app works before its review, with a warning; editing a listed app makes a draft; deleting it is for good
31 New scopes are asked of new installs; existing installs keep the old ones until they consent again
32 No endpoint for the token's owner: apps read GET /api/accounts right after the exchange
33 API keys are an alternative: Authorization: Klaviyo-API-Key
~34 Sandbox and personal data
E1 A refresh ends nothing; the refresh token's idle time starts again
E2 Revoking an access token removes the app from the account
E3 Revoking a refresh token ends it, its access tokens and the connection
E4 Uninstalling ends all tokens and the connection; a refresh is then 400 invalid_grant
E5 =
E6 =
E7 =
E8 Suspending an app revokes its tokens
E9 Deleting an app is for good
E10 After scopes are added, old installs keep the old scopes until they consent again
E11 A refresh token is dead after 90 days without use
S1 A denial: access_denied, "The resource owner or authorization server denied the request"
S2 Unknown client at the token URL: 401 invalid_client with WWW-Authenticate: Basic
S3 Wrong secret: 401 invalid_client
S4 An app that is not approved works, with a warning
S5 A bad, used or expired code: 400 invalid_grant, described as an invalid code in the request
S6 Another redirect_uri at the token URL: 400 invalid_grant, described as an invalid redirect_uri in the request
S7 A missing verifier: 400 invalid_request, described as a missing code_verifier
S8 A malformed verifier: 400 invalid_request, described as an invalid code_verifier
S9 A wrong verifier: 400 invalid_grant, Code challenge failed.
S10 A bad refresh token: 400 {"error":"invalid_grant"} and nothing else
S11 A wrong grant_type: 400 unsupported_grant_type, grant_type=X is not supported
~S12 No client_id
S13 The API and a bad token: 401 JSON:API, not_authenticated or authentication_failed
S14 The API and a missing scope: 403 JSON:API
S15 The API and too many requests: 429 with whole seconds in Retry-After and without RateLimit-*`,

  yappointment: `
1 Authorize is /oauth/authorize on the website; token, revoke and the API are on the API's host
2 Token, refresh and revoke requests are JSON or form-encoded
3 client_id and client_secret travel in the body, for token, refresh and revoke
4 The authorization request has client_id, redirect_uri, response_type, scope, state and an S256 code_challenge
5 A code is sent with secret, redirect_uri and code_verifier, a refresh with the secret
6 PKCE with S256 is used together with the secret; verifiers are 43 to 128 characters
7 The redirect URI is registered and sent again at the token URL
8 Scopes are resource:read or resource:write, separated by spaces, which may arrive as plus signs
9 The state comes back
10 The user signs in and sees a consent page
11 A denial goes back to the app as error=access_denied
12 A code lives ten minutes
13 Access tokens begin with yapp_at_ and live one hour
14 Refresh tokens begin with yapp_rt_, live 90 days and rotate
~15 Whether a refresh ends the old access token
16 The token response has access_token, token_type "Bearer", expires_in 3600 and refresh_token
17 A token may make 1000 requests a minute, an address without one 60, with Retry-After
18 The API answers a bad token with 401 and {"status":false,"error","meta"}; a missing scope is 403
~19 How the token endpoint words its errors
20 Revoking sends the access token and the secret as JSON and ends the whole connection
21 A company disconnects an app in its admin panel or through the app's own button
22 POST /api/v1/me with an empty body and GET /api/v1/me answer {"status":true,"data","meta"} with the company
23 POST /api/v1/bookings lists bookings by a filter in the body
24 API keys are an alternative: Bearer yapp_sk_live_ or yapp_sk_test_
25 A connection belongs to the company, consented by one of its admins
26 Apps are made in the admin panel and have id and secret at once, without review
27 Test keys see isolated test companies
~28 Secret rotation, marketplace, personal data and a limit on refreshing
E1 =
E2 Revoking an access token ends all access and refresh tokens and the connection
E3 =
E4 Disconnecting ends all access and refresh tokens and the connection
E5 =
E6 =
E7 =
E8 =
E9 =
E10 =
E11 A refresh token is dead after 90 days
S1 API errors are {"status":false,"error":{"code","message"},"meta":{"timestamp"}}`,
};

/** Mistakes that the platforms made and no preset repeats. */
const DEFECTS = `
1 Of exchanges of one code at the same time exactly one succeeds
2 The redirect_uri at the token URL must be the one of the authorization request, not just one of the app's
3 A rotated or revoked refresh token is dead at once, and how long one lives is known
4 Refreshing on one device leaves the other devices connected
5 Only the classic preset omits expires_in and token_type, answers 201, or 401 for every failure
6 A missing state is never answered as "null", and a denial keeps the state
7 An app without scopes has no access, rather than all of it
8 Secrets are compared in constant time and never mailed
9 No error_description holds a double quote
10 No credential is taken from the query string
11 A refresh does not give an app a fresh rate limit`;

const parse = (platform, prefix, source) =>
  source
    .trim()
    .split("\n")
    .map((line) => {
      const [, tilde, number, text] = line.match(/^(~?)(\w+) (.+)$/);
      const row = { id: `${prefix}-${number}`, platform, text: text === "=" ? SAFE[number] : text };
      return tilde ? { ...row, silent: true } : row;
    });

export const rows = [
  ...Object.entries(SOURCES).flatMap(([platform, source]) => parse(platform, platform, source)),
  ...parse("all", "defect", DEFECTS),
];
