// What is done with tokens later: refresh (RFC 6749 §6) and revocation (RFC 7009).
import { PkceError } from "./errors.js";
import { postRevocation, postToken } from "./http.js";
import { nameOf, shared } from "./shared.js";

const refreshes = new Map(); // running refreshes, by client and token
const turns = new Map(); // the last in each queue, where there are no Web Locks

export async function refresh(config, source) {
  if (typeof source === "object" && source) {
    const save = async (tokens) => (await source.save(tokens), tokens);
    return renew(config, await source.load(), source.load.bind(source), save);
  }
  return shared(refreshes, `${nameOf(config)} ${source}`, () => refreshWith(config, { refreshToken: source }));
}

async function refreshWith(config, { refreshToken, scope }) {
  if (!refreshToken) throw new PkceError("refresh_token_missing");
  const form = { grant_type: "refresh_token", client_id: config.clientId, refresh_token: refreshToken };
  return postToken(config, form, { refreshToken, scope });
}

// Tabs that share tokens take turns; who finds other ones than `before` after waiting uses those. New
// tokens are saved, and a refusal dealt with, before the next one gets its turn.
export function renew(config, before, load, save, failed) {
  return inTurn(`pkce-wasm ${nameOf(config)}`, async () => {
    const current = await load();
    if (current && current.accessToken !== before?.accessToken) return current;
    return refreshWith(config, current ?? {}).then(save, failed);
  });
}

// Web Locks reach all tabs but exist on secure origins only, and with storage a browser may refuse
// them too; then the turns are this page's.
async function inTurn(name, work) {
  let begun;
  try {
    return await navigator.locks.request(name, () => ((begun = true), work()));
  } catch (error) {
    if (begun) throw error;
  }
  const turn = (turns.get(name) ?? Promise.resolve()).then(work);
  turns.set(
    name,
    turn.catch(() => {}),
  );
  return turn;
}

export async function revoke(config, token, hint) {
  const form = { token, client_id: config.clientId };
  if (hint) form.token_type_hint = hint;
  await postRevocation(config, form);
}
