/** Requests as clients send them, over every operation there is: a new one is held against all of this by being in the table. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../gateway/http/operation.ts";
import { OPERATIONS } from "../../gateway/routes/index.ts";
import type { CallOptions } from "../support/client.mjs";
import { Market, type Party } from "../support/market.ts";

const ADMIN_TOKEN = "an-operators-token-of-some-length";

let market: Market;
let ann: Party;

beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN, ROUTING_WINDOW_MS: "0" });
  ann = await market.register();
});
afterAll(async () => {
  expect(market.log()).not.toMatch(/bug|"level":60/);
  await market.stop();
});

const asker = () => ({ key: ann.key, headers: { "X-Admin-Token": ADMIN_TOKEN } }) satisfies CallOptions;
const pathOf = ({ path }: Operation, id: string) => path.replace(/\{\w+\}/, id);
const call = (operation: Operation, path: string, body?: unknown, options: CallOptions = asker()) =>
  market.call(operation.method.toUpperCase(), `/${path}`, body, options);
const fieldsOf = (body: { errors?: { field: string }[] }) => (body.errors ?? []).map(({ field }) => field);

const WITH_ID = OPERATIONS.filter(({ path }) => path.includes("{"));
const id = randomUUID();

describe("an id in a path", () => {
  const wrong = [
    `urn:uuid:${id}`,
    `URN:UUID:${id}`,
    `{${id}}`,
    `%7B${id}%7D`,
    id.replaceAll("-", ""),
    `${id}%00`,
    `%00${id}`,
    `${id}%0A`,
    `%20${id}`,
    `${id}%EF%BB%BF`,
    id.replace("-", "%E2%80%90"),
    "null",
    "undefined",
    "0",
  ];

  test.each(WITH_ID.map((operation) => [operation.id, operation] as const))("that is no bare UUID: %s", async (_, operation) => {
    for (const one of wrong) {
      const { status, body } = await call(operation, pathOf(operation, one));
      expect([one, status, fieldsOf(body)]).toEqual([one, 422, ["id"]]);
      expect(body.detail).toMatch(/bare UUID/);
    }
    for (const one of ["%", "%zz", "%ff", "%C3%28", `${id}%ED%A0%80`]) {
      const { status, body } = await call(operation, pathOf(operation, one));
      expect([one, status, body.code]).toEqual([one, 400, "MALFORMED_PATH"]);
    }
  });

  test("is taken in upper case", async () => {
    const { id: task } = await market.ok("POST", "/tasks", ORDER, ann);
    expect((await market.ok("GET", `/tasks/${task.toUpperCase()}`, undefined, ann)).id).toBe(task);
  });
});

const ORDER = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5 };

const QUERIES = OPERATIONS.flatMap((operation) =>
  Object.entries(operation.query?.properties ?? {}).map(([name, schema]) => [operation.id, name, operation, schema] as const),
);

describe("a field of a query", () => {
  test.each(QUERIES)("%s ?%s", async (_id, name, operation, schema) => {
    if (operation.stream === true && name !== "task_type" && name !== "topics") return;
    const path = pathOf(operation, randomUUID());
    const ask = (query: string) => call(operation, `${path}?${query}`);
    for (const query of [`${name}=a%00b`, `${name}=%ff`, `${name}=1&${name}=2`, `${name}=%C0%80`, `${name}=%`]) {
      const { status, body } = await ask(query);
      expect([query, status, fieldsOf(body)]).toEqual([query, 422, [name]]);
    }
    const slip = name.includes("_") ? name.replace("_", "") : name.toUpperCase();
    const { status, body } = await ask(`${slip}=1`);
    expect([status, body.detail]).toEqual([422, expect.stringMatching(new RegExp(`^${slip}: .*\\b${name}\\b`))]);
    const { type } = schema as { type?: string };
    if (type === "integer") {
      for (const value of ["%201", "+1", "1.5", "0x1", "1e400", "1_0", "%D9%A3", "NaN", "9007199254740993", "01", "-1", "True"]) {
        const reply = await ask(`${name}=${value}`);
        expect([value, reply.status, fieldsOf(reply.body)]).toEqual([value, 422, [name]]);
      }
      for (const value of ["1", "1.0", "1e0", "5"])
        expect([value, fieldsOf((await ask(`${name}=${value}`)).body)]).toEqual([value, []]);
    }
    if (type === "boolean") {
      for (const value of ["true", "True", "TRUE", "1", "false", "False", "0", "", "None", "null"]) {
        expect([value, (await ask(`${name}=${value}`)).status]).toEqual([value, 200]);
      }
      for (const value of ["yes", "2", "t", "truee"]) expect(fieldsOf((await ask(`${name}=${value}`)).body)).toEqual([name]);
    }
  });

  test("that nobody knows is let be, and told", async () => {
    const { status, headers } = await market.call("GET", "/tasks?page=2&x%0Ay=1&limit=1", undefined, ann);
    expect([status, headers["x-nexus-ignored"]]).toEqual([200, "page, x%0Ay"]);
  });
});
