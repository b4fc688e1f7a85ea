/** Streams are bounded, end with the right to them, and cost few reads however many there are. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { Feed, type Opening, ROUND_MS, STREAMS_PER_ACCOUNT } from "../../gateway/live/feed.ts";
import { GATHER_MS } from "../../gateway/live/new-tasks.ts";
import type { ListeningWorker } from "../../gateway/live/presence.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import { localSignals } from "../../src/adapters/in-process/signals.ts";
import { ManualClock } from "../support/clock.ts";
import { hear, Journals, member, openSse, openTask, readEvents } from "../support/journals.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const TYPE = order().taskType;

let clock: ManualClock;
let journals: Journals;
let signals: ReturnType<typeof localSignals>;
let feed: Feed;
let online: ListeningWorker[];

beforeEach(() => {
  clock = new ManualClock();
  journals = new Journals();
  for (const n of [1, 2, 3]) journals.accounts.set(person(n), member(n));
  signals = localSignals();
  online = [];
  const presence = {
    listens: (listening: ListeningWorker) => {
      online.push(listening);
      return () => {
        online = online.filter((one) => one !== listening);
      };
    },
  };
  feed = new Feed({
    reads: journals.reads,
    signals,
    presence,
    clock,
    log: SILENT,
    taskTypes: [TYPE],
    streamsPerAddress: 12,
  });
});

async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await turn();
}

async function pass(ms: number): Promise<void> {
  clock.to(clock.now() + ms);
  await turns();
}

function open(n: number, changes: Partial<Opening> = {}) {
  return openSse(feed, {
    account: person(n),
    keyHash: `key ${n}`,
    address: "198.51.100.1",
    topics: TOPICS,
    taskTypes: null,
    last: null,
    works: true,
    ...changes,
  });
}

async function listen(n: number, changes: Partial<Opening> = {}) {
  const opened = await open(n, changes);
  if (typeof opened === "string") return { refused: opened };
  const heard = hear(opened);
  await turns();
  return { refused: undefined, out: opened, heard };
}

describe("limits", () => {
  test("an account has ten streams, an address as many as is set; one that ends makes room", async () => {
    const first = await listen(2);
    for (let n = 1; n < STREAMS_PER_ACCOUNT; n += 1) expect((await listen(2)).refused).toBeUndefined();
    expect((await listen(2)).refused).toBe("account");
    expect([(await listen(3)).refused, (await listen(3)).refused, (await listen(3)).refused]).toEqual([
      undefined,
      undefined,
      "address",
    ]);
    expect((await listen(3, { address: "198.51.100.2" })).refused).toBeUndefined();
    first.out?.destroy();
    await turns();
    expect((await listen(2)).refused).toBeUndefined();
  });

  test("twenty that are opened at the same moment are not more than ten, and one that cannot be opened leaves nothing behind", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => listen(2, { address: "" })));
    expect(all.filter(({ refused }) => refused === "account")).toHaveLength(10);
    journals.failing.add("factBefore");
    await expect(listen(3)).rejects.toThrow("no database");
    await turns();
    expect(feed.size).toBe(10);
  });
});

describe("a stream ends", () => {
  test("at once with its key, and others of the account go on", async () => {
    const old = await listen(2);
    journals.accounts.set(person(2), member(2, "new key"));
    const fresh = await listen(2, { keyHash: "new key" });
    feed.endKey("key 2");
    await turns();
    expect([old.heard?.ended, fresh.heard?.ended]).toEqual([true, false]);
  });

  test("where no signal comes, with the next round after its key was replaced", async () => {
    const old = await listen(2);
    journals.accounts.set(person(2), member(2, "new key"));
    const fresh = await listen(2, { keyHash: "new key" });
    await pass(ROUND_MS);
    expect([old.heard?.ended, fresh.heard?.ended]).toEqual([true, false]);
  });

  test("but not because of a row that was read before its key was made", async () => {
    await listen(2);
    let answer: () => void = () => {};
    journals.before = async (read) => {
      if (read === "watched") await new Promise<void>((resolve) => (answer = resolve));
    };
    const accounts = new Map(journals.accounts);
    await pass(ROUND_MS);
    const fresh = await listen(2, { keyHash: "new key" });
    journals.accounts.set(person(2), accounts.get(person(2)) ?? member(2));
    answer();
    await turns();
    expect(fresh.heard?.ended).toBe(false);
  });

  test.each(["FROZEN", "SUSPENDED"] as const)("when its account is %s: at a signal, else with the next round", async (status) => {
    const [told, untold] = [await listen(2), await listen(3)];
    for (const n of [2, 3]) journals.accounts.set(person(n), { ...member(n), status });
    feed.check(person(2));
    await turns();
    expect([told.heard?.ended, untold.heard?.ended]).toEqual([true, false]);
    await pass(ROUND_MS);
    expect(untold.heard?.ended).toBe(true);
  });

  test("and leaves nothing behind, a thousand times over", async () => {
    for (let n = 0; n < 1_000; n += 1) {
      const opened = await listen(2);
      opened.out?.destroy();
      await turn();
    }
    await turns();
    expect([feed.size, clock.next, online]).toEqual([0, null, []]);
    journals.asked = [];
    signals.wake(person(2));
    await turns();
    expect(journals.asked).toEqual([]);
  });
});

describe("reads", () => {
  test("a new task is told to twelve streams of two accounts without any", async () => {
    const streams = [];
    for (let n = 0; n < 12; n += 1) streams.push(await listen(n < 9 ? 2 : 3));
    journals.asked = [];
    for (let n = 100; n < 150; n += 1) feed.hearNew(openTask(n), [person(2), person(3)]);
    await pass(GATHER_MS);
    for (const { heard } of streams) expect(heard?.text.match(/"task\.new"/g)).toHaveLength(50);
    expect(journals.asked).toEqual([]);
  });

  test("a new task is told to nobody else, to no stream for other types or topics, and once in a round", async () => {
    const [chosen, other, typed, silent] = [
      await listen(2),
      await listen(3),
      await listen(2, { taskTypes: ["other"] }),
      await listen(2, { topics: ["task.terminal"] }),
    ];
    feed.hearNew(openTask(100), [person(2)]);
    feed.hearNew(openTask(100), [person(2)]);
    feed.hearNew(openTask(100, { autoRetriesLeft: 0 }), [person(2)]);
    await pass(GATHER_MS);
    const count = ({ heard }: typeof chosen) => readEvents(heard?.text ?? "").length;
    expect([chosen, other, typed, silent].map(count)).toEqual([2, 0, 0, 0]);
  });

  test("a new task is told to at most 32 streams, or as many as is said, one of each worker among them", async () => {
    const accounts = Array.from({ length: 20 }, (_, n) => 100 + n);
    const streams: ({ readonly n: number } & Awaited<ReturnType<typeof listen>>)[] = [];
    for (const n of accounts) {
      journals.accounts.set(person(n), member(n));
      for (let each = 0; each < 3; each += 1) streams.push({ n, ...(await listen(n, { address: String(n) })) });
    }
    const told = (task: number) => streams.filter(({ heard }) => heard?.text.includes(id(task)));
    feed.hearNew(openTask(900), accounts.map(person));
    feed.hearNew(openTask(901), accounts.map(person), 25);
    await pass(GATHER_MS);
    expect([told(900).length, told(901).length]).toEqual([32, 25]);
    for (const task of [900, 901]) expect(new Set(told(task).map(({ n }) => n)).size).toBe(20);
  });

  test("quiet streams of hundreds of accounts cost one in a round", async () => {
    for (let n = 10; n < 310; n += 1) {
      journals.accounts.set(person(n), member(n));
      await listen(n, { address: String(n), topics: ["task.awarded"] });
    }
    journals.asked = [];
    await pass(ROUND_MS);
    await pass(ROUND_MS);
    expect(journals.asked).toEqual(["watched", "watched"]);
  });

  test("at most four streams read at a time, and all get their turn", async () => {
    let [now, most] = [0, 0];
    journals.before = async (read) => {
      if (read !== "accountNews") return;
      now += 1;
      most = Math.max(most, now);
      await turn();
      now -= 1;
    };
    const streams = [];
    for (let n = 10; n < 30; n += 1) {
      journals.accounts.set(person(n), member(n));
      journals.add(n, "Released", n);
      journals.put(n, { status: "EXPIRED", requester: person(n) });
      streams.push(await listen(n, { address: String(n), last: { after: 0 }, topics: ["task.terminal"] }));
    }
    for (let n = 10; n < 30; n += 1) journals.add(n, "Released", n);
    for (let n = 10; n < 30; n += 1) signals.wake(person(n));
    await turns();
    expect(most).toBe(4);
    expect(streams.map(({ heard }) => readEvents(heard?.text ?? "").length)).toEqual(Array(20).fill(2));
  });
});

describe("who does not read", () => {
  test("is cut off once more than 1 MB of new tasks waits", async () => {
    const { out, heard } = await listen(2);
    out?.pause();
    out?.removeAllListeners("data");
    let told = 0;
    for (let n = 100; n < 2_000 && heard?.ended !== true; n += 1) {
      const large = openTask(n);
      feed.hearNew({ ...large, order: { ...large.order, schema: { $comment: "x".repeat(30_000) } } }, [person(2)]);
      await turn();
      told += 1;
    }
    expect([heard?.ended, feed.size]).toEqual([true, 0]);
    expect(told).toBeGreaterThan(30);
    expect(told).toBeLessThan(60);
  });

  test("of many events is sent the first ones, is not cut off, holds up nobody, and gets the rest when it reads on", async () => {
    for (let n = 1; n <= 100; n += 1) {
      journals.end(n);
      journals.tasks.set(id(n), openTask(n, { status: "CANCELLED" }, "x".repeat(10_000)));
    }
    const all = { last: { after: 0 }, topics: ["task.terminal"] } as const;
    const slow = await Promise.all(Array.from({ length: 5 }, () => open(1, all)));
    await turns();
    const read = journals.asked.filter((one) => one === "tasksOf").length;
    journals.add(3, "Released", 200);
    journals.put(200, { status: "EXPIRED", requester: person(3) });
    const quick = await listen(3, all);
    expect(readEvents(quick.heard?.text ?? "")).toHaveLength(1);
    expect(read).toBe(5);
    // What happens meanwhile neither overtakes what it is being sent, nor moves it past that.
    signals.wake(person(1));
    await pass(15_000);
    const heard = slow.flatMap((out) => (typeof out === "string" ? [] : [hear(out)]));
    for (let n = 0; n < 40; n += 1) await turns();
    expect(heard).toHaveLength(5);
    for (const { text } of heard) {
      expect(readEvents(text).map(({ id: at }) => at)).toEqual(Array.from({ length: 100 }, (_, n) => String(n + 1)));
    }
  });
});

test("who may not work is not online, however long it listens, and is with the next round when it may again", async () => {
  const able = member(2);
  journals.open = [openTask(100)];
  journals.accounts.set(person(2), { ...able, status: "COOLING" });
  const { heard } = await listen(2, { works: false });
  await listen(3);
  const workers = () => online.map(({ worker }) => worker);
  await pass(ROUND_MS);
  expect([workers(), readEvents(heard?.text ?? "")]).toEqual([[person(3)], []]);
  journals.accounts.set(person(2), able);
  journals.accounts.set(person(3), { ...member(3), status: "COOLING" });
  for (let rounds = 0; rounds < 5; rounds += 1) await pass(ROUND_MS);
  expect(workers()).toEqual([person(2)]);
  expect(readEvents(heard?.text ?? "").map(({ task }) => task)).toEqual([id(100)]);
});

test("any stream of a worker makes it present; only one for new tasks has it told of them", async () => {
  await listen(2, { topics: ["task.awarded"] });
  await listen(3, { taskTypes: ["analysis"] });
  expect(online).toEqual([
    { worker: person(2), taskTypes: [TYPE], announce: false },
    { worker: person(3), taskTypes: ["analysis"], announce: true },
  ]);
});
