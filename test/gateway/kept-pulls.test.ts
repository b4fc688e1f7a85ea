/** A pull with a key at two gateways, in odd orders: what a client has got is not taken back, and what none has got is, once. */
import { beforeEach, expect, test } from "vitest";
import type { Router } from "../../actors/router.ts";
import { ASK_MS, REPEAT_MS, Undelivered } from "../../gateway/live/undelivered.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { ManualClock } from "../support/clock.ts";
import { got, ids, idsOf, inDatabase, NOTHING, PullWorld } from "../support/pulling.ts";
import { SILENT } from "../support/world.ts";

const LOOK_AGAIN_MS = 8_000;
const PAUSE_MS = 250;

let clock: ManualClock;
let returned: string[];
let hear: ((signal: Signal) => void)[];
let first: PullWorld;
let second: PullWorld;

const router: Pick<Router, "ask"> = {
  ask: async (to) => {
    returned.push(to.id);
    for (const world of [first, second]) world.won = world.won.filter(({ task }) => task.row.id !== to.id);
    return { ok: false, refusal: { refused: "NOT_AWARDED_TO_YOU", detail: "" } };
  },
};

function gatewayOf(gateway: string): PullWorld {
  const send = (signal: Signal) => {
    for (const one of hear) one(signal);
  };
  const undelivered = new Undelivered({ router, signals: { send }, clock, log: SILENT, gateway });
  hear.push((signal) => {
    if (signal.type === "undelivered") undelivered.hearUndelivered(signal);
    if (signal.type === "kept") undelivered.hearKept(signal);
  });
  return new PullWorld({ clock, undelivered, gateway });
}

beforeEach(() => {
  clock = new ManualClock();
  [returned, hear] = [[], []];
  [first, second] = [gatewayOf("g1"), gatewayOf("g2")];
});

const keyed = { again: true };
/** What the pull has won, as both gateways read it. */
const wins = (...numbers: readonly number[]) => {
  for (const world of [first, second]) world.won = numbers.map((n) => inDatabase(n));
};

/** The pull is answered with nothing at the first gateway, which does not know what it has won. */
async function unsure(): Promise<void> {
  const pull = first.ask({ ...keyed, waitMs: 0 });
  await first.pass(0);
  await first.answers(undefined);
  expect(idsOf(pull.answer)).toEqual([]);
}

test.each([
  ["delivered", true],
  ["lost", false],
])("what the first gateway finds late, and the second one's matcher has told it of, was %s there", async (_, isWhole) => {
  await unsure();
  const again = second.ask(keyed);
  await second.pass(1_000);
  await second.answers(got(1));
  wins(1);
  expect(idsOf(again.answer)).toEqual(ids(1));
  again.client[isWhole ? "answered" : "left"]();
  await first.pass(LOOK_AGAIN_MS + REPEAT_MS);
  expect(returned).toEqual(isWhole ? [] : ids(1));
  expect(clock.next).toBeNull();
});

test("what the first gateway finds late while the pull waits at the second one is that one's answer", async () => {
  await unsure();
  const again = second.ask({ ...keyed, waitMs: 20_000 });
  await second.pass(LOOK_AGAIN_MS - 1);
  wins(1);
  await second.pass(1);
  expect(second.queues.left).toHaveLength(1);
  await second.answers(NOTHING);
  expect(idsOf(again.answer)).toEqual(ids(1));
  again.client.answered();
  await first.pass(10 * LOOK_AGAIN_MS);
  expect([returned, clock.next]).toEqual([[], null]);
});

test("what the first gateway finds late while the pull waits at the second one, whose client then goes, is given back", async () => {
  await unsure();
  const again = second.ask({ ...keyed, waitMs: 20_000 });
  await second.pass(LOOK_AGAIN_MS - 1);
  wins(1);
  await second.pass(1);
  again.client.left();
  await second.answers(NOTHING);
  await first.pass(LOOK_AGAIN_MS + REPEAT_MS + ASK_MS);
  expect([returned, clock.next]).toEqual([ids(1), null]);
});

test.each([0, REPEAT_MS - ASK_MS, REPEAT_MS - 1])(
  "asked again elsewhere %i ms after the drop, the task stays, however late the drop or the repeat's word comes",
  async (ms) => {
    const pull = first.ask(keyed);
    await first.pass(0);
    await first.answers(got(1));
    wins(1);
    pull.client.left();
    await first.pass(ms);
    const again = second.ask(keyed);
    await second.pass(0);
    expect(idsOf(again.answer)).toEqual(ids(1));
    again.client.answered();
    await first.pass(10 * REPEAT_MS);
    expect([returned, clock.next]).toEqual([[], null]);
  },
);

test("asked again before the first connection is known to be dead, at both gateways, the task stays with whoever has it", async () => {
  const pull = first.ask(keyed);
  await first.pass(0);
  await first.answers(got(1));
  wins(1);
  const [here, there] = [first.ask(keyed), second.ask(keyed)];
  await first.pass(0);
  there.client.answered();
  await first.pass(1_000);
  here.client.left();
  await first.pass(1_000);
  pull.client.left();
  await first.pass(10 * REPEAT_MS);
  expect([returned, clock.next]).toEqual([[], null]);
});

test("delivered, and then asked for twice more by a client that goes each time, at both gateways, the task stays", async () => {
  const pull = first.ask(keyed);
  await first.pass(0);
  await first.answers(got(1));
  wins(1);
  pull.client.answered();
  for (const world of [second, first]) {
    await world.pass(10_000);
    const again = world.ask(keyed);
    await world.pass(0);
    again.client.left();
    await world.pass(10_000);
  }
  expect([returned, clock.next]).toEqual([[], null]);
});

test("lost at both gateways, one after the other, it is given back once", async () => {
  const pull = first.ask(keyed);
  await first.pass(0);
  await first.answers(got(1));
  wins(1);
  pull.client.left();
  await first.pass(REPEAT_MS - 1_000);
  const again = second.ask(keyed);
  await second.pass(0);
  again.client.left();
  await first.pass(REPEAT_MS - 1);
  expect(returned).toEqual([]);
  await first.pass(10 * REPEAT_MS);
  expect([returned, clock.next]).toEqual([ids(1), null]);
});

test("a gateway that closes asks before it gives back what it finds, and a delivery elsewhere stays", async () => {
  await unsure();
  const again = second.ask(keyed);
  await second.pass(PAUSE_MS);
  await second.answers(got(1));
  again.client.answered();
  wins(1, 2);
  await first.pulls.close();
  await first.pass(ASK_MS);
  expect([returned, clock.next]).toEqual([ids(2), null]);
});
