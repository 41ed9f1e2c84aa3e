// A request on a connection of its own, whose Host header is free to choose: fetch allows neither.
import { request } from "node:http";

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
