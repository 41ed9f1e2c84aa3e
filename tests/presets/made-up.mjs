// A sixth platform as a table: every knob of a preset with a value that no other has. `toml()` makes the file of it.

export const NAME = "bloom";

export const TABLE = [
  ["platform", "name", "Bloom"],
  ["platform", "account", "flower shop"],
  ["platform", "colour", "#8a1c4a"],
  ["scopes", "separator", "space_or_comma"],
  ["scopes", "missing", ["shop"]],
  ["scopes", "missing_told", "app"],
  ["scopes", "always", []],
  ["scopes", "catalogue", [
    { name: "shop", words: "See your shop" },
    { name: "shop.all", words: "Do everything in your shop", implies: ["shop"], sensitive: true },
    { name: "shop.customers", words: "See who buys flowers", personal: true, offered_with: "shop.all" },
  ]],
  ["routes", "authorize", ["/connect", "/v0/connect"]],
  ["routes", "decision", "/connect"],
  ["routes", "token", ["/connect/token"]],
  ["routes", "refresh", ["/connect/renew"]],
  ["routes", "revoke", ["/connect/end"]],
  ["routes", "introspect", ["/connect/whose", "/v0/whose"]],
  ["authorize", "response_type", "optional"],
  ["authorize", "state", "required"],
  ["authorize", "pkce", "required_for_public"],
  ["authorize", "state_max", 200],
  ["authorize", "decision_s", 120],
  ["authorize", "consent_roles", ["gardener"]],
  ["authorize", "remember", false],
  ["authorize", "deny_description", "Not today"],
  ["code", "life_s", 30],
  ["token", "encodings", ["json"]],
  ["token", "redirect_uri", "required"],
  ["token", "auth_methods", ["client_secret_basic"]],
  ["token", "refresh_header", true],
  ["token", "token_type", "BEARER"],
  ["token", "answer", ["expires_in", "refresh_token"]],
  ["token", "refresh_answer", []],
  ["token", "prefixes", { access: "bloom_a_", refresh: "bloom_r_", key: "bloom_k_" }],
  ["token", "body_max", 2048],
  ["token.errors", "body", { oops: { why: "$error", what: "$description?", status: "$status" } }],
  ["token.errors", "says", { code_invalid: { status: 418, description: "no such flower" } }],
  ["access", "life_s", 90],
  ["refresh", "idle_s", 0],
  ["refresh", "absolute_s", 86_400],
  ["refresh", "rotation", "static"],
  ["refresh", "retry_window_ms", 0],
  ["refresh", "retry_window_public_ms", 1000],
  ["refresh", "rate", { limit: 3, window_s: 30 }],
  ["refresh", "families_max", 5],
  ["revoke", "refresh_ends", "grant"],
  ["revoke", "access_ends", "token"],
  ["revoke", "foreign", "ignored"],
  ["revoke", "answer", "empty"],
  ["api", "rate", { limit: 6, window_s: 30 }],
  ["api", "burst", { limit: 4, window_s: 2 }],
  ["api", "per", "family"],
  ["api", "key_rate", { limit: 2, window_s: 30 }],
  ["api", "app_rate", { limit: 60, window_s: 30 }],
  ["api", "account_rate", { limit: 90, window_s: 31 }],
  ["api", "address_rate", { limit: 120, window_s: 32 }],
  ["api", "key_scheme", "Petal"],
  ["api", "headers", { limit: "X-Petals", remaining: "X-Petals-Left", reset: "", on_429: false }],
  ["api.errors", "body", { wilted: "$code" }],
  ["api.errors", "says", { token_unknown: { code: "unknown_flower" } }],
  ["gateway", "rules", [{ methods: ["GET", "DELETE"], path: "/api/vases/{colour}/*", scopes: ["shop"] }]],
  ["gateway", "answer_s", 3],
  ["gateway", "upload_s", 7],
  ["keys", "roles", ["gardener", "florist"]],
  ["keys", "max", 2],
  ["keys", "life_max_s", 7_776_000],
  ["me", "paths", ["/whose"]],
  ["me", "methods", ["POST"]],
  ["me", "status", 202],
  ["me", "scope", "shop"],
  ["me", "body", { shop: ["$account.name"], may: "$scope", nothing: "$null" }],
  ["apps", "creator_roles", []],
  ["apps", "review", "none"],
  ["apps", "secrets_max", 1],
  ["apps", "redirect_uris_max", 1],
  ["apps", "review_days", 5],
  ["apps", "per_account_max", 3],
  ["apps", "overridable", ["api.rate", "refresh.rotation"]],
  ["login", "per_address", { limit: 10, window_s: 900 }],
  ["login", "per_network", { limit: 100, window_s: 900 }],
  ["login", "per_name", { limit: 100, window_s: 900 }],
  ["login", "per_known_browser", { limit: 20, window_s: 900 }],
  ["login", "form_s", 3600],
  ["login", "password_change_ends", "sessions"],
  ["login", "password", true],
  ["login", "provider_session_s", 3600],
  ["audit", "keep_days", 30],
  ["session", "idle_s", 43_200],
  ["session", "absolute_s", 604_800],
  ["unproven", "rate", { limit: 600, window_s: 60 }],
  ["development", "accounts", ["Rosa", "Tulipa"]],
  ["development", "owner_role", "gardener"],
  ["development", "staff_role", "florist"],
  ["development", "spa", { name: "Vase", description: "Shows flowers." }],
  ["development", "server", { name: "Watering", description: "Waters flowers." }],
  ["development", "pending", { name: "Seed", description: "Will be a flower." }],
];

/** A value in TOML: JSON but for tables. */
function value(of) {
  if (Array.isArray(of)) return `[${of.map(value).join(", ")}]`;
  if (of === null || typeof of !== "object") return JSON.stringify(of);
  return `{ ${Object.entries(of).map(([key, one]) => `${JSON.stringify(key)} = ${value(one)}`).join(", ")} }`;
}

/** The table as the text of a preset file; `change` may replace a row: `{ "refresh.rotation": "never" }`. */
export function toml(change = {}) {
  const tables = Object.groupBy(TABLE, ([table]) => table);
  const lines = Object.entries(tables).map(([table, rows]) => {
    const keys = rows.map(([, key, of]) => `${key} = ${value(change[`${table}.${key}`] ?? of)}`);
    return `[${table}]\n${keys.join("\n")}\n`;
  });
  return lines.join("\n");
}
