/** Ways to bend what a client sends: values, JSON texts, ids, queries, headers. All by dice, so that a seed says it all. */
import { costly } from "./costly.mjs";
import type { Dice } from "./dice.mjs";

const HOSTILE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  "",
  " ",
  "a",
  "0",
  "-1",
  "NaN",
  "null",
  "True",
  "' or 1=1 --",
  '"; drop table accounts; --',
  "#{7*7}{{7*7}}",
  "<script>alert(1)</script>",
  "../../../etc/passwd",
  "%00%0a%0d",
  "\u202e\ufeff\u0000",
  "\ud800",
  "💥".repeat(200),
  "x".repeat(5_000),
  [],
  [null],
  [[[[[[[[[[]]]]]]]]]],
  {},
  { constructor: { prototype: {} } },
  { $ref: "#" },
  { toString: 1 },
  { valueOf: 1, hasOwnProperty: 1 },
  { length: 1e9 },
];

/** Names that every object has, and names that mean something to somebody. */
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "prototype",
  "then",
  "toJSON",
  "length",
  "id",
  "$schema",
  "$async",
  "",
  "a.b",
  "x".repeat(300),
];

/** Literals that JSON.parse would change, refuse, or take for something else. */
const LITERALS = [
  "1790321456789012345",
  "9007199254740993",
  "0.1000000000000000055511151231257827",
  "1e400",
  "-1e400",
  "1e-400",
  "-0",
  "20.0",
  "2e1",
  "020",
  "+20",
  "0x14",
  ".5",
  "5.",
  "NaN",
  "Infinity",
  "1_000",
  "9".repeat(400),
];

const CALLBACKS = [
  "http://localhost/hook",
  "http://LOCALHOST.:8000/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://017700000001/",
  "http://[::1]:8000/",
  "http://[::ffff:7f00:1]/",
  "http://0/",
  "http://10.1.2.3/",
  "http://192.168.0.1:22/",
  "http://169.254.169.254/latest/",
  "http://[fe80::1]/",
  "http://①②⑦.0.0.1/",
  "http://a\tb.example/",
  "https:example.com",
  "//example.com/",
  "https://user:secret@example.com/",
  "ftp://example.com/",
  "javascript:alert(1)",
  "data:text/plain,x",
  "http://example.com:99999/",
  "http://exa mple.com/",
  `https://example.com/${"x".repeat(3_000)}`,
  "https://xn--a.example/",
  "https://example.invalid/hook#part",
];

const TYPES = [
  "application/json; charset=utf8",
  "application/json;charset=UTF-8",
  'application/json; charset="utf-8"; profile="x"',
  "APPLICATION/JSON",
  "application/problem+json",
  "application/json, text/plain",
  "text/plain",
  "application/xml",
  "application/json; charset=utf-16",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/",
  ";;;",
  "",
  "x".repeat(2_000),
];

const FORWARDED = [
  "203.0.113.9:50001",
  "[2001:db8::1]:443",
  "2001:db8::1%eth0",
  "unknown",
  "_hidden",
  "",
  ",,,",
  "1.2.3.4, 5.6.7.8, 9.9.9.9",
  "é",
  "1.2.3.4\tx",
  "9".repeat(3_000),
];

/** A value with some of it made hostile. */
export function bent(dice: Dice, value: unknown, share: number): unknown {
  if (dice.chance(share)) return dice.pick(HOSTILE);
  if (Array.isArray(value)) {
    return dice.chance(share) ? Array(dice.int(0, 60)).fill(value[0] ?? 1) : value.map((one) => bent(dice, one, share));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => !dice.chance(share / 2))
    .map(([name, one]) => [dice.chance(share) ? nearly(dice, name) : name, bent(dice, one, share)]);
  if (dice.chance(share)) entries.push([dice.pick(NAMES), dice.pick(HOSTILE)]);
  if (dice.chance(share)) entries.push(["callback_url", dice.pick(CALLBACKS)]);
  return Object.fromEntries(entries);
}

/** A field's name as somebody might remember it. */
function nearly(dice: Dice, name: string): string {
  return dice.pick([
    name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    name.replaceAll("_", "-"),
    name.replaceAll("_", ""),
    name.toUpperCase(),
    `${name}s`,
    ` ${name}`,
    name.split("_")[0] ?? name,
  ]);
}

/** The same value, its keys in another order. */
export function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, one]) => [name, turned(one)]),
  );
}

/** The text of a body: JSON, and now and then nearly JSON, or other bytes. */
export function textOf(dice: Dice, body: unknown): string | Buffer {
  const json = JSON.stringify(body) ?? "";
  if (!dice.chance(0.25)) return json;
  const number = /(?<=[[:,])-?\d+(\.\d+)?(?=[,\]}])/;
  return dice.pick<() => string | Buffer>([
    () => json.slice(0, dice.int(0, json.length)),
    () => `${json}}`,
    () => "[".repeat(dice.int(1, 5_000)),
    () => json.replace(number, dice.pick(LITERALS)),
    () => json.replaceAll(new RegExp(number, "g"), dice.pick(LITERALS)),
    () => json.replace("{", `{"a":${dice.pick(LITERALS)},`),
    () => json.replace(/^\{("\w+":)/, '{$1"first",$1'),
    () => `\ufeff${json}`,
    () => ` \n\t${json}\r\n `,
    () => json.replace(/}$/, ",}"),
    () => `/* a comment */${json}`,
    () => json.replaceAll('"', "'"),
    () => json.replace('":', '\\u0000":'),
    () => json.replace('":', '\\ud800":'),
    () => Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from([0xff, 0xfe])]),
    () => Buffer.from(json, "utf16le"),
    () => "",
    () => json.replace("{", '{"__proto__":{"budget":5},'),
  ])();
}

/** The part of a task's order that its schema and result are, in place of the example's, made dear. */
export function dear(dice: Dice, body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  const { order, results } = costly(dice);
  if ("result_data" in body) return { ...body, result_data: dice.pick(results) };
  return "budget" in body ? { ...body, ...order } : body;
}

/** Something in the place of an id: an id, in one of its spellings, or no id at all. Not yet encoded where it says so itself. */
export function idOf(dice: Dice, ids: readonly string[]): string {
  const id = dice.pick(ids);
  if (dice.chance(0.6)) return id;
  return dice.pick([
    `urn:uuid:${id}`,
    `URN:UUID:${id.toUpperCase()}`,
    id.toUpperCase(),
    `{${id}}`,
    `%7B${id}%7D`,
    id.replaceAll("-", ""),
    `${id}%00`,
    `${id}%20`,
    `%09${id}`,
    `${id}%0a`,
    `${id}.json`,
    `${id};a=b`,
    `${id}%2fevents`,
    `${id.slice(0, -1)}%C4%B0`,
    `%2e%2e%2f${id}`,
    `${id}x`,
    id.slice(1),
    "%ff",
    "%",
    "%25",
    "%ed%a0%80",
    "null",
    "0",
    "__proto__",
    "constructor",
    "a".repeat(5_000),
    "\u0000",
    "\ud83d",
    "é",
    "..",
    "*",
    encodeURIComponent(wellFormed(dice.pick(HOSTILE))),
  ]);
}

/** Half of a surrogate pair is no part of a URL. */
function wellFormed(value: unknown): string {
  return String(typeof value === "object" ? JSON.stringify(value) : value).toWellFormed();
}

/** A query of these parameters, given, left out, repeated, or nearly. */
export function queryOf(dice: Dice, names: readonly string[], ids: readonly string[]): string {
  const pieces = names
    .filter(() => dice.chance(0.5))
    .flatMap((name) => {
      const value = encodeURIComponent(wellFormed(dice.pick([...HOSTILE, ...ids, 10, 100, "SETTLED", "requester"])));
      const piece = `${name}=${value}`;
      if (!dice.chance(0.2)) return [piece];
      return dice.pick([
        [piece, piece],
        [piece, `${name}=1`, `${name}=2`],
        [`${name}[]=1`],
        [`${name}[a]=1`],
        [name],
        [`${name}=`],
        [`${name}=%00`],
        [`${name}=a%00b`],
        [`${name}=%ff`],
        [`${name}=%`],
        [`${name}=\u0000`],
        [`${name}=%ed%a0%80`],
        [`${name.toUpperCase()}=1`],
        [`${name}=True`],
        [`${name}=1e1`],
        [`${name}=+5`],
        [`${name}=٣`],
      ]);
    });
  if (dice.chance(0.03)) pieces.push(...Array.from({ length: dice.int(1, 300) }, (_, index) => `p${index}=1`));
  if (dice.chance(0.03)) pieces.push(`${dice.pick(NAMES)}=1`, "&&", "=");
  return pieces.length === 0 ? "" : `?${pieces.join("&")}`;
}

/** Headers that a client might send besides its key; few of them make sense. */
export function headersOf(dice: Dice): Record<string, string> {
  const headers: Record<string, string> = {};
  if (dice.chance(0.08)) headers["Content-Type"] = dice.pick(TYPES);
  if (dice.chance(0.05)) headers["X-Forwarded-For"] = dice.pick(FORWARDED);
  if (dice.chance(0.05)) headers["X-Admin-Token"] = dice.pick(["", "x", "operators-secret-of-this-tesu", "é", "\u0000"]);
  if (dice.chance(0.03)) headers["Last-Event-ID"] = dice.pick(["x", "-1", "9".repeat(30), "\u0000"]);
  if (!dice.chance(0.06)) return headers;
  const [name, value] = dice.pick([
    ["Origin", "https://evil.example"],
    ["Origin", "null"],
    ["Access-Control-Request-Method", "DELETE"],
    ["Accept", "application/x-nothing;q=2"],
    ["Accept-Encoding", "*;q=0, gzip;q=nonsense"],
    ["Accept-Language", "a".repeat(3_000)],
    ["If-None-Match", '*, W/"x", "'],
    ["Range", "bytes=5-1,-"],
    ["Content-Encoding", "gzip"],
    ["Expect", "the impossible"],
    ["X-HTTP-Method-Override", "DELETE"],
    ["X-Request-Id", "a\u0001b"],
    ["X-SDK-Version", "\u00ff"],
    ["Cookie", "a=b; __proto__=c"],
    ["Authorization", "Bearer x"],
    ["Upgrade", "websocket"],
    ["X-Nul", "a\u0000b"],
  ] as const);
  return { ...headers, [name]: value };
}

/** An Idempotency-Key in one of the forms that clients have, or none of them. */
export function idempotencyKeyOf(dice: Dice): string {
  return dice.pick([
    "k",
    '"k"',
    "'k'",
    '""',
    "y".repeat(200),
    "z".repeat(255),
    "z".repeat(256),
    "a b",
    '"a b"',
    "é",
    "\u0001",
    "*",
    "k, k",
  ]);
}
