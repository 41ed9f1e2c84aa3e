// One subject for a moment, with autocannon.
//
// A subject: `name`, `group`; `url` with `headers` and `body` or `form`; the `status` that is right, 200 unless said; or a
// `pool` of what its requests use up, each put into a form by `formOf`: `next` takes the next one from the answer, and with
// `once` the pool is as large as the number of requests.
import autocannon from "autocannon";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const encoded = (fields) => new URLSearchParams(fields).toString();

/** Requests per second; throws when anything else than the right status came. */
export async function measure(subject, { seconds, codes, connections }) {
  const { url, headers, body, form, status = 200 } = subject;
  const common = { url, connections, sampleInt: 20, timeout: 20 };
  const plain = form ? { method: "POST", headers: { ...FORM, ...headers }, body: encoded(form) } : { method: body ? "POST" : "GET", headers, body };
  const options = subject.pool ? await pooled(subject, { codes }) : plain;
  const result = await autocannon({ ...common, ...(subject.once ? { amount: codes } : { duration: seconds }), ...options });
  const other = Object.entries(result.statusCodeStats).filter(([code]) => Number(code) !== status);
  if (other.length > 0 || result.errors > 0) throw new Error(`${subject.name}: ${JSON.stringify(other)}, ${result.errors} errors`);
  return result.requests.total / result.duration;
}

async function pooled({ pool, formOf, next }, { codes }) {
  const waiting = await pool(codes);
  return {
    requests: [
      {
        method: "POST",
        headers: FORM,
        setupRequest: (request) => ({ ...request, body: encoded(formOf(waiting.shift())) }),
        onResponse: (status, text) => {
          if (next && status === 200) waiting.push(next(JSON.parse(text)));
        },
      },
    ],
  };
}
