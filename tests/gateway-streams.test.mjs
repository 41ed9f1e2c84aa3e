// Bodies through the gateway: streams both ways in constant memory, compressed ones untouched, and what happens when somebody
// is slow or goes away.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { connect, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";
import { echo, upstream } from "./harness/upstream.mjs";

const MB = 1024 * 1024;
const RULES = [{ methods: ["GET", "POST"], path: "/api/v1/*", scopes: [] }];

let api, server, token;
before(async () => {
  api = await upstream();
  const POLICY = JSON.stringify({ gateway: { rules: RULES, answer_s: 1, upload_s: 4 }, api: { rate: { limit: 1_000_000, window_s: 60 } } });
  server = await startServer({ direct: true, vars: { POLICY, UPSTREAM: api.origin } });
  token = (await connect(server, await signedIn(server), spa(server))).access_token;
});
after(async () => {
  await server.stop();
  api.close();
});
afterEach(() => (api.answer = echo));

/** A request straight to the Worker, as Node's client sends it: the request, and its answer once its headers are there. */
function send(path = "/api/v1/x", { method = "GET", headers = {} } = {}) {
  const host = new URL(server.issuer).host;
  const call = request({ host: "127.0.0.1", port: server.direct, path, method, agent: false, headers: { host, authorization: `Bearer ${token}`, ...headers } });
  if (method === "GET") call.end();
  const answer = new Promise((done, failed) => call.on("response", done).on("error", failed));
  answer.catch(() => {}); // whoever waits for it hears of it
  return { call, answer };
}
async function bytes(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
/** What is true in the end; fails after ten seconds. */
async function eventually(condition, what) {
  for (const end = Date.now() + 10_000; !condition(); ) {
    assert.ok(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Memory of the workerd process that this server's child has started, in bytes. */
function rss() {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parent = (pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")[1]);
    } catch {
      return 0; // gone meanwhile
    }
  };
  const [workerd] = processes.filter((pid) => parent(pid) === server.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
  return Number(readFileSync(`/proc/${workerd}/status`, "utf8").match(/VmRSS:\s+(\d+) kB/)[1]) * 1024;
}
/** Runs with an eye on the memory: by how much it was over what it was before. */
async function growth(run) {
  const before = rss();
  assert.ok(before > 20 * MB, "it is the process that runs the Worker");
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, rss())), 25);
  await run().finally(() => clearInterval(timer));
  return Math.max(most, rss()) - before;
}

const CHUNK = Buffer.alloc(MB, "0123456789abcdef");
const whole = createHash("sha256");
for (let n = 0; n < 100; n += 1) whole.update(CHUNK);
const DIGEST = whole.digest("hex");
/** 100 MB, no faster than they are taken. */
async function pour(into) {
  for (let n = 0; n < 100; n += 1) if (!into.write(CHUNK)) await once(into, "drain");
  into.end();
}
async function drained(stream) {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

test("100 MB up and 100 MB down, in constant memory", async (t) => {
  for (const [how, headers] of [["chunked", {}], ["with its length", { "content-length": 100 * MB }]]) {
    api.answer = async (incoming, response) => response.end(await drained(incoming));
    const up = await growth(async () => {
      const { call, answer } = send("/api/v1/x", { method: "POST", headers });
      await pour(call);
      assert.equal(String(await bytes(await answer)), DIGEST, how);
    });
    api.answer = (_, response) => {
      if (headers["content-length"]) response.setHeader("content-length", 100 * MB);
      pour(response);
    };
    const down = await growth(async () => {
      const answer = await send().answer;
      assert.equal(answer.headers["content-length"], headers["content-length"]?.toString());
      assert.equal(await drained(answer), DIGEST, how);
    });
    t.diagnostic(`memory grew by ${(up / MB).toFixed(1)} MB up, ${(down / MB).toFixed(1)} MB down (${how})`);
    assert.ok(up < 60 * MB && down < 60 * MB, `${up} ${down}`);
  }
});

test("each part of an answer arrives when it was sent, long after the limit for its headers", async () => {
  let more;
  api.answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    more = response;
  };
  const answer = await send().answer;
  const began = Date.now();
  for (let n = 0; n < 5; n += 1) {
    more.write(`data: ${n}\n\n`);
    const [chunk] = await once(answer, "data");
    assert.equal(String(chunk), `data: ${n}\n\n`);
    answer.pause();
    await new Promise((done) => setTimeout(done, 400));
    answer.resume();
  }
  more.end();
  await once(answer, "end");
  assert.ok(Date.now() - began > 1500, "longer than answer_s");
});

test("each part of a body arrives before the next one is sent", async () => {
  const parts = [];
  let got;
  api.answer = async (incoming, response) => {
    for await (const chunk of incoming) {
      parts.push(String(chunk));
      got?.();
    }
    response.end(parts.join());
  };
  const { call, answer } = send("/api/v1/x", { method: "POST" });
  for (const part of ["one", "two", "three"]) {
    const arrived = new Promise((done) => (got = done));
    call.write(part);
    await arrived;
    assert.equal(parts.at(-1), part);
  }
  call.end();
  assert.equal(String(await bytes(await answer)), "one,two,three");
});

test("compressed bodies come through untouched, both ways", async () => {
  const text = "the same words over and over, ".repeat(500);
  for (const [encoding, body] of [
    ["gzip", gzipSync(text, { level: 1 })],
    ["br", brotliCompressSync(text)],
    ["zstd", Buffer.from("not really")],
  ]) {
    let asked, sent;
    api.answer = async (incoming, response) => {
      asked = incoming.headers["accept-encoding"];
      sent = { encoding: incoming.headers["content-encoding"], body: await bytes(incoming) };
      response.writeHead(200, { "content-encoding": encoding, "content-type": "text/plain", etag: '"1"' });
      response.end(body);
    };
    const headers = { "accept-encoding": "gzip, br, zstd", "content-encoding": encoding };
    const { call, answer } = send("/api/v1/x", { method: "POST", headers });
    call.end(body);
    const got = await answer;
    assert.equal(got.headers["content-encoding"], encoding);
    assert.deepEqual(await bytes(got), body, encoding);
    assert.equal(asked, "gzip, br, zstd");
    assert.equal(sent.encoding, encoding);
    assert.deepEqual(sent.body, body, encoding);
  }
});

test("no headers in time is 504, and the API hears that nobody waits; with a body it has longer", async () => {
  let gone = 0;
  api.answer = (incoming, response) => {
    incoming.resume();
    response.on("close", () => (gone += 1));
  };
  const began = Date.now();
  const late = await send().answer;
  assert.equal(late.statusCode, 504);
  assert.ok(Date.now() - began < 3000);
  assert.equal(JSON.parse(await bytes(late)).error, "temporarily_unavailable");
  await eventually(() => gone === 1, "the request to the API ends");
  await server.line({ reason: "upstream too slow", route: "/api/v1/*", status: 504 });
  api.answer = async (incoming, response) => {
    await bytes(incoming);
    setTimeout(() => response.end("{}"), 2000);
  };
  const { call, answer } = send("/api/v1/x", { method: "POST" });
  call.end("abc");
  assert.equal((await answer).statusCode, 200);
});

test("nobody at the address, or one who hangs up, is 502", async () => {
  api.answer = (_, response) => response.destroy();
  const answer = await send().answer;
  assert.equal(answer.statusCode, 502);
  assert.equal(JSON.parse(await bytes(answer)).error, "temporarily_unavailable");
  const nobody = await startServer({ vars: { UPSTREAM: "http://127.0.0.1:1", POLICY: JSON.stringify({ gateway: { rules: RULES } }) } });
  try {
    const { access_token } = await connect(nobody, await signedIn(nobody), spa(nobody));
    const refused = await nobody.fetch("/api/v1/x", { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(refused.status, 502);
    await refused.text();
  } finally {
    await nobody.stop();
  }
});

test("an API that dies in the middle of a body breaks the answer off; it never looks whole", async () => {
  for (const headers of [{}, { "content-length": "1000000" }]) {
    api.answer = (_, response) => {
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.write("x".repeat(1000), () => setTimeout(() => response.destroy(), 100));
    };
    const answer = await send().answer;
    assert.equal(answer.statusCode, 200);
    await assert.rejects(bytes(answer));
  }
});

test("when the app goes away, the request to the API ends: while it waits, while it reads, while it sends", async () => {
  let closed = 0;
  const watched = (response) => response.on("close", () => (closed += 1));
  api.answer = (_, response) => watched(response); // never answers
  let reached = api.seen.length + 1;
  const waiting = send();
  await eventually(() => api.seen.length === reached, "it reaches the API");
  waiting.call.destroy();
  await eventually(() => closed === 1, "waiting");

  api.answer = (_, response) => {
    watched(response).writeHead(200);
    const timer = setInterval(() => response.write("x".repeat(1000)), 10);
    response.on("close", () => clearInterval(timer));
  };
  const answer = await send().answer;
  await once(answer, "data");
  answer.destroy();
  await eventually(() => closed === 2, "reading");

  api.answer = (incoming, response) => {
    watched(response);
    incoming.on("error", () => {}).resume();
  };
  reached = api.seen.length + 1;
  const sending = send("/api/v1/x", { method: "POST" });
  sending.call.write("abc");
  await eventually(() => api.seen.length === reached, "it reaches the API");
  sending.call.destroy();
  await eventually(() => closed === 3, "sending");
});
