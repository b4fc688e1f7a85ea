/** At whose fault a task has ended: whose penalties are taken back, and what counts in its requester's score. */
import { describe, expect, test } from "vitest";
import { scoreOf } from "../../machines/market/requester-score.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

type Command = Parameters<typeof entity.decide>[1];
type Task = Life<Parameters<typeof entity.decide>[0], Command, ReturnType<typeof entity.upcast>>;

const TASK = taskId(id(99));
const REQUESTER = person(1);
const AT = 1_000_000;
const LATE = AT + 120_000;

/** One award of a task that nobody solves: who had it, what its account says of it, and how it ended. */
interface Try {
  readonly worker: number;
  readonly proven?: boolean;
  readonly identity?: string;
  readonly ends: "wrong" | "silent" | "late after a wrong result" | "late return" | "free return";
}

const bad = (n: number, worker: number): Command => ({
  ...{ type: "submit", submission: id(n), worker: person(worker), result: {} },
  verdict: { code: "RULE_VIOLATION", errors: [] },
});

function award(life: Task, { worker, proven = false, identity }: Try, at: number): void {
  const marks = identity === undefined ? [] : [identity];
  const standing = { ...STANDING, marks, ...(proven ? ({ proven: true } as const) : {}) };
  const yes = { bid: id(200 + worker), worker: person(worker), credits: credits(12), standing, asked: true };
  life.do({ type: "standingBid", ...yes }, at);
}

function end(life: Task, { worker, ends }: Try, at: number) {
  const wrong = () => life.do(bad(300 + worker, worker), at);
  switch (ends) {
    case "wrong":
      wrong();
      wrong();
      return wrong();
    case "late after a wrong result":
      wrong();
      return life.do({ type: "timer", name: "execution", due: at }, at + 120_000);
    case "silent":
      return life.do({ type: "timer", name: "execution", due: at }, at + 120_000);
    case "late return":
      return life.do({ type: "giveBack", worker: person(worker), reason: null }, at + 10_000, at + 10_000);
    case "free return":
      return life.do({ type: "returnAnswered", worker: person(worker), reason: null, granted: true }, at);
  }
}

/** A task after these tries, one for each of its rounds; the step is that of the last. */
function tried(tries: readonly Try[], changes: Partial<TaskSpec> = {}) {
  const free = tries.filter(({ ends }) => ends === "free return" || ends === "late return").length;
  const spec = order({ autoRetry: tries.length - 1 - free, ...changes });
  const open: Command = { type: "open", task: TASK, requester: REQUESTER, marks: [], order: spec, createdAt: AT };
  const life: Task = new Life(entity, TASK);
  let step = life.do(open, AT);
  for (const [n, one] of tries.entries()) {
    award(life, one, AT + n * 200_000);
    step = end(life, one, AT + n * 200_000);
  }
  return { life, step };
}

const excusedBy = (step: { readonly effects: readonly object[] }) =>
  step.effects.flatMap((effect) =>
    "command" in effect && "to" in effect && (effect.command as Command | { type: "excuse" }).type === "excuse" ? [effect] : [],
  );

const A: Try = { worker: 2, proven: true, ends: "wrong" };
const B: Try = { worker: 3, proven: true, ends: "wrong" };

describe("a task that expires", () => {
  test("after wrong results of two proven workers takes back the penalties of all its awards, once each, with the reason", () => {
    const silent: Try = { worker: 4, ends: "silent" };
    const returned: Try = { worker: 5, ends: "late return" };
    const { step } = tried([silent, A, returned, B]);
    const told = (worker: number, outcome: string) => ({
      type: "tell",
      to: { kind: "account", id: person(worker) },
      command: {
        type: "excuse",
        task: TASK,
        taskType: "json_extraction",
        outcome,
        reason: "UNSOLVED",
        requesterIdentity: REQUESTER,
      },
    });
    expect(step.facts.at(-1)).toMatchObject({ type: "Expired", excused: [{ worker: person(4) }, {}, {}, {}] });
    expect(excusedBy(step)).toEqual([
      told(4, "TIMED_OUT"),
      told(2, "FAILED_VALIDATION"),
      told(5, "FAILED_VALIDATION"),
      told(3, "FAILED_VALIDATION"),
    ]);
  });

  test.each<[string, readonly Try[]]>([
    ["one proven worker has tried", [A, { worker: 3, ends: "wrong" }]],
    [
      "the two proven workers are of one identity",
      [
        { ...A, identity: "git:x" },
        { ...B, identity: "git:x" },
      ],
    ],
    ["one of them said nothing", [A, { ...B, ends: "silent" }]],
    ["one of them gave it back before a result", [{ ...B, ends: "late return" }, A]],
    [
      "nobody was proven",
      [
        { ...A, proven: false },
        { ...B, proven: false },
      ],
    ],
  ])("takes nothing back where %s", (_, tries) => {
    const { step } = tried(tries);
    expect(step.facts.at(-1)).toEqual({ type: "Expired", at: expect.any(Number) });
    expect(excusedBy(step)).toEqual([]);
  });

  test("takes it back after one wrong result of each, though their time ran out then", () => {
    const { step } = tried([A, { ...B, ends: "late after a wrong result" }]);
    expect(excusedBy(step)).toMatchObject([{ command: { outcome: "FAILED_VALIDATION" } }, { command: { outcome: "TIMED_OUT" } }]);
  });

  test("takes nothing back of what cost nothing", () => {
    const { step } = tried([{ worker: 4, ends: "free return" }, A, B]);
    expect(excusedBy(step).map((effect) => ("to" in effect ? effect.to : null))).toEqual([
      { kind: "account", id: person(2) },
      { kind: "account", id: person(3) },
    ]);
  });

  test("takes back a honeypot as one", () => {
    const { step } = tried([A, B], { known: { name: "Ada" } });
    expect(excusedBy(step)).toMatchObject([{ command: { honeypot: true } }, { command: { honeypot: true } }]);
  });

  test.each<[string, Command, number]>([
    ["from the pool", { type: "timer", name: "pool", due: LATE }, AT + 9_000_000],
    ["by an operator", { type: "expire", reason: "by request" }, AT + 8_000_000],
    ["because its requester cancels it, which is no way out", { type: "cancel", requester: REQUESTER }, AT + 8_000_000],
    ["because its batch is cancelled", { type: "withdraw" }, AT + 8_000_000],
  ])("takes it back %s, too", (_, command, at) => {
    const { life } = tried([A, B], { autoRetry: 2 });
    life.do({ type: "timer", name: "routing", due: AT }, AT + 7_000_000);
    const step = life.do(command, at);
    expect(excusedBy(step)).toHaveLength(2);
    expect(step.effects).toContainEqual(expect.objectContaining({ command: expect.objectContaining({ awarded: true }) }));
  });
});

test("a task that is settled in the end leaves the failures before it as they are", () => {
  const { life } = tried([A, B], { autoRetry: 2 });
  award(life, { worker: 6, ends: "wrong" }, AT + 7_000_000);
  const good: Command = {
    type: "submit",
    submission: id(400),
    worker: person(6),
    result: {},
    verdict: { code: null, errors: [] },
  };
  const step = life.do(good, AT + 7_000_001);
  const settled = life.do({ type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) }, AT + 7_000_002);
  expect([...excusedBy(step), ...excusedBy(settled)]).toEqual([]);
});

describe("judging that is killed at its deadline", () => {
  const KILLED = { because: "slow", unjudged: "too slow", killed: true } as const;
  const submit = (n: number, verdict: object, worker = 2) =>
    ({ type: "submit", submission: id(n), worker: person(worker), result: {}, verdict }) as Command;
  const awarded = (changes: Partial<TaskSpec> = {}) => {
    const { life } = tried([], { autoRetry: 1, ...changes });
    award(life, A, AT);
    return life;
  };

  test("is remembered the first time, and ends the task the second, at no cost for the worker and with a mark for the requester", () => {
    const life = awarded();
    const first = life.do(submit(70, KILLED), AT + 1);
    expect(first.types).toBe("ExecutionStarted+JudgingKilled");
    expect(first.decision.reply).toEqual({ submission: id(70), unjudged: "too slow", ends: false });
    const second = life.do(submit(71, KILLED), AT + 2);
    expect(second.facts).toEqual([
      { type: "JudgingKilled", submission: id(71), why: "too slow", at: AT + 2 },
      { type: "Expired", code: "VALIDATION_TOO_EXPENSIVE", at: AT + 2 },
    ]);
    expect(second.decision.reply).toMatchObject({ ends: true });
    const tells = second.effects.flatMap((effect) => (effect.type === "tell" ? [effect.command] : []));
    expect(tells).toEqual([
      { type: "release", task: TASK, budget: 20, awarded: true },
      { type: "freed", task: TASK },
    ]);
    expect(entity.row(TASK, life.state)).toMatchObject({ status: "EXPIRED", errorCode: "VALIDATION_TOO_EXPENSIVE" });
  });

  test("of two workers ends it as well, and the first has its penalty taken back", () => {
    const life = awarded();
    life.do(submit(70, KILLED), AT + 1);
    life.do({ type: "timer", name: "execution", due: LATE }, LATE);
    award(life, { ...B, proven: false }, LATE + 1);
    const step = life.do(submit(71, KILLED, 3), LATE + 2);
    expect(excusedBy(step)).toMatchObject([
      { to: { id: person(2) }, command: { outcome: "TIMED_OUT", reason: "TOO_EXPENSIVE" } },
    ]);
  });

  test("is no wrong result: the worker may correct it, and has all its tries", () => {
    const life = awarded();
    life.do(submit(70, KILLED), AT + 1);
    expect(life.do(bad(71, 2), AT + 2).decision.reply).toMatchObject({ status: "REJECTED", left: 2 });
    expect(life.do(submit(72, { code: null, errors: [] }), AT + 3).types).toBe("ResultAccepted");
  });

  test.each([
    [{ because: "busy", unjudged: "later" }, "OVERLOADED"],
    [{ because: "slow", unjudged: "it broke" }, "VALIDATION_TOO_EXPENSIVE"],
    [{ because: "schema", unjudged: "too much" }, "VALIDATION_TOO_EXPENSIVE"],
  ])("is what %j is not: that leaves no trace", (verdict, code) => {
    const life = awarded();
    for (const n of [70, 71, 72]) expect(life.tries(submit(n, verdict), AT + 1)).toBe(code);
  });

  test("is refused as before while not every member of a cluster reads the fact", () => {
    const { state } = awarded();
    const decide = (format: number) => entity.decide(state, submit(70, KILLED), AT + 1, AT + 1, undefined, format);
    expect(decide(4)).toMatchObject({ refused: "VALIDATION_TOO_EXPENSIVE" });
    expect(decide(5)).toMatchObject({ facts: [{}, { type: "JudgingKilled" }] });
  });
});

describe("a requester's score", () => {
  const released = (tries: readonly Try[], command?: Command) => {
    const { life, step } = tried(tries, command === undefined ? {} : { autoRetry: tries.length });
    const last = command === undefined ? step : life.do(command, AT + 8_000_000);
    return last.effects.flatMap((effect) =>
      effect.type === "tell" && effect.command.type === "release" ? [effect.command] : [],
    );
  };
  const silent: Try = { worker: 4, ends: "silent" };
  const cancel: Command = { type: "cancel", requester: REQUESTER };
  const expire: Command = { type: "expire", reason: "by request" };

  test("counts a task whose award has failed, whether it expires or is cancelled then", () => {
    expect(released([silent])).toMatchObject([{ awarded: true }]);
    expect(released([silent], cancel)).toMatchObject([{ awarded: true }]);
  });

  test("counts no task that was never awarded, or given back for nothing", () => {
    for (const command of [cancel, expire]) {
      expect(released([], command)).toEqual([{ type: "release", task: TASK, budget: 20 }]);
      expect(released([{ worker: 4, ends: "free return" }], command)).toEqual([{ type: "release", task: TASK, budget: 20 }]);
    }
  });

  test.each([
    [0, 0, 0.9],
    [1, 0, 0.91],
    [0, 1, 0.82],
    [0, 5, 0.6],
    [190, 0, 1],
    [189, 0, 0.99],
    [0, 999_999, 0],
  ])("of %i settled and %i unfulfilled is %d", (settled, unfulfilled, score) => {
    expect(scoreOf({ settled, unfulfilled })).toBe(score);
  });
});
