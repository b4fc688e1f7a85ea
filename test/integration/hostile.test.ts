/** What bad input gets: a 4xx with a sentence that names the field, and nothing changes. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;
let worker: Party;
let open: string;
let awarded: string;

const journalled = async () => (await market.database`select count(*)::int as facts from journal`)[0]?.["facts"];

beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: "0" });
  [ann, worker] = [await market.register(), await market.register()];
  await market.ok("POST", "/credits/topup", { amount_credits: 5_000 }, ann);
  open = await market.post(ann);
  await market.until(open, ann, "PENDING_POOL");
  awarded = await market.post(ann);
  await market.until(awarded, ann, "PENDING_POOL");
  await market.ok("POST", `/tasks/${awarded}/bid`, {}, worker);
});

afterAll(async () => {
  expect((await market.call("GET", "//health")).status).toBe(200);
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(market.log()).not.toMatch(/bug|"level":60/);
  await market.stop();
});

/** Expects that these calls are all refused with a 4xx that says something, and that the journal is as it was. */
async function refused(calls: readonly (readonly [string, () => Promise<Reply>, (RegExp | undefined)?])[]): Promise<void> {
  const before = await journalled();
  for (const [name, call, field] of calls) {
    const { status, body } = await call();
    expect([name, status, status >= 400 && status < 500], JSON.stringify(body).slice(0, 300)).toEqual([name, status, true]);
    expect(body.detail.length, name).toBeGreaterThan(10);
    expect(body.code, name).toMatch(/^[A-Z0-9_]+$/);
    if (field !== undefined)
      expect([name, (body.errors ?? []).map((one: { field: string }) => one.field).join()]).toEqual([
        name,
        expect.stringMatching(field),
      ]);
  }
  expect(await journalled()).toBe(before);
}

const WRONG: { readonly [type: string]: readonly unknown[] } = {
  string: [7, true, null, [], {}, "", "a\u0000b", "\ud800", "x".repeat(300_000)],
  integer: ["7", "", 1.5, -1, 0.1, null, true, [], {}, 1e21, Number.MAX_SAFE_INTEGER, -(2 ** 53)],
  object: ["{}", 7, null, true, [], "x"],
  array: ["[]", 7, null, true, {}, Array(1_001).fill({ type: "enum", field: "a", values: [1] })],
};

interface FieldCase {
  readonly path: string;
  readonly good: object;
  readonly fields: { readonly [name: string]: { readonly values: readonly unknown[]; readonly required: boolean } };
}

function kinds(
  ...types: readonly (readonly [string, keyof typeof WRONG & string, (readonly unknown[])?, boolean?])[]
): FieldCase["fields"] {
  return Object.fromEntries(
    types.map(([name, type, more = [], required = false]) => [name, { values: [...(WRONG[type] ?? []), ...more], required }]),
  );
}

const cases = (): readonly FieldCase[] => [
  {
    path: "/auth/register",
    good: { email: `${randomUUID()}@test.example` },
    fields: kinds(["email", "string", ["no-at", "a@", `${"a".repeat(250)}@b.example`], true]),
  },
  {
    path: "/tasks",
    good: ORDER,
    fields: kinds(
      ["input_data", "string", ["x".repeat(10_001)], true],
      ["schema", "object", [{ type: "nonsense" }, { $ref: "#" }, { $ref: "http://x.example/s" }, { pattern: "(" }], true],
      ["example_output", "object", [{}, { company: 7 }, { ...GOOD, more: 1 }], true],
      ["budget", "integer", [4, 1_001, 0], true],
      ["max_seconds", "integer", [0, 301]],
      [
        "rules",
        "array",
        [[7], [{}], [{ type: "nope" }], [{ type: "regex", field: "a", pattern: "(" }], [{ type: "min_length", field: "a" }]],
      ],
      ["callback_url", "string", ["nowhere", "ftp://a.example/", "javascript:alert(1)", "http://u:p@a.example/"]],
      ["quality_preference", "string", ["fastest"]],
      ["min_skill_rating", "integer", [6]],
      ["pending_pool_hours", "integer", [0, 73]],
      ["auto_retry", "integer", [11]],
      ["task_type", "string", ["mining", "JSON_EXTRACTION"]],
    ),
  },
  { path: `/tasks/${open}/bid`, good: {}, fields: kinds(["bid_credits", "integer", [0, 21, 1_001]]) },
  { path: "/credits/topup", good: { amount_credits: 1 }, fields: kinds(["amount_credits", "integer", [0, 1e10], true]) },
];

describe("every field of every route", () => {
  test.each([0, 1, 2, 3])("is refused by name when it is wrong or missing (%i)", async (index) => {
    const one = cases()[index];
    if (one === undefined) throw new Error("a case is missing");
    const { path, good, fields } = one;
    const party = path === "/tasks" || path.startsWith("/credits") ? ann : worker;
    const send = (body: unknown) => () => market.call("POST", path, body, party);
    for (const [name, { values, required }] of Object.entries(fields)) {
      // `null` for an optional field is as if it were left out.
      const wrong = values.filter((value) => value !== null || required);
      const field = new RegExp(`^${name}|^validation_|^example_output|^body$`);
      await refused(
        wrong.map((value) => {
          const big = typeof value === "string" && value.length > 200_000;
          return [
            `${path} ${name}=${JSON.stringify(value).slice(0, 60)}`,
            send({ ...good, [name]: value }),
            big ? undefined : field,
          ];
        }),
      );
      const { [name]: _left, ...without } = { ...good } as { [name: string]: unknown };
      if (required) await refused([[`${path} without ${name}`, send(without), field]]);
    }
  });

  test("both names of a field, at odds", async () => {
    await refused([
      ["budget", () => market.call("POST", "/tasks", { ...ORDER, max_budget_credits: 21 }, ann), /^budget$/],
      [
        "max_seconds",
        () => market.call("POST", "/tasks", { ...ORDER, max_seconds: 1, max_execution_seconds: 2 }, ann),
        /^max_seconds$/,
      ],
      ["schema", () => market.call("POST", "/tasks", { ...ORDER, validation_schema: {} }, ann), /^schema$/],
      [
        "rules",
        () =>
          market.call(
            "POST",
            "/tasks",
            { ...ORDER, rules: [], validation_rules: [{ type: "required_fields", fields: ["a"] }] },
            ann,
          ),
        /^rules$/,
      ],
    ]);
  });

  test("a result that is missing", async () => {
    await refused([["result_data", () => market.call("POST", `/tasks/${awarded}/submit`, {}, worker), /^result_data$/]]);
  });

  test("ids, cursors, limits, headers", async () => {
    const paths = [
      "/tasks/7",
      "/tasks/..%2f..",
      `/tasks/${randomUUID()}x`,
      "/tasks/%00",
      "/tasks/%ff",
      "/tasks?limit=0",
      "/tasks?limit=201",
      "/tasks?limit=x",
      "/tasks?role=boss",
      "/tasks?status=DONE",
      "/tasks?cursor=x",
      "/tasks?cursor=AAAA",
      "/tasks?cursor=%00",
      "/tasks?limit=1&limit=2",
      "/credits/transactions?cursor=nope",
      `/credits/transactions?cursor=${"9".repeat(300)}`,
      "/tasks/available?task_type=%00",
      "/tasks/available?limit=-1",
    ];
    await refused(paths.map((path) => [path, () => market.call("GET", path, undefined, ann)]));
    await refused(
      ["", "cancel"].map((verb) => [
        verb,
        () => market.call(verb === "" ? "GET" : "DELETE", `/tasks/${randomUUID()}`, undefined, ann),
      ]),
    );
    const keys = ["a b", "x".repeat(256), "\u00e9", '""', '"a b"'];
    await refused(
      keys.map((key) => [
        key,
        () => market.call("POST", "/tasks", ORDER, { key: ann.key, headers: { "Idempotency-Key": key } }),
        /^Idempotency-Key$/,
      ]),
    );
    await refused([
      ["method", () => market.call("POST", "/credits/balance", {}, ann)],
      ["path", () => market.call("GET", "/nothing", undefined, ann)],
      ["key with another form", () => market.call("GET", "/tasks", undefined, { key: "' or 1=1 --" })],
      ["a long key", () => market.call("GET", "/tasks", undefined, { key: "a".repeat(5_000) })],
    ]);
  });
});

describe("bodies that are none", () => {
  const raw =
    (text: string | Buffer, headers: Record<string, string> = {}) =>
    () =>
      market.call("POST", "/tasks", text, { key: ann.key, headers });
  const around = (inner: string) => JSON.stringify(ORDER).replace('"budget":20', `"budget":20,${inner}`);

  test("are refused whatever is wrong with them", async () => {
    await refused([
      ["empty", raw("")],
      ["no JSON", raw("{")],
      ["two values", raw("{}{}")],
      ["a list", raw("[]")],
      ["null", raw("null")],
      ["a text", raw('"x"')],
      ["broken UTF-8", raw(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]))],
      ["1e999", raw(around('"max_seconds":1e999'))],
      ["-0.5e1", raw(around('"max_seconds":-0.5e1'))],
      ["a huge integer", raw(around(`"max_seconds":${"9".repeat(400)}`))],
      ["__proto__", raw(around('"__proto__":{"budget":5}'))],
      ["__proto__ within", raw(around('"rules":[{"type":"enum","field":"a","values":[{"__proto__":1}]}]'))],
      ["a NUL in a name", raw(around('"a\\u0000b":1'))],
      ["half a surrogate pair", raw(around('"task_type":"\\ud800"'))],
      ["deep lists", raw(`{"schema":${"[".repeat(50_000)}${"]".repeat(50_000)}}`)],
      ["deep objects", raw(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`)],
      ["a form", raw("a=1", { "Content-Type": "application/x-www-form-urlencoded" })],
      ["another charset", raw("{}", { "Content-Type": "application/json; charset=latin1" })],
      ["compressed", raw("{}", { "Content-Encoding": "gzip" })],
    ]);
  });

  test("10 MB are refused, sent whole or in pieces", async () => {
    const big = Buffer.alloc(10_000_000, 0x20);
    await refused(
      Array.from({ length: 4 }, (_, index) => [`${index}`, () => market.client.call("POST", "/tasks", big, { key: ann.key })]),
    );
    const chunked = `POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nX-API-Key: ${ann.key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await speak(chunked, `${(100_000).toString(16)}\r\n${" ".repeat(100_000)}\r\n`.repeat(4));
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
  });

  test("what is not HTTP ends its connection and nothing else", async () => {
    for (const noise of ["\u0000\u0001\u0002\r\n\r\n", "GET\r\n\r\n", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(5_000)}\r\n`]) {
      expect(await speak(noise, "")).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
    }
  });
});

/** Writes to a raw connection and gives what comes back until its end. */
function speak(head: string, more: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(market.port, "127.0.0.1");
    let text = "";
    const timer = setTimeout(() => socket.destroy(), 2_000);
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(head);
    socket.write(more);
  });
}

describe("schemas and patterns that would stall a process", () => {
  const bomb = (combine: string) => {
    const defs: { [name: string]: object } = { d0: { type: "string" } };
    for (let level = 1; level < 24; level += 1)
      defs[`d${level}`] = { [combine]: [{ $ref: `#/$defs/d${level - 1}` }, { $ref: `#/$defs/d${level - 1}` }] };
    return { $defs: defs, type: "object", properties: { a: { $ref: "#/$defs/d23" } } };
  };

  test("are refused before anything is compiled", async () => {
    const schemas = [
      bomb("anyOf"),
      bomb("allOf"),
      { allOf: [{ $ref: "#" }] },
      { properties: { total: { pattern: "([" } } },
      { $dynamicRef: "#x" },
    ];
    await refused(
      schemas.map((schema) => [
        JSON.stringify(schema).slice(0, 50),
        () => market.call("POST", "/tasks", { ...ORDER, schema, example_output: {} }, ann),
        /^schema$/,
      ]),
    );
  });

  test("a pattern that backtracks without end is answered in the time of any other", async () => {
    const schema = { type: "object", properties: { a: { type: "string", pattern: "^(a|a)*$" } } };
    const id = await market.post(ann, { schema, example_output: { a: "aaa" } });
    await market.until(id, ann, "PENDING_POOL");
    const other = await market.register();
    await market.ok("POST", `/tasks/${id}/bid`, {}, other);
    expect(await market.submit(id, other, { a: `${"a".repeat(40_000)}!` })).toMatchObject({ status: "REJECTED" });
  });
});

test("a flood of all that is answered by the platform, which then works as before", async () => {
  const bodies = [
    "{",
    "[]",
    "null",
    '{"a":1e999}',
    `{"a":"${"x".repeat(50_000)}"}`,
    `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
  ];
  const all = await Promise.all(
    Array.from({ length: 1_500 }, (_, index) => market.call("POST", "/tasks", bodies[index % bodies.length], ann)),
  );
  expect(all.every(({ status }) => status >= 400 && status < 500)).toBe(true);
  const id = await market.post(ann);
  const other = await market.register();
  await market.until(id, ann, "PENDING_POOL");
  await market.ok("POST", `/tasks/${id}/bid`, {}, other);
  await market.submit(id, other, GOOD);
  await eventually(async () => ((await market.task(id, ann)).status === "SETTLED" ? true : undefined), "the task to settle");
});
