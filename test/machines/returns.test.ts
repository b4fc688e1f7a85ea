/** Giving an award back: what it costs, whom, and how often; exact boundaries. */
import { describe, expect, test } from "vitest";
import { account } from "../../machines/account/index.ts";
import { FREE_ROUND } from "../../machines/eligibility.ts";
import { task as entity } from "../../machines/task/index.ts";
import { taskRow } from "../../machines/task/row.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind, tell } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const FREE_MS = 10_000;
type Command = Parameters<typeof entity.decide>[1];
type GiveBack = Extract<Command, { readonly type: "giveBack" }>;

const opened = (changes: object = {}) =>
  new Life(entity, TASK).through([
    [{ type: "open", task: TASK, requester: REQUESTER, marks: [], order: order(changes), createdAt: AT }, AT],
  ]);
const taken = (worker = WORKER, changes: object = {}): Command => ({
  ...{ type: "standingBid", bid: id(50), worker, credits: credits(12), standing: STANDING, asked: true },
  ...changes,
});
const awarded = (changes: object = {}, bid: object = {}) => opened(changes).through([[taken(WORKER, bid), AT]]);
const giveBack = (changes: Partial<GiveBack> = {}): Command => ({ type: "giveBack", worker: WORKER, reason: null, ...changes });
const answered = (granted: boolean | null, worker = WORKER): Command => ({
  type: "returnAnswered",
  worker,
  reason: null,
  granted,
});
const bad: Command = {
  ...{ type: "submit", submission: id(60), worker: WORKER, result: {} },
  verdict: { code: "RULE_VIOLATION", errors: [] },
};

describe("an award that is given back", () => {
  test("in its first 10 s is asked about at the worker's account; from then on it counts as a failure at once", () => {
    const life = awarded();
    const early = life.fork().do(giveBack(), AT + 1, AT + FREE_MS - 1);
    expect([early.types, early.decision.reply]).toEqual(["AwardReturned+Reopened", { id: TASK, how: "FREE" }]);
    expect(early.decision.ask).toMatchObject({
      to: { kind: "account", id: WORKER },
      command: { type: "mayReturn", task: TASK, reason: null },
    });
    const late = life.do(giveBack({ reason: "too long" }), AT + FREE_MS, AT + FREE_MS);
    expect(late.types).toBe("AwardReturned+Reopened");
    expect(late.facts[0]).toMatchObject({ worker: WORKER, how: "LATE", reason: "too long" });
    expect(late.decision.reply).toEqual({ id: TASK, how: "LATE" });
    expect(late.effects).toEqual(
      expect.arrayContaining([
        forget("execution"),
        tell("account", WORKER, {
          type: "fail",
          task: TASK,
          taskType: "json_extraction",
          outcome: "FAILED_VALIDATION",
          requesterIdentity: REQUESTER,
        }),
        remind("routing", AT + FREE_MS + 3_000),
      ]),
    );
  });

  test("is free if its account says so, and a failure if it has been too often; the answer says which", () => {
    const free = awarded().do(answered(true), AT + 5);
    expect(free.types).toBe("AwardReturned+Reopened");
    expect(free.decision.reply).toEqual({ id: TASK, how: "FREE" });
    expect(free.effects).toContainEqual(tell("account", WORKER, { type: "freed", task: TASK, bid: id(50) }));
    expect(free.effects.some((effect) => effect.type === "tell" && effect.command.type === "fail")).toBe(false);
    const often = awarded().do(answered(false), AT + 5);
    expect(often.decision.reply).toEqual({ id: TASK, how: "TOO_MANY" });
    expect(often.effects).toContainEqual(
      tell("account", WORKER, {
        type: "fail",
        task: TASK,
        taskType: "json_extraction",
        outcome: "FAILED_VALIDATION",
        requesterIdentity: REQUESTER,
      }),
    );
  });

  test("stays where it is if the account does not answer; its yes comes by a message, and the same request again says so", () => {
    const life = awarded();
    expect(life.refuses(answered(null), AT + 5)).toMatchObject({ refused: "UNAVAILABLE", reason: { why: "OUTCOME_UNKNOWN" } });
    const told: Command = { type: "returnGranted", worker: WORKER, reason: "no" };
    expect(life.do(told, AT + 6).facts[0]).toMatchObject({ type: "AwardReturned", how: "FREE", reason: "no" });
    expect(life.do(told, AT + 7).types).toBe("");
    for (const again of [giveBack(), answered(true), answered(false), answered(null)]) {
      const step = life.do(again, AT + 60_000);
      expect(step.types).toBe("");
      expect(step.decision.reply).toEqual({ id: TASK, how: "FREE" });
    }
  });

  test("says what its request asked for to the same request alone, also when the account's yes came before its answer", () => {
    const request = { id: id(70), outcome: id(71) };
    const said = (life: ReturnType<typeof awarded>, command: Command) => life.fork().do(command, AT + 60_000).decision.reply;
    const late = awarded().do(giveBack({ request }), AT + FREE_MS, AT + FREE_MS);
    expect(late.facts[0]).toMatchObject({ type: "AwardReturned", request });
    expect(late.decision.reply).toEqual({ id: TASK, how: "LATE", outcome: id(71) });

    const life = awarded();
    expect(life.fork().do(giveBack({ request }), AT, AT).decision.ask).toMatchObject({ command: { type: "mayReturn", request } });
    life.do({ type: "returnGranted", worker: WORKER, reason: null, request }, AT + 6);
    // The same key with another body: the reply names what was done, which is something else.
    const otherBody = { ...request, outcome: id(72) };
    for (const again of [request, otherBody]) {
      expect(said(life, giveBack({ request: again }))).toEqual({ id: TASK, how: "FREE", outcome: id(71) });
    }
    for (const other of [giveBack(), giveBack({ request: { id: id(73), outcome: id(74) } })]) {
      expect(said(life, other)).toEqual({ id: TASK, how: "FREE" });
    }
  });

  test("goes to others and not to its worker, who may not bid, take it late, start it or submit", () => {
    const life = awarded({ autoRetry: 0 });
    life.do(answered(true), AT + 5);
    expect(life.state.value).toBe("ROUTING");
    const bid = (worker: typeof WORKER): Command => ({
      ...{ type: "bid", bid: id(51), worker, credits: credits(9), standing: STANDING, online: null },
    });
    expect(life.tries(bid(WORKER), AT + 6)).toBe("FAILED_THIS_TASK");
    expect(life.tries(taken(), AT + 6)).toBe("StandingBidDropped");
    expect(life.tries({ type: "start", worker: WORKER }, AT + 6)).toBe("NOT_AWARDED_TO_YOU");
    expect(life.tries(bid(OTHER), AT + 6)).toBe("BidPlaced");
    expect(taskRow(life.state)).toMatchObject({
      status: "ROUTING",
      worker: null,
      closedTo: [FREE_ROUND, WORKER],
      errorCode: "RELEASED",
    });
  });

  test("cannot be after a submission, by anybody else, or when its time is over", () => {
    const life = awarded({ maxSeconds: 5 });
    expect(life.tries(giveBack({ worker: OTHER }), AT)).toBe("NOT_AWARDED_TO_YOU");
    expect(life.tries(giveBack(), AT, AT + 5_000)).toBe("TIMEOUT");
    expect(life.fork().do(giveBack(), AT, AT + 4_999).decision.ask).toBeDefined();
    life.do({ type: "start", worker: WORKER }, AT);
    expect(life.fork().do(giveBack(), AT, AT + 4_999).decision.ask).toBeDefined();
    life.do(bad, AT + 1);
    expect(life.tries(giveBack(), AT + 2)).toBe("ALREADY_SUBMITTED");
    // Its account said yes while the submission was on its way: the submission came first.
    expect(life.tries({ type: "returnGranted", worker: WORKER, reason: null }, AT + 2)).toBe("");
    expect(life.tries(answered(true), AT + 2)).toBe("ALREADY_SUBMITTED");
  });

  test("costs the task no retry the first three times, and one from the fourth on; without one it ends", () => {
    const life = opened({ autoRetry: 1 });
    const rounds: unknown[] = [];
    for (let n = 0; n < 5; n += 1) {
      const worker = person(10 + n);
      life.do(taken(worker, { bid: id(70 + n) }), AT + n);
      rounds.push(life.do(giveBack({ worker }), AT + n + 20_000, AT + n + 20_000).types);
    }
    expect(rounds).toEqual([...Array(4).fill("AwardReturned+Reopened"), "AwardReturned+Expired"]);
    expect(life.state.context).toMatchObject({ autoRetriesLeft: 0, freeRounds: 3 });
    expect(life.state.value).toBe("EXPIRED");
  });

  test("of a honeypot shows nothing of its worker's skill if it is free, and fails it if not", () => {
    const effects = (command: Command) => awarded({ known: { name: "Ada" }, tellAfter: 3 }).do(command, AT + 5).effects;
    expect(JSON.stringify(effects(answered(true)))).not.toContain("honeypot");
    const failed = { type: "fail", task: TASK, taskType: order().taskType, requesterIdentity: REQUESTER } as const;
    expect(effects(answered(false))).toContainEqual(
      tell("account", WORKER, { ...failed, outcome: "FAILED_VALIDATION", honeypot: { passed: false, due: AT + 8 } }),
    );
  });
});

describe("what the platform gives back, because its answer did not arrive", () => {
  const pull = { id: "p1", most: 3 };
  const back = (undelivered = "p1") => giveBack({ undelivered });

  test("counts for nobody, at any time, and its worker may have the task again, but not after the second time", () => {
    const life = awarded({}, { pull });
    const first = life.do(back(), AT + 60_000, AT + 60_000);
    expect(first.types).toBe("AwardReturned+Reopened");
    expect(first.decision.reply).toEqual({ id: TASK, how: "UNDELIVERED" });
    expect(first.effects).toContainEqual(tell("account", WORKER, { type: "freed", task: TASK, bid: id(50) }));
    expect(taskRow(life.state)).toMatchObject({ closedTo: [FREE_ROUND], autoRetriesLeft: 1 });
    life.do(taken(WORKER, { bid: id(51), pull }), AT + 60_001);
    expect(life.state.value).toBe("AWARDED");
    life.do(back(), AT + 60_002);
    expect(life.tries(taken(WORKER, { bid: id(52), pull }), AT + 60_003)).toBe("StandingBidDropped");
    expect(taskRow(life.state)).toMatchObject({ closedTo: [FREE_ROUND, FREE_ROUND, WORKER] });
  });

  test("is only what this pull won, and what has not been started", () => {
    const life = awarded({}, { pull });
    expect(life.tries(back("p2"), AT)).toBe("ALREADY_STARTED");
    expect(awarded().tries(back(), AT)).toBe("ALREADY_STARTED");
    life.do({ type: "start", worker: WORKER }, AT);
    expect(life.tries(back(), AT)).toBe("ALREADY_STARTED");
  });

  test("costs the task no retry however often, and after ten times each worker has it once", () => {
    const life = opened({ autoRetry: 0 });
    const closed = () => taskRow(life.state)?.closedTo.filter((worker) => worker !== FREE_ROUND) ?? [];
    for (let n = 0; n <= 10; n += 1) {
      expect(closed()).toEqual([]);
      const worker = person(10 + n);
      life.do(taken(worker, { bid: id(70 + n), pull }), AT + n);
      life.do(giveBack({ worker, undelivered: "p1" }), AT + n);
      expect(life.state.value).toBe("ROUTING");
    }
    expect(closed()).toEqual(Array.from({ length: 11 }, (_, n) => person(10 + n)));
    expect(life.state.context).toMatchObject({ autoRetriesLeft: 0, freeRounds: 11 });
  });
});

describe("a worker's account", () => {
  const me = () =>
    new Life(account, WORKER).through([
      [
        { type: "register", account: WORKER, email: "a@b.example", source: null, keyHash: "k", grant: credits(50), marks: [] },
        AT,
      ],
    ]);
  const task = (n: number) => taskId(id(1_000 + n));
  const ask = (n: number) => ({ type: "mayReturn", task: task(n), reason: "r" }) as const;
  const earn = (n: number): Parameters<typeof account.decide>[1] => ({
    ...{ type: "earn", task: task(n), taskType: "t", requester: REQUESTER, requesterIdentity: REQUESTER },
    ...{ payout: credits(1), firstTry: true, durationMs: 1, allowedMs: 1 },
  });

  test("lets the first award go for free, tells its task so, and says yes to that one again and to no other", () => {
    const life = me();
    const yes = life.do(ask(1), AT);
    expect(yes.facts).toEqual([{ type: "ReturnGranted", task: task(1), at: AT }]);
    expect(yes.decision.reply).toEqual({ granted: true });
    expect(yes.decision.carry).toEqual([tell("task", task(1), { type: "returnGranted", worker: WORKER, reason: "r" })]);
    const again = life.do(ask(1), AT + 1);
    expect([again.types, again.decision.reply]).toEqual(["", { granted: true }]);
    const no = life.do(ask(2), AT + 1);
    expect([no.types, no.decision.reply]).toEqual(["", { granted: false }]);
  });

  test("allows one more for each tenth award, this one included", () => {
    const life = me();
    life.do(ask(1), AT);
    for (let n = 2; n <= 9; n += 1) life.do(earn(n), AT);
    // 9 have ended; this one is the 10th.
    expect(life.fork().do(ask(10), AT).decision.reply).toEqual({ granted: true });
    const one = me();
    one.do(ask(1), AT);
    for (let n = 2; n <= 8; n += 1) one.do(earn(n), AT);
    expect(one.do(ask(10), AT).decision.reply).toEqual({ granted: false });
  });

  test("counts awards that failed or timed out as well, and forgets a return a hundred awards later", () => {
    const life = me();
    life.do(ask(0), AT);
    for (let n = 1; n <= 98; n += 1) {
      const outcome = n % 2 === 0 ? "FAILED_VALIDATION" : "TIMED_OUT";
      life.do({ type: "fail", task: task(n), taskType: "t", outcome }, AT);
    }
    // 99 have ended: 11 may be free of the latest 100, and one has been.
    for (let n = 200; n < 210; n += 1) expect(life.do(ask(n), AT).decision.reply).toEqual({ granted: true });
    // 109 have ended, this is the 110th: the very first one no longer counts, the other ten do.
    expect(life.state.context.returns).toHaveLength(10);
    expect(life.do(ask(300), AT).decision.reply).toEqual({ granted: true });
    expect(life.do(ask(301), AT).decision.reply).toEqual({ granted: false });
  });
});
