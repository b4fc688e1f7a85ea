/** Lists: in order and without gaps; where entries are large a page ends early, and its cursor goes on until each has come once. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GOOD, Market, ORDER, type Party } from "../support/market.ts";

const PAGE_BYTES_MAX = 1_048_576;
const TASKS = 40;

let market: Market;
let ann: Party;
let bob: Party;
const posted: string[] = [];

beforeAll(async () => {
  market = await Market.start({ RATE_LIMIT_PER_SECOND: "0", RATE_LIMIT_TASKS_PER_MINUTE: "0", SIGNUP_GRANT: "10000" });
  [ann, bob] = [await market.register(), await market.register()];
  const large = {
    input_data: "€".repeat(10_000),
    schema: { ...ORDER.schema, $comment: "x".repeat(20_000) },
    budget: 10,
    quality_preference: "cheapest",
  };
  for (let n = 0; n < TASKS; n += 1) posted.push((await market.ok("POST", "/tasks", { ...ORDER, ...large }, ann)).id);
});
afterAll(() => market.stop());

/** Follows a list to its end; gives the pages. */
async function pages(path: string, party: Party, next: (page: Awaited<ReturnType<Market["call"]>>) => string | null) {
  const found = [];
  for (let query: string | null = ""; query !== null; ) {
    const reply = await market.call("GET", `${path}${query}`, undefined, party);
    expect([reply.status, Buffer.byteLength(JSON.stringify(reply.body)) <= PAGE_BYTES_MAX]).toEqual([200, true]);
    found.push(reply);
    query = next(reply);
  }
  return found;
}

test("GET /tasks: pages of at most 1 MB, together every task once, the newest first", async () => {
  const found = await pages("/tasks?limit=200", ann, ({ body }) =>
    body.next_cursor === null ? null : `&cursor=${body.next_cursor}`,
  );
  expect(found.length).toBeGreaterThan(2);
  const ids = found.flatMap(({ body }) => body.items.map(({ id }: { id: string }) => id));
  expect(ids).toEqual(posted.toReversed());
});

test.each([
  ["", "limit=200"],
  ["&sort=age", "sort=age&limit=200"],
  ["&sort=budget", "sort=budget&limit=200"],
  ["&mine=false&min_budget=10", "mine=false&min_budget=10&limit=200"],
])(
  "GET /tasks/available?limit=200%s: an array still, whose Link leads to the next page, until every task has come once",
  async (asked, told) => {
    const found = await pages(`/tasks/available?limit=200${asked}`, bob, ({ headers }) => {
      const link = String(headers["link"] ?? `<none>; rel="next"`);
      const [, query = "", cursor] = /^<\/api\/v1\/tasks\/available\?(.*)&cursor=([\w%-]+)>; rel="next"$/.exec(link) ?? [];
      expect(query === "" || query === told).toBe(true);
      return cursor === undefined ? null : `&cursor=${cursor}`;
    });
    expect(found.length).toBeGreaterThan(1);
    const ids = found.flatMap(({ body }) => body.map(({ id }: { id: string }) => id));
    // All have the same budget, so every order is by age; but the first page of none has some of the newest.
    expect(asked.includes("sort") ? ids : [...ids].sort()).toEqual(asked.includes("sort") ? posted : [...posted].sort());
  },
);

test("GET /tasks/available: by type, budget, and the types that one has registered", async () => {
  const few = await market.call("GET", "/tasks/available?limit=3&task_type=json_extraction", undefined, bob);
  expect(few.body).toHaveLength(3);
  expect(few.headers["link"]).toMatch(
    /^<\/api\/v1\/tasks\/available\?task_type=json_extraction&limit=3&cursor=[\w%-]+>; rel="next"$/,
  );
  const count = async (query: string) => (await market.ok("GET", `/tasks/available?limit=3${query}`, undefined, bob)).length;
  expect([await count("&min_budget=10"), await count("&min_budget=11")]).toEqual([3, 0]);
  expect([await count("&mine=true"), await count("&mine=true&task_type=json_extraction")]).toEqual([0, 0]);
  await market.ok("POST", "/capabilities", { task_type: "translation" }, bob);
  expect([await count("&mine=true"), await count("&mine=false")]).toEqual([0, 3]);
  await market.ok("POST", "/capabilities", { task_type: "json_extraction" }, bob);
  expect([await count("&mine=true"), await count("&mine=true&task_type=translation")]).toEqual([3, 0]);
  for (const wrong of ["sort=price", "min_budget=0", "min_budget=1001", "mine=maybe"]) {
    expect((await market.call("GET", `/tasks/available?${wrong}`, undefined, bob)).status).toBe(422);
  }
});

test("a task's history, deliveries and entries have pages, and come whole for who does not ask for pages", async () => {
  const task = await market.awarded(ann, bob, { callback_url: undefined });
  await market.submit(task, bob, GOOD);
  await market.until(task, ann, "SETTLED");
  for (const list of ["events", "ledger"]) {
    const whole = await market.ok("GET", `/tasks/${task}/${list}`, undefined, ann);
    expect(whole.next_cursor).toBeNull();
    expect(whole.items.length).toBeGreaterThan(3);
    const items = [];
    for (let cursor = ""; ; ) {
      const page = await market.ok("GET", `/tasks/${task}/${list}?limit=2${cursor}`, undefined, ann);
      expect(page.items.length).toBeLessThanOrEqual(2);
      items.push(...page.items);
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(items).toEqual(whole.items);
  }
  expect(await market.ok("GET", `/tasks/${task}/deliveries?limit=1`, undefined, ann)).toEqual({ items: [], next_cursor: null });
});

test.each(["/tasks", "/tasks/available", "/credits/transactions", "/capabilities/browse"])(
  "a cursor that is none: %s",
  async (path) => {
    const { status, body } = await market.call("GET", `${path}?cursor=bm9uZQ`, undefined, ann);
    expect([status, body.errors[0].field]).toEqual([422, "cursor"]);
  },
);

test.each(["/tasks/available?task_type=nothing", "/events/stream?task_type=nothing", "/capabilities/browse?task_type=nothing"])(
  "a task type that is not configured: %s",
  async (path) => {
    const { status, body } = await market.call("GET", path, undefined, bob);
    expect([status, body.errors[0].field]).toEqual([422, "task_type"]);
    expect(body.detail).toMatch(/json_extraction/);
  },
);

test("a cursor of a task's entries that is none is refused, not read as the number that it resembles", async () => {
  const task = await market.awarded(ann, bob, { callback_url: undefined });
  for (const cursor of ["%20", "0x2", "1e1", "-1", "1.0", "12345", "bm9uZQ"]) {
    const { status, body } = await market.call("GET", `/tasks/${task}/ledger?cursor=${cursor}`, undefined, ann);
    expect([cursor, status, body.errors?.[0].field]).toEqual([cursor, 422, "cursor"]);
  }
  expect((await market.ok("GET", `/tasks/${task}/ledger?cursor=9999`, undefined, ann)).items).toEqual([]);
});

describe("a list", () => {
  test("of tasks is newest first, in pages without gaps, by role and status", async () => {
    const [requester, worker] = [await market.register(), await market.register()];
    await market.ok("POST", "/credits/topup", { amount_credits: 500 }, requester);
    const ids: string[] = [];
    for (let count = 0; count < 7; count += 1) ids.push(await market.post(requester));
    await market.ok("DELETE", `/tasks/${ids[0]}`, undefined, requester);
    const done = await market.awarded(requester, worker);
    const listed: string[] = [];
    let cursor: string | null = null;
    do {
      const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await market.ok("GET", `/tasks?limit=3${at}`, undefined, requester);
      expect(page.items.length).toBeLessThanOrEqual(3);
      listed.push(...page.items.map(({ id }: { id: string }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(listed).toEqual([...ids, done].reverse());
    const of = async (query: string, party: Party) =>
      (await market.ok("GET", `/tasks?${query}`, undefined, party)).items.map(({ id }: { id: string }) => id);
    expect(await of("status=CANCELLED", requester)).toEqual([ids[0]]);
    expect(await of("role=worker", worker)).toEqual([done]);
    expect(await of("role=requester", worker)).toEqual([]);
    expect(await of("", worker)).toEqual([done]);
  });

  test("of transactions is the whole statement, whose sums are the balances", async () => {
    const party = await market.register();
    for (let count = 0; count < 3; count += 1) {
      await market.ok("POST", "/credits/topup", { amount_credits: 10 }, party);
      await market.ok("DELETE", `/tasks/${await market.post(party)}`, undefined, party);
    }
    await market.post(party);
    const items: { available: number; held: number; reason: string }[] = [];
    let cursor: string | null = null;
    do {
      const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await market.ok("GET", `/credits/transactions?limit=4${at}`, undefined, party);
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(items).toHaveLength(11);
    expect(items.at(-1)?.reason).toBe("GRANT");
    const sum = (field: "available" | "held") => items.reduce((total, item) => total + item[field], 0);
    expect(await market.balance(party)).toMatchObject({ credits_balance: sum("available"), credits_frozen: sum("held") });
  });
});
