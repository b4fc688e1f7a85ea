/** Pulls at a gateway: what they get, when they end, and what becomes of tasks that nobody gets. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import {
  PULLS_MAX,
  PULLS_OF_ACCOUNT_MAX,
  type PullRefusal,
  type PullRequest,
  type PullResult,
  Pulls,
} from "../../gateway/live/pulls.ts";
import { LATE_MS } from "../../gateway/live/queues.ts";
import type { PulledTask, StoredTask } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import { accountRow, capabilityRows } from "../../machines/account/row.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import { type AccountId, credits } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { whole } from "../support/live-matching.ts";
import { task } from "../support/matching.ts";
import { HeardQueues } from "../support/queues.ts";
import { id, person, SILENT } from "../support/world.ts";

const TYPE = "json_extraction";
const PART_MS = 5_000;
const PAUSE_MS = 250;
const LOOK_AGAIN_MS = 8_000;

let clock: ManualClock;
let queues: HeardQueues;
let pulls: Pulls;
/** What the database says that the worker has won and still has. */
let won: readonly PulledTask[];
let away: boolean;
let reads: number;
let unwanted: (readonly [AccountId, readonly string[]])[];

const worker = person(1);
const state = [
  {
    type: "Registered",
    account: worker,
    email: "w@test.example",
    source: null,
    keyHash: "k",
    grant: credits(50),
    at: 1,
  } as const,
  {
    type: "CapabilityRegistered",
    capability: {
      id: id(2),
      taskType: "analysis",
      description: "",
      tags: [],
      price: credits(7),
      concurrency: 1,
      available: true,
      createdAt: 1,
    },
    at: 1,
  } as const,
].reduce((before, fact) => account.evolve(before, fact).state, account.initial(worker));
const found = accountRow(state);
if (found === undefined) throw new Error("who is registered has a row");
const row = found;

beforeEach(() => {
  clock = new ManualClock();
  queues = new HeardQueues();
  [won, away, reads, unwanted] = [[], false, 0, []];
  const pulled = async () => {
    reads += 1;
    if (away) throw new Error("the database is away");
    return won;
  };
  const capabilities = async () => capabilityRows(state).map((one) => ({ ...one, account: worker }));
  const give = (to: AccountId, tasks: readonly StoredTask[]) => void unwanted.push([to, tasks.map((one) => one.row.id)]);
  pulls = new Pulls({ queues, reads: { capabilities, pulled }, clock, log: SILENT, gateway: "g1", unwanted: give });
});

async function pass(ms: number): Promise<void> {
  const until = clock.now() + ms;
  for (let n = 0; n < 5; n += 1) await turn();
  for (let next = clock.next; next !== null && next <= until; next = clock.next) {
    clock.to(next);
    for (let n = 0; n < 5; n += 1) await turn();
  }
  clock.to(until);
  for (let n = 0; n < 5; n += 1) await turn();
}

/** A pull that is asked, and its answer once there is one. */
function ask(changes: Partial<PullRequest> = {}) {
  const gone = new AbortController();
  const request: PullRequest = {
    key: "key",
    terms: "terms",
    row,
    taskTypes: [TYPE],
    most: 1,
    minPrice: 5,
    waitMs: 30_000,
    bytesMost: 524_288,
    again: false,
    gone: gone.signal,
    ...changes,
  };
  const pull: { answer: PullResult | PullRefusal | undefined; error: unknown; readonly gone: AbortController } = {
    answer: undefined,
    error: undefined,
    gone,
  };
  pulls.pull(request).then(
    (answer) => {
      pull.answer = answer;
    },
    (error: unknown) => {
      pull.error = error;
    },
  );
  return pull;
}

const stored = (n: number) => whole(task(n), worker);
const got = (...numbers: readonly number[]): Pulled => ({ tasks: numbers.map(stored), missing: 0, why: "awarded" });
const NOTHING: Pulled = { tasks: [], missing: 0, why: "over" };
const inDatabase = (n: number, pull = "key.terms"): PulledTask => ({ task: stored(n), pull });
const idsOf = (answer: PullResult | PullRefusal | undefined) =>
  typeof answer === "object" ? answer.tasks.map((one) => one.row.id) : answer;
const ids = (...numbers: readonly number[]) => numbers.map((n) => task(n).id);

/** Answers the pull that the matcher of a type was asked for last. */
async function answers(answer: Pulled | undefined, taskType = TYPE) {
  queues.pulls.findLast((one) => one.taskType === taskType)?.answer(answer);
  await pass(0);
}

describe("a pull", () => {
  test("waits with the terms of its worker: the posted price of each type, else the lowest budget that it takes", async () => {
    ask({ taskTypes: [TYPE, "analysis"], most: 4, minPrice: 9, bytesMost: 1_000 });
    await pass(0);
    const common = {
      kind: "pull",
      id: "key.terms",
      worker,
      gateway: "g1",
      minPrice: 9,
      most: 4,
      bytesMost: 1_000,
      since: clock.now(),
    };
    expect(queues.pulls.map(({ taskType, wait }) => [taskType, wait])).toMatchObject([
      [TYPE, { ...common, price: null }],
      ["analysis", { ...common, price: 7 }],
    ]);
  });

  test("gets what a matcher has for it, as soon as it has it", async () => {
    const pull = ask();
    await pass(100);
    expect([pull.answer, pulls.size]).toEqual([undefined, 1]);
    await answers(got(1));
    expect([idsOf(pull.answer), pulls.size, reads]).toEqual([ids(1), 0, 0]);
  });

  test("goes on at the matcher after each part, from when it first came, and ends with its time", async () => {
    const pull = ask({ waitMs: 12_000 });
    const began = clock.now();
    await pass(0);
    for (let parts = 0; parts < 3; parts += 1) {
      await pass(Math.min(PART_MS, began + 12_000 - clock.now()));
      await answers(NOTHING);
      await pass(0);
    }
    expect(queues.pulls.map(({ wait }) => [wait.since - began, (wait.asked ?? 0) - began, wait.until - began])).toEqual([
      [0, 0, 5_000],
      [0, 5_000, 10_000],
      [0, 10_000, 12_000],
    ]);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("that does not wait takes what is there, or nothing", async () => {
    const pull = ask({ waitMs: 0 });
    await pass(0);
    expect(queues.pulls).toHaveLength(1);
    await answers(NOTHING);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("makes a pause before it asks a matcher again that answered before its time", async () => {
    ask();
    await pass(0);
    for (let times = 1; times <= 4; times += 1) {
      expect(queues.pulls).toHaveLength(times);
      await answers(NOTHING);
      await pass(PAUSE_MS - 1);
      expect(queues.pulls).toHaveLength(times);
      await pass(1);
    }
  });

  test("is told why it got fewer tasks than it asked for, and nothing where it got all", async () => {
    const limited = { why: "AWARDS_FULL", tier: 1, most: 3 } as const;
    const [few, all] = [ask({ most: 2 }), ask({ most: 1 })];
    await pass(0);
    for (const { answer } of queues.pulls) answer({ ...got(1), limited });
    await pass(0);
    expect([few.answer, all.answer]).toMatchObject([{ limited }, { limited: null }]);
  });
});

describe("of several task types", () => {
  test("the first matcher with a task ends the wait at the others, which may have given one meanwhile", async () => {
    const pull = ask({ taskTypes: [TYPE, "analysis"], most: 2 });
    await pass(0);
    await answers(got(1));
    expect([pull.answer, queues.left]).toMatchObject([undefined, [{ taskType: TYPE }, { taskType: "analysis" }]]);
    await answers(got(2), "analysis");
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
    expect(reads).toBe(0);
  });

  test("one that then does not answer is given up, and the database says what was won", async () => {
    const pull = ask({ taskTypes: [TYPE, "analysis"], most: 2 });
    await pass(0);
    await answers(got(1));
    won = [inDatabase(1), inDatabase(2)];
    await pass(LATE_MS - 1);
    expect(pull.answer).toBeUndefined();
    await pass(1);
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
  });

  test("what is more than the answer holds is given back", async () => {
    const bytesMost = JSON.stringify(stored(1)).length + 10;
    const pull = ask({ taskTypes: [TYPE, "analysis"], most: 2, bytesMost });
    await pass(0);
    await answers(got(1));
    await answers(got(2), "analysis");
    expect([idsOf(pull.answer), unwanted]).toEqual([ids(1), [[worker, ids(2)]]]);
  });
});

describe("what a matcher does not tell", () => {
  test("because it has died, is read; and if there is nothing, the next one is asked", async () => {
    const pull = ask();
    await pass(0);
    await answers(undefined);
    expect(reads).toBe(1);
    await pass(PAUSE_MS);
    expect(queues.pulls).toHaveLength(2);
    won = [inDatabase(1)];
    await answers(NOTHING);
    expect(idsOf(pull.answer)).toEqual(ids(1));
  });

  test("because a task's answer was lost, is read, too", async () => {
    won = [inDatabase(1), inDatabase(2)];
    const pull = ask({ most: 2 });
    await pass(0);
    await answers({ ...got(1), missing: 1 });
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
  });

  test("and cannot be read either: it has what was told, or the error if that is nothing", async () => {
    away = true;
    const [some, none] = [ask({ most: 2 }), ask()];
    await pass(0);
    queues.pulls[0]?.answer({ ...got(1), missing: 1 });
    queues.pulls[1]?.answer(undefined);
    await pass(0);
    expect(idsOf(some.answer)).toEqual(ids(1));
    expect([none.answer, none.error]).toMatchObject([undefined, { message: "the database is away" }]);
  });

  test("and is won after the answer, is given back when it is looked for once more", async () => {
    const pull = ask({ waitMs: 1_000 });
    await pass(1_000);
    await answers(undefined);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
    won = [inDatabase(1), inDatabase(2, "key.other")];
    await pass(LOOK_AGAIN_MS);
    expect(unwanted).toEqual([[worker, ids(1)]]);
    expect(clock.next).toBeNull();
  });

  test("is not looked for where every matcher has answered, nor after the gateway has closed", async () => {
    ask({ waitMs: 0 });
    await pass(0);
    await answers(NOTHING);
    expect(clock.next).toBeNull();
    ask({ waitMs: 0 });
    await pass(0);
    await answers(undefined);
    expect(clock.next).not.toBeNull();
    pulls.close();
    expect(clock.next).toBeNull();
  });
});

describe("a pull with a key that comes again", () => {
  test("gets what it has won and its worker still has, and asks no matcher", async () => {
    won = [inDatabase(1), inDatabase(2)];
    const pull = ask({ again: true });
    await pass(0);
    expect([idsOf(pull.answer), queues.pulls]).toEqual([ids(1, 2), []]);
  });

  test("for something else is refused while the first has tasks, and waits like a new one if it has none", async () => {
    won = [inDatabase(1, "key.other")];
    const refused = ask({ again: true });
    await pass(0);
    expect(refused.answer).toBe("mismatch");
    won = [];
    ask({ again: true });
    await pass(0);
    expect(queues.pulls).toHaveLength(1);
  });
});

describe("a client that has gone", () => {
  test("before there is a task: the wait is over", async () => {
    const pull = ask();
    await pass(0);
    pull.gone.abort();
    await pass(0);
    expect(queues.left).toEqual([{ taskType: TYPE, id: "key.terms" }]);
    await answers(NOTHING);
    expect([pull.answer, pulls.size]).toEqual([{ tasks: [], limited: null }, 0]);
    expect(queues.pulls).toHaveLength(1);
  });

  test("while it wins one, or before it has read its answer, gives the task back, once", async () => {
    const [early, late] = [ask(), ask()];
    await pass(0);
    early.gone.abort();
    queues.pulls[0]?.answer(got(1));
    queues.pulls[1]?.answer(got(2));
    await pass(0);
    expect(unwanted).toEqual([[worker, ids(1)]]);
    late.gone.abort();
    late.gone.abort();
    expect(unwanted).toEqual([
      [worker, ids(1)],
      [worker, ids(2)],
    ]);
  });
});

describe("a gateway", () => {
  test("that drains answers all that wait, and what comes then at once", async () => {
    const waiting = [ask(), ask({ taskTypes: [TYPE, "analysis"] })];
    await pass(0);
    pulls.drain();
    expect(queues.left).toHaveLength(3);
    for (const { answer } of queues.pulls) answer(NOTHING);
    await pass(0);
    const later = ask();
    await pass(0);
    for (const { answer } of [...waiting, later]) expect(answer).toEqual({ tasks: [], limited: null });
    expect([queues.pulls.length, pulls.size]).toEqual([3, 0]);
  });

  test("that drains gives a matcher up that does not answer", async () => {
    const pull = ask();
    await pass(0);
    pulls.drain();
    await pass(LATE_MS);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("takes so many pulls of one account, and so many in all; one that ends makes room", async () => {
    for (let n = 0; n < PULLS_OF_ACCOUNT_MAX; n += 1) ask();
    await pass(0);
    const over = ask();
    await pass(0);
    expect([over.answer, queues.pulls.length]).toEqual(["account", PULLS_OF_ACCOUNT_MAX]);
    await answers(got(1));
    expect(ask().answer).toBeUndefined();
    for (let n = 0; n < PULLS_MAX - PULLS_OF_ACCOUNT_MAX; n += 1) ask({ row: { ...row, id: person(100 + n) } });
    await pass(0);
    const full = ask({ row: { ...row, id: person(99) } });
    await pass(0);
    expect(full.answer).toBe("gateway");
  });

  test("keeps nothing of a thousand pulls that are over", async () => {
    for (let n = 0; n < 1_000; n += 1) {
      const pull = ask({ waitMs: 0 });
      await pass(0);
      await answers(n % 2 === 0 ? got(n) : NOTHING);
      if (n % 3 === 0) pull.gone.abort();
    }
    expect([pulls.size, clock.next]).toEqual([0, null]);
  });
});
