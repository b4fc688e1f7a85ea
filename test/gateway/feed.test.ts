/** Streams are bounded, end with the right to them, and cost few reads however many there are. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { Presence } from "../../gateway/live/presence.ts";
import { Feed, type Listening, STREAMS_PER_ACCOUNT, TOPICS } from "../../gateway/live/stream.ts";
import type { StoredTask } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { HeardQueues } from "../support/queues.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const LOOK_MS = 5_000;
const TYPE = order().taskType;

let clock: ManualClock;
let rows: Map<string, AccountRow>;
let asked: string[];
let feed: Feed;
let queues: HeardQueues;
let shown: StoredTask | undefined;
let missed: readonly StoredTask[];

function member(n: number, keyHash = `key ${n}`): AccountRow {
  const fact = {
    type: "Registered",
    account: person(n),
    email: `${n}@test.example`,
    source: null,
    keyHash,
    grant: credits(50),
    at: 1,
  } as const;
  const row = account.row(person(n), account.evolve(account.initial(person(n)), fact).state);
  if (row === undefined) throw new Error("who is registered has a row");
  return row;
}

function posted(n: number, inputData = "text"): StoredTask {
  const what = order({ inputData });
  const opened = task.evolve(task.initial(id(n)), {
    type: "Opened",
    task: taskId(id(n)),
    requester: person(1),
    order: what,
    createdAt: 1,
    at: 1,
  });
  const row = task.row(id(n), task.evolve(opened.state, { type: "RoutingStarted", until: 2, at: clock.now() }).state);
  if (row === undefined) throw new Error("an opened task has a row");
  return { row, order: what };
}

beforeEach(() => {
  clock = new ManualClock();
  rows = new Map([1, 2, 3].map((n) => [person(n), member(n)]));
  asked = [];
  missed = [];
  const page = async () => ({ items: [], next: null });
  const reads = {
    account: async (one: string) => {
      asked.push(one);
      return rows.get(one);
    },
    task: async () => shown,
    open: async () => ({ items: missed, next: null }),
    tasks: page,
  };
  queues = new HeardQueues();
  const presence = new Presence({
    reads: { account: async (one) => rows.get(one), capabilities: async () => [] },
    queues,
    clock,
    log: SILENT,
    taskTypes: [TYPE],
    gateway: "g1",
  });
  feed = new Feed({ reads, presence, clock, log: SILENT, taskTypes: [TYPE], streamsPerAddress: 12 });
});

function listen(n: number, changes: Partial<Listening> = {}) {
  const opened = feed.open({
    account: person(n),
    keyHash: `key ${n}`,
    address: "198.51.100.1",
    topics: TOPICS,
    taskType: null,
    since: null,
    works: true,
    ...changes,
  });
  if (typeof opened === "string") return { refused: opened };
  const heard = { text: "", ended: false };
  opened.on("data", (chunk) => {
    heard.text += String(chunk);
  });
  opened.on("close", () => {
    heard.ended = true;
  });
  return { refused: undefined, out: opened, heard };
}

async function pass(ms: number): Promise<void> {
  clock.to(clock.now() + ms);
  for (let n = 0; n < 20; n += 1) await turn();
}

test("an account has ten streams, an address as many as is set; one that ends makes room", async () => {
  const first = listen(2);
  for (let n = 1; n < STREAMS_PER_ACCOUNT; n += 1) expect(listen(2).refused).toBeUndefined();
  expect(listen(2).refused).toBe("account");
  expect([listen(3).refused, listen(3).refused, listen(3).refused]).toEqual([undefined, undefined, "address"]);
  expect(listen(3, { address: "198.51.100.2" }).refused).toBeUndefined();
  first.out?.destroy();
  await pass(0);
  expect(listen(2).refused).toBeUndefined();
});

test("a stream ends at once with its key, and others of the account go on", async () => {
  const old = listen(2);
  rows.set(person(2), member(2, "new key"));
  const fresh = listen(2, { keyHash: "new key" });
  feed.endKey("key 2");
  for (let n = 0; n < 20; n += 1) await turn();
  expect([old.heard?.ended, fresh.heard?.ended]).toEqual([true, false]);
});

test("where no signal comes, a stream finds out at its next look that its key was replaced", async () => {
  const old = listen(2);
  await pass(0);
  rows.set(person(2), member(2, "new key"));
  const fresh = listen(2, { keyHash: "new key" });
  await pass(LOOK_MS);
  expect([old.heard?.ended, fresh.heard?.ended]).toEqual([true, false]);
});

test.each(["FROZEN", "SUSPENDED"] as const)(
  "a stream ends when its account is %s: at a signal, else at its next look",
  async (status) => {
    const [told, untold] = [listen(2), listen(3)];
    await pass(0);
    for (const n of [2, 3]) rows.set(person(n), { ...member(n), status });
    feed.check(person(2));
    await pass(0);
    expect([told.heard?.ended, untold.heard?.ended]).toEqual([true, false]);
    await pass(LOOK_MS);
    expect(untold.heard?.ended).toBe(true);
  },
);

test("a task that changes is told to twelve streams of two accounts with one read of each account", async () => {
  const streams = [...Array.from({ length: 9 }, () => listen(2)), ...Array.from({ length: 3 }, () => listen(3))];
  await pass(0);
  await pass(2_000);
  asked = [];
  for (let n = 100; n < 150; n += 1) {
    shown = posted(n);
    feed.hear(id(n));
    await turn();
  }
  await pass(0);
  for (const { heard } of streams) expect(heard?.text.match(/"task\.new"/g)).toHaveLength(50);
  expect(asked.toSorted()).toEqual([person(2), person(3)]);
});

test("who does not read is cut off once more than 1 MB waits, and comes back with the last event's id", async () => {
  const { out, heard } = listen(2);
  out?.pause();
  out?.removeAllListeners("data");
  let told = 0;
  for (let n = 100; n < 2_000 && heard?.ended !== true; n += 1) {
    const large = posted(n);
    shown = { ...large, order: { ...large.order, schema: { $comment: "x".repeat(30_000) } } };
    feed.hear(id(n));
    for (let turns = 0; turns < 5; turns += 1) await turn();
    told += 1;
  }
  expect(heard?.ended).toBe(true);
  expect(told).toBeLessThan(60);
  expect(feed.size).toBe(0);
});

test("who missed a lot and does not read is told no more of it once it is cut off", async () => {
  const told = new Set<number>();
  missed = Array.from({ length: 200 }, (_, n) => {
    const { row, order: what } = posted(100 + n);
    return {
      row,
      get order() {
        told.add(n);
        return { ...what, schema: { $comment: "x".repeat(30_000) } };
      },
    };
  });
  const { out, heard } = listen(2, { since: 0 });
  out?.pause();
  out?.removeAllListeners("data");
  for (let n = 0; n < 1_000; n += 1) await turn();
  expect(heard?.ended).toBe(true);
  // About 35 are 1 MB.
  expect(told.size).toBeGreaterThan(20);
  expect(told.size).toBeLessThan(60);
});

test("who may not work is not online, however long it listens, and is at the next look when it may again", async () => {
  const able = member(2);
  rows.set(person(2), { ...able, status: "COOLING" });
  listen(2, { works: false });
  listen(3);
  const online = () => queues.online(TYPE);
  await pass(LOOK_MS);
  await pass(10);
  expect(online()).toEqual([person(3)]);
  rows.set(person(2), able);
  rows.set(person(3), { ...member(3), status: "COOLING" });
  for (let looks = 0; looks < 5; looks += 1) await pass(LOOK_MS);
  await pass(10);
  expect(online()).toEqual([person(2)]);
});
