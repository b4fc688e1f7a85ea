/** What ended awards lead to, and what is left of that when a penalty is taken back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LATEST_MAX } from "../../machines/account/conduct.ts";
import { account as entity } from "../../machines/account/index.ts";
import { statusOf } from "../../machines/account/machine.ts";
import { qualificationOf } from "../../machines/account/row.ts";
import { pointsOf } from "../../machines/market/reputation.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, person } from "../support/world.ts";

type Command = Parameters<typeof entity.decide>[1];
type Me = Life<Parameters<typeof entity.decide>[0], Command, ReturnType<typeof entity.upcast>>;

const ME = person(1);
const AT = 1_000_000;
const HOUR = 3_600_000;
const [CUSTOMER, OTHER] = ["mail:c", "mail:o"];

function me(): Me {
  const who = { account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(0), marks: ["mail:me"] };
  return new Life(entity, ME).through([[{ type: "register", ...who }, AT]]);
}

const task = (n: number) => taskId(id(5_000 + n));
const fail = (n: number, by = OTHER, outcome: "TIMED_OUT" | "FAILED_VALIDATION" = "TIMED_OUT"): Command => ({
  ...{ type: "fail", task: task(n), taskType: "x", outcome, requesterIdentity: by },
});
const earn = (n: number, by = CUSTOMER): Command => ({
  ...{ type: "earn", task: task(n), taskType: "x", requester: person(9), requesterIdentity: by },
  ...{ payout: credits(5), firstTry: true, durationMs: 1, allowedMs: 2 },
});
const excuse = (n: number, outcome: "TIMED_OUT" | "FAILED_VALIDATION" = "TIMED_OUT"): Command => ({
  ...{ type: "excuse", task: task(n), taskType: "x", outcome, reason: "UNSOLVED", requesterIdentity: OTHER },
});
const inRow = (life: Me) => life.state.context.failuresInRow;

describe("failures in a row", () => {
  test("are not bought off from an accomplice: two time-outs and a deal, again and again, lead to the cooldown", () => {
    const life = me();
    life.through([
      [fail(1), AT],
      [fail(2), AT],
      [earn(3), AT],
    ]);
    expect(inRow(life)).toBe(0);
    life.through([
      [fail(4), AT],
      [fail(5), AT],
      [earn(6), AT],
    ]);
    expect(inRow(life)).toBe(2);
    expect(life.do(fail(7), AT).types).toBe("Failed+CooldownStarted");
  });

  test("are not cleared by a deal with oneself, not even once", () => {
    const life = me().through([
      [fail(1), AT],
      [fail(2), AT],
      [earn(3, "mail:me"), AT],
      [earn(4, ME), AT],
    ]);
    expect(inRow(life)).toBe(2);
    expect(life.state.context.paidByOthers).toBe(0);
  });

  test("of a worker of one customer are cleared by every delivery to it", () => {
    const life = me();
    for (let n = 0; n < 20; n += 1) {
      for (const step of [fail(10 * n, CUSTOMER), fail(10 * n + 1, CUSTOMER), earn(10 * n + 2)]) life.do(step, AT);
      expect(inRow(life)).toBe(0);
    }
    expect(statusOf(life.state)).toBe("FROZEN");
  });

  test("of a worker of many customers are cleared by each of them, and by the same one again after ten others", () => {
    const life = me();
    const clears = (n: number, by: string) => {
      life.do(fail(10 * n), AT).types;
      life.do(earn(10 * n + 1, by), AT);
      return inRow(life) === 0;
    };
    for (let n = 0; n < 10; n += 1) expect(clears(n, `mail:${n}`)).toBe(true);
    expect(clears(10, "mail:0")).toBe(false);
    life.do(earn(999, "mail:10"), AT);
    expect(clears(11, "mail:0")).toBe(true);
  });
});

describe("a penalty that is taken back", () => {
  test("leaves no point, no count and no record, and comes once, however often it is told", () => {
    const life = me().through([[earn(1), AT]]);
    const before = life.state.context;
    life.do(fail(2, OTHER, "FAILED_VALIDATION"), AT + 1);
    const step = life.do(excuse(2, "FAILED_VALIDATION"), AT + 2);
    expect(step.facts).toEqual([
      {
        type: "Excused",
        task: task(2),
        taskType: "x",
        outcome: "FAILED_VALIDATION",
        reason: "UNSOLVED",
        counterparty: OTHER,
        at: AT + 2,
      },
    ]);
    const { reputation, failuresInRow, tally, records, conduct } = life.state.context;
    expect({ reputation, failuresInRow, tally, records, conduct }).toEqual({
      ...{ reputation: before.reputation, failuresInRow: 0, tally: before.tally },
      ...{ records: before.records, conduct: before.conduct },
    });
    expect(life.do(excuse(2, "FAILED_VALIDATION"), AT + 3).facts).toEqual([]);
  });

  test("takes the failure at its requester out of the evidence of skill, and no other", () => {
    const latest = (life: Me) => life.state.context.records["x"]?.latest;
    const steps = [fail(1, CUSTOMER), earn(2), fail(3, OTHER), earn(4)] as const;
    const life = me().through(steps.map((step) => [step, AT] as const));
    life.do(excuse(3), AT);
    expect(latest(life)).toBe(latest(me().through([steps[0], steps[1], steps[3]].map((step) => [step, AT] as const))));
    life.do({ ...excuse(1), requesterIdentity: CUSTOMER } as Command, AT);
    expect(latest(life)).toBe(latest(me().through([steps[1], steps[3]].map((step) => [step, AT] as const))));
  });

  test("takes a honeypot with it that was counted as failed", () => {
    const life = me().through([
      [fail(1), AT],
      [{ type: "honeypot", task: task(1), passed: false }, AT],
      [{ ...excuse(1), honeypot: true } as Command, AT],
    ]);
    expect(life.state.context.tally).toMatchObject({ timedOut: 0, honeypotsFailed: 0 });
  });

  test("of a honeypot that is not counted yet keeps it from being counted, and puts its timer off to the next one", () => {
    const failing = (n: number, due: number) => ({ ...fail(n), honeypot: { passed: false, due } }) as Command;
    const life = me().through([
      [failing(1, AT + 50), AT],
      [failing(2, AT + 90), AT],
    ]);
    const step = life.do({ ...excuse(1), honeypot: true } as Command, AT + 1);
    expect(step.effects).toContainEqual({ type: "remind", name: "honeypots", at: AT + 90 });
    expect(life.do({ ...excuse(2), honeypot: true } as Command, AT + 2).effects).toContainEqual({
      type: "forget",
      name: "honeypots",
    });
    expect(life.state.context).toMatchObject({ untold: [], tally: { honeypotsFailed: 0, honeypotsLately: [] } });
  });

  test("ends the cooldown that it led to, and counts the others on", () => {
    const life = me().through([
      [fail(1), AT],
      [fail(2), AT],
      [fail(3), AT + 5],
    ]);
    expect(statusOf(life.state)).toBe("COOLING");
    expect(life.do(excuse(2), AT + 6).types).toBe("Excused+CooldownEnded");
    expect([statusOf(life.state), inRow(life)]).toEqual(["ACTIVE", 2]);
    expect(life.do(fail(4), AT + 7).types).toBe("Failed+CooldownStarted");
  });

  test("makes no cooldown longer, and starts none", () => {
    const life = me();
    for (let n = 1; n <= 4; n += 1) life.do(fail(n, OTHER, "FAILED_VALIDATION"), AT + n * 10);
    expect(life.do(excuse(1, "FAILED_VALIDATION"), AT + 50).types).toBe("Excused");
    expect(life.state.context.cooldownUntil).toBe(AT + 30 + HOUR);
    life.do({ type: "timer", name: "cooldown", due: AT }, AT + 30 + HOUR);
    expect(life.do(excuse(2, "FAILED_VALIDATION"), AT + 31 + HOUR).types).toBe("Excused");
    expect(statusOf(life.state)).toBe("ACTIVE");
  });

  test("shortens a later cooldown to what the others led to", () => {
    const life = me();
    for (let n = 1; n <= 3; n += 1) life.do(fail(n), AT + n);
    for (let n = 4; n <= 6; n += 1) life.do(fail(n), AT + 100 + n);
    expect(life.state.context.cooldownUntil).toBe(AT + 106 + HOUR);
    expect(life.do(excuse(6), AT + 200).facts[1]).toEqual({ type: "CooldownStarted", until: AT + 3 + HOUR, at: AT + 200 });
  });

  test.each([
    [4, "FROZEN", -12],
    [3, "ACTIVE", -9],
  ])("of an account at four time-outs: with %i of them it is %s", (failed, status, reputation) => {
    const life = me();
    for (let n = 1; n <= 4; n += 1) life.do(fail(n), AT + n * 2 * HOUR);
    life.do({ type: "timer", name: "cooldown", due: AT }, AT + 9 * HOUR);
    expect(statusOf(life.state)).toBe("FROZEN");
    for (let n = failed + 1; n <= 4; n += 1) expect(life.do(excuse(n), AT + 10 * HOUR).types).toBe("Excused+Unfrozen");
    expect([statusOf(life.state), life.state.context.reputation]).toEqual([status, reputation]);
  });

  test("does not lift what an operator has decided", () => {
    const life = me().through([[{ type: "freeze", reason: "fraud" }, AT]]);
    for (let n = 1; n <= 4; n += 1) life.do(fail(n), AT + n);
    for (let n = 1; n <= 4; n += 1) life.do(excuse(n), AT + 10 + n);
    expect([statusOf(life.state), life.state.context.reputation]).toEqual(["FROZEN", 0]);
  });

  test("does not freeze again what an operator has unfrozen", () => {
    const life = me();
    for (let n = 1; n <= 4; n += 1) life.do(fail(n), AT + n);
    life.do({ type: "unfreeze", reason: "a second chance" }, AT + 5);
    expect(life.do(excuse(1), AT + 6).types).not.toContain("Frozen");
    life.do(fail(5), AT + 7);
    expect(statusOf(life.state)).toBe("FROZEN");
  });

  test("of an award that is no longer kept still gives back its points", () => {
    const life = me().through([[fail(1), AT]]);
    for (let n = 0; n <= LATEST_MAX; n += 1) life.do(earn(100 + n), AT + n);
    expect(life.do(excuse(1), AT + 99).types).toBe("Excused");
    expect(life.state.context.reputation).toBe(LATEST_MAX + 1);
    expect(life.state.context.conduct.latest).toHaveLength(LATEST_MAX);
  });

  test("leaves the conduct of a life without those awards, whatever the life", () => {
    const step = fc.record({
      outcome: fc.constantFrom("DELIVERED" as const, "TIMED_OUT" as const, "FAILED_VALIDATION" as const),
      by: fc.constantFrom(CUSTOMER, OTHER, "mail:me"),
      isExcused: fc.boolean(),
    });
    const commandOf = ({ outcome, by }: { outcome: Parameters<typeof pointsOf>[0]; by: string }, n: number) =>
      outcome === "DELIVERED" ? earn(n, by) : fail(n, by, outcome);
    const lives = fc.array(step, { maxLength: LATEST_MAX });
    fc.assert(
      fc.property(lives, (steps) => {
        const life = me();
        for (const [n, one] of steps.entries()) life.do(commandOf(one, n), AT + n);
        const excused = steps.flatMap(({ outcome, isExcused }, n) =>
          isExcused && outcome !== "DELIVERED" ? [{ n, outcome }] : [],
        );
        for (const { n, outcome } of excused) life.do(excuse(n, outcome), AT + 1_000);
        const left = steps.filter(({ outcome, isExcused }) => outcome === "DELIVERED" || !isExcused);
        const { reputation, tally, records, conduct } = life.state.context;
        expect(reputation).toBe(left.reduce((sum, { outcome }) => sum + pointsOf(outcome), 0));
        expect(tally.failed + tally.timedOut + tally.earned).toBe(left.length);
        expect(records["x"]?.finished ?? 0).toBe(left.length);
        expect(conduct.latest).toHaveLength(left.length);
        // Frozen exactly if what is left freezes.
        let points = 0;
        const freezes = left.some(({ outcome }) => {
          points += pointsOf(outcome);
          return outcome !== "DELIVERED" && points < -10;
        });
        expect(conduct.now.frozen).toBe(freezes);
        expect(life.state.hasTag("frozen")).toBe(freezes);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a worker whose failures say something about a task", () => {
  const proven = (life: Me) => qualificationOf(life.state, "x").proven;
  const link: Command = { type: "linkGitHub", github: { id: "1", login: "a", score: 5, token: "t" } };
  const paid = (type: "paid" | "refunded"): Command => ({
    ...{ type: "payment", payment: "p", customer: "c" },
    news: type === "paid" ? { type, amount: 100 } : { type, total: 100 },
  });
  const paidTimes = (count: number, by: (n: number) => string, ...more: Command[]) => {
    const life = me();
    for (let n = 0; n < count; n += 1) life.do(earn(n, by(n)), AT);
    return life.through(more.map((command) => [command, AT] as const));
  };

  test("is verified, and others have paid it ten times: not nine", () => {
    expect(proven(paidTimes(10, () => OTHER, link))).toBe(true);
    expect(proven(paidTimes(9, () => OTHER, link))).toBeUndefined();
  });

  test("is not who has an address alone", () => {
    expect(proven(paidTimes(10, () => OTHER))).toBeUndefined();
  });

  test("is verified by a purchase, as long as it is not given back", () => {
    expect(proven(paidTimes(10, () => OTHER, paid("paid")))).toBe(true);
    expect(proven(paidTimes(10, () => OTHER, paid("paid"), paid("refunded")))).toBeUndefined();
  });

  test("is not who was paid by itself", () => {
    expect(proven(paidTimes(10, (n) => (n === 0 ? "mail:me" : OTHER), link))).toBeUndefined();
  });
});

describe("a snapshot", () => {
  const again = (life: Me, format: number) => entity.restore(ME, JSON.parse(JSON.stringify(entity.persist(life.state, format))));
  const life = () =>
    me().through([
      [earn(1), AT],
      [fail(2), AT],
      [fail(3), AT],
    ]);

  test("of format 6 has the whole conduct", () => {
    expect(again(life(), 6).context).toEqual(life().state.context);
  });

  test.each([1, 2, 5])("of format %i has what code of before knows, and what that tells is gone on with", (format) => {
    expect(JSON.stringify(entity.persist(life().state, format))).not.toMatch(/"clearing"|"paidByOthers"|"unfulfilled"|"excused"/);
    const restored = again(life(), format);
    expect(restored.context).toMatchObject({ failuresInRow: 2, paidByOthers: 1, unfulfilled: 0 });
    const next: Me = new Life(entity, ME);
    next.state = restored;
    expect(next.do(fail(4), AT + 1).types).toBe("Failed+CooldownStarted");
    expect(next.do(excuse(2), AT + 2).types).toBe("Excused");
  });
});
