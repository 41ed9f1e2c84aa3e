// A request on a connection of its own, whose Host header is free to choose: fetch allows neither.
import { request } from "node:http";
import { connect } from "node:net";

/** Sends to this machine's `port` with exactly these headers; answers with a fetch Response. */
export function rawFetch(port, path, { method = "GET", headers = {}, body } = {}) {
  const text = body === undefined || body === null ? undefined : String(body);
  const sent = Object.fromEntries(new Headers(headers));
  if (body instanceof URLSearchParams) sent["content-type"] ??= "application/x-www-form-urlencoded;charset=UTF-8";
  if (text !== undefined) sent["content-length"] = Buffer.byteLength(text);
  return new Promise((done, failed) => {
    const options = { host: "127.0.0.1", port, path, method, headers: sent, agent: false, maxHeaderSize: 65_536 };
    const call = request(options, (answer) => {
      const chunks = [];
      answer
        .on("data", (chunk) => chunks.push(chunk))
        .on("end", () => {
          const received = new Headers();
          for (let at = 0; at < answer.rawHeaders.length; at += 2) received.append(answer.rawHeaders[at], answer.rawHeaders[at + 1]);
          const empty = [204, 304].includes(answer.statusCode);
          done(new Response(empty ? null : Buffer.concat(chunks), { status: answer.statusCode, headers: received }));
        });
    });
    call.on("error", failed).end(text);
  });
}

/**
 * Sends these bytes on a connection of their own, where even a client library would tidy up, and waits for the end of the
 * answer: the lines before the body are joined by CRLF, `connection: close` is added.
 */
export function rawLines(port, lines, body = "") {
  const head = [...lines, "connection: close", "", ""].join("\r\n");
  return new Promise((done, failed) => {
    const chunks = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(head + body, "latin1")));
    socket.on("data", (chunk) => chunks.push(chunk)).on("error", failed);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const [first, ...fields] = text.slice(0, end).split("\r\n");
      const headers = new Headers(fields.map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1).trim()]));
      done({ status: Number(first.split(" ")[1]), headers, text: text.slice(end + 4) });
    });
  });
}
