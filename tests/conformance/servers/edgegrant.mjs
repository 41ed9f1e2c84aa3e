// Edgegrant on workerd, with apps of its own.
import { approved, CALLBACK } from "../../harness/portal.mjs";
import { OWNER, PASSWORD, RESOURCE, signedIn } from "../../harness/client.mjs";
import { startServer } from "../../harness/server.mjs";
import { Target } from "../target.mjs";
import { Visitor } from "../visitor.mjs";

/** What to do on a page: sign in, or press Allow or Deny. */
function forms({ forms: all }, decision) {
  const consent = all.find((form) => form.values("consent").length > 0);
  if (consent) {
    const radio = consent.controls.some(({ name, type }) => name === "account" && type === "radio");
    return { form: consent, fill: radio ? { account: consent.values("account")[0] } : {}, button: { decision }, consent: true };
  }
  const login = all.find((form) => form.values("password").length > 0);
  return login && { form: login, fill: { email: OWNER, password: PASSWORD } };
}

/** A server with these options of the harness, and its target; `stop` ends it. */
export async function edgegrant(options = {}) {
  const server = await startServer(options);
  try {
    return { target: await targetOf(server), server, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function targetOf(server) {
  const scopes = ["account:read", "bookings:read"];
  const common = { scopes, "reason:account:read": "to greet you", redirect_uris: CALLBACK };
  const owner = await signedIn(server, OWNER);
  const [open, confidential, second, native] = await approved(
    owner,
    { ...common, client_type: "public" },
    common,
    common,
    { ...common, client_type: "public", redirect_uris: "http://127.0.0.1/callback" },
  );
  const person = () => new Visitor(server.issuer, forms);
  const usual = person();
  const target = new Target({
    name: "Edgegrant",
    version: "",
    issuer: server.issuer,
    scope: scopes.join(" "),
    narrowScope: scopes[0],
    resource: `${server.issuer}/api/v1/me`,
    introspector: { ...RESOURCE, method: "client_secret_basic" },
    newPerson: person,
    ask: (url, { person: who = usual, ...way }) => who.walk(url, way),
    clients: {
      public: { ...open, method: "none" },
      confidential: { ...confidential, method: "client_secret_basic" },
      second: { ...second, method: "client_secret_post" },
      native: { ...native, method: "none" },
    },
  });
  return target.discover();
}
