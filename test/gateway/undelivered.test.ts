/** Tasks that pulls have won and no client has got: when they are given back, and when not. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import type { Router } from "../../actors/router.ts";
import { PENDING_MAX, REPEAT_MS, Undelivered, type Won } from "../../gateway/live/undelivered.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person, SILENT } from "../support/world.ts";

const worker = person(1);
const won = (pull: string, ...numbers: readonly number[]): Won => ({ worker, pull, tasks: numbers.map((n) => taskId(id(n))) });

let clock: ManualClock;
let undelivered: Undelivered;
let asked: { readonly to: string; readonly command: unknown; readonly answer: () => void }[];
let told: Signal[];

/** A router that notes what it is asked, and answers when it is told to. */
const router: Pick<Router, "ask"> = {
  ask: (to, command) =>
    new Promise((resolve) => {
      const refused = { ok: false, refusal: { refused: "NOT_AWARDED_TO_YOU", detail: "" } } as const;
      asked.push({ to: to.id, command, answer: () => resolve(refused) });
    }),
};

beforeEach(() => {
  clock = new ManualClock();
  [asked, told] = [[], []];
  undelivered = new Undelivered({
    router,
    signals: { send: (signal) => void told.push(signal) },
    clock,
    log: SILENT,
    gateway: "g1",
  });
});

const returned = () => asked.map(({ to }) => to);
const pass = (ms: number) => clock.to(clock.now() + ms);

test("each task is given back as what its pull has won, by its worker", async () => {
  undelivered.giveBack(won("p", 1, 2));
  const command = { type: "giveBack", worker, reason: null, undelivered: "p" };
  expect(asked).toMatchObject([
    { to: id(1), command },
    { to: id(2), command },
  ]);
  expect(undelivered.size).toBe(1);
  for (const { answer } of asked) answer();
  await turn();
  expect(undelivered.size).toBe(0);
  undelivered.giveBack(won("p"));
  expect([undelivered.size, told]).toEqual([0, []]);
});

test("a client has so long to ask again, and then all that it has not got is given back together", () => {
  undelivered.giveBackLater(won("p", 1), clock.now());
  pass(REPEAT_MS - 1);
  undelivered.giveBackLater(won("p", 2), clock.now());
  pass(REPEAT_MS - 1);
  expect([returned(), undelivered.size]).toEqual([[], 1]);
  pass(1);
  expect(returned()).toEqual([id(1), id(2)]);
});

const heard = (pull: string, gateway = "g2") => undelivered.hearRepeated({ type: "pull", pull, gateway });

test("what is asked for again is not given back, here and where the other gateways are told of it", () => {
  undelivered.giveBackLater(won("here", 1), clock.now());
  undelivered.giveBackLater(won("there", 2), clock.now());
  undelivered.giveBackLater(won("lost", 3), clock.now());
  undelivered.repeated("here", clock.now());
  heard("there");
  expect(told).toEqual([{ type: "pull", pull: "here", gateway: "g1" }]);
  pass(REPEAT_MS);
  expect(returned()).toEqual([id(3)]);
});

test("a connection that ends only after its pull was asked again takes nothing back; that of the repeat does", () => {
  const begun = clock.now();
  pass(100);
  const asked = clock.now();
  pass(100);
  undelivered.repeated("p", asked);
  // What this gateway has told itself.
  heard("p", "g1");
  expect([undelivered.wasRepeated("p", begun), undelivered.wasRepeated("p", asked)]).toEqual([true, false]);
  undelivered.giveBackLater(won("p", 1), begun);
  expect(undelivered.size).toBe(0);
  undelivered.giveBackLater(won("p", 2), asked);
  pass(REPEAT_MS);
  expect(returned()).toEqual([id(2)]);
});

test("what would be too many to wait for is given back at once, and the oldest repeats are forgotten", () => {
  const begun = clock.now();
  for (let n = 0; n < PENDING_MAX; n += 1) undelivered.giveBackLater(won(`p${n}`, n), begun);
  expect(returned()).toEqual([]);
  undelivered.giveBackLater(won("one more", 99_999), begun);
  expect(returned()).toEqual([id(99_999)]);
  pass(1);
  for (let n = 0; n <= PENDING_MAX; n += 1) heard(`p${n}`);
  expect([undelivered.wasRepeated("p0", begun), undelivered.wasRepeated("p1", begun)]).toEqual([false, true]);
});

test("a gateway that stops gives back what waits at once, and waits until it is done", async () => {
  undelivered.giveBackLater(won("p", 1), clock.now());
  let isOver = false;
  const drained = undelivered.drain(2_000).then(() => {
    isOver = true;
  });
  undelivered.giveBackLater(won("q", 2), clock.now());
  expect(returned()).toEqual([id(1), id(2)]);
  await turn();
  expect(isOver).toBe(false);
  for (const { answer } of asked) answer();
  await drained;
  expect(clock.next).toBeNull();
});

test("a gateway that stops waits no longer than it may", async () => {
  undelivered.giveBack(won("p", 1));
  const drained = undelivered.drain(2_000);
  pass(2_000);
  await drained;
  expect(undelivered.size).toBe(1);
  await new Undelivered({ router, signals: { send: () => {} }, clock, log: SILENT, gateway: "g1" }).drain(2_000);
});
