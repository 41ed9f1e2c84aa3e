// Proxies around the bindings that count storage operations and can make them fail.
// Runs inside workerd. The Worker looks its bindings up by property and checks the name of their constructor, and
// native functions refuse a foreign `this`: so every property comes from the real object, functions bound to it.

export const counts = { pending: 0 };
export const faults = {};

export function reset() {
  const operations = ["kvGet", "kvPut", "kvDelete", "kvList", "d1Statements", "d1Batches", "objectRequests", "alarms"];
  // Rows as Cloudflare counts them: `rowsRead` and `rowsWritten` in objects, the others in D1.
  const rows = ["rowsRead", "rowsWritten", "d1RowsRead", "d1RowsWritten"];
  for (const key of [...operations, ...rows, "workerRequests", "logLines"]) counts[key] = 0;
  counts.queries = [];
  counts.flushes = 0;
  counts.points = [];
  counts.requests = { GRANT: 0, APP: 0, RATE_LIMITER: 0 };
}
reset();

export const isControl = (request) => new URL(request.url).pathname === "/__count";

/** What the tests ask: what happened, from the beginning again, with faults. */
export async function control(request) {
  if (request.method === "POST") {
    const command = await request.json();
    if (command.reset) reset();
    if (command.faults) {
      for (const name of Object.keys(faults)) delete faults[name];
      Object.assign(faults, command.faults);
    }
  }
  return Response.json(counts);
}

/** Notes how much work is still going on after an answer, so that a test can wait for it instead of sleeping. */
export function watched(ctx) {
  const waitUntil = ctx.waitUntil.bind(ctx);
  const done = () => (counts.pending -= 1);
  Object.defineProperty(ctx, "waitUntil", {
    value(promise) {
      counts.pending += 1;
      Promise.resolve(promise).then(done, done);
      return waitUntil(promise);
    },
  });
  return ctx;
}

/** An object like `target`, with some of its properties replaced. `replace` gets the original (bound) property. */
export function over(target, replace) {
  return new Proxy(target, {
    get(_, property) {
      const value = Reflect.get(target, property, target);
      const bound = typeof value === "function" && property !== "constructor" ? value.bind(target) : value;
      return Object.hasOwn(replace, property) ? replace[property](bound) : bound;
    },
  });
}

function fail(name) {
  if (faults[name] === "throw") throw new Error(`injected fault: ${name}`);
}

/** An async operation that counts itself and fails before it is done ("throw") or after ("lost"), or is 9 s "late". */
const operation =
  (counter, fault, run) =>
  async (...args) => {
    counts[counter] += 1;
    fail(fault);
    const value = await run(...args);
    if (faults[fault] === "late") await new Promise((done) => setTimeout(done, 9000));
    if (faults[fault] === "lost") throw new Error(`injected fault: the answer of ${fault} was lost`);
    return value;
  };

export const kv = (binding) =>
  over(binding, {
    get: (get) => operation("kvGet", "kvGet", (...args) => (faults.kvGet === "miss" ? null : get(...args))),
    getWithMetadata: (get) =>
      operation("kvGet", "kvGet", (...args) =>
        faults.kvGet === "miss" ? { value: null, metadata: null, cacheStatus: null } : get(...args),
      ),
    put: (put) => operation("kvPut", "kvPut", put),
    delete: (remove) => operation("kvDelete", "kvDelete", remove),
    list: (list) => operation("kvList", "kvList", list),
  });

/** Adds up the rows that a statement, or each of a batch, has read and written. */
const metered =
  (run) =>
  async (...args) => {
    const value = await run(...args);
    for (const { meta } of [value].flat()) {
      counts.d1RowsRead += meta?.rows_read ?? 0;
      counts.d1RowsWritten += meta?.rows_written ?? 0;
    }
    return value;
  };

/** Sums of what was counted, which an isolate hands over at most once a minute: of no request, so they have a count of their own. */
const FLUSH = /^INSERT INTO counters/;

const statement = (native, counter) =>
  over(native, {
    bind:
      (bind) =>
      (...values) =>
        statement(bind(...values), counter),
    ...Object.fromEntries(["first", "raw"].map((name) => [name, (run) => operation(counter, "d1", run)])),
    ...Object.fromEntries(
      ["run", "all"].map((name) => [name, (run) => operation(counter, "d1", counter === "flushes" ? run : metered(run))]),
    ),
  });

export const d1 = (binding) =>
  over(binding, {
    prepare: (prepare) => (sql) => {
      if (FLUSH.test(sql)) return statement(prepare(sql), "flushes");
      counts.queries.push(sql);
      return statement(prepare(sql), "d1Statements");
    },
    batch: (batch) => operation("d1Batches", "d1Batch", metered(batch)),
    exec: (exec) => operation("d1Statements", "d1", exec),
    withSession:
      (withSession) =>
      (...args) =>
        d1(withSession(...args)),
  });

/** Faults of object calls can be limited to some bindings: `{ object: "throw", objectOnly: ["GRANT"] }`. */
const stub = (native, name) =>
  over(native, {
    fetch: (send) => {
      const counted = operation("objectRequests", "object", send);
      const spared = operation("objectRequests", undefined, send);
      return (...args) => {
        counts.requests[name] += 1;
        return (!faults.objectOnly || faults.objectOnly.includes(name) ? counted : spared)(...args);
      };
    },
  });

export const objects = (binding, name) => {
  const made =
    (get) =>
    (...args) =>
      stub(get(...args), name);
  return over(binding, { get: made, getByName: made });
};

/** `{ limiter: "throw" }`: the rate limiter does not answer. */
const limiter = (binding) =>
  over(binding, {
    limit:
      (limit) =>
      async (...args) => {
        fail("limiter");
        return limit(...args);
      },
  });

/** `counts.points` holds what was written; `{ metrics: "throw" }`: it is refused. */
const analytics = (binding) =>
  over(binding, {
    writeDataPoint: (write) => (point) => {
      fail("metrics");
      counts.points.push(point);
      return write(point);
    },
  });

/** The bindings of `env`, wrapped; everything else as it is. */
export function bindings(env) {
  const wrapped = { CODES: kv, OAUTH_KV: kv, DB: d1, GRANT: objects, APP: objects, RATE_LIMITER: objects, METRICS: analytics, UNPROVEN: limiter };
  return new Proxy(env, {
    get(_, name) {
      const value = Reflect.get(env, name, env);
      return value !== undefined && Object.hasOwn(wrapped, name) ? wrapped[name](value, name) : value;
    },
  });
}

/** A SQL cursor whose rows are added up as it is read. */
function cursor(native) {
  const seen = { rowsRead: 0, rowsWritten: 0 };
  const add = () => {
    for (const name of Object.keys(seen)) {
      counts[name] += native[name] - seen[name];
      seen[name] = native[name];
    }
  };
  add();
  const counted =
    (method) =>
    (...args) => {
      const value = method(...args);
      add();
      return value;
    };
  const names = ["next", "toArray", "one", "raw"];
  return over(native, Object.fromEntries(names.map((name) => [name, counted])));
}

/** `{ sqlWrite: "throw" }`: an object's rows cannot be written; reading them works. */
const sql = (native) =>
  over(native, {
    exec:
      (exec) =>
      (...args) => {
        if (/^\s*(insert|update|delete)/i.test(args[0])) fail("sqlWrite");
        return cursor(exec(...args));
      },
  });

const storage = (native) =>
  over(native, {
    sql: () => sql(native.sql),
    setAlarm:
      (set) =>
      (...args) => {
        counts.alarms += 1;
        counts.rowsWritten += 1;
        // `{ alarm: "soon" }`: every alarm fires at once, so that a test need not wait for it.
        return faults.alarm === "soon" ? set(new Date(Date.now() + 50)) : set(...args);
      },
  });

/** The state a Durable Object gets, with its storage wrapped. */
export const objectState = (native) => over(native, { storage: () => storage(native.storage) });
