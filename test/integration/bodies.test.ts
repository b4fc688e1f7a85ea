/** Bodies as clients write them, over every operation there is: nulls, slips of the pen, fields of other versions, numbers, repeats. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Shape } from "../../gateway/http/fields.ts";
import type { Operation } from "../../gateway/http/operation.ts";
import { OPERATIONS } from "../../gateway/routes/index.ts";
import { USUAL_MISTAKES } from "../../gateway/schemas/mistakes.ts";
import type { Reply } from "../support/client.mjs";
import { GOOD, Market, ORDER, type Party } from "../support/market.ts";

const ADMIN_TOKEN = "an-operators-token-of-some-length";

let market: Market;
let ann: Party;
let bob: Party;

beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN, ROUTING_WINDOW_MS: "0" });
  [ann, bob] = [await market.register(), await market.register()];
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});
afterAll(async () => {
  expect(market.log()).not.toMatch(/bug|"level":60/);
  await market.stop();
});

const operator = { "X-Admin-Token": ADMIN_TOKEN };
const fieldsOf = ({ body }: Reply): string[] => (body.errors ?? []).map(({ field }: { field: string }) => field);

/** Sends to an id that is nobody's, so that nothing comes of what is taken. */
const send = ({ method, path }: Operation, body: unknown) =>
  market.call(method.toUpperCase(), `/${path.replace(/\{\w+\}/, randomUUID())}`, body, { key: ann.key, headers: operator });

/** Each object of ours in what an operation takes, and how to send something in its place. */
const objects = OPERATIONS.flatMap((operation) => {
  const whole: Shape = operation.fields ?? operation.body ?? {};
  if (whole.properties === undefined) return [];
  const nested = Object.entries(whole.properties).flatMap(([name, { items, properties }]) => {
    if (properties !== undefined) return [{ name: `${name}.`, properties, wrap: (value: object): object => ({ [name]: value }) }];
    const entry: Shape | undefined = Array.isArray(items) ? undefined : (items as Shape | undefined);
    if (entry?.properties === undefined || "type" in entry.properties) return [];
    return [{ name: `${name}.0.`, properties: entry.properties, wrap: (value: object): object => ({ [name]: [value] }) }];
  });
  const required = new Set(whole.required);
  const top = { name: "", properties: whole.properties, wrap: (value: object): object => value };
  return [top, ...nested].map((one) => [`${operation.id} ${one.name}`, operation, one, required] as const);
});

test("the table has every operation with fields, and what is nested in them", () => {
  const names = objects.map(([name]) => name);
  expect(names.length).toBeGreaterThan(18);
  expect(names).toContain("createBatch template.");
  expect(names).toContain("createBatch items.0.");
  expect(names).toContain("validateTask ");
});

describe("null for an optional field is as if it were left out", () => {
  // One of two names of each must be given, so they are asked for when both are missing.
  const asked = new Set(["schema", "budget"]);
  test.each(objects)("%s", async (_, operation, { name, properties, wrap }, required) => {
    for (const field of Object.keys(properties)) {
      const isRequired = name === "" ? required.has(field) : ["input_data", "example_output"].includes(field);
      if (isRequired || asked.has(field)) continue;
      const reply = await send(operation, wrap({ [field]: null }));
      const plain = await send(operation, wrap({}));
      expect([field, reply.status, fieldsOf(reply)]).toEqual([field, plain.status, fieldsOf(plain)]);
      expect(reply.headers["x-nexus-ignored"]).toBeUndefined();
    }
  });

  test("and every one of them at once; a result may be null itself", async () => {
    const nulls = [
      "rules",
      "validation_rules",
      "validation_schema",
      "max_budget_credits",
      "max_seconds",
      "max_execution_seconds",
    ];
    const more = ["callback_url", "quality_preference", "min_skill_rating", "pending_pool_hours", "auto_retry", "task_type"];
    const body = { ...ORDER, ...Object.fromEntries([...nulls, ...more].map((name) => [name, null])) };
    const { id } = await market.ok("POST", "/tasks", body, ann);
    expect(await market.task(id, ann)).toMatchObject({
      max_execution_seconds: 120,
      task_type: "json_extraction",
      callback_url: null,
    });
    const { input_data: _, ...template } = body;
    await market.ok("POST", "/tasks/batch", { template, items: [{ input_data: "a" }], max_concurrent: null }, ann);
    await market.ok("POST", "/capabilities", { task_type: "analysis", price: null, tags: null, description: null }, bob);
    await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: null }, bob);
    await market.until(id, ann, "AWARDED");
    expect(await market.ok("POST", `/tasks/${id}/submit`, { result_data: null }, bob)).toMatchObject({
      error_code: "SCHEMA_MISMATCH",
    });
  });

  test("a required one that is null is refused by its name and what it must be", async () => {
    for (const [path, body, field] of [
      ["/credits/topup", { amount_credits: null }, "amount_credits"],
      ["/auth/register", { email: null }, "email"],
      ["/tasks", { ...ORDER, input_data: null }, "input_data"],
      ["/tasks/batch", { template: null, items: [] }, "template"],
      ["/tasks/batch", { template: ORDER, items: [null] }, "items.0"],
    ] as const) {
      const reply = await market.call("POST", path, body, ann);
      expect([reply.status, fieldsOf(reply)]).toEqual([422, [field]]);
      expect(reply.body.detail).toMatch(/must be (text|a whole number|an object)/);
    }
  });
});

const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const slips = (name: string) => [
  camel(name),
  name.replaceAll("_", "-"),
  name.toUpperCase(),
  `_${name}_`,
  name.replaceAll("_", "__"),
];

describe("a field that is nearly ours is refused, and both names are told", () => {
  test.each(objects)("%s", async (_, operation, { name, properties, wrap }) => {
    for (const right of Object.keys(properties)) {
      for (const wrong of [...slips(right), ...(USUAL_MISTAKES[right] ?? [])]) {
        if (wrong in properties) continue;
        const reply = await send(operation, wrap({ [wrong]: 5 }));
        const told = operation.fields === undefined ? [reply.status] : [reply.body.valid ? 200 : 422];
        expect([wrong, told, fieldsOf(reply)]).toEqual([wrong, [422], [name + wrong]]);
        const { message } = reply.body.errors[0];
        const named = Object.keys(properties).filter((field) => message.endsWith(`did you mean ${name}${field}?`));
        expect([wrong, named.length]).toEqual([wrong, 1]);
        if (slips(right).includes(wrong)) expect(named).toEqual([right]);
      }
    }
  });

  test("in rules too, and what comes of a bid under a wrong name", async () => {
    const rules = [{ type: "min_length", Field: "company", min: 1 }];
    expect(fieldsOf(await market.call("POST", "/tasks", { ...ORDER, rules }, ann))).toEqual(["rules.0.Field"]);
    const id = await market.post(ann);
    const reply = await market.call("POST", `/tasks/${id}/bid`, { bid: 5 }, bob);
    expect([reply.status, reply.body.detail]).toEqual([422, "bid: is not a field; did you mean bid_credits?"]);
    expect((await market.task(id, ann)).awarded_to).toBeNull();
  });

  test("others are let be, and named: bounded, and as what a header may have", async () => {
    const more = { input_file_ids: [], "é\n,x": 1, ["x".repeat(500)]: 1 };
    const { headers, status } = await market.call("POST", "/tasks", { ...ORDER, ...more }, ann);
    expect([status, headers["x-nexus-ignored"]]).toEqual([201, `input_file_ids, %C3%A9%0A%2Cx, ${"x".repeat(64)}`]);
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`zz${index}`, 1]));
    const told = String((await market.call("POST", "/tasks", { ...ORDER, ...many }, ann)).headers["x-nexus-ignored"]);
    expect([told.split(", ").length, told.endsWith("zz19, ...")]).toEqual([21, true]);
    const nested = { template: { ...ORDER, colour: 1 }, items: [{ input_data: "x", tag: 1 }], extra: {} };
    const batch = await market.call("POST", "/tasks/batch", nested, ann);
    expect(batch.headers["x-nexus-ignored"]).toBe("template.input_data, template.colour, items.0.tag, extra");
    const { headers: wrong } = await market.call("POST", "/credits/topup", { nothing: 1 }, ann);
    expect(wrong["x-nexus-ignored"]).toBe("nothing");
  });
});

test("what clients in use send goes on working", async () => {
  const { requests } = JSON.parse(readFileSync("test/fixtures/clients.json", "utf8"));
  const [requester, worker] = [await market.register(), await market.register()];
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, requester);
  let task = "";
  const free = async () => (await market.ok("POST", "/tasks", { ...ORDER, schema: { type: "object" } }, requester)).id;
  for (const { call, body, headers } of requests) {
    const [method, path] = call.split(" ");
    if (path.endsWith("/stream?topics=task.new,task.awarded")) continue;
    const own = body?.email === undefined ? body : { ...body, email: `${randomUUID()}@example.com` };
    const isWork = path.endsWith("/bid") || path.endsWith("/submit");
    if (path.endsWith("/bid") || method === "DELETE") task = await free();
    if (path.endsWith("/submit") && body.publish_as_artifact === true) {
      task = await free();
      await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 8 }, worker);
    }
    if (path.endsWith("/submit")) await market.until(task, requester, "AWARDED");
    const { key } = isWork || path.endsWith("/available") ? worker : requester;
    const reply = await market.call(method, path.replace("/api/v1", "").replace("{id}", task), own, { key, headers });
    expect([call, reply.status, JSON.stringify(reply.body).slice(0, 300)]).toEqual([
      call,
      expect.toSatisfy((s) => s < 300),
      expect.anything(),
    ]);
    const known = ["input_file_ids", "invite_code", "accepted_terms", "publish_as_artifact"].find((name) => name in (own ?? {}));
    if (known !== undefined) expect(String(reply.headers["x-nexus-ignored"])).toContain(known);
    else expect([call, reply.headers["x-nexus-ignored"]]).toEqual([call, undefined]);
  }
});

describe("a number that a double would change is refused by its path", () => {
  const raw = (path: string, text: string, party = ann) => market.call("POST", path, text, { key: party.key, headers: operator });
  const order = JSON.stringify(ORDER);
  test.each([
    ["a budget", "/tasks", order.replace('"budget":20', '"budget":20.000000000000000001'), "budget"],
    ["an example", "/tasks", order.replace('"Initech"', "1790321456789012345"), "example_output.company"],
    [
      "a rule",
      "/tasks",
      order.replace('"budget"', '"rules":[{"type":"enum","field":"a","values":[1,1e-400]}],"budget"'),
      "rules.0.values.1",
    ],
    ["a template", "/tasks/batch", `{"template":{"budget":1e400},"items":[]}`, "template.budget"],
    ["a field that nobody knows", "/credits/topup", '{"amount_credits":1,"note":9007199254740993}', "note"],
    ["a honeypot", "/admin/honeypots", `{"expected":{"id":18446744073709551615}}`, "expected.id"],
    ["a trial", "/tasks/validate", order.replace("20", "9007199254740993"), "budget"],
    ["a bid", `/tasks/${randomUUID()}/bid`, '{"bid_credits":5.0000000000000000001}', "bid_credits"],
    ["a result", `/tasks/${randomUUID()}/submit`, '{"result_data":{"tweet_id":1790321456789012345}}', "result_data.tweet_id"],
  ])("%s", async (_, path, text, field) => {
    const reply = await raw(path, text);
    expect([reply.status, fieldsOf(reply)]).toEqual([422, [field]]);
    expect(reply.body.detail).toMatch(/as text/);
  });

  test("but for the bounds of a schema, which part the numbers that can arrive where they did", async () => {
    const schema =
      '{"type":"object","properties":{"n":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}},"required":["n"]}';
    const text = order.replace(/"schema":.*?,"example_output":\{.*?\}/, `"schema":${schema},"example_output":{"n":1}`);
    const { id } = (await raw("/tasks", text)).body;
    expect((await market.task(id, ann)).validation_schema.properties.n.maximum).toBe(2 ** 63 - 1_024);
    const worker = await market.register();
    await market.ok("POST", `/tasks/${id}/bid`, {}, worker);
    await market.until(id, ann, "AWARDED");
    const submit = async (n: number) => (await market.ok("POST", `/tasks/${id}/submit`, { result_data: { n } }, worker)).status;
    expect(await submit(2 ** 63)).toBe("REJECTED");
    expect(await submit(-(2 ** 63))).toBe("COMPLETED");
  });
});

describe("the same Idempotency-Key", () => {
  const call = (path: string, text: string, party: Party, key: string) =>
    market.call("POST", path, text, { key: party.key, headers: { ...operator, "Idempotency-Key": key } });

  test("with the same value is a repeat however it is written, and with another is not", async () => {
    const worker = await market.register();
    const [one, two] = [await market.post(ann), await market.post(ann)];
    await market.ok("POST", `/tasks/${two}/bid`, { bid_credits: 8 }, worker);
    await market.until(two, ann, "AWARDED");
    const order = '{"input_data":"x","schema":{"type":"object","maxProperties":5},"example_output":{"a":1,"b":[2]},"budget":20}';
    const again =
      '{ "budget": 2e1, "example_output": {"b":[2.0],"a":1.0}, "schema": {"maxProperties":5.0,"type":"object"}, "input_data": "\\u0078" }';
    const template = '{"schema":{"type":"object"},"example_output":{},"budget":5}';
    for (const [path, first, same, other] of [
      [
        "/credits/topup",
        '{"amount_credits":7,"note":{"a":1,"b":2}}',
        '{"note":{"b":2,"a":1},"amount_credits":7.0}',
        '{"amount_credits":8}',
      ],
      ["/tasks", order, again, order.replace('"a":1', '"a":2')],
      [
        "/tasks/batch",
        `{"template":${template},"items":[{"input_data":"x"}]}`,
        `{"items":[{"input_data":"x"}],"template":${template}}`,
        `{"template":${template},"items":[{"input_data":"y"}]}`,
      ],
      [`/tasks/${one}/bid`, '{"bid_credits":8,"x":-0}', '{"x":0,"bid_credits":1,"bid_credits":8e0}', '{"bid_credits":9}'],
      [
        `/tasks/${two}/submit`,
        `{"result_data":${JSON.stringify(GOOD)},"z":1}`,
        `{"z":1,"result_data":{"revenue":"$81.8 billion","company":"Apple\\u0020Inc"}}`,
        '{"result_data":{"company":"x"}}',
      ],
      [
        "/capabilities",
        '{"task_type":"translation","price":5}',
        '{"price":5.0,"task_type":"translation"}',
        '{"task_type":"translation","price":6}',
      ],
      [
        `/admin/accounts/${ann.id}/adjust`,
        '{"amount_credits":1,"reason":"r"}',
        '{"reason":"r","amount_credits":1}',
        '{"amount_credits":2,"reason":"r"}',
      ],
    ] as const) {
      const party = path.endsWith("/bid") || path.endsWith("/submit") || path === "/capabilities" ? worker : ann;
      const key = randomUUID();
      const [a, b, c] = [
        await call(path, first, party, key),
        await call(path, same, party, `"${key}"`),
        await call(path, other, party, key),
      ];
      expect([path, a.status < 300, b.status, c.status, c.body.code]).toEqual([
        path,
        true,
        a.status,
        422,
        "IDEMPOTENCY_MISMATCH",
      ]);
      // A task and an account may have moved on meanwhile; what was made is the same.
      const made = ({ body }: Reply) => body.submission_id ?? body.bid_id ?? body.batch_id ?? body.id ?? body.credits_balance;
      expect([path, made(b)]).toEqual([path, made(a)]);
    }
  });
});

test("a bid without a price is at the worker's standing price, and at the budget without one", async () => {
  const price = async (worker: Party, body?: object) => {
    const id = await market.post(ann);
    await market.ok("POST", `/tasks/${id}/bid`, body, worker);
    return (await market.until(id, ann, "AWARDED")).awarded_price;
  };
  // A new worker may have three tasks at a time.
  const [one, two] = [await market.register(), await market.register()];
  expect(await price(one, {})).toBe(20);
  for (const worker of [one, two]) await market.ok("POST", "/capabilities", { task_type: "json_extraction", price: 7 }, worker);
  expect([await price(one, {}), await price(one)]).toEqual([7, 7]);
  expect([await price(two, { bid_credits: null }), await price(two, { bid_credits: 9 })]).toEqual([7, 9]);
});

test("a callback_url that can never be reached is refused wherever a task is described", async () => {
  const url = { callback_url: "http://127.1/hook" };
  const { input_data: _, ...template } = { ...ORDER, ...url };
  for (const [path, body, field] of [
    ["/tasks", { ...ORDER, ...url }, "callback_url"],
    ["/tasks/batch", { template, items: [{ input_data: "x" }] }, "template.callback_url"],
    ["/admin/honeypots", { ...ORDER, ...url, expected: GOOD }, "callback_url"],
  ] as const) {
    const reply = await market.call("POST", path, body, { key: ann.key, headers: operator });
    expect([path, reply.status, fieldsOf(reply)]).toEqual([path, 422, [field]]);
    expect(reply.body.detail).toContain("ALLOW_PRIVATE_CALLBACKS=true");
  }
  const trial = await market.ok("POST", "/tasks/validate", { ...ORDER, ...url }, ann);
  expect([trial.valid, trial.errors[0].field]).toEqual([false, "callback_url"]);
});
