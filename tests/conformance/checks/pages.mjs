// Pages on the way to a code: what they load, what may frame them, what their forms accept. RFC 9700 §4, RFC 6749 §10.
import assert from "node:assert/strict";
import { pkce } from "../../harness/client.mjs";
import { check, need, skip } from "../suite.mjs";
import { described } from "../target.mjs";
import { foreign } from "../visitor.mjs";

/** The answers on one way from the request to the app. */
async function seen(target) {
  const { seen: all } = await target.once("way", () => target.grant(target.any));
  return need(all, "a way through the pages by HTTP");
}

/** Every page of that way, and one that refuses. */
async function pages(target) {
  const refusal = await target.send(target.authorizeUrl(target.any, { client_id: "unknown-client" }));
  const all = [...(await seen(target)), refusal].filter(({ headers }) => /^text\/html/.test(headers.get("content-type") ?? ""));
  const own = all.filter(target.ownPage);
  return own.length > 0 ? own : skip("the pages are those of the application on top of it");
}

const REFERRER = /^(no-referrer|origin|origin-when-cross-origin|same-origin|strict-origin-when-cross-origin)$/;

export default [
  check("AZ-26", async (target) => {
    const bad = (await seen(target)).filter(({ method, status }) => method === "POST" && [307, 308].includes(status));
    assert.equal(bad.length, 0, "a form is answered with 307 or 308");
  }),
  check("AZ-32", async (target) => {
    const script = `"><script>alert(1)</script>`;
    const url = (changes) => target.authorizeUrl(target.any, { code_challenge: pkce().challenge, ...changes });
    for (const name of ["client_id", "redirect_uri", "scope", "state", "login_hint", "response_type"]) {
      const answer = await target.send(url({ [name]: script }));
      assert.ok(!answer.text.includes("<script>alert(1)"), `${name} is on the page as it was sent`);
    }
    const { location, seen: all = [] } = await target.request(target.any, { state: "a\r\nset-cookie: planted=1" });
    for (const { headers } of all) assert.ok(!headers.getSetCookie().some((line) => line.startsWith("planted=")), "a header was planted");
    assert.ok(location, "the request was not served");
  }),
  check("AZ-37", async (target) => {
    for (const { headers, url } of await pages(target)) assert.match(headers.get("referrer-policy") ?? "", REFERRER, `Referrer-Policy of ${url.pathname}`);
  }),
  check("AZ-38", async (target) => {
    for (const answer of await pages(target)) assert.deepEqual(foreign(answer), [], answer.url.pathname);
  }),
  check("AZ-39", async (target) => {
    for (const { headers, url } of await pages(target)) {
      const framed = /frame-ancestors '(none|self)'/.test(headers.get("content-security-policy") ?? "") || /^(deny|sameorigin)$/i.test(headers.get("x-frame-options") ?? "");
      assert.ok(framed, `${url.pathname} may be framed by anyone`);
    }
  }),
  check("AZ-40", async (target) => {
    const client = need(target.clients.native ?? target.clients.public, "a public client");
    const person = need(target.newPerson?.(), "a way through the pages by HTTP");
    await target.grant(client, {}, { person });
    const again = await target.request(client, { prompt: null }, { person });
    assert.ok(again.consents > 0, `the second request was answered without asking: ${described(again)}`);
  }),
  check("AZ-41", async (target) => {
    need(target.newPerson, "a way through the pages by HTTP");
    const { stopped } = await target.request(target.any, {}, { stopAtConsent: true });
    need(stopped, "a consent form");
    const stranger = target.newPerson();
    const first = await stranger.fetch(stopped.url, { ...stopped.init, headers: { origin: "https://attacker.example" } });
    const way = await stranger.follow(first, { redirectUri: target.any.redirectUri, decision: "allow", stopAtConsent: true });
    assert.ok(!way.location?.searchParams.has("code"), "the consent form of one browser gives a code in another");
  }),
  check("AZ-42", async (target) => {
    for (const { headers } of await seen(target)) {
      for (const line of headers.getSetCookie()) {
        assert.match(line, /;\s*httponly/i, `without HttpOnly: ${line.split("=")[0]}`);
        assert.match(line, /;\s*samesite=(lax|strict)/i, `without SameSite: ${line.split("=")[0]}`);
      }
    }
  }),
];
