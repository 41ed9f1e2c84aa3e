// Requests from an OpenAPI description: good ones, and ones with something wrong. Everything follows from one seed.
import { generateSync } from "json-schema-faker";

/** Numbers from 0 to 1 that follow from a seed (mulberry32), and what is picked with them. */
export function dice(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (most) => Math.floor(next() * most);
  return { next, below, one: (list) => list[below(list.length)], chance: (share) => next() < share };
}

const ODD = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\u202eevil",
  "\u200b",
  "a\r\nset-cookie: x=y",
  "z\u0300\u0301\u0302\u0303",
  "😀".repeat(3),
  "ﷺ",
  "٣",
  "'; DROP TABLE apps; --",
  "<script>alert(1)</script>",
  "../../x",
  "%00",
  "javascript:alert(1)",
  "https://[::1",
  "https://user:pass@host.example/",
  "null",
  "1e400",
];
const HUGE = ["x".repeat(5000), "ü".repeat(600), "1".repeat(300)];
const OTHER_TYPES = [null, true, 0, -1, 1.5, 1e308, 2 ** 53, [], {}, ["x"], { x: 1 }, "x"];

/** Every place in a value: the object or list that holds it, and its name there. */
function places(value, found = []) {
  if (value === null || typeof value !== "object") return found;
  for (const name of Object.keys(value)) {
    found.push([value, name]);
    places(value[name], found);
  }
  return found;
}

/** One thing of a value made wrong. */
function spoiled(good, roll, ids) {
  const value = structuredClone(good);
  const all = places(value);
  const [holder, name] = all.length > 0 ? roll.one(all) : [value, "x"];
  switch (roll.below(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      return value;
    case 1:
      holder[name] = roll.one(OTHER_TYPES);
      return value;
    case 2:
      (Array.isArray(holder) ? value : holder)[roll.one(["extra", "__proto__x", "constructor", "client_id", "staff", "id"])] = roll.one(OTHER_TYPES);
      return value;
    case 3:
      holder[name] = roll.one(HUGE);
      return value;
    case 4:
      holder[name] = roll.one(ODD);
      return value;
    default:
      holder[name] = roll.one(ids);
      return value;
  }
}

/** Bytes that are no JSON object, or a strange one. */
const NO_OBJECT = [
  "",
  "null",
  "[]",
  '"x"',
  "{",
  '{"a":1',
  "{}{}",
  "a=1&b=2",
  '{"name":"a","name":"b"}',
  '{"name":"\\ud800"}',
  `${'{"a":'.repeat(200)}1${"}".repeat(200)}`,
  "[".repeat(3000),
  "\ufeff{}",
  Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  `{"name":"${"x".repeat(40_000)}"}`,
];

/**
 * Makes the requests of one operation. `known` gives a real value for a parameter or member of this name; `ids` are of
 * other things.
 */
export class Requests {
  #count = 0;

  constructor({ path, method, operation, parameters, seed, known, ids }) {
    Object.assign(this, { path, method, operation, operationId: operation.operationId, parameters, known, ids, seed });
    this.roll = dice(seed);
    this.json = operation.requestBody?.content["application/json"]?.schema;
    this.image = operation.requestBody?.content["image/png"] !== undefined;
  }

  #value(schema, options = {}) {
    return generateSync(schema, { seed: this.seed + this.#count++, useExamplesValue: true, maxItems: 2, ...options });
  }

  /** A value in which what names a thing names a real one. */
  #real(value) {
    for (const [holder, name] of places(value)) {
      const real = holder[name] === null ? undefined : this.known(name);
      if (real !== undefined) holder[name] = real;
    }
    return value;
  }

  #address(wild) {
    let path = this.path;
    const query = new URLSearchParams();
    for (const parameter of this.parameters) {
      const { name, schema } = parameter;
      if (parameter.in === "path") {
        const strange = () => encodeURIComponent(this.roll.one([...ODD.filter((text) => text !== ""), ...this.ids, "x".repeat(2000)]));
        path = path.replace(`{${name}}`, wild && this.roll.chance(0.3) ? strange() : this.known(name));
      } else if (parameter.in === "query" && wild && this.roll.chance(0.5)) {
        const real = this.known(name) ?? this.#value(schema);
        query.append(name, this.roll.chance(0.5) ? String(real) : this.roll.one([...ODD, ...HUGE, ...this.ids, "-1", "0", "201"]));
      }
    }
    return query.size > 0 ? `${path}?${query}` : path;
  }

  /** The smallest good request. */
  good() {
    const body = this.json && this.#real(this.#value(this.json, { optionalsProbability: 0, maxItems: 1 }));
    // No two apps may have names that look alike, and all operations run at once.
    if (body?.details?.name) body.details.name = `Planner ${this.operationId}`;
    return { method: this.method, path: this.#address(false), body: this.image ? this.known("image") : body && JSON.stringify(body), sent: body };
  }

  /** One that may have anything wrong with it. */
  wild() {
    const { roll } = this;
    const request = { method: this.method, path: this.#address(true), headers: {} };
    if (roll.chance(0.04)) request.method = roll.one(["PATCH", "PUT", "POST", "DELETE", "OPTIONS", "PROPFIND", "HEAD"]);
    if (roll.chance(0.25)) request.headers["idempotency-key"] = roll.one(["again", "x".repeat(256), "a b", `key ${roll.below(5)}`, "ü"]);
    if (roll.chance(0.1)) request.headers["content-type"] = roll.one(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=x", "x"]);
    if (["GET", "HEAD"].includes(request.method)) return request;
    if (this.image) request.body = roll.one([this.known("image"), ...NO_OBJECT, Buffer.alloc(70_000), this.known("image").subarray(0, 30)]);
    else if (!this.json) request.body = roll.chance(0.3) ? roll.one(NO_OBJECT) : undefined;
    else if (roll.chance(0.15)) request.body = roll.one(NO_OBJECT);
    else {
      const whole = this.#value(this.json, { optionalsProbability: roll.next() });
      const value = roll.chance(0.6) ? this.#real(whole) : whole;
      request.sent = roll.chance(0.8) ? spoiled(value, roll, this.ids) : value;
      request.body = JSON.stringify(request.sent);
    }
    return request;
  }
}
