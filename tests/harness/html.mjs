// Reads pages as a browser does: parse5 builds the tree, forms become what a submit would send.
import { parse } from "parse5";

const attribute = (node, name) => node.attrs?.find((entry) => entry.name === name)?.value;

export function* elements(node, name) {
  for (const child of node.childNodes ?? []) {
    if (child.tagName && (name === undefined || child.tagName === name)) yield child;
    yield* elements(child, name);
  }
}

export function text(node) {
  if (node.nodeName === "#text") return node.value;
  if (["script", "style"].includes(node.tagName)) return "";
  return (node.childNodes ?? []).map(text).join(" ").replace(/\s+/g, " ").trim();
}

/** Text as it stands in the document: a text area keeps its lines. */
const raw = (node) => (node.childNodes ?? []).map((child) => child.value ?? "").join("");

/** A page: its tree, its visible text and its forms. */
export function page(html) {
  const tree = parse(html);
  return { html, tree, text: text(tree), forms: [...elements(tree, "form")].map(form) };
}

function form(node) {
  const controls = [];
  for (const element of elements(node)) {
    const { tagName } = element;
    const name = attribute(element, "name");
    if (!["input", "button", "select", "textarea"].includes(tagName) || attribute(element, "disabled") !== undefined) continue;
    const type =
      tagName === "input"
        ? (attribute(element, "type") ?? "text")
        : tagName === "button"
          ? (attribute(element, "type") ?? "submit")
          : tagName;
    const value = tagName === "select" ? selected(element) : tagName === "textarea" ? raw(element) : attribute(element, "value");
    controls.push({ name, type, value, checked: attribute(element, "checked") !== undefined, label: text(element) });
  }
  return {
    action: attribute(node, "action") ?? "",
    method: (attribute(node, "method") ?? "get").toLowerCase(),
    controls,
    /** The values that one field offers: radio buttons, submit buttons, hidden inputs. */
    values: (name) => controls.filter((control) => control.name === name).map((control) => control.value),
    /** What is sent when the button `name=value` is pressed (or none) after some fields were filled in. */
    data: (fill = {}, button = {}) => submission(controls, fill, button),
  };
}

const selected = (select) => {
  const options = [...elements(select, "option")];
  const chosen = options.find((option) => attribute(option, "selected") !== undefined) ?? options[0];
  return chosen && (attribute(chosen, "value") ?? text(chosen));
};

function submission(controls, fill, button) {
  const data = new URLSearchParams();
  const filled = new Set();
  for (const { name, type, value, checked } of controls) {
    if (!name || ["button", "reset", "image", "file"].includes(type)) continue;
    if (type === "submit") {
      if (button[name] === value) data.append(name, value);
    } else if (type === "radio" || type === "checkbox") {
      if (Object.hasOwn(fill, name) ? [fill[name]].flat().includes(value) : checked) data.append(name, value ?? "on");
    } else {
      data.append(name, fill[name] ?? value ?? "");
    }
    filled.add(name);
  }
  for (const name of [...Object.keys(fill), ...Object.keys(button)]) {
    if (!filled.has(name)) throw new Error(`the form has no field "${name}" (it has ${[...filled].join(", ")})`);
  }
  return data;
}
