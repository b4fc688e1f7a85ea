/** What a stream tells of an account's journal: every end and award, in the order of their numbers, none lost. */
import { beforeEach, describe, expect, test } from "vitest";
import { Follower, HELD_MS } from "../../gateway/live/follower.ts";
import { ManualClock } from "../support/clock.ts";
import { Journals } from "../support/journals.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER] = [1, 2];

let clock: ManualClock;
let journals: Journals;
beforeEach(() => {
  clock = new ManualClock();
  journals = new Journals();
});

function follow(n: number, after = 0): Follower {
  const ports = { reads: journals.reads, clock };
  return new Follower(ports, { account: person(n), ends: n === REQUESTER, awards: n === WORKER, after });
}

/** All that it tells now; looks are bounded, so several may be due. */
async function told(follower: Follower) {
  const events: { id: number; topic: string; task: string }[] = [];
  for (;;) {
    const { events: more, again } = await follower.look();
    events.push(...more.map(({ id: at, topic, task }) => ({ id: at, topic, task: task.row.id })));
    if (again !== 0) return { events, ids: events.map((event) => event.id), again };
  }
}

/** The tasks of these events. */
const tasksOf = ({ events }: Awaited<ReturnType<typeof told>>) => events.map(({ task }) => task);

describe("ends", () => {
  test("three hundred that came while nobody listened are told, each once, under the numbers of their facts", async () => {
    journals.window = 50;
    for (let n = 1; n <= 300; n += 1) {
      journals.add(REQUESTER, "Held", n);
      journals.end(n);
    }
    const all = await told(follow(REQUESTER));
    expect(tasksOf(all)).toEqual(Array.from({ length: 300 }, (_, n) => id(n + 1)));
    expect(all.ids).toEqual(Array.from({ length: 300 }, (_, n) => 2 * (n + 1)));
    expect(all.again).toBeNull();
  });

  test("going on after one tells those after it alone, also of the same millisecond", async () => {
    for (const n of [1, 2, 3]) journals.end(n, 1_000);
    expect((await told(follow(REQUESTER, 1))).ids).toEqual([2, 3]);
    expect((await told(follow(REQUESTER, 3))).ids).toEqual([]);
  });

  test("clocks that differ, and a task that was posted long ago, change nothing", async () => {
    journals.end(1, 9_000_000);
    journals.end(2, 1);
    expect(tasksOf(await told(follow(REQUESTER, 1)))).toEqual([id(2)]);
  });

  test("one whose task's row is not there yet is told when it is, and those behind it wait, in order", async () => {
    journals.add(REQUESTER, "Settled", 1);
    journals.put(1, { status: "COMPLETED" });
    journals.end(2);
    const follower = follow(REQUESTER);
    const first = await told(follower);
    expect([first.ids, first.again, follower.position]).toEqual([[], 100, 0]);
    journals.put(1, { status: "SETTLED" });
    clock.to(clock.now() + 99);
    expect((await told(follower)).ids).toEqual([]);
    clock.to(clock.now() + 1);
    expect((await told(follower)).ids).toEqual([1, 2]);
    expect(follower.position).toBe(2);
  });

  test("a signal has the first one looked at again at once", async () => {
    journals.add(REQUESTER, "Settled", 1);
    journals.put(1, { status: "COMPLETED" });
    const follower = follow(REQUESTER);
    await told(follower);
    journals.put(1, { status: "SETTLED" });
    follower.hurry();
    expect((await told(follower)).ids).toEqual([1]);
  });

  test("one that does not resolve lets the others go after ten seconds, under no number above it, and is told in the end", async () => {
    journals.add(REQUESTER, "Settled", 1);
    for (const n of [2, 3]) journals.end(n);
    journals.end(4);
    const follower = follow(REQUESTER);
    await told(follower);
    clock.to(clock.now() + HELD_MS - 1);
    expect((await told(follower)).ids).toEqual([]);
    clock.to(clock.now() + 1_000);
    const later = await told(follower);
    expect(tasksOf(later)).toEqual([id(2), id(3), id(4)]);
    expect(later.ids).toEqual([0, 0, 0]);
    // Who resumes from there gets all of them.
    journals.put(1, { status: "SETTLED" });
    expect(tasksOf(await told(follow(REQUESTER, 0)))).toEqual([id(1), id(2), id(3), id(4)]);
    clock.to(clock.now() + 5_000);
    expect((await told(follower)).events).toEqual([{ id: 1, topic: "task.terminal", task: id(1) }]);
    expect(follower.position).toBe(4);
  });

  test("twenty that do not resolve do not hide one behind them", async () => {
    for (let n = 1; n <= 20; n += 1) journals.add(REQUESTER, "Settled", n);
    journals.end(21);
    const follower = follow(REQUESTER);
    await told(follower);
    clock.to(clock.now() + HELD_MS);
    expect(tasksOf(await told(follower))).toEqual([id(21)]);
  });

  test("a thousand that wait are the most that it remembers; it reads on when they are told", async () => {
    for (let n = 1; n <= 2_000; n += 1) journals.add(REQUESTER, "Settled", n);
    const follower = follow(REQUESTER);
    for (let looks = 0; looks < 10; looks += 1) await follower.look();
    expect(journals.asked.filter((read) => read === "accountNews")).toHaveLength(2);
    for (let n = 1; n <= 2_000; n += 1) journals.put(n, { status: "SETTLED" });
    follower.hurry();
    expect((await told(follower)).ids).toHaveLength(2_000);
  });

  test("a read that fails loses nothing", async () => {
    journals.end(1);
    const follower = follow(REQUESTER);
    journals.failing.add("accountNews");
    await expect(follower.look()).rejects.toThrow("no database");
    journals.failing.clear();
    journals.failing.add("tasksOf");
    await expect(follower.look()).rejects.toThrow("no database");
    journals.failing.clear();
    expect((await told(follower)).ids).toEqual([1]);
  });
});

describe("awards", () => {
  test("are told when the task is this worker's, also when it has delivered meanwhile", async () => {
    journals.add(WORKER, "OfferTaken", 1);
    journals.put(1, { status: "AWARDED", worker: person(WORKER) });
    journals.add(WORKER, "OfferTaken", 2);
    journals.add(WORKER, "Earned", 2);
    journals.put(2, { status: "SETTLED", worker: person(WORKER) });
    expect(await told(follow(WORKER))).toMatchObject({
      events: [
        { id: 1, topic: "task.awarded", task: id(1) },
        { id: 2, topic: "task.awarded", task: id(2) },
      ],
    });
  });

  test("a slot that is kept is no award before the task says so", async () => {
    journals.add(WORKER, "OfferTaken", 1);
    journals.put(1, { status: "ROUTING" });
    const follower = follow(WORKER);
    expect((await told(follower)).ids).toEqual([]);
    journals.put(1, { status: "AWARDED", worker: person(WORKER) });
    follower.hurry();
    expect((await told(follower)).ids).toEqual([1]);
  });

  test.each(["OfferFreed", "Failed"] as const)(
    "one that came to nothing (%s) is passed over, and holds nobody back",
    async (type) => {
      journals.add(WORKER, "OfferTaken", 1);
      journals.add(WORKER, "OfferTaken", 2);
      journals.add(WORKER, type, 1);
      journals.put(1, { status: "ROUTING", worker: null });
      journals.put(2, { status: "AWARDED", worker: person(WORKER) });
      const follower = follow(WORKER);
      expect((await told(follower)).ids).toEqual([2]);
      expect(follower.position).toBe(3);
    },
  );

  test("one that is freed later is passed over then", async () => {
    journals.add(WORKER, "OfferTaken", 1);
    journals.put(1, { status: "ROUTING", worker: null });
    const follower = follow(WORKER);
    await told(follower);
    journals.add(WORKER, "OfferFreed", 1);
    expect([follower.hear(1), follower.hear(2)]).toEqual([false, true]);
    clock.to(clock.now() + 100);
    await told(follower);
    expect(follower.position).toBe(2);
  });

  test("an account that says yes twice is told once, and one that was freed and taken again is told too", async () => {
    for (const type of ["OfferTaken", "OfferFreed", "OfferTaken", "OfferTaken"] as const) journals.add(WORKER, type, 1);
    journals.put(1, { status: "AWARDED", worker: person(WORKER) });
    const follower = follow(WORKER);
    expect((await told(follower)).ids).toEqual([1]);
    journals.add(WORKER, "OfferTaken", 1);
    follower.hurry();
    expect((await told(follower)).ids).toEqual([]);
    expect(follower.position).toBe(5);
  });

  test("to others are not told", async () => {
    journals.add(WORKER, "OfferTaken", 1);
    journals.add(WORKER, "OfferFreed", 1);
    journals.put(1, { status: "AWARDED", worker: person(3) });
    expect((await told(follow(WORKER))).ids).toEqual([]);
  });
});
