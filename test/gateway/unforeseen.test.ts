/**
 * A rejection that nobody handles ends the process, by design. So whatever fails on the way of a request, what is done for it
 * beside its answer must catch its own failures: each part is made to fail here, and no rejection may be left over.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Router } from "../../actors/router.ts";
import { Feed } from "../../gateway/live/feed.ts";
import { Honeypots } from "../../gateway/live/honeypots.ts";
import { Presence } from "../../gateway/live/presence.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import type { ReadModel, StoredTask } from "../../gateway/ports/read-model.ts";
import { Secrets } from "../../gateway/secrets.ts";
import { task } from "../../machines/task/index.ts";
import type { Question } from "../../machines/validation/judgement.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { localSignals } from "../../src/adapters/in-process/signals.ts";
import { VALIDATOR_LIMITS, ValidatorPool } from "../../src/adapters/validator/pool.ts";
import { openSse } from "../support/journals.ts";
import { HeardQueues } from "../support/queues.ts";
import { id, order, person, SILENT, World } from "../support/world.ts";

const leftOver: unknown[] = [];
const note = (error: unknown) => leftOver.push(error);
beforeAll(() => void process.on("unhandledRejection", note));
afterAll(() => void process.off("unhandledRejection", note));

/** Lets rejections come up: they are told after the turn in which nobody took them. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(leftOver).toEqual([]);
}

function timeless() {
  const world = new World();
  return { clock: world.clock, pass: () => world.pass(30_000) };
}

const away = () => Promise.reject(new Error("the database is away"));
const AWAY: ReadModel = {
  ping: away,
  accountByKey: away,
  account: away,
  storedAccount: away,
  marked: away,
  bidder: away,
  task: away,
  opening: away,
  tasks: away,
  tasksOf: away,
  accountNews: away,
  factBefore: away,
  watched: away,
  bids: away,
  hasBid: away,
  awards: away,
  lastAward: away,
  reputationChanges: away,
  open: away,
  likelyPrice: away,
  capabilities: away,
  capability: away,
  browse: away,
  pulled: away,
  workload: away,
  history: away,
  deliveries: away,
  ledger: away,
  statement: away,
};

function routed(): StoredTask {
  const [at, what] = [1_000, order()];
  const opened = task.evolve(task.initial(id(9)), {
    type: "Opened",
    task: taskId(id(9)),
    requester: person(1),
    order: what,
    createdAt: at,
    at,
  });
  const row = task.row(id(9), task.evolve(opened.state, { type: "RoutingStarted", until: at, at }).state);
  if (row === undefined) throw new Error("an opened task has a row");
  return { row, order: what };
}

test("streams outlive a database that goes away between two looks, and when it is away all the time", async () => {
  const { clock, pass } = timeless();
  const queues = new HeardQueues();
  const types = [order().taskType];
  const presence = new Presence({ reads: AWAY, queues, clock, log: SILENT, taskTypes: types, gateway: "g1" });
  for (const found of [async () => routed(), away]) {
    // It is there when they are opened.
    const reads: ReadModel = { ...AWAY, task: found, factBefore: async () => 0 };
    const signals = localSignals();
    const feed = new Feed({ reads, signals, presence, clock, log: SILENT, taskTypes: types, streamsPerAddress: 0 });
    const what = { topics: TOPICS, taskTypes: null, last: null, works: true, keyHash: "", address: "" };
    for (const n of [2, 3]) await openSse(feed, { ...what, account: person(n) });
    feed.hear(id(9));
    signals.wake(person(2));
    await pass();
    await quiet();
    feed.close();
  }
});

test("a submission outlives honeypots that cannot be posted", async () => {
  const { clock, pass } = timeless();
  const ids = { next: () => id(7) };
  const router = new Router({ request: away }, clock, ids, 1_000);
  const secrets = new Secrets(Buffer.from("secret of a test"));
  const store = { add: away, all: away, list: away, remove: away, take: away };
  const validator = { judge: () => ({ code: null, errors: [] }) as const };
  const settings = { rate: 1, budgetPerDay: 100, delayMs: 0, routingWindowMs: 1 };
  const { row, order: what } = routed();
  const settled: StoredTask = { row: { ...row, status: "SETTLED", worker: person(2) }, order: what };
  for (const reads of [AWAY, { ...AWAY, account: async () => undefined, task: async () => settled }]) {
    const honeypots = new Honeypots({ store, reads, router, validator, secrets, clock, ids, log: SILENT, settings });
    honeypots.accepted(taskId(id(9)), person(2));
    await pass();
    await quiet();
  }
});

test("a request outlives a transport that fails, and is told that the outcome is not known", async () => {
  const world = new World();
  const router = new Router({ request: away }, world.clock, { next: () => world.nextId() }, 1_000);
  const answer = await world.answer(router.ask({ kind: "task", id: id(9) }, { type: "start", worker: person(1) }));
  expect(answer).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE" } });
  await quiet();
});

test("a node outlives webhooks and words to gateways that fail, and sends the webhook again", async () => {
  const world = new World();
  let tried = 0;
  world.deliver = async () => {
    tried += 1;
    if (tried < 3) throw new Error("a courier that fails");
    return { id: id(1), ms: 1, result: "delivered", status: 200 };
  };
  world.wake = () => {
    throw new Error("no signals");
  };
  world.host = world.makeHost();
  await world.host.start();
  await world.answer(world.register(1));
  const posted = world.newTask();
  expect(await world.answer(world.post(1, posted, { callbackUrl: "https://example.com/hook" }))).toMatchObject({ ok: true });
  await world.answer(world.ask("task", posted, { type: "cancel", requester: person(1) }));
  await world.pass(10_000);
  expect(tried).toBe(3);
  await quiet();
  expect(await world.broken()).toEqual([]);
});

test("who waits for a judgement is refused where no thread can be made at all", async () => {
  const told: unknown[] = [];
  const pool = new ValidatorPool(new URL("https://example.com/thread.js"), VALIDATOR_LIMITS, (error) => told.push(error));
  const demands = { schema: { type: "object" }, rules: [] };
  const question: Question = { demands, result: {}, account: person(1), lane: "submission" };
  expect(await pool.judge(question, "thread")).toMatchObject({ because: "busy" });
  expect(told).toHaveLength(1);
  await pool.close();
  await quiet();
});
