/** What an account may do, by what happened to it: cooling down, frozen, in debt; each beside the others. */
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account as entity } from "../../machines/account/index.ts";
import { creditRecord } from "../../machines/account/state.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const ME = person(1);
const TASK = taskId(id(99));
const AT = 1_000_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
type Command = Parameters<typeof entity.decide>[1];

const register: Command = {
  type: "register",
  account: ME,
  email: "a@b.example",
  source: null,
  keyHash: "old",
  grant: credits(50),
};
const fail = (n: number): Command => ({ type: "fail", task: taskId(id(200 + n)), taskType: "x", outcome: "TIMED_OUT" });
const earn = (n: number): Command => ({
  ...{ type: "earn", task: taskId(id(300 + n)), taskType: "x", requester: person(2), requesterIdentity: "mail:r" },
  ...{ payout: credits(1), firstTry: true, durationMs: 1, allowedMs: 2 },
});
const freeze: Command = { type: "freeze", reason: "abuse" };
const unfreeze: Command = { type: "unfreeze", reason: "sorry" };
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const hold: Command = { type: "hold", task: TASK, order: order(), fresh: true };
const start: Command = {
  ...{ type: "startBatch", batch: id(50), request: id(8), template: order(), atOnce: 1, perMinute: 0, fresh: true },
  items: [{ task: TASK, inputData: "a" }],
};
const adjust = (amount: number): Command => ({ type: "adjust", adjustment: id(9), amount: credits(amount), reason: "r" });
const me = (...commands: readonly Command[]) => new Life(entity, ME).through([register, ...commands].map((one) => [one, AT]));
const COOLING = [fail(1), fail(2), fail(3)];
const row = (life: ReturnType<typeof me>) => entity.row(ME, life.state);

describe("an account that cools down", () => {
  test("posts tasks and batches as before", () => {
    expect(me(...COOLING).do(hold, AT + 5).types).toBe("Held");
    expect(me(...COOLING).do(start, AT + 5).types).toBe("BatchStarted");
  });

  test("cools down for longer when it fails on, and is timed for that", () => {
    const life = me(...Array.from({ length: 9 }, (_, n) => earn(n)), ...COOLING, fail(4), fail(5));
    expect(life.do(fail(6), AT + 9).effects).toContainEqual(remind("cooldown", AT + 9 + HOUR_MS));
    expect(row(life)).toMatchObject({ status: "COOLING", cooldownUntil: AT + 9 + HOUR_MS });
  });

  test("may be frozen meanwhile: the time runs on, and what is left of it is left after that", () => {
    const life = me(...COOLING, freeze);
    expect(
      life
        .fork()
        .through([[unfreeze, AT]])
        .state.hasTag("cooling"),
    ).toBe(true);
    const over = life.do(timer("cooldown"), AT + HOUR_MS);
    expect([over.types, over.effects]).toEqual(["CooldownEnded", [forget("cooldown")]]);
    expect(row(life)).toMatchObject({ status: "FROZEN", cooldownUntil: null });
    life.do(unfreeze, AT + HOUR_MS);
    expect(row(life)?.status).toBe("ACTIVE");
  });

  test("may fail on while it is frozen, and cools down after that", () => {
    const life = me(fail(1), fail(2), freeze);
    expect(life.do(fail(3), AT + 4).effects).toContainEqual(remind("cooldown", AT + 4 + HOUR_MS));
    expect(row(life)).toMatchObject({ status: "FROZEN", cooldownUntil: AT + 4 + HOUR_MS });
  });
});

test.each<[string, readonly Command[], Command, string]>([
  ["frozen", [], freeze, "FROZEN"],
  ["frozen while it cools down", COOLING, freeze, "FROZEN"],
  ["released", [freeze], unfreeze, "ACTIVE"],
  ["released while it cools down", [...COOLING, freeze], unfreeze, "COOLING"],
  ["to cool down", [fail(1), fail(2)], fail(3), "COOLING"],
  ["suspended", [adjust(-60)], timer("debt"), "SUSPENDED"],
])("the row says when an account was %s", (_what, before, command, status) => {
  const life = me(...before);
  const at = AT + 7 * DAY_MS;
  life.do(command, at);
  const shown = command.type === "fail" ? "COOLING" : status;
  expect(row(life)).toMatchObject({ status: shown, updatedAt: at });
});

test("there is no row of an account that is not registered, and it does not stay in memory", () => {
  expect([entity.row(ME, entity.initial(ME)), entity.finished(entity.initial(ME))]).toEqual([undefined, true]);
  expect(entity.finished(me().state)).toBe(false);
});

test("a code that was sent is good until it is used: a rotated key does not use it up", () => {
  const life = me({ type: "requestRecovery", codeHash: "c" }, { type: "rotateKey", presented: "old", keyHash: "new" });
  const recover: Command = { type: "recover", codeHash: "c", keyHash: "newer" };
  expect(life.do(recover, AT).types).toBe("KeyRecovered");
  expect(life.tries(recover, AT)).toBe("RECOVERY_FAILED");
});

test("a payment says who the customer is: once, and again only if it is another one", () => {
  const news: Command = { type: "payment", payment: "pi", news: { type: "paid", amount: 30 }, customer: "cus_1" };
  const life = me(news);
  expect(life.tries(news, AT)).toBe("");
  expect(life.tries({ ...news, customer: null }, AT)).toBe("");
  expect(life.tries({ ...news, customer: "cus_2" }, AT)).toBe("PaymentChanged");
  expect(row(life)?.customer).toBe("cus_1");
});

test.each([
  [3, 1, 2],
  [1, 3, 0],
  [0, 0, 0],
])("of %i honeypots passed and %i failed, %i count for the rating", (honeypotsPassed, honeypotsFailed, honeypots) => {
  const { tally } = me().state.context;
  expect(creditRecord({ tally: { ...tally, honeypotsPassed, honeypotsFailed }, counterparties: [] }).honeypots).toBe(honeypots);
});

describe("an item of a batch", () => {
  const item = (changes: object = {}): Command => ({
    ...{ type: "holdItem", task: TASK, order: order({ batch: { id: id(50), item: 0 } }) },
    ask: { perMinute: 0, want: 0, called: false, ...changes },
  });

  test("is opened at once: the command that it came with is known to nobody else", () => {
    const { decision } = me().do(item(), AT);
    expect(decision).toMatchObject({ afterDelivery: false, carry: [{ command: { type: "open", task: TASK }, fresh: true }] });
  });

  test("that is held already is refused, and the others wait on for their turn", () => {
    expect(me(hold).do(item(), AT).facts).toMatchObject([{ type: "ItemHoldRefused", item: 0, code: "HOLD_EXISTS" }]);
    expect(me(hold).do(item({ want: 3 }), AT).facts).toMatchObject([
      { type: "ItemHoldRefused", item: 0, code: "HOLD_EXISTS" },
      { type: "BatchWaits", batch: id(50), item: null, want: 3, reason: null },
    ]);
  });

  test("waits, and no timer but that of the turns calls it", () => {
    const life = me(adjust(-40), item());
    expect(life.tries(timer("turns"), AT)).toBe("BatchesCalled");
    for (const other of ["cooldown", "debt", "other"]) expect(life.tries(timer(other), AT)).toBe("TIMER_STALE");
  });

  test("leaves the queue with its batch, which runs no more, and no other does", () => {
    const waits = (batch: string): AccountFact => ({
      ...{
        type: "BatchWaits",
        batch,
        item: null,
        want: 1,
        budget: credits(90),
        perMinute: 0,
        reason: "credits",
        until: null,
        at: AT,
      },
    });
    const runs = (batch: string): AccountFact => ({ type: "BatchStarted", batch, request: batch, at: AT });
    const ended: AccountFact = { type: "BatchEnded", batch: id(50), at: AT };
    const facts = [runs(id(50)), runs(id(51)), waits(id(50)), waits(id(51)), ended];
    const { context } = facts.reduce((before, fact) => entity.evolve(before, fact).state, me().state);
    expect([context.waiting.map(({ batch }) => batch), context.batches]).toEqual([[id(51)], [id(51)]]);
  });
});
