// Logos: what is taken, how it is served, what the server fetches and from where, and when it is shown.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import { authorizePath, pkce } from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { elements } from "./harness/html.mjs";
import { approved, csrf, developer as signedInDeveloper, errorsOf, formTo, registered, reviewer, sendForm } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

let server, developer, staff, app, site;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  staff = await reviewer(server);
  app = await registered(developer);
  site = await website();
});
after(async () => {
  await site?.close();
  await server?.stop();
});

function chunk(type, data) {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, check]);
}

/** A whole PNG image of one grey, different for each `seed`. */
function png(width = 64, height = 64, seed = 0) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = deflateSync(Buffer.alloc(height * (width + 1), seed));
  const parts = [chunk("IHDR", header), chunk("tEXt", Buffer.from(`seed\0${seed}`)), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}
const jpeg = (side) =>
  Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 97, 98, 0xff, 0xc0, 0, 0x11, 8, side >> 8, side & 255, side >> 8, side & 255, 3, 0xff, 0xd9]);
const webp = (side) =>
  Buffer.concat([Buffer.from("RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0", "latin1"), Buffer.from([side - 1, 0, 0, side - 1, 0, 0])]);
const nameOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Sends the logo form. */
async function send(to, { file, fileName = "logo.png", type = "image/png", address = "" }) {
  const body = new FormData();
  body.append("csrf", await csrf(developer));
  body.append("logo", new File(file === undefined ? [] : [file], file === undefined ? "" : fileName, { type }));
  body.append("address", address);
  return developer.page(`${to.page}/logo`, { method: "POST", body, headers: { origin: server.issuer } });
}
const logos = async () => (await server.sql("SELECT count(*) AS n FROM logos"))[0].n;

test("the form takes a file of three types, or an address", async () => {
  const page = await developer.page(`${app.page}/logo`);
  safePage(page);
  const form = [...elements(page.tree, "form")].find((one) => one.attrs.some(({ value }) => value === `${app.page}/logo`));
  assert.ok(form.attrs.some(({ name, value }) => name === "enctype" && value === "multipart/form-data"));
  assert.match(page.html, /type="file"[^>]*accept="image\/png,image\/jpeg,image\/webp"/);
  assert.deepEqual(formTo(page, `${app.page}/logo`).values("address"), [""]);
});

test("PNG, JPEG and WebP are told by their bytes and served from here under their hash, as images that can do nothing", async () => {
  const polyglot = Buffer.concat([png(32, 512, 7), Buffer.from("<script>alert(document.domain)</script><svg onload=alert(1)>")]);
  for (const [file, type, said] of [
    [png(), "image/png", { type: "image/png" }],
    [jpeg(300), "image/jpeg", { type: "image/jpeg", fileName: "logo.jpg" }],
    [webp(100), "image/webp", { type: "image/webp" }],
    [png(64, 64, 1), "image/png", { type: "text/html", fileName: "../../logo.html" }],
    [polyglot, "image/png", { type: "text/html", fileName: "x.svg" }],
  ]) {
    const answer = await send(app, { file, ...said });
    assert.equal(answer.location, `${app.page}?done=changed`, JSON.stringify(errorsOf(answer)));
    const served = await server.fetch(`/logo/${nameOf(file)}`);
    assert.equal(served.status, 200);
    assert.equal(served.headers.get("content-type"), type);
    assert.equal(served.headers.get("x-content-type-options"), "nosniff");
    assert.match(served.headers.get("content-security-policy"), /default-src 'none'.*sandbox/);
    assert.match(served.headers.get("cache-control"), /immutable/);
    assert.deepEqual(Buffer.from(await served.arrayBuffer()), file);
    assert.ok((await staff.page(app.admin)).html.includes(`/logo/${nameOf(file)}`));
  }
  for (const path of [
    "/logo/",
    "/logo/x",
    `/logo/${"0".repeat(64)}`,
    `/logo/${nameOf(png()).toUpperCase()}x`,
    `/logo/${nameOf(png())}/x`,
  ]) {
    assert.equal((await server.fetch(path)).status, 404, path);
  }
});

test("what is no fitting image is refused beside the field, and nothing is kept", async () => {
  const before = await logos();
  for (const [file, told] of [
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), /PNG, JPEG or WebP/],
    [Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), /PNG, JPEG or WebP/],
    [Buffer.from("GIF89a\x40\0\x40\0\0\0\0;", "latin1"), /PNG, JPEG or WebP/],
    [Buffer.from("<!doctype html><script>alert(1)</script>"), /PNG, JPEG or WebP/],
    [Buffer.from(" \x89PNG\r\n\x1a\n", "latin1"), /PNG, JPEG or WebP/],
    [Buffer.from("BM"), /PNG, JPEG or WebP/],
    [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), /cannot be read/],
    [Buffer.from("RIFF\0\0\0\0WEBP", "latin1"), /cannot be read/],
    [png(513, 64), /32 to 512/],
    [png(64, 31), /32 to 512/],
    [Buffer.concat([png(64, 64).subarray(0, 16), Buffer.from([0, 0, 255, 255, 0, 0, 255, 255])]), /32 to 512/],
    [jpeg(4000), /32 to 512/],
    [Buffer.concat([png(), Buffer.alloc(65_536)]), /64 KB/],
    [undefined, /choose a file/],
  ]) {
    const answer = await send(app, { file });
    errorPage(answer, 400);
    assert.match(errorsOf(answer).logo, told, file?.subarray(0, 20).toString("latin1"));
  }
  assert.equal(await logos(), before);
});

test("a body that is no form with a file is refused for what it is", async () => {
  const before = await logos();
  const headers = { origin: server.issuer };
  const path = `${app.page}/logo`;
  const token = await csrf(developer);
  const large = new FormData();
  large.append("csrf", token);
  large.append("logo", new File([Buffer.concat([png(), Buffer.alloc(100_000)])], "logo.png"));
  errorPage(await developer.page(path, { method: "POST", body: large, headers }), 413);
  errorPage(await developer.page(path, { method: "POST", body: new URLSearchParams({ csrf: token }), headers }), 415);
  for (const [type, body] of [
    ["multipart/form-data", "x"],
    ["multipart/form-data; boundary=x", "garbage"],
    ["multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nunfinished'],
  ]) {
    errorPage(await developer.page(path, { method: "POST", body, headers: { ...headers, "content-type": type } }), 400);
  }
  // A text field of the file's name is no file.
  const text = new FormData();
  text.append("csrf", token);
  text.append("logo", png().toString("latin1"));
  assert.match(errorsOf(await developer.page(path, { method: "POST", body: text, headers })).logo, /choose a file/);
  assert.equal(await logos(), before);
});

/** A web server of a developer; notes what it was asked. */
function website() {
  const asked = [];
  const sockets = new Set();
  const big = Buffer.concat([png(), Buffer.alloc(1_000_000)]);
  const answers = {
    "/ok.png": (answer) => answer.writeHead(200, { "content-type": "text/plain" }).end(png(48, 48, 3)),
    "/redirect": (answer) => answer.writeHead(302, { location: "/target.png" }).end(),
    "/page": (answer) => answer.writeHead(200, { "content-type": "image/png" }).end("<!doctype html>"),
    "/big": (answer) => {
      answer.writeHead(200, { "content-type": "image/png" });
      const more = () => answer.write(big) && setImmediate(more);
      answer.on("drain", more).on("close", () => asked.push("cut"));
      more();
    },
    "/silent": () => {},
    "/slow": (answer) => {
      answer.writeHead(200, { "content-type": "image/png" });
      const drip = setInterval(() => answer.write("\x89"), 100);
      answer.on("close", () => clearInterval(drip));
    },
  };
  const listener = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    asked.headers = request.headers;
    (answers[request.url] ?? (() => answer.writeHead(404).end("no")))(answer);
  });
  listener.on("connection", (socket) => sockets.add(socket));
  return new Promise((done) =>
    listener.listen(0, "127.0.0.1", () => {
      const close = () => (sockets.forEach((socket) => socket.destroy()), new Promise((end) => listener.close(end)));
      const { port } = listener.address();
      done({ asked, port, address: `http://127.0.0.1:${port}`, close });
    }),
  );
}

const fetched = async (address) => ({ answer: await send(app, { address }), asked: site.asked.splice(0) });

test("an image is fetched once from its address, without anything that is ours, and without following a redirect", async () => {
  const { answer, asked } = await fetched(`${site.address}/ok.png`);
  assert.equal(answer.location, `${app.page}?done=changed`, JSON.stringify(errorsOf(answer)));
  assert.deepEqual(asked, ["GET /ok.png"]);
  for (const header of ["cookie", "authorization", "referer", "origin"]) assert.equal(site.asked.headers?.[header], undefined);
  assert.equal((await server.fetch(`/logo/${nameOf(png(48, 48, 3))}`)).headers.get("content-type"), "image/png");
  const before = await logos();
  for (const [path, told, requests] of [
    ["/missing.png", /status 404/, ["GET /missing.png"]],
    ["/redirect", /status 302/, ["GET /redirect"]],
  ]) {
    const { answer, asked } = await fetched(site.address + path);
    errorPage(answer, 400);
    assert.match(errorsOf(answer).address, told);
    assert.deepEqual(asked, requests);
    assert.deepEqual(formTo(answer, `${app.page}/logo`).values("address"), [site.address + path], "it stays to be mended");
  }
  const page = (await fetched(`${site.address}/page`)).answer;
  assert.match(JSON.stringify(errorsOf(page)), /PNG, JPEG or WebP/);
  const big = await fetched(`${site.address}/big`);
  assert.match(JSON.stringify(errorsOf(big.answer)), /64 KB/);
  assert.equal(await logos(), before);
});

test("an address that does not answer, or does not come to an end, is given up after 5 seconds", async () => {
  const started = Date.now();
  const answers = await Promise.all(["/silent", "/slow"].map((path) => send(app, { address: site.address + path })));
  for (const answer of answers) {
    errorPage(answer, 400);
    assert.match(errorsOf(answer).address, /did not answer within 5 seconds/);
  }
  const took = Date.now() - started;
  assert.ok(took >= 4_000 && took < 12_000, `${took} ms`);
});

test("addresses of the own network, with credentials, ports or other schemes are not asked", async () => {
  site.asked.length = 0;
  const { port } = site;
  for (const address of [
    ...[
      "https://localhost/",
      "https://localhost./",
      "https://app.localhost/",
      "https://app.localhost./",
      `http://localhost:${port}/ok.png`,
    ],
    ...["https://10.0.0.1/", "https://192.168.0.1/", "https://169.254.169.254/latest/", "https://[::1]/", `http://[::1]:${port}/ok.png`],
    ...["https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://0x0a000001/", "https://10.1/", "https://0.0.0.0/"],
    ...["https://printer.local/", "https://printer.local./", "https://db.internal/", "https://db.internal./", "https://intranet/"],
    ...["http://example.com/", "https://user@example.com/", "https://user:pass@example.com/", "https://example.com:8443/"],
    ...[
      "file:///etc/passwd",
      "data:image/png;base64,iVBORw0KGgo=",
      "ftp://example.com/",
      "javascript:alert(1)",
      "//example.com/",
      "logo.png",
      "\u0000",
    ],
  ]) {
    const answer = await send(app, { address });
    errorPage(answer, 400);
    assert.match(errorsOf(answer).address, /public host name/, address);
  }
  assert.deepEqual([...site.asked], []);
});

test("a new logo of an approved app waits for review; until then the consent page shows the old one", async () => {
  const [first, second] = [png(64, 64, 20), png(64, 64, 21)];
  const [inUse] = await approved(developer);
  const consent = async () => {
    const page = await developer.page(authorizePath(inUse, { code_challenge: pkce().challenge, scope: "bookings:read" }));
    return [...elements(page.tree, "img")].map((image) => image.attrs.find(({ name }) => name === "src").value);
  };
  const decide = async (word, fields = {}) => {
    const version = formTo(await staff.page(inUse.admin), `${inUse.admin}/approve`).values("version")[0];
    const answer = await sendForm(staff, `${inUse.admin}/${word}`, { version, ...fields });
    assert.equal(answer.status, 303, answer.text);
  };
  assert.equal((await send(inUse, { file: first })).location, `${inUse.page}?done=submitted`);
  assert.deepEqual(await consent(), []);
  const seen = await staff.page(inUse.admin);
  assert.match(seen.text, /Changed: logo/);
  assert.ok(seen.html.includes(`/logo/${nameOf(first)}`));
  await decide("approve");
  assert.deepEqual(await consent(), [`/logo/${nameOf(first)}`]);
  assert.equal((await send(inUse, { file: second })).location, `${inUse.page}?done=submitted`);
  assert.deepEqual(await consent(), [`/logo/${nameOf(first)}`]);
  await decide("reject", { reason: "It is another company's." });
  assert.deepEqual(await consent(), [`/logo/${nameOf(first)}`]);
  assert.match((await developer.page(inUse.page)).text, /another company/);
});
