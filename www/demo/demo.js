// The demo app: connect, call the API, refresh, revoke. The tokens live in memory and nowhere else;
// what waits in sessionStorage for the way back from the server is the log without its secrets.
import { PkceError, discover, handleCallback, refresh, revoke, startLogin } from "/pkce-wasm/index.js";
import { callsOf, complaint, requestOf, untilRefused } from "./calls.js";
import { add, element, hide, lines, onReveal, restore, saved, shown, watched } from "./log.js";
import { STEPS, kindly } from "./words.js";

const SAVED = "demo.way";
const $ = (id) => document.getElementById(id);
const buttons = { connect: $("connect"), me: $("me"), refresh: $("refresh"), revoke: $("revoke"), dead: $("dead") };

let settings; // where the server's endpoints are
let platform; // a promise: what the preset calls itself, where its API says whose token it is, what its gateway leads to
let mePath; // the address that says so
let calls = []; // buttons for the API behind the gateway
let scopes = [];
let tokens;
let revoked; // an access token that was given back, to show that it is dead
let busy = false;
let arriving = true; // the page is still starting: what is pressed meanwhile is done afterwards
let pressed;

const fetchShown = watched((url, form) => {
  if (url.pathname.includes("/.well-known/")) return STEPS.metadata;
  if (form?.get("grant_type") === "refresh_token") return STEPS.refresh;
  if (form?.has("grant_type")) return STEPS.exchange;
  if (form) return STEPS.revoke;
  return !mePath || url.pathname === mePath ? STEPS.api : STEPS.gateway;
});

function config() {
  return {
    ...settings,
    clientId: "demo-spa",
    redirectUri: `${location.origin}/demo/`,
    fetch: fetchShown,
  };
}

async function readMetadata() {
  const fetchAndKeep = async (url, init) => {
    const response = await fetchShown(url, init);
    const body = await response
      .clone()
      .json()
      .catch(() => ({}));
    if (Array.isArray(body.scopes_supported)) scopes = body.scopes_supported;
    return response;
  };
  settings = await discover(location.origin, { fetch: fetchAndKeep });
}

// A development server says which platform it plays. That is no part of OAuth, so it is not in the log.
async function readPlatform() {
  const { me, name, gateway } = await (await fetch("/__dev/platform")).json();
  buttons.me.title = `${me.methods[0]} ${me.path}`;
  document.title = `Demo app – ${name}`;
  document.querySelector(".brand").textContent = name;
  mePath = me.path;
  drawCalls(callsOf(gateway));
  return { me, name };
}

function drawCalls(known) {
  const action = (label, title, work) => {
    const button = Object.assign(element("button", "button", label), { type: "button", title });
    button.addEventListener("click", () => run(work));
    return button;
  };
  calls = known.map((call) => action(call.label, call.title, () => callGateway(call)));
  // One that reads and needs least is called until it is refused.
  const light = known.filter((call) => call.method === "GET").at(0);
  if (light) calls.push(action("Call until refused", `${light.method} ${light.path}, again and again`, () => flood(light)));
  $("calls").replaceChildren(...calls);
  $("needs").textContent = known.map((call) => call.title).join(". ");
  draw();
}

function connect() {
  const asked = [...document.querySelectorAll("#scopes input:checked")].map((box) => box.value);
  return startLogin(config(), { scope: asked.join(" "), navigate: leave });
}

function leave(url) {
  const { pathname, search } = new URL(url);
  add({
    ...STEPS.request,
    parts: [
      ["Redirect to", `GET ${pathname}`],
      ["Parameters", lines(search)],
    ],
  });
  sessionStorage.setItem(SAVED, JSON.stringify({ steps: saved(), settings, scopes }));
  location.assign(url);
}

// The steps before the redirect, when this load is the answer to it.
function comeBack() {
  const way = sessionStorage.getItem(SAVED);
  sessionStorage.removeItem(SAVED);
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return;
  if (way) {
    const kept = JSON.parse(way);
    settings = kept.settings;
    scopes = kept.scopes;
    restore(kept.steps);
  }
  hide(answer.get("code"));
  add({
    ...STEPS.answer,
    parts: [
      ["Redirect to", `GET ${location.pathname}`],
      ["Parameters", lines(answer)],
    ],
  });
}

async function arrive() {
  comeBack();
  platform = readPlatform();
  platform.catch(() => {}); // callApi tries again
  if (!settings) await readMetadata();
  drawScopes();
  await finish();
}

async function finish() {
  const login = await handleCallback(config());
  if (!login) return;
  tokens = login.tokens;
  revoked = undefined;
}

async function callApi(token = tokens.accessToken) {
  const headers = { accept: "application/json", authorization: `Bearer ${token}` };
  const { path, methods } = (await platform.catch(() => (platform = readPlatform()))).me;
  const response = await fetchShown(path, { method: methods[0], headers, credentials: "omit", cache: "no-store" });
  if (!response.ok) throw complaint(response);
}

async function callGateway(call) {
  const response = await fetchShown(call.path, requestOf(call, tokens.accessToken));
  if (!response.ok) throw complaint(response);
}

async function flood(call) {
  const { accepted, refused } = await untilRefused(call, tokens.accessToken);
  const body = await refused?.text();
  const head = refused && [...refused.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const parts = [["Requests", `${accepted} times ${call.method} ${call.path}: 200\nthen ${refused ? refused.status : "no refusal: this page stopped"}`]];
  if (refused) parts.push(["The first answer that refuses", `${refused.status} ${refused.statusText}\n${head}\n\n${body}`]);
  add({ ...STEPS.flood, status: refused && `${refused.status} after ${accepted}`, parts });
  if (refused) throw complaint(refused);
}

async function renew() {
  tokens = await refresh(config(), tokens.refreshToken);
}

async function giveBack() {
  const token = tokens.refreshToken ?? tokens.accessToken;
  await revoke(config(), token, tokens.refreshToken ? "refresh_token" : "access_token");
  revoked = tokens.accessToken;
  tokens = undefined;
}

// Runs one action at a time and shows how it ended.
async function run(action) {
  if (busy) {
    if (arriving) pressed = action;
    return;
  }
  busy = true;
  complain();
  draw();
  try {
    await action();
  } catch (error) {
    if (error.oauthError === "invalid_grant") tokens = undefined;
    complain(error);
  } finally {
    busy = false;
    draw();
  }
}

function complain(error) {
  const place = $("error");
  place.hidden = !error;
  if (!error) return place.replaceChildren();
  place.className = error.code === "authorization_denied" ? "notice notice-warn" : "alert";
  const known = error instanceof PkceError || error.code === "api_error";
  if (!known) console.error(error);
  const details = [error.description, error.oauthError && `error: ${error.oauthError}`].filter(Boolean).join(" · ");
  const code = element("code", "", known ? error.code : "unexpected");
  place.replaceChildren(element("p", "", kindly(error)), element("p", "fine", code, details ? ` · ${details}` : ""));
}

function draw() {
  const connected = tokens !== undefined;
  const state = $("state");
  const word = connected ? "connected" : "disconnected";
  if (state.textContent !== word) state.textContent = word;
  state.className = connected ? "tag tag-good" : "tag tag-off";
  // aria-disabled instead of disabled while an action runs, so that the focus stays where it is.
  const usable = { connect: !connected, me: connected, refresh: Boolean(tokens?.refreshToken), revoke: connected, dead: Boolean(revoked) };
  for (const [name, button] of Object.entries(buttons)) {
    button.disabled = !usable[name];
    button.setAttribute("aria-disabled", String(busy || !usable[name]));
  }
  for (const button of calls) {
    button.disabled = !connected;
    button.setAttribute("aria-disabled", String(busy || !connected));
  }
  buttons.dead.hidden = !revoked;
  $("api").hidden = !connected || calls.length === 0;
  $("scopes").hidden = connected || $("scopes").children.length < 2;
  drawTokens();
}

function drawTokens() {
  const place = $("tokens");
  place.hidden = !tokens;
  if (!tokens) return place.replaceChildren();
  hide(tokens.accessToken, tokens.refreshToken);
  const expires = tokens.expiresAt && new Date(tokens.expiresAt).toLocaleTimeString();
  const facts = [
    ["Access token", element("code", "", shown(tokens.accessToken))],
    ["Works until", expires ?? "the server does not say"],
    ["Refresh token", tokens.refreshToken ? element("code", "", shown(tokens.refreshToken)) : "none"],
    ["Permissions", tokens.scope ?? "the server does not say"],
  ];
  place.replaceChildren(...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
}

function drawScopes() {
  const boxes = scopes.map((scope) => {
    // Of a long catalogue the first few: nobody reads a consent page of forty lines.
    const checked = scopes.length <= 8 || scopes.indexOf(scope) < 4;
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: scope, checked });
    return element("label", "", box, element("code", "", scope));
  });
  $("scopes").replaceChildren($("scopes").querySelector("legend"), ...boxes);
}

buttons.connect.addEventListener("click", () => {
  run(async () => {
    if (!settings) await readMetadata();
    // A code whose exchange the network ate is tried again before a new login starts.
    await finish();
    if (!tokens) await Promise.race([connect(), leaving()]);
  });
});
buttons.me.addEventListener("click", () => run(() => callApi()));
buttons.refresh.addEventListener("click", () => run(renew));
buttons.revoke.addEventListener("click", () => run(giveBack));
buttons.dead.addEventListener("click", () => run(() => callApi(revoked)));
onReveal(drawTokens);

// `startLogin` never settles when it works. The page is gone soon; should it come back by the Back
// button, from the browser's cache, it must not be busy any more.
const leaving = () => new Promise((resolve) => addEventListener("pageshow", resolve, { once: true }));

run(arrive).then(() => {
  arriving = false;
  if (pressed) run(pressed);
});
