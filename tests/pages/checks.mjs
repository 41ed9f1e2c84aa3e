// What holds for every page of the portal, in a real browser: axe finds nothing, at desktop and phone width, light and
// dark; nothing is wider than the window; headings are in order; the title names the page; Tab reaches every control.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  ["desktop", 1280, "light"],
  ["desktop-dark", 1280, "dark"],
  ["phone", 390, "light"],
  ["phone-dark", 390, "dark"],
];

/** In the page: violations, each with what it is about. Colours are all that differs between light and dark. */
const run = (onlyColours) =>
  globalThis.axe
    .run(document, { resultTypes: ["violations"], ...(onlyColours && { runOnly: { type: "rule", values: ["color-contrast"] } }) })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`)));

/** In the page: what its structure lacks. */
function structure() {
  const wrong = [];
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const levels = headings.map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) wrong.push(`h1: ${levels.filter((level) => level === 1).length}`);
  levels.forEach((level, at) => level > (levels[at - 1] ?? 0) + 1 && wrong.push(`h${level} after h${levels[at - 1] ?? 0}: ${headings[at].textContent}`));
  for (const field of document.querySelectorAll("input:not([type=hidden]), textarea, select")) {
    const label = [...(field.labels ?? [])].map((each) => each.textContent.trim()).join(" ");
    if (!label) wrong.push(`no label: ${field.outerHTML.slice(0, 120)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of ids) if (ids.filter((other) => other === id).length > 1) wrong.push(`id twice: ${id}`);
  for (const field of document.querySelectorAll("[aria-describedby]"))
    for (const id of field.getAttribute("aria-describedby").split(" ")) if (!document.getElementById(id)) wrong.push(`nothing is #${id}`);
  return wrong;
}

/** In the page: every control that Tab has to reach, numbered; of radio buttons with one name, one. */
function controls() {
  const groups = new Set();
  const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex='0']")];
  const found = all.filter((element) => {
    if (element.disabled || !element.checkVisibility()) return false;
    if (element.type !== "radio") return true;
    const group = `${element.form?.action} ${element.name}`;
    const chosen = all.find((other) => other.type === "radio" && other.name === element.name && other.checked);
    if (groups.has(group) || (chosen && chosen !== element)) return false;
    return groups.add(group);
  });
  found.forEach((element, at) => (element.dataset.control = at));
  return found.map((element) => element.outerHTML.slice(0, 100));
}

/** In the page: which control has the focus, and whether it can be seen. */
function focused() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { at: element.dataset.control, name: element.name, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && inView };
}

async function tabbed(page) {
  await page.evaluate(() => document.activeElement?.blur());
  const all = await page.evaluate(controls);
  const reached = [];
  const wrong = [];
  for (let presses = 0; presses < all.length + 2; presses += 1) {
    await page.keyboard.press("Tab");
    const { at, seen } = await page.evaluate(focused);
    if (at === undefined || reached.includes(Number(at))) break;
    reached.push(Number(at));
    if (!seen) wrong.push(`focus is not seen: ${all[at]}`);
  }
  all.forEach((html, at) => !reached.includes(at) && wrong.push(`Tab does not reach ${html}`));
  reached.forEach((at, order) => order && at < reached[order - 1] && wrong.push(`Tab goes back to ${all[at]}`));
  return wrong;
}

async function width(page, wide) {
  await page.setViewportSize({ width: wide, height: 800 });
  const [inside, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  return inside > view ? [`${inside} wide in a window of ${view}`] : [];
}

/** Everything that is wrong with a page that is shown now; pictures go to the folder SCREENSHOTS, when there is one. */
export async function check(page, name) {
  const wrong = [];
  const title = await page.title();
  const heading = await page.locator("h1").first().evaluate((node) => node.childNodes[0].textContent.trim());
  const named = title.replace(/^Error: /, "").replace(/ – [^–]*$/, "");
  if (!/ – \S/.test(title) || named.length < 3) wrong.push(`title: ${title}`);
  if (heading !== named && !/^Connect an app$|^Disconnect an app$/.test(named)) wrong.push(`title ${title}, heading ${heading}`);
  wrong.push(...(await page.evaluate(structure)));
  await page.evaluate(AXE);
  for (const [look, wide, colorScheme] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    wrong.push(...(await width(page, wide)).map((problem) => `${look}: ${problem}`));
    const found = await page.evaluate(run, colorScheme === "dark");
    wrong.push(...found.map((problem) => `${look}: ${problem}`));
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${look}.png`), fullPage: true });
  }
  wrong.push(...(await width(page, 320)).map((problem) => `320: ${problem}`));
  await page.setViewportSize({ width: 1280, height: 800 });
  wrong.push(...(await tabbed(page)));
  return [...new Set(wrong)].map((problem) => `${name}: ${problem}`);
}
