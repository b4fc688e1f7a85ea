/** Who is online at a gateway, and what matchers are told of it: at once, in differences, and again until they have it. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { ONLINE_MAX, Presence } from "../../gateway/live/presence.ts";
import type { StoredCapability } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import { type AccountRow, accountRow, capabilityRows } from "../../machines/account/row.ts";
import { type AccountId, credits } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { HeardQueues } from "../support/queues.ts";
import { id, person, SILENT } from "../support/world.ts";

const [TYPE, OTHER] = ["json_extraction", "translation"];
/** How long a poll counts, and how often all are renewed (ms). */
const POLL_MS = 10_000;
const RENEW_MS = 5_000;

let clock: ManualClock;
let queues: HeardQueues;
let presence: Presence;
let rows: Map<AccountId, AccountRow>;
let capabilities: Map<AccountId, StoredCapability[]>;
let reads: number;
/** Answers that are held back, in order. */
let held: (() => void)[] | null;
let away: boolean;

function registered(n: number) {
  const known = { account: person(n), email: `${n}@test.example`, source: null, keyHash: `key ${n}`, grant: credits(50) };
  return account.evolve(account.initial(person(n)), { type: "Registered", ...known, at: 1 }).state;
}

function member(n: number): AccountRow {
  const row = accountRow(registered(n));
  if (row === undefined) throw new Error("who is registered has a row");
  return row;
}

function offers(n: number, price: number | null, available = true): void {
  const common = { description: "", tags: [], concurrency: 2, createdAt: 1 };
  const capability = { ...common, id: id(n), taskType: TYPE, price: price === null ? null : credits(price), available };
  const state = account.evolve(registered(n), { type: "CapabilityRegistered", capability, at: 2 }).state;
  capabilities.set(
    person(n),
    capabilityRows(state).map((row) => ({ ...row, account: person(n) })),
  );
}

beforeEach(() => {
  clock = new ManualClock();
  queues = new HeardQueues();
  rows = new Map([1, 2, 3].map((n) => [person(n), member(n)]));
  capabilities = new Map();
  [reads, held, away] = [0, null, false];
  const read = async <T>(value: T): Promise<T> => {
    reads += 1;
    if (away) throw new Error("the database is away");
    if (held !== null) await new Promise<void>((resolve) => void held?.push(resolve));
    return value;
  };
  const from = {
    account: (one: AccountId) => read(rows.get(one)),
    capabilities: (one: AccountId) => read(capabilities.get(one) ?? []),
  };
  presence = new Presence({ reads: from, queues, clock, log: SILENT, taskTypes: [TYPE, OTHER], gateway: "g1" });
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

const listens = (n: number, announce = true, taskTypes: readonly string[] = [TYPE]) =>
  presence.listens({ worker: person(n), taskTypes, announce });
const wait = (n: number) => `g1/${person(n)}`;

describe("a worker is online", () => {
  test("for ten seconds after it asked for tasks, in the types that it asked for", async () => {
    presence.polled(member(1), [TYPE]);
    await pass(10);
    expect([queues.online(TYPE), queues.online(OTHER)]).toEqual([[person(1)], []]);
    await pass(POLL_MS - 20);
    expect(queues.online(TYPE)).toEqual([person(1)]);
    await pass(RENEW_MS + 20);
    expect([queues.online(TYPE), presence.size]).toEqual([[], 0]);
  });

  test("as long as it has a stream, whatever that listens to, or has asked for tasks just before", async () => {
    const [first, second] = [listens(1, false), listens(1, true)];
    await pass(60_000);
    expect(queues.of(TYPE, person(1))).toMatchObject({ kind: "manual", announce: true });
    second();
    await pass(10);
    expect(queues.of(TYPE, person(1))).toMatchObject({ announce: false });
    presence.polled(member(1), [TYPE]);
    first();
    await pass(10);
    expect(queues.online(TYPE)).toEqual([person(1)]);
    await pass(POLL_MS + RENEW_MS);
    expect(queues.online(TYPE)).toEqual([]);
  });

  test("with its posted price while that is to be had, and by hand without one", async () => {
    offers(1, 7);
    offers(2, null);
    offers(3, 7, false);
    for (const n of [1, 2, 3]) listens(n);
    await pass(10);
    const terms = [1, 2, 3].map((n) => queues.of(TYPE, person(n)));
    expect(terms).toMatchObject([{ kind: "posted", price: 7, free: 2 }, { kind: "manual" }, { kind: "manual" }]);
    expect(terms[0]).toMatchObject({ id: wait(1), gateway: "g1", standing: { status: "ACTIVE" }, finished: 0 });
  });
});

describe("matchers are told", () => {
  test("of who comes or goes at once, of many together, and of nobody else", async () => {
    const leave = [1, 2].map((n) => listens(n));
    await pass(10);
    expect(queues.heard).toEqual([{ taskType: TYPE, terms: [wait(1), wait(2)], renewed: [] }]);
    for (const end of leave) end();
    await pass(10);
    expect(queues.left.map((one) => one.id)).toEqual([wait(1), wait(2)]);
    expect(queues.heard).toHaveLength(1);
  });

  test("of those who stay only by their ids, every five seconds, in one message for a type", async () => {
    listens(1, true, [TYPE, OTHER]);
    listens(2);
    await pass(10);
    queues.heard.length = 0;
    const before = reads;
    await pass(2 * RENEW_MS);
    const round = [
      { taskType: TYPE, terms: [], renewed: [wait(1), wait(2)] },
      { taskType: OTHER, terms: [], renewed: [wait(1)] },
    ];
    expect(queues.heard).toEqual([...round, ...round]);
    expect(reads).toBe(before);
  });

  test("of a price that changes at once, and of nothing where nothing has changed", async () => {
    offers(1, 7);
    listens(1);
    await pass(10);
    offers(1, 9);
    presence.changed(person(1));
    await pass(10);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 9 });
    const before = queues.heard.length;
    presence.changed(person(1));
    presence.changed(person(2));
    await pass(10);
    expect(queues.heard).toHaveLength(before);
  });

  test("anew whom they do not know, because they are new themselves", async () => {
    offers(1, 7);
    listens(1);
    await pass(10);
    queues.known.clear();
    await pass(RENEW_MS);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 7 });
  });

  test("again what was lost, with the next renewal: who came, and what has changed", async () => {
    queues.away = true;
    offers(1, 7);
    listens(1);
    await pass(10);
    queues.away = false;
    await pass(RENEW_MS);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 7 });
    queues.away = true;
    offers(1, 9);
    presence.changed(person(1));
    await pass(10);
    queues.away = false;
    await pass(RENEW_MS);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 9 });
  });

  test("nothing of a worker that went before it was read, and the later of two answers that overtake each other", async () => {
    held = [];
    const leave = listens(1);
    leave();
    for (const answer of held.splice(0)) answer();
    await pass(10);
    expect([queues.heard, queues.left, presence.size]).toEqual([[], [], 0]);
    offers(2, 7);
    listens(2);
    const late = held.splice(0);
    offers(2, 9);
    presence.changed(person(2));
    for (const answer of held.splice(0)) answer();
    await pass(10);
    for (const answer of late) answer();
    await pass(10);
    expect(queues.of(TYPE, person(2))).toMatchObject({ price: 9 });
  });
});

describe("a gateway", () => {
  test("whose database is away reads again with the next renewal", async () => {
    away = true;
    listens(1);
    presence.polled(member(2), [TYPE]);
    await pass(10);
    expect(queues.heard).toEqual([]);
    away = false;
    await pass(RENEW_MS);
    await pass(10);
    expect([...queues.online(TYPE)].sort()).toEqual([person(1), person(2)]);
  });

  test("reads an account again once a minute, in case no signal has told of a change", async () => {
    offers(1, 7);
    listens(1);
    await pass(10);
    offers(1, 9);
    await pass(60_000);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 7 });
    await pass(RENEW_MS + 10);
    expect(queues.of(TYPE, person(1))).toMatchObject({ price: 9 });
  });

  test("reads those who came together again in parts, each worker once for all of its types", async () => {
    for (let n = 10; n < 70; n += 1) {
      rows.set(person(n), member(n));
      listens(n, true, [TYPE, OTHER]);
    }
    await pass(10);
    // An account and what it offers are two reads.
    expect(reads).toBe(2 * 60);
    await pass(60_000);
    for (let renewals = 1; renewals <= 6; renewals += 1) {
      await pass(RENEW_MS);
      expect(reads).toBe(2 * (60 + 10 * renewals));
    }
    await pass(RENEW_MS);
    expect(reads).toBe(2 * 120);
  });

  test("reads what a worker offers once for all of its types, and not for each poll", async () => {
    presence.polled(member(1), [TYPE, OTHER]);
    presence.polled(member(1), [TYPE, OTHER]);
    await pass(10);
    presence.polled(member(1), [TYPE, OTHER]);
    await pass(10);
    // Its capabilities; its row came with the poll.
    expect(reads).toBe(1);
  });

  test("knows so many workers at most; who comes on top is not online, and makes room for nobody by leaving", async () => {
    presence.polled(
      member(1),
      Array.from({ length: ONLINE_MAX }, (_, n) => `type ${n}`),
    );
    expect(presence.size).toBe(ONLINE_MAX);
    const leave = listens(2);
    presence.polled(member(3), [TYPE]);
    expect(presence.size).toBe(ONLINE_MAX);
    leave();
    expect(presence.size).toBe(ONLINE_MAX);
  });

  test("that closes says that nobody is online there, and leaves no timer", async () => {
    const leave = listens(1);
    await pass(10);
    listens(2);
    presence.close();
    leave();
    await pass(10);
    expect(queues.left).toEqual([{ taskType: TYPE, id: wait(1) }]);
    expect([presence.size, clock.next]).toEqual([0, null]);
    listens(3);
    await pass(60_000);
    expect([presence.size, queues.online(TYPE), clock.next]).toEqual([0, [], null]);
  });
});
