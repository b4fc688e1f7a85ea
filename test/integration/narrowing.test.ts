/** Whoever looks for tasks or workers beforehand leaves out nobody who may, and in the end shows or asks only who may. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { SHARDS_DEFAULT } from "../../actors/address.ts";
import { Matcher } from "../../actors/matching/matcher.ts";
import type { Entry } from "../../actors/ports/journal.ts";
import type { OpenTasks, ReadTask } from "../../actors/ports/open-tasks.ts";
import { Feed } from "../../gateway/live/feed.ts";
import { OPEN_MAX } from "../../gateway/live/open-tasks.ts";
import { Presence } from "../../gateway/live/presence.ts";
import type { ReadModel } from "../../gateway/ports/read-model.ts";
import { mayBid } from "../../gateway/show/task.ts";
import { decideAccount } from "../../machines/account/decide.ts";
import { type AccountRow, accountRow, capabilityRows, postedTerms, qualificationOf } from "../../machines/account/row.ts";
import { BIDS_MAX, bidIneligibility, mayWork, offerIneligibility } from "../../machines/eligibility.ts";
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { tiersIn } from "../../machines/market/qualification.ts";
import type { ManualWaiter, PostedWaiter } from "../../machines/matcher/vocabulary.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { localSignals } from "../../src/adapters/in-process/signals.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { postgresOpenTasks } from "../../src/adapters/postgres/open-tasks.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { ManualClock } from "../support/clock.ts";
import { hear, openSse, readEvents } from "../support/journals.ts";
import {
  anyTaskLife,
  anyWorkerLife,
  onOfferOf,
  type TaskLife,
  taskAfter,
  taskFacts,
  WORKERS,
  type WorkerLife,
  workerAfter,
  workerFacts,
} from "../support/lives.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { HeardQueues } from "../support/queues.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const TYPE = order().taskType;
const TASKS = 150;
const SEED = 20_261_127;

/** One that takes no more bids, one that takes a last one, and lives of every kind. */
const crowd = (count: number) => Array.from({ length: count }, (_, n) => person(1_000 + n));
const plain: TaskLife = {
  requester: person(1),
  marks: [],
  budget: 8,
  minSkill: 0,
  maxSeconds: 120,
  requesterScore: 0.9,
  failed: [],
  bidders: [],
  autoRetry: 0,
  upTo: "routing",
};
const lives = [
  { ...plain, bidders: crowd(BIDS_MAX) },
  { ...plain, bidders: crowd(BIDS_MAX - 1) },
  ...fc.sample(anyTaskLife(WORKERS.length), { seed: SEED, numRuns: TASKS }),
];
const tasks = lives.map((life, n) => {
  const name = id(20_000 + n);
  const facts = taskFacts(life, name);
  const state = taskAfter(facts, name);
  return { name, facts, state, life, onOffer: onOfferOf(life, state) };
});
/** One that may take all that its price allows, the same while it cools down, and lives of every kind. */
const able: WorkerLife = {
  marks: [],
  paid: 1,
  failed: 0,
  capability: { price: 8, available: true, concurrency: 1 },
  kept: 0,
  become: "active",
};
const workers = [
  able,
  { ...able, become: "cooling" } as const,
  ...fc.sample(anyWorkerLife, { seed: SEED, numRuns: WORKERS.length - 2 }),
].flatMap((life, n) => {
  const worker = WORKERS[n] ?? person(0);
  const facts = workerFacts(life, worker);
  const state = workerAfter(facts, worker);
  const row = accountRow(state);
  return row === undefined ? [] : [{ worker, facts, state, row, standing: qualificationOf(state, TYPE) }];
});
type Worker = (typeof workers)[number];

/** What the rule says of a worker and each task, by a bid of the whole budget. */
const eligible = ({ worker, standing }: Worker) =>
  tasks.filter(({ onOffer }) => bidIneligibility(onOffer, { worker, standing }, null) === undefined).map(({ name }) => name);

function entry(kind: "task" | "account", name: string, facts: readonly { type: string; at: number }[], more: object): Entry {
  const stored = facts.map((fact) => ({ type: fact.type, version: 1, body: fact, at: fact.at }));
  const rest = {
    messages: [],
    timers: [],
    snapshot: undefined,
    row: undefined,
    parts: [],
    postings: facts.map(() => []),
    ...more,
  };
  return { address: { kind, id: name }, after: 0, facts: stored, cause: randomUUID(), ...rest };
}

let pool: Database;
let drop: () => Promise<void>;
let reads: ReadModel;
let index: OpenTasks;
beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  drop = made.drop;
  pool = openPool(made.url, { max: 3, name: "narrowing test" });
  await migrate([pool]);
  const databases = new Databases([pool], SHARDS_DEFAULT);
  [reads, index] = [postgresReadModel(databases), postgresOpenTasks(databases)];
  const entries = [
    ...tasks.map(({ name, facts, state }) => entry("task", name, facts, { row: task.row(name, state) })),
    ...workers.map(({ worker, facts, row, state }) => entry("account", worker, facts, { row, parts: capabilityRows(state) })),
  ];
  const journal = new PostgresJournal(pool, pool, SHARDS_DEFAULT);
  const refused = await journal.append({ id: randomUUID(), entries, delivered: [], dead: [] });
  expect(refused.size).toBe(0);
});
afterAll(async () => {
  await pool.end();
  await drop();
});

/** Reasons that only a task's or an account's own state gives. */
type OfStates = "BIDS_FULL" | "PASSED" | "SLOT_RESERVED" | "AWARDS_FULL" | "PULL_FULL";

test("the lives are of every kind: each reason is somebody's, and each worker that may work may take something", () => {
  const reasons = new Set<string>();
  for (const { worker, standing, state } of workers) {
    for (const { name, onOffer } of tasks) {
      const terms = postedTerms(state.context, TYPE, name);
      for (const reason of [
        bidIneligibility(onOffer, { worker, standing }, 6),
        offerIneligibility(onOffer, { worker, standing }, terms),
      ]) {
        if (reason !== undefined) reasons.add(reason.why);
      }
    }
  }
  const all = {
    ALREADY_BID: 1,
    CAPABILITY_AWAY: 1,
    COOLING: 1,
    FAILED_BEFORE: 1,
    FROZEN: 1,
    NO_CAPABILITY: 1,
    NO_SLOT: 1,
    NO_POSTED_PRICE: 1,
    ONE_IDENTITY: 1,
    OVER_BUDGET: 1,
    OWN_TASK: 1,
    REQUESTER_SCORE_TOO_LOW: 1,
    SUSPENDED: 1,
    TASK_NOT_OPEN: 1,
    TIER_TOO_LOW: 1,
    TOO_LITTLE_TIME: 1,
  } satisfies { readonly [W in Exclude<Ineligibility["why"], OfStates>]: 1 };
  expect([...reasons].sort()).toEqual(Object.keys(all).sort());
  for (const one of workers.filter(({ row }) => row.status === "ACTIVE")) expect(eligible(one).length).toBeGreaterThan(0);
});

const listOf = async ({ worker, row }: Worker) => {
  const query = {
    ...{ worker, marks: row.marks, taskTypes: [TYPE], tiers: tiersIn(row) },
    ...{ minBudget: null, sort: null, limit: 900, cursor: null },
  };
  return (await reads.open(query))?.items ?? [];
};

test("the list of open tasks leaves out none that a worker may take, and what is shown of it is what the worker may take", async () => {
  for (const one of workers) {
    const rows = await listOf(one);
    const may = eligible(one);
    expect(rows.map(({ row }) => row.id)).toEqual(expect.arrayContaining(may));
    expect(
      rows
        .filter((row) => mayBid(row, one.row))
        .map(({ row }) => row.id)
        .sort(),
    ).toEqual(may);
    // It narrows down, too: of those who may work it shows nothing else.
    if (one.row.status !== "ACTIVE") continue;
    expect(rows.map(({ row }) => row.id).filter((name) => !may.includes(name))).toEqual([]);
  }
});

test("a stream tells, of the open tasks that it begins with, exactly those that its worker may take", async () => {
  let tasksTold = 0;
  for (const one of workers.slice(0, 24)) {
    const { worker, row } = one;
    if (!mayWork(row.status)) continue;
    const query = {
      ...{ worker, marks: row.marks, tiers: tiersIn(row), taskTypes: [TYPE] },
      ...{ minBudget: null, sort: null, limit: OPEN_MAX, cursor: null },
    };
    const listed = (await reads.open(query))?.items ?? [];
    const may = listed.map(({ row: { id: name } }) => name).filter((name) => eligible(one).includes(name));
    const feed = new Feed({
      reads,
      signals: localSignals(),
      presence: { listens: () => () => {} },
      clock: new ManualClock(),
      log: SILENT,
      taskTypes: [TYPE],
      streamsPerAddress: 0,
    });
    const listening = { account: worker, keyHash: row.keyHash, address: "::1", topics: ["task.new"], taskTypes: null } as const;
    const out = await openSse(feed, { ...listening, last: null, works: true });
    if (typeof out === "string") throw new Error(`too many streams of one ${out}`);
    const heard = hear(out);
    const told = () => readEvents(heard.text).map(({ task: name }) => name);
    await vi.waitFor(() => expect(told()).toEqual(may), { timeout: 10_000 });
    feed.close();
    tasksTold += may.length;
  }
  expect(tasksTold).toBeGreaterThan(100);
});

test("a matcher proposes a task to exactly those with a posted price who may take it, and their accounts accept", async () => {
  const clock = new ManualClock();
  const queues = new HeardQueues();
  const presence = new Presence({ reads, queues, clock, log: SILENT, taskTypes: [TYPE], gateway: "g1" });
  for (const { row } of workers) presence.polled(row, [TYPE]);
  await vi.waitFor(() => {
    clock.to(clock.now() + 5);
    expect(queues.online(TYPE)).toHaveLength(workers.length);
  });
  let accepted = 0;
  const ties = new Set<number>();
  const open = new Map((await index.read(tasks.map(({ name }) => taskId(name)))).map((one) => [String(one.task.id), one]));
  for (const { worker, state, standing } of workers) {
    const terms = { ...postedTerms(state.context, TYPE, ""), kept: 0 };
    for (const { name, life, onOffer } of tasks) {
      const asked = offered(open.get(name), queues.of(TYPE, worker), clock.now());
      const reason = offerIneligibility(onOffer, { worker, standing }, terms);
      // A task says itself whether its bids are full.
      expect(asked).toBe(reason === undefined || reason.why === "BIDS_FULL");
      if (!asked) continue;
      const { budget, minSkill, maxSeconds, requesterScore, marks } = life;
      const offer = {
        task: taskId(name),
        bid: id(1),
        taskType: TYPE,
        budget: credits(budget),
        minSkill,
        maxSeconds,
        requesterScore,
        marks,
        asked: true,
      } as const;
      const decision = decideAccount(state, { type: "offer", ...offer }, clock.now());
      const kept = isRefusal(decision) ? undefined : decision.reply;
      // Only the account knows how many slots it has left.
      if (!isKept(kept))
        expect(kept).toMatchObject({ kept: false, reason: { why: expect.stringMatching(/^(NO_SLOT|AWARDS_FULL)$/) } });
      accepted += isKept(kept) ? 1 : 0;
      if (terms.capability?.price === budget) ties.add(budget);
    }
  }
  presence.close();
  expect(accepted).toBeGreaterThan(30);
  // A price of exactly the budget will do, the highest one too.
  expect([...ties].sort()).toEqual([5, 6, 7, 8]);
});

const isKept = (reply: unknown) => typeof reply === "object" && reply !== null && "kept" in reply && reply.kept === true;

/** Whether a matcher that knows this task and this worker proposes it to it, once it is in the pool. */
function offered(read: ReadTask | undefined, worker: PostedWaiter | ManualWaiter | undefined, now: number): boolean {
  if (read === undefined || worker === undefined || worker.kind === "manual") return false;
  const matcher = new Matcher({ nextId: randomUUID });
  matcher.wait({ ...worker, until: now + 60_000 }, now);
  const actions = matcher.opened({ ...read.task, status: "PENDING_POOL" }, now);
  return actions.some((action) => action.type === "propose" && action.offers.length > 0);
}

test("capabilities are told as available exactly while their owners may work", async () => {
  for (const { worker, row } of workers) {
    for (const { active } of await reads.capabilities(worker)) expect(active).toBe(isActive(row));
  }
});

function isActive({ status }: AccountRow): boolean {
  return status === "ACTIVE";
}
