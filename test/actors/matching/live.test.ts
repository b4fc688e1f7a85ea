/** Matchers on their nodes: what is said to them, what they do about it, and what is left when they end. */

import { afterEach, describe, expect, test } from "vitest";
import { shardOf } from "../../../actors/address.ts";
import { matcherAt } from "../../../actors/matching/queues.ts";
import type { Posted, Pull, QueuedTask } from "../../../actors/matching/vocabulary.ts";
import type { AccountId, TaskId } from "../../../machines/vocabulary.ts";
import { credits } from "../../../machines/vocabulary.ts";
import { LiveMatching, TYPE, whole } from "../../support/live-matching.ts";
import { account, inWindow, manual, ordinary, posted, pull, task } from "../../support/matching.ts";

let live = new LiveMatching();
afterEach(() => live.matching.closeAll());

function begin(partitions = 1): LiveMatching {
  live = new LiveMatching(partitions);
  return live;
}

const now = () => live.clock.now();
const waiting = (n: number, change: Partial<Pull> = {}) => pull(n, { since: now(), until: now() + 5_000, ...change });

/** Tells of workers with a posted price. */
function present(...all: readonly (readonly [n: number, change?: Partial<Posted>])[]) {
  const until = now() + 50_000;
  const terms = all.map(([n, change]) => posted(n, { until, ...change }));
  return live.ask({ type: "present", posted: terms, manual: [], renewed: [], until });
}

/** Opens a task, in the index too. */
async function open(queued: QueuedTask, partition = 0) {
  live.index.set(queued.id, queued);
  await live.ask({ type: "opened", task: queued, shown: whole(queued) }, partition);
  await live.settle();
}

/** The n-th id of those that are in this partition of two. */
function inPartition<T extends string>(partition: number, from: (n: number) => T, n = 0): T {
  const found = Array.from({ length: 200 }, (_, m) => from(m)).filter((one) => shardOf(one, 2) === partition)[n];
  if (found === undefined) throw new Error("of 200 ids some are in each partition");
  return found;
}

describe("a pull", () => {
  test("gets the task that comes while it waits, whole; the worker is first or the task", async () => {
    begin();
    const first = live.ask({ type: "pull", wait: waiting(1) });
    await open(task(1));
    expect(await first).toMatchObject({ why: "awarded", missing: 0, tasks: [{ row: { id: ordinary(1), worker: account(1) } }] });
    const second = live.ask({ type: "pull", wait: waiting(2) });
    await open(task(2));
    await live.settle();
    expect(await second).toMatchObject({ tasks: [{ row: { id: ordinary(2) } }] });
  });

  test("that comes twice is answered twice with the same task, and the second time without its text once that is gone", async () => {
    begin();
    const wait = waiting(1);
    const both = [live.ask({ type: "pull", wait }), live.ask({ type: "pull", wait })];
    await open(task(1));
    for (const one of both) expect(await one).toMatchObject({ missing: 0, tasks: [{ row: { id: ordinary(1) } }] });
    expect(await live.ask({ type: "pull", wait })).toEqual({ why: "awarded", missing: 1, tasks: [] });
  });

  test("that is asked again while it waits, here or from elsewhere, tells all what it has won", async () => {
    begin();
    const wait = waiting(1, { asked: now() });
    const first = live.ask({ type: "pull", wait });
    const elsewhere = live.ask({ type: "pull", wait: { ...wait, gateway: "another" } });
    await live.pass(10);
    const last = live.ask({ type: "pull", wait: { ...wait, asked: now() } });
    await open(task(1));
    for (const one of [first, elsewhere, last]) expect(await one).toMatchObject({ tasks: [{ row: { id: ordinary(1) } }] });
  });

  test("that is asked anew under the same id is told that it has got something, which is to be looked up, and then waits anew", async () => {
    begin();
    const wait = waiting(1);
    const first = live.ask({ type: "pull", wait });
    await open(task(1));
    expect(await first).toMatchObject({ why: "awarded" });
    await live.pass(10);
    expect(await live.ask({ type: "pull", wait: { ...wait, asked: now() } })).toEqual({ why: "awarded", missing: 1, tasks: [] });
    await live.pass(10);
    const again = live.ask({ type: "pull", wait: { ...wait, asked: now() } });
    await open(task(2));
    expect(await again).toMatchObject({ tasks: [{ row: { id: ordinary(2) } }] });
  });

  test("gets nothing more soon after its gateway has ceased to ask for it", async () => {
    begin();
    const [left, kept] = [1, 2].map((n) => pull(n, { since: now(), until: now() + 30_000 }));
    const [gone, there] = [left, kept].map((wait) => live.ask({ type: "pull", wait: wait ?? pull(1) }));
    for (let passed = 0; passed < 10_000; passed += 5_000) {
      await live.pass(5_000);
      await live.ask({ type: "check", waits: [kept?.id ?? ""] });
    }
    await live.pass(2_100);
    expect(await gone).toMatchObject({ why: "over", tasks: [] });
    await open(task(1));
    expect(await there).toMatchObject({ tasks: [{ row: { worker: account(2) } }] });
  });

  test("is known until it is over", async () => {
    begin();
    const wait = waiting(1);
    const check = () => live.ask({ type: "check", waits: [wait.id, waiting(2).id] });
    const over = live.ask({ type: "pull", wait });
    expect(await check()).toEqual({ unknown: [waiting(2).id] });
    await live.ask({ type: "leave", waits: [wait.id] });
    await over;
    expect(await check()).toEqual({ unknown: [wait.id, waiting(2).id] });
  });

  test("ends empty when its time is over, and when its worker leaves", async () => {
    begin();
    const [late, left] = [live.ask({ type: "pull", wait: waiting(1) }), live.ask({ type: "pull", wait: waiting(2) })];
    await live.ask({ type: "leave", waits: [waiting(2).id] });
    expect(await left).toEqual({ why: "over", missing: 0, tasks: [] });
    await live.pass(5_100);
    expect(await late).toEqual({ why: "over", missing: 0, tasks: [] });
  });

  test("whose task does not answer waits for what becomes of it, and learns it from the task's commit", async () => {
    begin();
    live.answer = () => undefined;
    const wait = waiting(1);
    const got = live.ask({ type: "pull", wait });
    const queued = task(1);
    await open(queued);
    await live.ask({ type: "closed", task: queued.id, worker: account(1), pull: wait.id, whole: whole(queued, account(1)) });
    await live.pass(2_600);
    expect(await got).toMatchObject({ why: "awarded", missing: 0, tasks: [{ row: { id: queued.id } }] });
  });

  test("is told how many of its tasks are missing where a task's answer was lost and its commit told no text", async () => {
    begin();
    live.answer = () => undefined;
    const got = live.ask({ type: "pull", wait: waiting(1) });
    await open(task(1));
    await live.ask({ type: "closed", task: ordinary(1), worker: account(1), pull: waiting(1).id });
    await live.pass(2_600);
    expect(await got).toEqual({ why: "awarded", missing: 1, tasks: [] });
  });

  test("says why it got less than it asked for", async () => {
    begin();
    live.answer = (_task, { offers }) => ({
      outcome: "declined",
      declined: offers.map(({ worker }) => ({ worker, reason: { why: "AWARDS_FULL", tier: 1, most: 3 } as const })),
    });
    const got = live.ask({ type: "pull", wait: waiting(1, { until: now() + 200 }) });
    await open(task(1));
    await live.pass(300);
    expect(await got).toEqual({ why: "full", missing: 0, tasks: [], limited: { why: "AWARDS_FULL", tier: 1, most: 3 } });
  });

  test("of a gateway whose clock is far ahead, and that does not ask for it, ends soon", async () => {
    begin();
    let answered = false;
    void live.ask({ type: "pull", wait: waiting(1, { until: now() + 3_600_000 }) }).then(() => {
      answered = true;
    });
    await live.pass(11_900);
    expect(answered).toBe(false);
    await live.pass(1_200);
    expect(answered).toBe(true);
  });
});

describe("a matcher", () => {
  test("goes to the next worker when one declines, and tries again later when a task does not answer", async () => {
    begin();
    await present([1], [2]);
    const reason = { why: "NO_SLOT", slots: 1 } as const;
    live.answer = (_task, { offers }) => ({ outcome: "declined", declined: offers.map(({ worker }) => ({ worker, reason })) });
    await open(task(1));
    expect(live.proposals.map(([, workers]) => workers)).toEqual([[account(1)], [account(2)]]);
    live.answer = () => undefined;
    await live.pass(1_200);
    const before = live.proposals.length;
    expect(before).toBeGreaterThan(2);
    await live.pass(4_000);
    expect(live.proposals.length).toBeGreaterThan(before);
  });

  test("knows who is online as long as that is renewed, and says whom it does not know", async () => {
    begin();
    const until = now() + 1_000;
    const terms = posted(1, { until });
    expect(
      await live.ask({ type: "present", posted: [terms], manual: [manual(2, { until })], renewed: ["g1/x"], until }),
    ).toEqual({
      unknown: ["g1/x"],
    });
    await live.pass(800);
    expect(await live.ask({ type: "present", posted: [], manual: [], renewed: [terms.id], until: now() + 1_000 })).toEqual({
      unknown: [],
    });
    await live.pass(500);
    const look = { type: "look", task: null, worker: account(9), budget: 20, minSkill: 0, at: now() } as const;
    expect(await live.ask(look)).toMatchObject({ present: 1, eligible: 1, unmatched: null });
    await live.pass(1_000);
    expect(await live.ask(look)).toMatchObject({ present: 0, eligible: 0, unmatched: "NOBODY_PRESENT" });
    expect(await live.ask({ type: "present", posted: [], manual: [], renewed: [terms.id], until: now() + 1_000 })).toEqual({
      unknown: [terms.id],
    });
  });

  test("tells listeners of a new task at their gateways, as a stranger may see it", async () => {
    begin();
    const listening = [
      manual(1, { announce: true, until: now() + 9_000 }),
      manual(2, { gateway: "g2", announce: true, until: now() + 9_000 }),
    ];
    await live.ask({ type: "present", posted: [], manual: listening, renewed: [], until: now() + 9_000 });
    await open(inWindow(1, { createdAt: now() }));
    expect(live.told).toEqual([
      { gateway: "g1", task: ordinary(1), workers: [account(1)], streams: 16 },
      { gateway: "g2", task: ordinary(1), workers: [account(2)], streams: 16 },
    ]);
  });

  test("says why a task is in the pool, and a free slot is used at once", async () => {
    begin();
    await present([1, { price: 21 }]);
    await open(task(1));
    expect(live.asked).toMatchObject([{ command: { type: "explain", why: "ALL_TOO_DEAR", present: 1 } }]);
    await present([1, { free: 0 }]);
    expect(live.proposals).toEqual([]);
    await present([1, { free: 1 }]);
    expect(live.proposals).toEqual([[ordinary(1), [account(1)]]]);
    await live.settle();
    await open(task(2));
    expect(live.proposals).toHaveLength(1);
    await live.ask({ type: "freed", worker: account(1) });
    expect(live.proposals[1]).toEqual([ordinary(2), [account(1)]]);
  });
});

describe("when its shard is closed", () => {
  test("pulls that wait are told to ask the next owner, and nothing more is proposed or told", async () => {
    begin();
    const got = live.matching.request(matcherAt(TYPE, 0), { type: "pull", wait: waiting(1) }, true);
    await live.settle();
    live.matching.close(0);
    expect(await got).toMatchObject({ ok: false, refusal: { refused: "NOT_OWNER" } });
    expect(live.matching.size).toBe(0);
    await live.pass(60_000);
    expect([live.proposals, live.clock.next]).toEqual([[], null]);
  });

  test("whoever asks is told that it is not here, and a command of no matcher that it is not known", async () => {
    begin();
    live.here = false;
    expect(await live.request({ ...ENVELOPE, command: { type: "freed", worker: account(1) } })).toMatchObject({
      refusal: { refused: "NOT_OWNER" },
    });
    live.here = true;
    expect(await live.request({ ...ENVELOPE, command: { type: "expire", reason: "x" } })).toMatchObject({ ok: false });
    expect(live.matching.size).toBe(0);
  });
});

const ENVELOPE = { to: matcherAt(TYPE, 0), commandId: "", origin: "actor", delivery: "first", deadline: 0 } as const;

describe("a worker that has a place again", () => {
  const offer = (taskType: string) =>
    ({ type: "offer", task: ordinary(1), bid: "b", taskType, budget: credits(20), minSkill: 0, marks: [] }) as const;
  const said = (why: "AWARDS_FULL" | "OWN_TASK" | null, taskType: string) => {
    const reason = why === "AWARDS_FULL" ? { why, tier: 1, most: 3 } : { why: why ?? "OWN_TASK" };
    const value = why === null ? { kept: true } : { kept: false, reason };
    live.matching.heard({ to: { kind: "account", id: account(1) }, command: offer(taskType) }, { ok: true, value });
  };
  const isFree = (...types: readonly (string | null)[]) =>
    live.matching.announce(
      types.map((taskType) => ({ taskType, about: account(1), command: { type: "freed", worker: account(1) } })),
    );

  test("is told where its account turned an award down for want of one, once, and nowhere else", async () => {
    begin();
    said("AWARDS_FULL", "analysis");
    said("AWARDS_FULL", "translation");
    said("OWN_TASK", "text_generation");
    said(null, "text_classification");
    isFree("translation", null);
    await live.settle();
    expect(live.freed.map(({ id: of }) => of)).toEqual(["translation/0", "analysis/0"]);
    isFree(null);
    await live.settle();
    expect(live.freed).toHaveLength(2);
  });
});

describe("of two partitions", () => {
  const taskOf = (partition: number, n = 0): TaskId => inPartition(partition, ordinary, n);
  const workerOf = (partition: number): AccountId => inPartition(partition, account);

  test("each matches its own, and what it cannot the first one does, whose workers are all", async () => {
    begin(2);
    const [own, other] = [workerOf(1), workerOf(0)];
    const here = (worker: AccountId) => ({ ...waiting(1), id: `pull of ${worker}`, worker });
    const first = live.ask({ type: "pull", wait: here(own) }, 1);
    await open({ ...task(1), id: taskOf(1) }, 1);
    expect(await first).toMatchObject({ tasks: [{ row: { id: taskOf(1) } }] });
    // Nobody waits in its own partition.
    const second = live.ask({ type: "pull", wait: here(other) }, 0);
    await open({ ...task(2), id: taskOf(1, 1) }, 1);
    expect(await second).toMatchObject({ tasks: [{ row: { id: taskOf(1, 1) } }] });
  });

  test("a task that its own partition proposed in vain is passed on, too", async () => {
    begin(2);
    const [own, other] = [workerOf(1), workerOf(0)];
    const answer = live.answer;
    const reason = { why: "FAILED_BEFORE" } as const;
    live.answer = (of, command) =>
      command.offers.some(({ worker }) => worker === own)
        ? { outcome: "declined", declined: [{ worker: own, reason }] }
        : answer(of, command);
    void live.ask({ type: "pull", wait: { ...waiting(1), id: "own", worker: own } }, 1);
    const got = live.ask({ type: "pull", wait: { ...waiting(2), id: "other", worker: other } }, 0);
    await open({ ...task(1), id: taskOf(1) }, 1);
    expect(await got).toMatchObject({ why: "awarded", tasks: [{ row: { id: taskOf(1) } }] });
  });

  test("the first one keeps what it was passed on, and tells why it stays; the other does not", async () => {
    begin(2);
    await open({ ...task(1), id: taskOf(1) }, 1);
    expect(live.asked.filter(({ command }) => command.type === "explain")).toHaveLength(1);
    // Two comparisons with the index later it is still there.
    await live.pass(65_000);
    const got = live.ask({ type: "pull", wait: { ...waiting(1), id: "late", worker: workerOf(0) } }, 0);
    await live.settle();
    expect(await got).toMatchObject({ tasks: [{ row: { id: taskOf(1) } }] });
  });

  test("a new task is announced once: by the first one if it is passed on, else where it is proposed", async () => {
    begin(2);
    const at = (partition: number, n: number) => inPartition(partition, account, n);
    const listeners = [at(1, 0), at(1, 1), at(0, 0)].map((worker) =>
      manual(1, { id: `g1/${worker}`, worker, announce: true, until: now() + 90_000 }),
    );
    const online = (manual: typeof listeners, partition: number) =>
      live.ask({ type: "present", posted: [], manual, renewed: [], until: now() + 90_000 }, partition);
    await online(listeners, 0);
    await online(
      listeners.filter(({ worker }) => worker !== at(0, 0)),
      1,
    );
    void live.ask({ type: "pull", wait: { ...waiting(1), id: "own", worker: at(1, 2) } }, 1);
    await open(task(1, { id: taskOf(1) }), 1);
    expect(live.told.map(({ task: of, workers }) => [of, workers.length])).toEqual([[taskOf(1), 2]]);
    live.told.length = 0;
    await open(inWindow(2, { id: taskOf(1, 1), createdAt: now(), windowEnds: now() + 1_000 }), 1);
    // Through its window, and a comparison with the index.
    await live.pass(35_000);
    expect(live.told.map(({ task: of, workers }) => [of, workers.length])).toEqual([[taskOf(1, 1), 3]]);
  });

  test("announcements go to the partition of what they are about, and a free slot to all", async () => {
    begin(2);
    live.matching.announce([
      { taskType: TYPE, about: taskOf(1), command: { type: "opened", task: { ...task(1), id: taskOf(1) } } },
      { taskType: "translation", about: account(1), command: { type: "freed", worker: account(1) } },
    ]);
    await live.settle();
    // The second partition passes it on to the first; and both of the other type.
    expect(live.matching.size).toBe(4);
  });
});
