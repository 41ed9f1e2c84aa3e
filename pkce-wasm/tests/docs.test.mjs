// What is written agrees with what runs: the pages of the errors, the types, the README and js/errors.js know the same
// codes with the same hints; every link leads somewhere; every piece of code in a page can be read and imports what exists.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import * as api from "../dist/index.js";
import { PkceError } from "../js/errors.js";
import { fences, text } from "./fences.mjs";

const folder = fileURLToPath(new URL("../", import.meta.url));
const PAGES = ["README.md", ...readdirSync(join(folder, "docs"), { recursive: true }).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
const HINTS = ["login", "later", "no"];
const sorted = (values) => [...values].sort();
const codes = sorted([...text("js/errors.js").matchAll(/^ {2}(\w+): \[/gm)].map(([, code]) => code));

/** The first hint in a text. */
const hintIn = (words) => words.match(/\b(login|later|no)\b/)?.[1];

test("there is a page for every code and no other; its title is the code, its hint the one of js/errors.js", () => {
  const pages = readdirSync(join(folder, "docs/errors")).filter((name) => name !== "README.md");
  assert.deepEqual(sorted(pages), codes.map((code) => `${code}.md`));
  for (const code of codes) {
    const page = text(`docs/errors/${code}.md`);
    assert.ok(page.startsWith(`# \`${code}\`\n`), code);
    const [, hint] = page.match(/Retry: \*\*(\w+)\*\*/) ?? [];
    assert.equal(hint, new PkceError(code).retry, code);
    for (const part of ["## Why it happens", "## What to do", "```js"]) assert.ok(page.includes(part), `${code}: ${part}`);
  }
});

test("the tables of the README and of the pages list every code once, with its hint and the link to its page", () => {
  for (const [page, to] of [["README.md", "docs/errors/"], ["docs/errors/README.md", ""]]) {
    const rows = [...text(page).matchAll(/^\|(?:[^|`]*\|)? ?\[`(\w+)`\]\(([^)]*)\) \|(.*)\|$/gm)];
    assert.deepEqual(sorted(rows.map(([, code]) => code)), codes, page);
    for (const [, code, link, rest] of rows) {
      assert.equal(link, `${to}${code}.md`, page);
      assert.equal(hintIn(rest.split("|").at(-1)), new PkceError(code).retry, `${page}: ${code}`);
    }
  }
});

test("the types know the same codes and hints", () => {
  const types = text("index.d.ts");
  assert.deepEqual([...types.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code), codes);
  const [, retry] = types.match(/readonly retry: ([^;]+);/);
  assert.deepEqual(retry.split(" | ").map((word) => JSON.parse(word)), HINTS);
});

test("what the pages say of hints that depend on the server's words is so", () => {
  const retry = (code, details) => new PkceError(code, details).retry;
  for (const oauthError of ["server_error", "temporarily_unavailable"]) {
    assert.equal(retry("authorization_error", { oauthError }), "later");
    assert.match(text("docs/errors/authorization_error.md"), new RegExp(`\\*\\*later\\*\\* for[^.]*\`${oauthError}\``));
  }
  assert.equal(retry("token_error", { oauthError: "invalid_grant", status: 400 }), "login");
  for (const status of [429, 500, 503]) assert.equal(retry("token_error", { status }), "later");
  assert.match(text("docs/errors/token_error.md"), /\*\*login\*\* for\s+`invalid_grant`; \*\*later\*\* for status 429 and 5xx/);
});

/** The anchors that a page has, as GitHub makes them. */
const anchors = (page) => [...text(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-"));

test("every link between the pages leads to a page and a heading that exist, and every page is linked", () => {
  const linked = new Set(["README.md"]);
  for (const page of PAGES) {
    for (const [, link] of text(page).replaceAll(/^```[\s\S]*?^```$|`[^`\n]*`(?!\])/gm, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:/.test(link)) continue;
      const [path, anchor] = link.split("#");
      const target = path ? join(dirname(page), path) : page;
      assert.ok(existsSync(join(folder, target)), `${page}: ${link}`);
      if (anchor) assert.ok(anchors(target).includes(anchor), `${page}: ${link}`);
      linked.add(target);
    }
  }
  assert.deepEqual(PAGES.filter((page) => !linked.has(page)), []);
});

test("the pages are in the package", () => {
  for (const page of PAGES) assert.equal(text(`dist/${page}`), text(page), page);
  assert.ok(JSON.parse(text("package.json")).files.includes("docs"));
});

test("code in the pages can be read, and what it imports from the module is there", async () => {
  for (const page of PAGES) {
    for (const { language, code } of fences(page).filter(({ language }) => ["js", "jsx"].includes(language))) {
      await assert.doesNotReject(transform(code, { loader: language, format: "esm", logLevel: "silent" }), `${page}:\n${code}`);
      for (const [, names, from] of code.matchAll(/import \{ ([^}]+) \} from "pkce-wasm([^"]*)"/g)) {
        const entry = from ? await import(`../dist/${from.slice(1)}.js`) : api;
        for (const name of names.split(", ")) assert.ok(name in entry, `${page}: ${name} from pkce-wasm${from}`);
      }
    }
  }
});

test("the README describes every export, every member of a session, and nothing that is not there", () => {
  const readme = text("README.md");
  for (const name of Object.keys(api)) assert.match(readme, new RegExp(`\\b${name}\\b`), name);
  const [, functions] = readme.match(/^## Functions\n([\s\S]*?)^## /m);
  for (const [, name] of functions.matchAll(/^\| `(\w+)\(/gm)) assert.ok(name in api, name);
  const [, members] = text("index.d.ts").match(/^export interface Session \{\n([\s\S]*?)^\}/m);
  const [, session] = readme.match(/^## Session\n([\s\S]*?)^## /m);
  for (const [, name] of members.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)) assert.match(session, new RegExp(`\`${name}\\b`), name);
});
