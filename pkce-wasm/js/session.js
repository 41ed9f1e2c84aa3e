// A session: the tokens of one client in all tabs of an origin, renewed, shared and forgotten
// together (RFC 6749 §6, RFC 7009). Nothing global is touched before the first use.
import { handleCallback } from "./callback.js";
import { fetchWith } from "./fetch.js";
import { createKnowledge } from "./knowledge.js";
import { startLogin } from "./login.js";
import { createRenewal } from "./renewal.js";
import { nameOf } from "./shared.js";
import { revoke } from "./tokens.js";

export function createSession(config) {
  const knowledge = createKnowledge(config, `pkce-wasm ${nameOf(config)}`, drop);
  const { tabs } = knowledge;
  let heard; // the first question to the other tabs
  let started;
  const current = createRenewal(config, knowledge, { start, heard: () => heard, drop });

  // Tells the server that tokens are no longer in use; gives the error when it does not know.
  async function drop({ refreshToken, accessToken }) {
    try {
      await revoke(config, refreshToken ?? accessToken, refreshToken ? "refresh_token" : "access_token");
    } catch (error) {
      return error;
    }
  }

  // Opens the ears.
  function start() {
    return (started ??= (async () => {
      tabs.open();
      globalThis.addEventListener?.("pagehide", tabs.close);
      globalThis.addEventListener?.("pageshow", shown);
      heard = tabs.ask(true);
      await knowledge.sync();
      if (!knowledge.known.accessToken) await heard;
      knowledge.settled();
    })());
  }

  // A page that stood in the back/forward cache, where it hears nothing: as if it were loaded anew.
  function shown({ persisted }) {
    if (!persisted) return;
    knowledge.doubt();
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
    await knowledge.sync(); // what the store has is older, whatever the clock says
    started = Promise.resolve(); // the other tabs need not be waited for any more
    await knowledge.take(tokens);
  }

  return {
    get state() {
      return knowledge.state;
    },
    login: (options) => startLogin(config, options),
    async handleCallback(url) {
      const ready = start();
      const result = await handleCallback(config, url);
      if (!result) await ready;
      else if (result.tokens.accessToken !== knowledge.known.accessToken) await accept(result.tokens);
      return result;
    },
    accept,
    getAccessToken: async ({ renew } = {}) => (await current(renew)).accessToken,
    fetch: (input, init) => fetchWith(config, current, input, init),
    async logout() {
      if (!knowledge.state.ready) await start();
      const { known } = knowledge;
      knowledge.loggedOut();
      if (!known.accessToken || !config.revocationEndpoint) return { revoked: false };
      const error = await drop(known);
      return error ? { revoked: false, error } : { revoked: true };
    },
    onChange(listener) {
      const end = knowledge.onChange(listener);
      start();
      return end;
    },
    close,
  };
}
