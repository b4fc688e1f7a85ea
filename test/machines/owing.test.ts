/** What an account owes, and since when, whatever moves its credits; D1 to D4 are those of machines/market/debt.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account as entity } from "../../machines/account/index.ts";
import { FORMATS } from "../../machines/formats.ts";
import { DEBT_DAY_MS, owedIn } from "../../machines/market/debt.ts";
import { suspensionAt } from "../../machines/market/rating.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

type Command = CommandOf<"account">;
const ME = person(1);
const DAY = DEBT_DAY_MS;
const AT = 20_000 * DAY;
const TASK = (n: number) => taskId(id(500 + n));

/** Silver, with nothing: all that it holds is drawn. */
function silver() {
  const who = { account: ME, email: "a@b.example", source: null, keyHash: "h", grant: credits(0) };
  const life = new Life(entity, ME);
  life.do({ type: "register", ...who, marks: [] }, AT);
  for (let n = 0; n < 10; n += 1) life.do(earn(n, 0), AT);
  return life;
}
const done = { taskType: "x", firstTry: true, durationMs: 1, allowedMs: 2 } as const;
const earn = (n: number, payout: number): Command => ({
  ...{ type: "earn", task: taskId(id(100 + n)), ...done, requester: person(9), requesterIdentity: `mail:${n % 3}` },
  payout: credits(payout),
});
const hold = (n: number, budget: number): Command => ({
  ...{ type: "hold", task: TASK(n), order: order({ budget: credits(budget) }), fresh: true },
});
const release = (n: number, budget: number): Command => ({ type: "release", task: TASK(n), budget: credits(budget) });
const settle = (n: number, budget: number, refund: number): Command => ({
  ...{ type: "settle", task: TASK(n), ...done, worker: person(2), workerIdentity: "mail:w", budget: credits(budget) },
  ...{ payout: credits(budget - refund - 1), fee: credits(1), refund: credits(refund) },
});
const topUp = (amount: number): Command => ({ type: "topUp", topup: id(7), amount: credits(amount) });
const repay = (amount: number): Command => ({ type: "repay", repayment: id(8), amount: credits(amount) });
const timer: Command = { type: "timer", name: "debt", due: AT };
const debts = ({ state: { context } }: ReturnType<typeof silver>) =>
  context.owed.buckets.map(({ since, amount }) => [(since - AT) / DAY, amount]);

describe("a hold", () => {
  test("that is given back undoes its own draw, and no older debt becomes younger or is paid by it (D4)", () => {
    const life = silver().through([
      [hold(1, 100), AT],
      [hold(2, 100), AT + 3 * DAY],
      [release(2, 100), AT + 6 * DAY],
    ]);
    expect(debts(life)).toEqual([[0, 100]]);
    const other = silver().through([
      [hold(1, 100), AT],
      [hold(2, 100), AT + 3 * DAY],
    ]);
    expect(other.do(release(1, 100), AT + 6 * DAY).effects).toEqual([remind("debt", suspensionAt(AT + 3 * DAY))]);
    expect(debts(other)).toEqual([[3, 100]]);
  });

  test("that is settled for less gives back what it drew", () => {
    const life = silver().through([
      [topUp(90), AT],
      [hold(1, 100), AT],
      [hold(2, 100), AT + 2 * DAY],
      [settle(2, 100, 30), AT + 4 * DAY],
    ]);
    expect(debts(life)).toEqual([
      [0, 10],
      [2, 70],
    ]);
    // Of the first one 10 were drawn; what else comes back is its own money, and pays the oldest.
    life.do(settle(1, 100, 40), AT + 4 * DAY);
    expect(debts(life)).toEqual([[2, 40]]);
    expect(life.state.context.draws).toEqual({ 0: { 0: {} } });
  });

  test("and its draw are forgotten together, also where all was paid before", () => {
    const life = silver().through([
      [hold(1, 100), AT],
      [topUp(100), AT + DAY],
      [release(1, 100), AT + 2 * DAY],
    ]);
    expect([debts(life), life.state.context.available, life.state.context.draws]).toEqual([[], 100, { 0: { 0: {} } }]);
  });
});

describe("debt that is paid with borrowed credits", () => {
  test("keeps its date: 1,000 NC that go round and come back in a day are the debt that they were", () => {
    const life = silver().through([
      [hold(1, 1_000), AT],
      [settle(1, 1_000, 0), AT],
      // To a friend, who sends back what the fees leave.
      [hold(2, 1_000), AT + 6 * DAY],
      [settle(2, 1_000, 0), AT + 6 * DAY],
      [earn(20, 900), AT + 6 * DAY + 1_000],
    ]);
    expect(debts(life)).toEqual([
      [0, 1_000],
      [6, 100],
    ]);
    expect(life.do(timer, AT + 7 * DAY).types).toBe("Suspended");
  });

  test("keeps it the other way round, too: repaid first and drawn again within the day", () => {
    const life = silver().through([
      [hold(1, 1_000), AT],
      [repay(1_000), AT + 6 * DAY],
      [hold(2, 1_000), AT + 7 * DAY - 1],
    ]);
    expect(debts(life)).toEqual([[0, 1_000]]);
    expect(life.do(timer, AT + 7 * DAY).types).toBe("Suspended");
  });
});

describe("the timer", () => {
  test("is that of the oldest debt, and moves on when that is paid", () => {
    const life = silver();
    expect(life.do(hold(1, 100), AT).effects).toEqual([remind("debt", AT + 7 * DAY)]);
    expect(life.do(hold(2, 50), AT + 2 * DAY).effects).toEqual([]);
    expect(life.do(topUp(99), AT + 4 * DAY).effects).toEqual([]);
    expect(life.do(topUp(1), AT + 4 * DAY).effects).toEqual([remind("debt", AT + 9 * DAY)]);
    expect(life.tries(timer, AT + 9 * DAY - 1)).toBe("TIMER_STALE");
    const { types, effects } = life.do(timer, AT + 9 * DAY);
    expect([types, effects]).toEqual(["Suspended", [forget("debt")]]);
    expect(life.do(topUp(49), AT + 10 * DAY).effects).toEqual([]);
    expect(entity.row(ME, life.state)).toMatchObject({ status: "SUSPENDED", debtSince: AT + 2 * DAY });
    expect(life.do(topUp(1), AT + 10 * DAY).effects).toEqual([]);
    expect(entity.row(ME, life.state)).toMatchObject({ status: "ACTIVE", debtSince: null });
  });
});

const wish = fc.record({
  what: fc.constantFrom("hold", "release", "settle", "topUp", "earn", "repay", "adjust"),
  amount: fc.integer({ min: 1, max: 400 }),
  ms: fc.oneof(fc.integer({ min: 0, max: 3_600_000 }), fc.integer({ min: 0, max: 2 * DAY })),
});

test("whatever it does, its buckets are its debt, its timer is that of the oldest, and a snapshot changes nothing", () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 50 }), (wishes) => {
      const life = silver();
      let [at, n, due] = [AT, 0, null as number | null];
      const held: (readonly [number, number])[] = [];
      const facts: AccountFact[] = [];
      for (const { what, amount, ms } of wishes) {
        at += ms;
        n += 1;
        const [first, budget] = held[0] ?? [0, 0];
        const commands: { readonly [W in typeof what]: Command } = {
          hold: hold(n, amount + 1),
          release: release(first, budget),
          settle: settle(first, budget, Math.min(amount, budget - 2)),
          topUp: topUp(amount),
          earn: earn(n + 50, amount),
          repay: repay(amount),
          adjust: { type: "adjust", adjustment: id(n), amount: credits(-amount), reason: "r" },
        };
        if (life.tries(commands[what], at).includes("_")) continue;
        const step = life.do(commands[what], at);
        if (what === "hold") held.push([n, amount + 1]);
        if (what === "release" || what === "settle") held.shift();
        facts.push(...step.facts);
        for (const effect of step.effects) {
          if (effect.type === "remind") due = effect.at;
          if (effect.type === "forget") due = null;
        }
        const { context } = life.state;
        expect(owedIn(context.owed)).toBe(Math.max(0, -context.available));
        expect(context.debtSince).toBe(context.owed.buckets[0]?.since ?? null);
        expect([due, context.debtDue]).toEqual(
          Array(2).fill(context.debtSince === null ? null : suspensionAt(context.debtSince)),
        );
      }
      const again = entity.restore(ME, JSON.parse(JSON.stringify(entity.persist(life.state, FORMATS.account))));
      expect(again.context).toEqual(life.state.context);
      // All that was drawn by what is held now, and not more, is remembered.
      const drawing = Object.values(life.state.context.draws).flatMap((one) => Object.values(one).flatMap(Object.keys));
      expect(drawing.every((task) => held.some(([number]) => TASK(number) === task))).toBe(true);
    }),
  );
});

describe("what a version without buckets wrote", () => {
  const owing = () =>
    silver().through([
      [hold(1, 100), AT],
      [hold(2, 50), AT + 2 * DAY],
    ]);
  const stored = (life: ReturnType<typeof silver>) =>
    entity.persist(life.state, 4) as { readonly value: unknown; readonly context: Record<string, unknown> };

  test("is one bucket of the one date that it knows, with the timer of that date", () => {
    const { value, context } = stored(owing());
    const { owed: _owed, draws: _draws, debtDue: _due, terms: _terms, vouched: _vouched, ...before } = context;
    const { context: now } = entity.restore(ME, { value, context: before });
    expect(now).toMatchObject({ debtSince: AT, debtDue: AT + 7 * DAY, draws: {}, vouched: { total: 0, by: {} } });
    expect(now.owed).toEqual({ buckets: [{ since: AT, last: AT, amount: 150 }], repaid: [] });
    expect(entity.restore(ME, entity.persist(owing().state, 1)).context.owed.buckets.length).toBe(2);
  });

  test("in between is made good: less debt was paid, the oldest first, and more was drawn when it last wrote", () => {
    const { value, context } = stored(owing());
    const paid = entity.restore(ME, { value, context: { ...context, available: -30, updatedAt: AT + 4 * DAY } });
    expect(paid.context).toMatchObject({ debtSince: AT + 2 * DAY, owed: { buckets: [{ since: AT + 2 * DAY, amount: 30 }] } });
    const more = entity.restore(ME, { value, context: { ...context, available: -200, updatedAt: AT + 4 * DAY } });
    expect(more.context.owed.buckets.map(({ amount }) => amount)).toEqual([100, 50, 50]);
    // The next fact sets the timer that the oldest debt has by now.
    const life = owing();
    life.state = paid;
    expect(life.do(topUp(1), AT + 4 * DAY).effects).toEqual([remind("debt", AT + 9 * DAY)]);
  });
});
