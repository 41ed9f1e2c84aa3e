// A session: the tokens of one client in all tabs of an origin, renewed, shared and forgotten
// together (RFC 6749 §6, RFC 7009). Nothing global is touched before the first use.
//
// What a tab knows: the tokens, and
//   at     which ones they are: later ones have more. The time in milliseconds, moved on where the
//          clock went back;
//   since  the `at` of the login they come from;
//   got    when they were received, in milliseconds since 1970 by the clock of this computer;
//   out    the latest logout: what comes from an earlier login is void, however late it arrives;
//   reason how it came to be.
// Tabs and stores may tell in any order and more than once, and all end with the same.
import { handleCallback } from "./callback.js";
import { PkceError } from "./errors.js";
import { fetchWith } from "./fetch.js";
import { startLogin } from "./login.js";
import { nameOf } from "./shared.js";
import { createStore } from "./store.js";
import { createTabs } from "./tabs.js";
import { renew, revoke } from "./tokens.js";

const NOTHING = { at: 0, since: 0, out: 0 };
const without = ({ at, since, out }, reason) => ({ at, since, out, reason });

export function createSession(config) {
  const name = `pkce-wasm ${nameOf(config)}`;
  const store = createStore(config, name);
  const listeners = new Set();
  let state = Object.freeze({ signedIn: false, ready: false, reason: "start" });
  let known = NOTHING;
  let problem; // of the store
  let started;
  let heard; // the first question to the other tabs
  let saved = Promise.resolve();
  let renewing;
  let notBefore = 0; // when a renewal ahead of time may be tried again

  const tabs = createTabs(
    name,
    () => known,
    (told) => (learn(told), state.ready),
  );

  function show(reason) {
    const { accessToken, scope } = known;
    state = Object.freeze({ signedIn: Boolean(accessToken), ready: true, scope, reason, error: problem });
    listeners.forEach((entry) => queueMicrotask(entry));
  }

  // Takes over what is newer. Of the same tokens, who knows that they were refused knows more.
  function learn(told) {
    const before = known;
    const newer = told.at > known.at || (told.at === known.at && !told.accessToken) ? told : known;
    known = { ...newer, out: Math.max(before.out, told.out) };
    if (known.since <= known.out) known = without(known, "logout");
    const ended = before.accessToken && !known.accessToken;
    if (ended && told.at < before.at) end(before); // the tab that logged out did not have these
    if (known.at === before.at && !ended) return;
    if (state.ready) show(known.reason);
    sync();
  }

  // Brings the store and this tab to the same state; one after the other.
  function sync() {
    return (saved = saved.then(async () => {
      try {
        const found = await store?.load();
        const stored = found && { at: 1, since: 1, out: 0, got: Date.now(), ...found };
        if (stored) learn(stored);
        const kept = known.accessToken ? known : null;
        if (stored?.at !== kept?.at) await store?.save(kept);
      } catch (cause) {
        problem = new PkceError("storage_unavailable", { cause });
        if (state.ready && !state.error) show(state.reason);
      }
    }));
  }

  function become(next) {
    known = next;
    tabs.tell();
    show(known.reason);
    return sync();
  }

  // Later than all that was heard of.
  const next = () => Math.max(Date.now(), known.at + 1, known.out + 1);

  function take(tokens, since) {
    const at = next();
    const reason = since ? "refresh" : "login";
    return become({ ...tokens, at, since: since ?? at, got: Date.now(), out: known.out, reason });
  }

  // Opens the ears. There are tokens in the store, or other tabs say what they have.
  function start() {
    return (started ??= (async () => {
      tabs.open();
      globalThis.addEventListener?.("pagehide", tabs.close);
      globalThis.addEventListener?.("pageshow", shown);
      heard = tabs.ask(true);
      await sync();
      if (!known.accessToken) await heard;
      if (!state.ready) show("start");
      else if (state.signedIn !== Boolean(known.accessToken)) show("logout");
    })());
  }

  // A page that stood in the back/forward cache, where it hears nothing: as if it were loaded anew,
  // only that it still has what no store keeps.
  function shown({ persisted }) {
    if (!persisted) return;
    if (store && !problem) known = { ...NOTHING, out: known.out };
    started = undefined;
    start();
  }

  function close() {
    tabs.close();
    globalThis.removeEventListener?.("pagehide", tabs.close);
    globalThis.removeEventListener?.("pageshow", shown);
    started = undefined;
  }

  async function accept(tokens) {
    start();
    await sync(); // what the store has is older, whatever the clock says
    started = Promise.resolve(); // the other tabs need not be waited for any more
    await take(tokens);
  }

  // Milliseconds the access token still lives. Before its receipt the clock has jumped: none.
  function lifeLeft() {
    const now = Date.now();
    return now < known.got ? 0 : (known.expiresAt ?? Infinity) - now;
  }

  // The tokens to use; renewed ones when `renew` is true or the access token that was refused.
  async function current(renew) {
    await start();
    const wanted = renew === true || renew === known.accessToken;
    const left = lifeLeft();
    const late = left <= (config.renewBefore ?? 60) * 1000 && left * 2 <= known.expiresAt - known.got;
    const soon = late && known.refreshToken && Date.now() >= notBefore;
    if (known.accessToken && !wanted && left > 0 && !soon) return known;
    if (!known.refreshToken) {
      if (known.accessToken && !wanted) become(without(known, "ended"));
      throw new PkceError("login_required");
    }
    try {
      return await (renewing ??= renewed().finally(() => (renewing = undefined)));
    } catch (error) {
      notBefore = Date.now() + (error.retryAfter ?? 5) * 1000;
      if (wanted || !known.accessToken || lifeLeft() <= 0) throw error;
      return known;
    }
  }

  async function renewed() {
    const before = known;
    let from;
    await heard;
    const load = async () => {
      await sync();
      await tabs.ask();
      if (!known.accessToken) throw new PkceError("login_required");
      return (from = known);
    };
    const save = async (tokens) => {
      // A logout or another login while the request was on its way.
      if (known.since !== from.since || known.out >= from.since) {
        end(tokens);
        return load();
      }
      await take(tokens, from.since);
      return known;
    };
    const failed = async (cause) => {
      if (cause.oauthError !== "invalid_grant") throw cause;
      if (known.at === from.at) become(without(known, "ended"));
      if (!known.accessToken) throw new PkceError("login_required", { cause });
      return known;
    };
    return renew(config, before, load, save, failed);
  }

  // Tells the server that tokens are no longer in use; gives the error when it does not know.
  async function end({ refreshToken, accessToken }) {
    try {
      await revoke(config, refreshToken ?? accessToken, refreshToken ? "refresh_token" : "access_token");
    } catch (error) {
      return error;
    }
  }

  return {
    get state() {
      return state;
    },
    login: (options) => startLogin(config, options),
    async handleCallback(url) {
      const ready = start();
      const result = await handleCallback(config, url);
      if (!result) await ready;
      else if (result.tokens.accessToken !== known.accessToken) await accept(result.tokens);
      return result;
    },
    accept,
    getAccessToken: async ({ renew } = {}) => (await current(renew)).accessToken,
    fetch: (input, init) => fetchWith(config, current, input, init),
    async logout() {
      if (!state.ready) await start();
      const before = known;
      become({ ...without(known, "logout"), out: next() });
      if (!before.accessToken || !config.revocationEndpoint) return { revoked: false };
      const error = await end(before);
      return error ? { revoked: false, error } : { revoked: true };
    },
    onChange(listener) {
      const entry = () => listeners.has(entry) && listener(state);
      listeners.add(entry);
      start();
      return () => listeners.delete(entry);
    },
    close,
  };
}
