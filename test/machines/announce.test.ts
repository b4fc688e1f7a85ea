/** What matchers are told after a commit: of tasks that are open or not any more, and of workers who have a slot again. */
import { describe, expect, test } from "vitest";
import { showTask } from "../../gateway/show/task.ts";
import { announceAccount } from "../../machines/account/announce.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { announceTask, queuedByRow, shownTask } from "../../machines/task/announce.ts";
import type { TaskFact, TaskSpec } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { taskRow } from "../../machines/task/row.ts";
import { BOUNDS, credits } from "../../machines/vocabulary.ts";
import {
  AT,
  awarded,
  bidOf,
  cancelled,
  completed,
  executing,
  expired,
  fold,
  opened,
  pooled,
  routing,
  settled,
  TASK,
  timedOut,
  WORKER,
} from "../support/task-states.ts";
import { id, order, person } from "../support/world.ts";

const last = (facts: readonly TaskFact[], count = 1) => announceTask(fold(facts), facts.slice(-count));
const rowOf = (state: TaskSnapshot) => {
  const row = taskRow(state);
  if (row === undefined) throw new Error("a task that is open has a row");
  return row;
};

describe("a task", () => {
  test("that opens is told with what a matcher needs, and once a round as a stranger may see it", () => {
    const [told, ...more] = last(routing);
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      taskType: "json_extraction",
      about: TASK,
      command: {
        type: "opened",
        task: { id: TASK, status: "ROUTING", round: 1, bids: [], closedTo: [], passed: [], windowEnds: AT + 3_000 },
        shown: { row: { id: TASK, status: "ROUTING" }, order: { callbackUrl: null } },
      },
    });
  });

  test("that has not opened yet, or whose work goes on, is told of to nobody", () => {
    expect(last(opened)).toEqual([]);
    for (const facts of [executing, completed, settled]) expect(last(facts)).toEqual([]);
  });

  test("with one more bid is told with all of them, and not shown again", () => {
    const facts = [...routing, { type: "BidPlaced", bid: bidOf(), at: AT } as const];
    const [told] = last(facts);
    expect(told?.command).toMatchObject({ task: { bids: [{ worker: WORKER, credits: 12, quality: 0.5 }] } });
    expect(told?.command).not.toHaveProperty("shown");
  });

  test("that enters the pool, or whose bid is dropped there, is told as it is then; why it stays there is not", () => {
    expect(last(pooled)).toMatchObject([{ command: { type: "opened", task: { status: "PENDING_POOL" } } }]);
    const explained = { type: "PoolExplained", why: "NOBODY_PRESENT", present: 0, at: AT } as const;
    expect(last([...pooled, explained])).toEqual([]);
    const dropped = { type: "OfferDeclined", worker: WORKER, bid: bidOf().id, at: AT } as const;
    expect(last([...pooled, { type: "BidPlaced", bid: bidOf(), at: AT }, dropped])).toMatchObject([
      { command: { task: { bids: [] } } },
    ]);
  });

  test("that is awarded, cancelled or over is closed; with whom it went to, and whole where a pull waits for it", () => {
    expect(last(awarded)).toEqual([
      { taskType: "json_extraction", about: TASK, command: { type: "closed", task: TASK, worker: WORKER, pull: null } },
    ]);
    const bid = { ...bidOf(), pull: { id: "p", most: 1 } };
    const pulled = fold([...routing, { type: "BidPlaced", bid, at: AT }]);
    const award = { type: "Awarded", bid, deadline: AT, explored: false, candidates: [bid], slot: true, at: AT } as const;
    const [told] = announceTask(entity.evolve(pulled, award).state, [award]);
    expect(told?.command).toMatchObject({
      worker: WORKER,
      pull: "p",
      whole: { row: { status: "AWARDED" }, order: { inputData: order().inputData } },
    });
    for (const facts of [cancelled, expired])
      expect(last(facts)).toMatchObject([{ command: { type: "closed", worker: null, pull: null } }]);
  });

  test("that reopens is told and shown again, without those who failed it", () => {
    const again = [...timedOut, { type: "Reopened", until: AT + 9_000, at: AT } as const];
    expect(last(again, 2)).toMatchObject([
      {
        command: {
          type: "opened",
          task: { round: 0, closedTo: [WORKER], windowEnds: AT + 9_000 },
          shown: { row: { status: "ROUTING" } },
        },
      },
    ]);
  });

  test("is read from its row as it was told, but for what was bid", () => {
    const facts: readonly TaskFact[] = [
      ...timedOut,
      { type: "Reopened", until: AT + 9_000, at: AT },
      { type: "BidPlaced", bid: bidOf(person(7)), at: AT },
    ];
    const state = fold(facts);
    const [told] = announceTask(state, facts.slice(-1));
    if (told?.command.type !== "opened") throw new Error("it is open");
    const { bids, ...rest } = told.command.task;
    const read = queuedByRow(rowOf(state), order({ callbackUrl: "https://example.com/hook" }));
    expect(read).toEqual({ ...rest, bids: bids.map(({ worker }) => ({ worker, credits: 0, quality: 1 })) });
    expect(queuedByRow(rowOf(fold(cancelled)), order())).toBeUndefined();
  });
});

describe("what a stranger sees", () => {
  test("is the first characters of the text, and neither the known answer, nor the batch, nor where results are sent", () => {
    const text = "é😀".repeat(BOUNDS.previewCharacters);
    const spec: TaskSpec = order({
      inputData: text,
      known: { name: "Ada" },
      batch: { id: id(1), item: 1 },
      callbackUrl: "https://example.com",
    });
    const { order: shown } = shownTask(rowOf(fold(routing)), spec);
    expect([...shown.inputData]).toHaveLength(BOUNDS.previewCharacters);
    expect(text.startsWith(shown.inputData)).toBe(true);
    expect(shown).toMatchObject({ callbackUrl: null, budget: spec.budget, schema: spec.schema });
    expect(shown).not.toHaveProperty("known");
    expect(shown).not.toHaveProperty("batch");
  });
});

describe("the size that a task is taken for", () => {
  test.each(["a", "\u0001", '"', "é", "😀"])("is at least that of what a worker gets, for a text of %j", (character) => {
    const inputData = character.repeat(Math.floor(BOUNDS.inputCharacters / character.length));
    const spec = order({ inputData });
    const state = fold([
      { type: "Opened", task: TASK, requester: person(1), order: spec, createdAt: AT, at: AT },
      routing[1] ?? { type: "Cancelled", at: AT },
    ]);
    const queued = queuedByRow(rowOf(state), spec);
    const row = { ...rowOf(state), status: "AWARDED", worker: WORKER, awardedPrice: credits(20) } as const;
    const whole = Buffer.byteLength(JSON.stringify(showTask({ row, order: spec }, WORKER)));
    expect(queued?.bytes).toBeGreaterThanOrEqual(whole);
    expect(queued?.bytes).toBeLessThan(4 * whole);
  });
});

describe("a worker", () => {
  const worker = person(5);
  const registered: AccountFact = {
    type: "Registered",
    account: worker,
    email: "w@example.com",
    source: null,
    keyHash: "k",
    grant: credits(1),
    at: AT,
  };
  const capable = (taskType: string): AccountFact => ({
    type: "CapabilityRegistered",
    capability: {
      id: id(80),
      taskType,
      description: "",
      tags: [],
      price: credits(5),
      concurrency: 1,
      available: true,
      createdAt: AT,
    },
    at: AT,
  });
  const state = (facts: readonly AccountFact[]) =>
    facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(worker));
  const told = (before: readonly AccountFact[], fact: AccountFact) => announceAccount(state([...before, fact]), [fact]);

  test("that is paid or fails is told to the queue of that type, and to those of its capabilities, each once", () => {
    const failed = { type: "Failed", task: TASK, taskType: "translation", outcome: "TIMED_OUT", at: AT } as const;
    const both = announceAccount(state([registered, capable("analysis"), capable("translation")]), [failed, failed]);
    expect(both.map(({ taskType, about, command }) => [taskType, about, command])).toEqual(
      ["translation", "analysis", null].map((taskType) => [taskType, worker, { type: "freed", worker }]),
    );
  });

  test("that registers or changes what it offers, or may work again, is told; one that tops up is not", () => {
    expect(told([registered], capable("analysis"))).toMatchObject([
      { taskType: "analysis", command: { type: "freed" } },
      { taskType: null, command: { type: "freed" } },
    ]);
    const before = [registered, capable("analysis")];
    expect(told(before, { type: "AvailabilityChanged", capability: id(80), available: true, at: AT })).toHaveLength(2);
    expect(told(before, { type: "OfferFreed", task: TASK, at: AT })).toHaveLength(2);
    expect(told([registered], { type: "OfferFreed", task: TASK, at: AT })).toMatchObject([{ taskType: null, about: worker }]);
    expect(announceAccount(state(before), [registered])).toEqual([]);
    expect(told(before, { type: "ToppedUp", topup: id(81), amount: credits(5), available: credits(6), at: AT })).toEqual([]);
  });
});
