// When tokens are renewed, and by whom (RFC 6749 §6): once for all who ask in this page, and by one tab at a time.
import { PkceError } from "./errors.js";
import { renew } from "./tokens.js";

// Milliseconds the access token still lives. Before its receipt the clock has jumped: none.
function lifeLeft({ got, expiresAt = Infinity }, now) {
  return now < got ? 0 : expiresAt - now;
}

// Whether it is about to end: within the margin, and in the second half of its life.
function isLate({ got, expiresAt }, left, { renewBefore = 60 }) {
  return left <= renewBefore * 1000 && left * 2 <= expiresAt - got;
}

// Gives a function for the tokens to use: renewed ones when its argument is true or the access token that was
// refused. `start` is awaited first, and `heard`, what the other tabs say to a first question, before a renewal; `drop`
// takes tokens that a logout overtook.
export function createRenewal(config, knowledge, { start, heard, drop }) {
  let running;
  let notBefore = 0; // when a renewal ahead of time may be tried again

  async function renewed() {
    const before = knowledge.known;
    let from;
    await heard();
    const load = async () => {
      await knowledge.sync();
      await knowledge.tabs.ask();
      from = knowledge.known;
      if (!from.accessToken) throw new PkceError("login_required");
      return from;
    };
    const save = async (tokens) => {
      // A logout or another login while the request was on its way.
      if (knowledge.known.since !== from.since || knowledge.known.out >= from.since) {
        drop(tokens);
        return load();
      }
      await knowledge.take(tokens, from.since);
      return knowledge.known;
    };
    const failed = async (cause) => {
      if (cause.oauthError !== "invalid_grant") throw cause;
      if (knowledge.known.at === from.at) knowledge.ended();
      if (!knowledge.known.accessToken) throw new PkceError("login_required", { cause });
      return knowledge.known;
    };
    return renew(config, before, load, save, failed);
  }

  return async function current(refused) {
    await start();
    const { known } = knowledge;
    const { accessToken, refreshToken } = known;
    const wanted = refused === true || refused === accessToken;
    const left = lifeLeft(known, Date.now());
    const soon = refreshToken && Date.now() >= notBefore && isLate(known, left, config);
    if (accessToken && !wanted && left > 0 && !soon) return known;
    if (!refreshToken) {
      if (accessToken && !wanted) knowledge.ended();
      throw new PkceError("login_required");
    }
    try {
      return await (running ??= renewed().finally(() => (running = undefined)));
    } catch (error) {
      notBefore = Date.now() + (error.retryAfter ?? 5) * 1000;
      const { known: last } = knowledge;
      if (wanted || !last.accessToken || lifeLeft(last, Date.now()) <= 0) throw error;
      return last;
    }
  };
}
