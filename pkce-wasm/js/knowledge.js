// What a tab knows of a session, and how tabs and stores come to know the same. A tab knows the tokens, and
//   at     which ones they are: later ones have more. The time in milliseconds, moved on where the
//          clock went back;
//   since  the `at` of the login they come from;
//   got    when they were received, in milliseconds since 1970 by the clock of this computer;
//   out    the latest logout: what comes from an earlier login is void, however late it arrives;
//   reason how it came to be.
// Tabs and stores may tell in any order and more than once, and all end with the same.
import { PkceError } from "./errors.js";
import { createStore } from "./store.js";
import { createTabs } from "./tabs.js";

const NOTHING = { at: 0, since: 0, out: 0 };
const without = ({ at, since, out }, reason) => ({ at, since, out, reason });

// `drop` takes tokens that a logout overtook.
export function createKnowledge(config, name, drop) {
  const store = createStore(config, name);
  const listeners = new Set();
  let state = Object.freeze({ signedIn: false, ready: false, reason: "start" });
  let known = NOTHING;
  let problem; // of the store
  let saved = Promise.resolve();

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
    if (ended && told.at < before.at) drop(before); // the tab that logged out did not have these
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

  return {
    tabs,
    sync,
    get known() {
      return known;
    },
    get state() {
      return state;
    },
    // The first look has ended: there are tokens in the store, or other tabs have said what they have.
    settled() {
      if (!state.ready) show("start");
      else if (state.signedIn !== Boolean(known.accessToken)) show("logout");
    },
    take(tokens, since) {
      const at = next();
      const reason = since ? "refresh" : "login";
      return become({ ...tokens, at, since: since ?? at, got: Date.now(), out: known.out, reason });
    },
    ended: () => become(without(known, "ended")),
    loggedOut: () => become({ ...without(known, "logout"), out: next() }),
    // What was missed meanwhile is read again; only what no store keeps stays.
    doubt() {
      if (store && !problem) known = { ...NOTHING, out: known.out };
    },
    onChange(listener) {
      const entry = () => listeners.has(entry) && listener(state);
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
  };
}
