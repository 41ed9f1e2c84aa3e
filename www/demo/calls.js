// Calls of the sample API behind the gateway: which there are, what each sends, and the one that goes on until it is refused.

const AT_ONCE = 20;
const MOST = 5000;

const noun = (path) => path.split("/").at(-1).replaceAll("-", " ");

/** What a rule of the gateway lets the page do: `{ label, title, method, path, scopes, body }`; nothing for a path with a blank in it. */
function callOf({ methods, path, scopes }) {
  if (/[{*]/.test(path)) return [];
  const reads = methods.includes("GET");
  return methods.map((method) => {
    // Where one rule has both, what is posted is a filter.
    const verb = method === "GET" ? "List" : reads ? "Find" : "Create";
    const made = path.endsWith("bookings") ? { service: "Cut and dry", starts_at: tomorrow() } : { name: "Cleo Martin", email: "cleo@customers.example" };
    const body = { Find: { filter: { status: "confirmed" } }, Create: made }[verb];
    const title = `${method} ${path} needs ${scopes.join(" ") || "no permission"}`;
    const label = verb === "Create" ? `Create a ${noun(path).replace(/s$/, "")}` : `${verb} ${noun(path)}`;
    return { label, title, method, path, scopes, body: body && JSON.stringify(body) };
  });
}

const tomorrow = () => `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T09:00:00Z`;

/** The calls that the gateway's rules allow. */
export const callsOf = ({ on, rules }) => (on ? rules.flatMap(callOf) : []);

/** What is sent for a call with a token. */
export function requestOf({ method, body }, token) {
  const headers = { accept: "application/json", authorization: `Bearer ${token}` };
  if (body) headers["content-type"] = "application/json";
  return { method, headers, body, credentials: "omit", cache: "no-store" };
}

/** An answer that is not good, as an error of the page. */
export function complaint(response) {
  const { status, headers } = response;
  const challenge = headers.get("www-authenticate") ?? "";
  const scope = challenge.match(/scope="([^"]*)"/)?.[1];
  const description = challenge.match(/error_description="([^"]*)"/)?.[1];
  const retryAfter = headers.get("retry-after") ?? undefined;
  return Object.assign(new Error(`The API answered ${status}`), { code: "api_error", status, retryAfter, scope, description });
}

/** Makes a call again and again, some at once, until one is refused: that answer, and how many were accepted before it. */
export async function untilRefused(call, token) {
  let accepted = 0;
  while (accepted < MOST) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => fetch(call.path, requestOf(call, token))));
    accepted += answers.filter((answer) => answer.ok).length;
    const refused = answers.find((answer) => !answer.ok);
    if (refused) return { accepted, refused };
  }
  return { accepted };
}
