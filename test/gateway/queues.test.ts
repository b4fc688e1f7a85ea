/** What a gateway says to matchers, of one partition or several, and what it makes of their answers. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import type { Envelope } from "../../actors/message.ts";
import { Router } from "../../actors/router.ts";
import { LATE_MS, Queues } from "../../gateway/live/queues.ts";
import { isMatcherCommand } from "../../machines/matcher/commands.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { whole } from "../support/live-matching.ts";
import { account, manual, posted, pull, task } from "../support/matching.ts";

const TYPE = "translation";
let clock: ManualClock;
let asked: { readonly to: string; readonly command: CommandOf<"matcher">; readonly ms: number }[];
/** What the matcher at an address replies; undefined: nothing, ever. */
let reply: (to: string, command: CommandOf<"matcher">) => unknown;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  reply = () => ({ unknown: [] });
});

function queuesOf(partitions: number): Queues {
  const request = async ({ to, command, deadline }: Envelope) => {
    if (!isMatcherCommand(command)) throw new Error(`no matcher takes ${command.type}`);
    asked.push({ to: to.id, command, ms: deadline - clock.now() });
    const value = reply(to.id, command);
    return value === undefined ? new Promise<never>(() => {}) : ({ ok: true, value } as const);
  };
  return new Queues(new Router({ request }, clock, { next: () => "" }, 1_000), partitions);
}

/** The n-th worker of those in this partition of three. */
function workerIn(partition: number, n = 0): AccountId {
  const found = Array.from({ length: 200 }, (_, m) => account(m)).filter((one) => shardOf(one, 3) === partition)[n];
  if (found === undefined) throw new Error("of 200 workers some are in each partition");
  return found;
}

const online = (worker: AccountId) => ({ ...posted(1), id: `g1/${worker}`, worker });
const to = (partition: number) => `${TYPE}/${partition}`;

describe("who is online", () => {
  test("is told to the matcher of its partition and to the first one, which is told of all", async () => {
    const queues = queuesOf(3);
    const [first, second, third] = [workerIn(0), workerIn(1), workerIn(2)];
    const until = clock.now() + 9;
    await queues.present(TYPE, { terms: [online(first), online(second)], renewed: [online(third)], until });
    const told = asked.map(({ to: at, command }) =>
      command.type === "present" ? [at, command.posted.map((one) => one.worker), command.renewed] : [],
    );
    expect(told).toEqual([
      [to(0), [first, second], []],
      [to(0), [], [`g1/${third}`]],
      [to(1), [second], []],
      [to(2), [], [`g1/${third}`]],
    ]);
  });

  test("is told again whom any of them does not know, and everybody of whom one has not answered", async () => {
    const queues = queuesOf(3);
    const [own, other] = [workerIn(1), workerIn(2)];
    reply = (at) => ({ unknown: at === to(1) ? [`g1/${own}`] : [] });
    const renewed = [online(own), online(other)];
    expect(await queues.present(TYPE, { terms: [], renewed, until: 9 })).toEqual(new Set([`g1/${own}`]));
    reply = (at) => (at === to(2) ? undefined : { unknown: [] });
    const late = queues.present(TYPE, { terms: [online(own)], renewed: [online(other)], until: 9 });
    await turn();
    clock.to(clock.now() + 2_000);
    expect(await late).toEqual(new Set([`g1/${other}`]));
  });

  test("is told in messages of 500 workers, so that none is too large for the bus", async () => {
    const queues = queuesOf(1);
    const many = Array.from({ length: 1_001 }, (_, n) => manual(n));
    await queues.present(TYPE, { terms: many, renewed: many, until: 9 });
    const sizes = asked.map(({ command }) => (command.type === "present" ? command.manual.length + command.renewed.length : 0));
    expect(sizes).toEqual([500, 500, 1, 500, 500, 1]);
    asked = [];
    queues.leave(TYPE, many);
    expect(asked.map(({ command }) => (command.type === "leave" ? command.waits.length : 0))).toEqual([500, 500, 1]);
    // 500 workers with all their marks, in one message.
    const terms = Array.from({ length: 500 }, (_, n) => ({
      ...online(account(n)),
      standing: { ...posted(1).standing, marks: MARKS },
    }));
    expect(JSON.stringify(terms).length).toBeLessThan(1_048_576);
  });
});

const MARKS = Array.from({ length: 10 }, (_, n) => `mail:${String(n).repeat(32)}`);

describe("a pull", () => {
  const wait = (worker: AccountId) => ({ ...pull(1), worker, asked: clock.now(), until: clock.now() + 5_000 });
  const nothing: Pulled = { tasks: [], missing: 0, why: "over" };
  const got = (n: number): Pulled => ({ tasks: [whole(task(n), account(1))], missing: 0, why: "awarded" });

  test("waits as long as it may, and for what is under way then", async () => {
    reply = () => undefined;
    const late = queuesOf(1).pull(TYPE, wait(account(1)));
    expect(asked.map(({ ms }) => ms)).toEqual([5_000 + LATE_MS]);
    await turn();
    clock.to(clock.now() + 5_000 + LATE_MS);
    expect(await late).toBeUndefined();
  });

  test("waits in the worker's partition and in the first, and leaves both when one has something", async () => {
    reply = (at, command) => (command.type === "leave" ? null : at === to(1) ? got(1) : nothing);
    expect(await queuesOf(3).pull(TYPE, wait(workerIn(1)))).toEqual(got(1));
    expect(asked.map((one) => [one.to, one.command.type])).toEqual([
      [to(1), "pull"],
      [to(0), "pull"],
      [to(0), "leave"],
      [to(1), "leave"],
    ]);
    // Its answer has room for half from each.
    const shares = asked.flatMap(({ command }) => (command.type === "pull" ? command.wait.bytesShare : []));
    expect(shares).toEqual([pull(1).bytesShare / 2, pull(1).bytesShare / 2]);
    asked = [];
    expect(await queuesOf(3).pull(TYPE, wait(workerIn(0)))).toEqual(nothing);
    expect(asked).toHaveLength(1);
  });

  test("has what both have; with one that does not answer, something may be missing, or nothing is known", async () => {
    reply = (at, command) =>
      command.type === "leave" ? null : at === to(1) ? got(1) : { ...got(2), limited: { why: "PULL_FULL", most: 2 } };
    expect(await queuesOf(3).pull(TYPE, wait(workerIn(1)))).toMatchObject({
      tasks: [{}, {}],
      missing: 0,
      limited: { why: "PULL_FULL" },
    });
    // A bid that a window takes is heard of by both.
    reply = (_, command) => (command.type === "leave" ? null : got(1));
    expect((await queuesOf(3).pull(TYPE, wait(workerIn(1))))?.tasks).toHaveLength(1);
    reply = (at, command) => (command.type === "leave" ? null : at === to(1) ? got(1) : undefined);
    const half = queuesOf(3).pull(TYPE, wait(workerIn(1)));
    await turn();
    clock.to(clock.now() + 5_000 + LATE_MS);
    expect(await half).toMatchObject({ tasks: [{}], missing: 1, why: "awarded" });
    reply = (at) => (at === to(1) ? nothing : undefined);
    const unknown = queuesOf(3).pull(TYPE, wait(workerIn(1)));
    await turn();
    clock.to(clock.now() + 5_000 + LATE_MS);
    expect(await unknown).toBeUndefined();
  });
});

test("a look asks the first matcher, and is given up after half a second", async () => {
  reply = () => undefined;
  const look = queuesOf(3).look(TYPE, { task: null, worker: account(1), budget: 9, minSkill: 0, at: 1 });
  expect(asked.map((one) => one.to)).toEqual([to(0)]);
  clock.to(clock.now() + 500);
  expect(await look).toBeUndefined();
});
