/** Honeypots: tasks whose answers are known, set off by settled tasks, that nobody can tell from others. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import type { JsonValue } from "../../machines/vocabulary.ts";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

const headers = { "X-Admin-Token": "operators-secret-of-this-test" };
const SHIFTED = new URL("../support/shifted-clock.mjs", import.meta.url);
const LONG_MS = 180_000;
/** Of all tests of this file together. */
const BUDGET_PER_DAY = 400;
const HONEYPOT = {
  ...ORDER,
  input_data: "Initech reported revenue of $5 million.",
  expected: { company: "Initech", revenue: "$5  Million" },
};
const TEMPLATE = {
  task_type: "translation",
  text: "{buyer} [[will buy|takes over]] {target} for USD {price} million.",
  blanks: { buyer: { kind: "company" }, target: { kind: "company" }, price: { kind: "number", from: 100, to: 100_000 } },
  schema: {
    type: "object",
    properties: { "buyer|acquirer": { type: "string" }, price: { type: "integer" } },
    required: ["price"],
  },
  expected: { "buyer|acquirer": "{buyer}", price: "{price}" },
  budget_min: 8,
  budget_max: 20,
  max_seconds: [60, 120],
};

let market: Market;
let ann: Party;
beforeAll(async () => {
  market = await Market.start({
    ADMIN_TOKEN: headers["X-Admin-Token"],
    HONEYPOT_RATE: "1",
    HONEYPOT_BUDGET_PER_DAY: String(BUDGET_PER_DAY),
    HONEYPOT_DELAY_SECONDS: "0",
  });
  ann = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  expect(wrong).toEqual([]);
});

const admin = (method: string, path: string, body?: unknown) => market.call(method, `/admin/honeypots${path}`, body, { headers });
const available = (worker: Party): Promise<Record<string, unknown>[]> => market.ok("GET", "/tasks/available", undefined, worker);

interface Posted {
  readonly task: string;
  readonly requester: string;
  readonly known: JsonValue;
  readonly example: JsonValue;
  readonly text: string;
  readonly minted: number;
}

/** The honeypots that were posted, the oldest first, as only the journal tells. */
const honeypots = () => market.database<Posted[]>`
  select entity as task, body->>'requester' as requester, body->'order'->'known' as known, body->'order'->'exampleOutput' as example,
    body->'order'->>'inputData' as text, (body->'order'->>'budget')::int as minted
  from journal where kind = 'task' and type = 'Opened' and body->'order'->'known' is not null order by at`;

/** Has a task done by this worker; gives its id. */
async function settle(requester: Party, worker: Party, changes: object = {}): Promise<string> {
  const id = await market.awarded(requester, worker, changes, { bid_credits: 5 });
  await market.submit(id, worker, GOOD);
  await market.until(id, worker, "SETTLED");
  return id;
}

/** Has a task settled, and gives the honeypot that this sets off. */
async function setOff(worker: Party, changes: object = {}): Promise<Posted> {
  const before = (await honeypots()).length;
  await settle(ann, worker, changes);
  return eventually(async () => (await honeypots())[before], "a honeypot to be posted");
}

async function answer(worker: Party, { task }: Posted, result: JsonValue): Promise<void> {
  await market.ok("POST", `/tasks/${task}/bid`, {}, worker);
  await market.until(task, worker, "AWARDED");
  await market.submit(task, worker, result);
  await market.until(task, worker, "SETTLED");
}

/** All that an account can read about itself, but for what any settled task changes. */
async function shown(worker: Party) {
  const [credit, reputation, mine] = await Promise.all(
    ["/credits/credit-info", "/account/reputation", "/capabilities"].map((path) => market.ok("GET", path, undefined, worker)),
  );
  const stats =
    mine.items.length === 0 ? null : await market.ok("GET", `/capabilities/${mine.items[0].id}/stats`, undefined, worker);
  return { credit, reputation, stats };
}

test("is stored only if its answer passes its own schema, and its example does not give the answer away", async () => {
  expect((await admin("POST", "", { ...HONEYPOT, expected: { company: 7 } })).body.errors[0].field).toBe("expected");
  expect((await admin("POST", "", { ...HONEYPOT, example_output: HONEYPOT.expected })).body.errors[0].field).toBe(
    "example_output",
  );
  expect((await admin("POST", "", { ...HONEYPOT, budget: 1 })).body.errors[0].field).toBe("budget");
  const made = await admin("POST", "", HONEYPOT);
  expect([made.status, made.body.expected, made.body.kind]).toEqual([201, HONEYPOT.expected, "task"]);
  expect((await admin("GET", "")).body.items).toEqual([made.body]);
});

test("is stored once under an Idempotency-Key, which is refused for another one", async () => {
  const keyed = { headers: { ...headers, "Idempotency-Key": "honeypot-1" } };
  const store = (body: object) => market.call("POST", "/admin/honeypots", body, keyed);
  const body = { ...HONEYPOT, input_data: "Initech reported revenue of $6 million." };
  const made = await store(body);
  expect((await store(body)).body).toEqual(made.body);
  const other = await store({ ...body, budget: 30 });
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  const items: { readonly input_data: string }[] = (await admin("GET", "")).body.items;
  expect(items.filter(({ input_data }) => input_data === body.input_data)).toEqual([made.body]);
  await admin("DELETE", `/${made.body.id}`);
});

test("a template is stored if it makes good tasks, stands in the list beside the others, and is removed like them", async () => {
  const store = (changes: object) => market.call("POST", "/admin/honeypots/templates", { ...TEMPLATE, ...changes }, { headers });
  const fieldOf = async (changes: object) => (await store(changes)).body.errors[0];
  expect(await fieldOf({ text: "{buyer} {price} {typo}" })).toMatchObject({ field: "text", message: /typo/ });
  expect(await fieldOf({ expected: { price: 3 } })).toMatchObject({ field: "text" });
  expect(await fieldOf({ blanks: { ...TEMPLATE.blanks, price: { kind: "company" } } })).toMatchObject({ field: "expected" });
  expect(await fieldOf({ blanks: { ...TEMPLATE.blanks, price: { kind: "numbers" } } })).toMatchObject({ field: /^blanks/ });
  expect(await fieldOf({ budget_min: 21 })).toMatchObject({ field: "text", message: /budget/ });
  const [, page = ""] = /```json\n([\s\S]*?)```/.exec(readFileSync("docs/operating.md", "utf8")) ?? [];
  const ofPage = await store(JSON.parse(page));
  expect((await admin("DELETE", `/${ofPage.body.id}`)).status).toBe(200);
  const made = await store({});
  expect([made.status, made.body.kind, made.body.blanks]).toEqual([201, "template", TEMPLATE.blanks]);
  const { items } = (await admin("GET", "?limit=1")).body;
  const rest = await market.ok("GET", `/admin/honeypots?cursor=${(await admin("GET", "?limit=1")).body.next_cursor}`, undefined, {
    headers,
  });
  expect([...items, ...rest.items].map(({ kind }: { kind: string }) => kind)).toEqual(["task", "template"]);
  const worker = await market.register();
  const ours = await setOff(worker, { task_type: "translation" });
  expect(ours.text).toMatch(/ (will buy|takes over) .* for USD \d+ million\.$/);
  expect((await admin("DELETE", `/${made.body.id}`)).status).toBe(200);
});

test("500 tasks that are posted and cancelled set none off", { timeout: LONG_MS }, async () => {
  const before = (await honeypots()).length;
  for (let n = 0; n < 50; n += 1) {
    const posted = await Promise.all(Array.from({ length: 10 }, () => market.post(ann)));
    await Promise.all(posted.map((id) => market.ok("DELETE", `/tasks/${id}`, undefined, ann)));
  }
  // One that is set off afterwards comes alone.
  await setOff(await market.register());
  expect(await honeypots()).toHaveLength(before + 1);
});

test("looks like any other task, from an account like any other's; none sets off another", { timeout: LONG_MS }, async () => {
  const [worker, other] = [await market.register(), await market.register()];
  const ordinary = await market.post(ann, { task_type: "analysis" });
  const posted = await setOff(worker, { task_type: "analysis" });
  const list = await available(other);
  const [one, plain] = [posted.task, ordinary].map((id) => list.find((task) => task["id"] === id) ?? {});
  expect(Object.keys(one ?? {})).toEqual(Object.keys(plain ?? {}));
  expect(JSON.stringify(one)).not.toMatch(/"(known|expected|tellAfter)"|honeypot|\bhouse\b/i);
  for (const field of ["quality_preference", "min_skill_rating", "auto_retries_left", "max_extension_seconds", "callback_url"]) {
    expect([field, one?.[field]]).toEqual([field, plain?.[field]]);
  }
  await answer(worker, posted, posted.known);
  const seen = await market.task(posted.task, worker);
  const history = await market.ok("GET", `/tasks/${posted.task}/events`, undefined, worker);
  expect(JSON.stringify([seen, history])).not.toMatch(/"(known|expected|tellAfter)"|honeypot|\bhouse\b/i);
  const done = await market.awarded(ann, worker, { task_type: "analysis" }, { bid_credits: 5 });
  await market.submit(done, worker, GOOD);
  await market.until(done, worker, "SETTLED");
  const events = ({ items }: { items: { event: string; seq: number }[] }) => {
    const from = items.findIndex(({ event }) => event === "Awarded");
    return items.slice(from).map(({ event, seq }) => `${seq - (items[from]?.seq ?? 0)} ${event}`);
  };
  expect(events(history)).toEqual(events(await market.ok("GET", `/tasks/${done}/events`, undefined, worker)));
  const all = await eventually(async () => {
    const found = await honeypots();
    return found.at(-1)?.task === posted.task ? undefined : found;
  }, "the ordinary one to set one off");
  expect(all.filter(({ task }) => task === posted.task)).toHaveLength(1);
  expect(all.at(-2)?.task).toBe(posted.task);
  const requesters = all.map(({ requester }) => requester);
  expect(new Set(requesters).size).toBe(requesters.length);
  expect(requesters.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
  expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
});

test("a submission that is sent again sets off no second one", async () => {
  const worker = await market.register();
  const id = await market.awarded(ann, worker, {}, { bid_credits: 5 });
  const before = (await honeypots()).length;
  const keyed = { key: worker.key, headers: { "Idempotency-Key": "again" } };
  for (let n = 0; n < 3; n += 1) await market.ok("POST", `/tasks/${id}/submit`, { result_data: GOOD }, keyed);
  await eventually(async () => (await honeypots())[before], "a honeypot to be posted");
  await market.ok("POST", `/tasks/${id}/submit`, { result_data: GOOD }, keyed);
  await setOff(await market.register());
  expect(await honeypots()).toHaveLength(before + 2);
});

test("one that was done shows nothing of it before its time, within a day, and then counts", { timeout: LONG_MS }, async () => {
  const [good, bad, plain] = [await market.register(), await market.register(), await market.register()];
  for (const worker of [good, bad, plain]) {
    await market.ok("POST", "/capabilities", { task_type: "json_extraction" }, worker);
  }
  await answer(good, await setOff(good), (await honeypots()).at(-1)?.known ?? null);
  await answer(bad, await setOff(bad), (await honeypots()).at(-1)?.example ?? null);
  await settle(ann, plain);
  await settle(await rich(), plain);
  const counts = async (worker: Party) => {
    const { credit, reputation, stats } = await shown(worker);
    const { speed: _, ...parts } = stats.parts;
    return { next: credit.next, parts, settled: stats.tasks_settled, failed: stats.tasks_failed, met: reputation.counterparties };
  };
  const asEver = await counts(plain);
  expect([await counts(good), await counts(bad)]).toEqual([asEver, asEver]);
  expect(asEver).toMatchObject({ settled: 2, failed: 0, met: 2 });
  expect((await market.balance(bad)).credits_balance).toBeGreaterThan(50 + 4 + 4);
  const untold = await market.database<{ at: number }[]>`select at from timers where name = 'honeypots'`;
  expect(untold.length).toBeGreaterThanOrEqual(2);
  expect(untold.every(({ at }) => at <= Date.now() + 24 * 3_600_000)).toBe(true);
  await market.halt("SIGTERM");
  await market.restart({ NODE_OPTIONS: `--import ${SHIFTED.href}`, CLOCK_SHIFT_MS: String(24 * 3_600_000 + 60_000) });
  await eventually(async () => ((await counts(bad)).failed === 1 ? true : undefined), "the wrong answer to count");
  expect(await counts(bad)).toMatchObject({ settled: 1, failed: 1, met: 1 });
  expect(await counts(good)).toMatchObject({ settled: 2, failed: 0, met: 1 });
  const [tally] = await market.database<{ tally: object }[]>`select tally from accounts where id = ${good.id}`;
  expect(tally?.tally).toMatchObject({ honeypotsPassed: 1, honeypotsFailed: 0, honeypotsUntold: 0 });
});

/** A requester with credits. */
async function rich(): Promise<Party> {
  const party = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, party);
  return party;
}

test("a farm of accounts gets no more out of them than a day's budget, at the highest rate", { timeout: LONG_MS }, async () => {
  const farm = await Promise.all(Array.from({ length: 4 }, rich));
  const [requester, ...workers] = farm;
  if (requester === undefined) throw new Error("a farm has a requester");
  const start = (await Promise.all(farm.map((one) => market.balance(one)))).reduce((sum, one) => sum + one.credits_balance, 0);
  const before = await honeypots();
  const tasks = 30;
  for (let n = 0; n < tasks; n += 1) await settle(requester, workers[n % workers.length] ?? requester, { budget: 6 });
  // All that they have set off, answered by the example, which is paid as well.
  const doing = new Set(before.map(({ task }) => task));
  for (let quiet = 0; quiet < 3; quiet += 1) {
    for (const one of (await honeypots()).filter(({ task }) => !doing.has(task))) {
      doing.add(one.task);
      quiet = 0;
      await answer(workers[0] ?? requester, one, one.example);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  const end = (await Promise.all(farm.map((one) => market.balance(one)))).reduce((sum, one) => sum + one.credits_balance, 0);
  const days = await market.database<{ minted: number }[]>`select minted from honeypot_days`;
  expect(days.every(({ minted }) => minted <= BUDGET_PER_DAY)).toBe(true);
  // The clock was moved to the next day, and its budget is used up as well.
  expect((await honeypots()).length).toBeLessThan(before.length + tasks);
  const minted = (await honeypots()).filter(({ task }) => !before.some((one) => one.task === task));
  expect(end - start).toBeLessThanOrEqual(minted.reduce((sum, one) => sum + one.minted, 0) - tasks);
  expect(minted.every(({ known, example }) => !isKnownAnswer(example, known))).toBe(true);
});

test("is posted no more once it is removed", async () => {
  const { items } = (await admin("GET", "")).body;
  expect(items).not.toEqual([]);
  for (const { id } of items) expect((await admin("DELETE", `/${id}`)).status).toBe(200);
  expect((await admin("DELETE", `/${items[0].id}`)).status).toBe(404);
  expect((await admin("GET", "")).body.items).toEqual([]);
  const log = await market.call("GET", "/admin/log?limit=2", undefined, { headers });
  const done = log.body.items.map(({ action, target, outcome }: Record<string, string>) => [action, target, outcome]);
  expect(new Set(done)).toEqual(
    new Set([
      ["honeypot.remove", items[0].id, "HONEYPOT_UNKNOWN"],
      ["honeypot.remove", items[0].id, "done"],
    ]),
  );
});
