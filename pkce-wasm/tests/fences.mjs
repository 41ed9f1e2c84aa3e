// Code fences of the README and of the pages, as tests use them. A fence that has a file name beside its language
// (```jsx App.jsx) can be built; the name is how a test finds it.
import { readFileSync } from "node:fs";

const package_ = new URL("../", import.meta.url);
const CODE = ["js", "jsx", "vue", "svelte"];

export const text = (path) => readFileSync(new URL(path, package_), "utf8");

/** The fences of a page: `{ language, name, code }`. */
export function fences(page) {
  const found = text(page).matchAll(/^```(\w+)? ?(\S+)?\n([\s\S]*?)^```$/gm);
  return [...found].map(([, language = "", name, code]) => ({ language, name, code }));
}

/** The fences of the README that are code, by name. */
export const snippets = new Map(
  fences("README.md")
    .filter(({ language }) => CODE.includes(language))
    .map(({ name, code }) => [name, code]),
);
