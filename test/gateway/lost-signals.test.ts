/** Where signals get lost: streams find everything all the same, keys end, and nothing is kept for who has gone. */
import { beforeEach, describe, expect, test } from "vitest";
import { Feed, type Opening, ROUND_MS } from "../../gateway/live/feed.ts";
import { HELD_MS } from "../../gateway/live/follower.ts";
import { KeyRing } from "../../gateway/live/key-ring.ts";
import { GATHER_MS } from "../../gateway/live/new-tasks.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { localSignals } from "../../src/adapters/in-process/signals.ts";
import { ManualClock } from "../support/clock.ts";
import { hear, Journals, member, openSse, openTask, readEvents } from "../support/journals.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const [REQUESTER, WORKER] = [1, 2];

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("a stream", () => {
  let journals: Journals;
  let signals: ReturnType<typeof localSignals>;
  let feed: Feed;
  beforeEach(() => {
    journals = new Journals();
    for (const n of [REQUESTER, WORKER]) journals.accounts.set(person(n), member(n));
    signals = localSignals();
    const presence = { listens: () => () => {} };
    const taskTypes = [order().taskType];
    feed = new Feed({ reads: journals.reads, signals, presence, clock, log: SILENT, taskTypes, streamsPerAddress: 0 });
  });

  async function listen(n: number, changes: Partial<Opening> = {}, named = false) {
    const common = { account: person(n), keyHash: `key ${n}`, address: "a", topics: TOPICS, taskTypes: null };
    const out = await openSse(feed, { ...common, works: true, last: null, ...changes }, named);
    if (typeof out === "string") throw new Error(out);
    const heard = hear(out);
    await turns();
    return { out, heard, events: () => readEvents(heard.text), told: (n: number) => heard.text.split(id(n)).length - 1 };
  }

  async function pass(ms: number): Promise<void> {
    const until = clock.now() + ms;
    for (let next = clock.next; next !== null && next <= until; next = clock.next) {
      clock.to(next);
      await turns();
    }
    clock.to(until);
    await turns();
  }

  test("tells of everything that it was given no signal of, once, with the next round", async () => {
    const [worker, requester] = [await listen(WORKER), await listen(REQUESTER)];
    journals.add(WORKER, "OfferTaken", 100);
    journals.put(100, { status: "AWARDED", worker: person(WORKER) });
    journals.end(101);
    expect([worker.told(100), requester.told(101)]).toEqual([0, 0]);
    await pass(ROUND_MS);
    expect([worker.told(100), requester.told(101)]).toEqual([1, 1]);
    await pass(10 * ROUND_MS);
    expect([worker.told(100), requester.told(101)]).toEqual([1, 1]);
  });

  test("tells at once of what it was given a signal of, by an older node too, which names the task alone", async () => {
    const [worker, requester] = [await listen(WORKER), await listen(REQUESTER)];
    journals.add(WORKER, "OfferTaken", 100);
    journals.put(100, { status: "AWARDED", worker: person(WORKER) });
    signals.wake(person(WORKER));
    journals.end(101);
    feed.hear(id(101));
    await turns();
    expect([worker.told(100), requester.told(101)]).toEqual([1, 1]);
  });

  test("loses nothing that happens between its opening and its first look, and tells nothing from before", async () => {
    journals.end(100);
    journals.before = async (read) => {
      if (read === "accountNews" && journals.facts.get(person(REQUESTER))?.length === 1) journals.end(101);
    };
    const requester = await listen(REQUESTER);
    await pass(ROUND_MS);
    expect([requester.told(100), requester.told(101)]).toEqual([0, 1]);
  });

  test("says where it begins, so that a client that was cut off before any event can go on without loss", async () => {
    for (const n of [100, 101, 102]) journals.end(n);
    const { heard } = await listen(REQUESTER);
    expect(heard.text).toBe(": welcome\n\nid: 3\n\n");
    journals.end(103);
    expect((await listen(REQUESTER, { last: { after: 3 } })).events().map(({ task }) => task)).toEqual([id(103)]);
  });

  test("goes on after its last event, however long that is ago", async () => {
    for (let n = 100; n < 400; n += 1) journals.end(n, clock.now() - 3_600_000);
    const { events } = await listen(REQUESTER, { last: { after: 10 } });
    await pass(1);
    expect(events().map(({ id: at }) => Number(at))).toEqual(Array.from({ length: 290 }, (_, n) => n + 11));
  });

  test.each([
    [0, 3],
    [9_999, 3],
    [10_000, 3],
    [10_001, 2],
    [30_000, 0],
  ])(
    "goes on after a time, as events had before, with what was dated up to ten seconds before it (%i ms later: %i)",
    async (later, count) => {
      const at = clock.now();
      for (const n of [100, 101]) journals.end(n, at + 1);
      journals.facts.get(person(REQUESTER))?.unshift({ type: "Released", task: 99, at });
      journals.put(99, { status: "EXPIRED" });
      const { events } = await listen(REQUESTER, { last: { since: at + later } });
      expect(events()).toHaveLength(count);
    },
  );

  test("that is given a number higher than there is begins with what comes from now on", async () => {
    journals.end(100);
    const { events } = await listen(REQUESTER, { last: { after: 1_000 } });
    journals.end(101);
    await pass(ROUND_MS);
    expect(events().map(({ id: at, task }) => [at, task])).toEqual([["2", id(101)]]);
  });

  test("moves its client on past what is not for it, so that a resumed stream has little to look through", async () => {
    const { heard } = await listen(REQUESTER);
    for (let n = 0; n < 50; n += 1) journals.add(REQUESTER, "Held", n);
    await pass(15_000);
    expect(heard.text.endsWith(": here\n\nid: 50\n\n")).toBe(true);
  });

  test("does not move its client past what it has still to send, nor past what waits for its task", async () => {
    const { heard, events } = await listen(REQUESTER);
    journals.add(REQUESTER, "Settled", 100);
    journals.put(100, { status: "COMPLETED" });
    journals.end(101);
    await pass(ROUND_MS + HELD_MS + 1_000);
    expect(events().map(({ id: at, task }) => [at, task])).toEqual([["0", id(101)]]);
    expect(heard.text).not.toContain("id: 1\n");
    journals.put(100, { status: "SETTLED" });
    signals.wake(person(REQUESTER));
    await turns();
    expect(events().at(-1)).toMatchObject({ id: "1", task: id(100) });
  });

  test("sends new tasks under the id of the event before, and names events where it was asked to", async () => {
    journals.open = [openTask(200)];
    journals.end(100);
    const { events } = await listen(WORKER, {}, true);
    feed.hearNew(openTask(201), [person(WORKER)]);
    journals.add(WORKER, "OfferTaken", 202);
    journals.put(202, { status: "AWARDED", worker: person(WORKER) });
    signals.wake(person(WORKER));
    await turns();
    feed.hearNew(openTask(203), [person(WORKER)]);
    await pass(GATHER_MS);
    expect(events().map(({ id: at, name, type, task }) => [at, name, type, task])).toEqual([
      ["0", "task.new", "task.new", id(200)],
      ["0", "task.new", "task.new", id(201)],
      ["1", "task.awarded", "task.awarded", id(202)],
      ["1", "task.new", "task.new", id(203)],
    ]);
  });

  test("that cannot look looks again, from where it was", async () => {
    const { told } = await listen(REQUESTER);
    for (const read of ["accountNews", "tasksOf"]) {
      journals.failing.add(read);
      journals.end(read === "tasksOf" ? 101 : 100);
      await pass(2 * ROUND_MS);
      journals.failing.clear();
      await pass(1_000);
    }
    expect([told(100), told(101)]).toEqual([1, 1]);
  });

  test("says that it lives every 15 s, whether anything happens or not", async () => {
    const { heard } = await listen(WORKER);
    await pass(60_000);
    expect(heard.text.match(/: here/g)).toHaveLength(4);
  });
});

describe("a key", () => {
  function ring(ttlMs = 0) {
    const sent: Signal[] = [];
    const keys = new Map([["old", { row: member(WORKER, "old"), capabilities: [] }]]);
    let hold: Promise<void> = Promise.resolve();
    let looks = 0;
    const accountByKey = async (hash: string) => {
      looks += 1;
      const found = keys.get(hash);
      await hold;
      return found;
    };
    const reads = { accountByKey };
    const made = new KeyRing(reads, { send: (signal) => sent.push(signal) }, clock, ttlMs);
    return { ring: made, keys, sent, looks: () => looks, wait: (until: Promise<void>) => (hold = until) };
  }

  test("is looked up once, and again when it was dropped", async () => {
    const { ring: known, keys, looks, sent } = ring();
    const [first, second] = [await known.find("old"), await known.find("old")];
    // What was read with it is given once: it is not as new when the key is known.
    expect([first, second, looks()]).toEqual([
      { account: person(WORKER), read: keys.get("old") },
      { account: person(WORKER) },
      1,
    ]);
    keys.delete("old");
    await known.drop("old");
    expect([await known.find("old"), sent]).toEqual([undefined, [{ type: "key", hash: "old" }]]);
  });

  test("whose look-up raced its rotation is not good after it", async () => {
    const { ring: known, keys, wait } = ring();
    let answer: () => void = () => {};
    wait(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    // The look-up has read the old row, and its answer is on its way.
    const raced = known.find("old");
    keys.delete("old");
    await known.drop("old");
    answer();
    expect((await raced)?.account).toBe(person(WORKER));
    expect(await known.find("old")).toBeUndefined();
  });

  test("that another gateway has dropped is not kept by a look-up that was under way either", async () => {
    const { ring: known, keys, wait } = ring(2_000);
    let answer: () => void = () => {};
    wait(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const raced = known.find("old");
    keys.delete("old");
    known.forget("old");
    answer();
    await raced;
    expect(await known.find("old")).toBeUndefined();
  });

  test("that is dropped is believed in by nobody when that is done: others hear of it, or their belief has run out", async () => {
    const { ring: known } = ring(2_000);
    let done = false;
    const from = clock.now();
    void known.drop("old").then(() => {
      done = true;
    });
    clock.to(from + 2_499);
    await turns();
    expect(done).toBe(false);
    clock.to(from + 2_500);
    await turns();
    expect(done).toBe(true);
  });
});
