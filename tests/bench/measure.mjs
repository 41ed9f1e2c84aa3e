// One subject for a moment, with autocannon.
//
// A subject: `name`, `group`, the `pid` of what serves it; `url` with `headers` and `body` or `form`; the `status` that is right, 200 unless said; or a
// `pool` of what its requests use up, each put into a form by `formOf`: `next` takes the next one from the answer, and with
// `once` the pool is as large as the number of requests.
import { existsSync, readFileSync } from "node:fs";
import autocannon from "autocannon";

const TICKS = 100; // of the kernel's clock in a second

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const encoded = (fields) => new URLSearchParams(fields).toString();

/** Seconds of CPU that a process has taken; undefined where the system does not say (all but Linux). */
export function cpuOf(pid) {
  const file = `/proc/${pid}/stat`;
  if (pid === undefined || !existsSync(file)) return undefined;
  const fields = readFileSync(file, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/**
 * Requests per second, and the CPU of the serving process for each in microseconds: on a machine that is busy otherwise the
 * second says more. Throws when anything else than the right status came.
 */
export async function measure(subject, { seconds, codes, connections }) {
  const { url, headers, body, form, status = 200 } = subject;
  const common = { url, connections, sampleInt: 20, timeout: 20 };
  const plain = form ? { method: "POST", headers: { ...FORM, ...headers }, body: encoded(form) } : { method: body ? "POST" : "GET", headers, body };
  const options = subject.pool ? await pooled(subject, { codes }) : plain;
  const before = cpuOf(subject.pid);
  const result = await autocannon({ ...common, ...(subject.once ? { amount: codes } : { duration: seconds }), ...options });
  const other = Object.entries(result.statusCodeStats).filter(([code]) => Number(code) !== status);
  if (other.length > 0 || result.errors > 0) throw new Error(`${subject.name}: ${JSON.stringify(other)}, ${result.errors} errors`);
  const { total } = result.requests;
  const cpu = before === undefined ? null : ((cpuOf(subject.pid) - before) / total) * 1e6;
  return { rate: total / result.duration, cpu };
}

async function pooled({ pool, formOf, next, headers }, { codes }) {
  const waiting = await pool(codes);
  return {
    requests: [
      {
        method: "POST",
        headers: { ...FORM, ...headers },
        setupRequest: (request) => ({ ...request, body: encoded(formOf(waiting.shift())) }),
        onResponse: (status, text) => {
          if (next && status === 200) waiting.push(next(JSON.parse(text)));
        },
      },
    ],
  };
}
