// The log of exchanges: what was sent, what came back, and why. Codes, verifiers and tokens are
// shortened wherever they stand until somebody asks to see them.

const list = document.querySelector("#exchanges");
const said = document.querySelector("#said");
const reveal = document.querySelector("#reveal");

const steps = [];
const secrets = new Set();
const texts = new Map(); // what each block says, by its element

reveal.addEventListener("change", () => {
  for (const [block, text] of texts) block.textContent = shown(text);
});

/** Values that are shortened from now on. */
export function hide(...values) {
  for (const value of values) if (value) secrets.add(value);
}

function shortened(text) {
  let result = text;
  for (const secret of secrets) result = result.replaceAll(secret, `${secret.slice(0, 8)}…${secret.slice(-4)}`);
  return result;
}

/** A text as it may be shown. */
export const shown = (text) => (reveal.checked ? text : shortened(text));

/** Runs when the choice to show secrets changes. */
export function onReveal(work) {
  reveal.addEventListener("change", work);
}

/** Adds a step: `{ title, why, rule, parts: [[name, text]], status, folded }`. The last one stands open, unless folded. */
export function add(step) {
  steps.push(step);
  for (const details of list.querySelectorAll("details")) details.open = false;
  list.append(draw(step, steps.length));
  const outcome = step.status ? `: ${step.status}` : "";
  said.textContent = `Step ${steps.length}. ${step.title}${outcome}.`;
}

/** The steps so far, with every secret shortened for good, and back: they outlive the redirects. */
export function saved() {
  return steps.map((step) => ({ ...step, parts: step.parts.map(([name, text]) => [name, shortened(text)]) }));
}

export function restore(kept) {
  for (const step of kept) add(step);
}

function draw(step, number) {
  const head = element("h3", "log-head", element("span", "", `${number}. ${step.title}`));
  if (step.status) head.append(element("span", "log-status", step.status));
  const details = element("details", "", element("summary", "", "What was sent and what came back"));
  details.open = !step.folded;
  for (const [name, text] of step.parts) {
    const block = element("pre", "", shown(text));
    texts.set(block, text);
    details.append(element("p", "demo-part", name), block);
  }
  const why = element(
    "p",
    "demo-why",
    `${step.why} `,
    element("span", "fine", step.rule.replaceAll(/(?<!,) /g, "\u00a0")),
  );
  return element("li", "log-entry", head, why, details);
}

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A form or query with one parameter on each line, decoded. */
export function lines(parameters) {
  return [...new URLSearchParams(parameters)].map(([name, value]) => `${name} = ${value}`).join("\n");
}

/** A fetch that shows what it does. `describe` gives the texts of a step for a URL and a body. */
export function watched(describe) {
  return async (url, init = {}) => {
    const { pathname, search, host } = new URL(url, location.href);
    const method = init.method ?? "GET";
    const form = init.body instanceof URLSearchParams ? init.body : undefined;
    for (const name of ["code", "code_verifier", "refresh_token", "token"]) hide(form?.get(name));

    const request = new Request(url, init);
    const headers = [`Host: ${host}`, ...[...request.headers].map(([name, value]) => `${name}: ${value}`)];
    const parts = [["Request", `${method} ${pathname}${search}\n${headers.join("\n")}`]];
    if (form) parts.push(["Request body, one parameter on each line", lines(form)]);
    const step = { ...describe(new URL(url, location.href), form), parts, status: "no answer" };
    try {
      const response = await fetch(url, init);
      const text = await response.clone().text();
      const body = pretty(text);
      const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      step.status = `${response.status} ${response.statusText}`.trim();
      parts.push(["Response", `${step.status}\n${head}`]);
      if (body) parts.push(["Response body", body]);
      return response;
    } finally {
      add(step);
    }
  };
}

function pretty(text) {
  try {
    const value = JSON.parse(text);
    hide(value.access_token, value.refresh_token);
    return JSON.stringify(value, undefined, 2);
  } catch {
    return text;
  }
}
