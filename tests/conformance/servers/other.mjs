// Any other server, from what the command line says of it. Codes come with a cookie of somebody who is signed in there, from a
// command, or from a person who is asked.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { ToolError } from "../../../worker/tools/lib/process.mjs";
import { skip } from "../suite.mjs";
import { Target } from "../target.mjs";
import { Visitor } from "../visitor.mjs";

export const OPTIONS = {
  issuer: { type: "string" },
  "client-id": { type: "string" },
  "client-secret": { type: "string" },
  "redirect-uri": { type: "string" },
  auth: { type: "string" }, // client_secret_basic (the default) or client_secret_post
  "second-client-id": { type: "string" },
  "second-client-secret": { type: "string" },
  "second-redirect-uri": { type: "string" },
  scope: { type: "string" },
  "narrow-scope": { type: "string" },
  api: { type: "string" },
  "introspect-id": { type: "string" },
  "introspect-secret": { type: "string" },
  "login-cookie": { type: "string" },
  "code-command": { type: "string" },
};

const WORDS = { allow: /allow|approve|authori[sz]e|accept|continue|grant|yes/i, deny: /deny|cancel|reject|decline|refuse|abort/i };

/** Of radio buttons of which none is chosen, the first. */
function chosen({ controls }) {
  const radios = Map.groupBy(controls.filter(({ type, name }) => type === "radio" && name), ({ name }) => name);
  const open = [...radios].filter(([, group]) => !group.some(({ checked }) => checked));
  return Object.fromEntries(open.map(([name, [first]]) => [name, first.value]));
}

/** Presses the button that says so in some way; there is one decision on most pages. */
function forms({ forms: all }, decision) {
  for (const form of all.filter(({ method }) => method === "post")) {
    const buttons = form.controls.filter(({ type }) => type === "submit");
    const button = buttons.find(({ name, value, label }) => WORDS[decision].test(`${name} ${value} ${label}`));
    if (button) return { form, fill: chosen(form), button: button.name ? { [button.name]: button.value } : {}, consent: true };
  }
  return undefined;
}

function withCookie(values) {
  const { origin } = new URL(values.issuer);
  const person = () => {
    const visitor = new Visitor(origin, forms);
    for (const pair of values["login-cookie"].split(/;\s*/)) visitor.cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    return visitor;
  };
  return { newPerson: person, ask: (url, { person: who = person(), ...way }) => who.walk(url, way) };
}

/** What the command prints last. */
function fromCommand(command) {
  return (url, decision) =>
    new Promise((done, failed) => {
      const env = { ...process.env, AUTHORIZE_URL: url, DECISION: decision };
      const child = spawn(command, { shell: true, env, stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
      child.on("error", failed).on("close", () => done(output.trim().split("\n").at(-1)));
    });
}

async function fromPerson(url, decision) {
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`\nOpen\n${url}\nand press ${decision === "deny" ? "Deny" : "Allow"}. Where did it lead (empty: nowhere)? `);
  ask.close();
  return answer.trim();
}

/** What a request ends at without anybody's help is not asked for. */
const assisted = (obtain) => async (url, { redirectUri, decision = "allow" }) => {
  const first = await new Visitor(new URL(url).origin, () => undefined).walk(url, { redirectUri });
  if (first.location?.href.startsWith(redirectUri) || first.page?.status >= 400) return { ...first, seen: undefined };
  const address = await obtain(url, decision);
  const location = URL.canParse(address) ? new URL(address) : null;
  return { location, page: null, consents: 0, undecided: decision === "deny" && !location };
};

function way(values) {
  if (values["login-cookie"]) return withCookie(values);
  if (values["code-command"]) return { manual: true, ask: assisted(fromCommand(values["code-command"])) };
  if (process.stdin.isTTY) return { manual: true, ask: assisted(fromPerson) };
  return { ask: assisted(() => skip("needs somebody who signs in: --login-cookie, --code-command, or a terminal to ask at")) };
}

function clientOf(values, prefix) {
  const [id, secret, redirectUri] = ["client-id", "client-secret", "redirect-uri"].map((name) => values[`${prefix}${name}`]);
  if (!id) return undefined;
  const method = secret ? (values.auth ?? "client_secret_basic") : "none";
  return { id, secret, method, redirectUri: redirectUri ?? values["redirect-uri"] };
}

/** The target that `--issuer` and the rest describe. */
export function other(values) {
  if (!values["client-id"] || !values["redirect-uri"]) throw new ToolError("--issuer needs --client-id and --redirect-uri, of a client that is registered there.");
  const [first, second] = [clientOf(values, ""), clientOf(values, "second-")];
  const loopback = ({ method, redirectUri }) => method === "none" && /^http:\/\/(127\.0\.0\.1|\[::1\])[/:]/.test(redirectUri);
  const all = [first, second].filter(Boolean);
  const introspector = values["introspect-id"] && {
    id: values["introspect-id"],
    secret: values["introspect-secret"],
    method: values.auth ?? "client_secret_basic",
  };
  return new Target({
    name: new URL(values.issuer).host,
    version: "",
    issuer: values.issuer,
    scope: values.scope ?? null,
    narrowScope: values["narrow-scope"],
    resource: values.api,
    introspector,
    ...way(values),
    clients: {
      public: all.find(({ method }) => method === "none"),
      confidential: all.find(({ secret }) => secret),
      second,
      native: all.find(loopback),
    },
  }).discover();
}
