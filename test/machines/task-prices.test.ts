/** Workers whose price stands, from the task's side: who is asked next, what is noted of their bids, and who is told that it is over. */
import { describe, expect, test } from "vitest";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER, THIRD] = [person(1), person(2), person(3), person(4)];
const AT = 1_000_000;
type Command = Parameters<typeof entity.decide>[1];

const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: ["mail:b"] } as const;
const open = (quality: "balanced" | "cheapest"): Command => ({
  ...{ type: "open", task: TASK, requester: REQUESTER, marks: [], order: order({ quality, autoRetry: 2 }), createdAt: AT },
  offers: [WORKER, OTHER, THIRD].map((worker, n) => ({ worker, bid: id(80 + n) })),
});
const price = (worker = WORKER): Command => ({
  ...{ type: "standingBid", bid: id(80), worker, credits: credits(9), standing },
});
const bid: Command = {
  type: "bid",
  bid: id(50),
  worker: OTHER,
  credits: credits(12),
  standing: { ...standing, marks: [] },
  online: null,
};
const declined = (worker: typeof WORKER): Command => ({ type: "declined", worker, reason: { why: "NO_SLOT", slots: 2 } });
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const submit = (good: boolean): Command => ({
  ...{ type: "submit", submission: id(60), worker: OTHER, result: {} },
  verdict: good ? { code: null, errors: [] } : { code: "RULE_VIOLATION", errors: [] },
});
const lived = (...commands: readonly Command[]) => new Life(entity, TASK).through(commands.map((command) => [command, AT]));
const asked = (effects: readonly object[]) =>
  effects.flatMap((effect) => ("to" in effect ? [(effect as { to: { id: string } }).to.id] : []));

test("each that declines has the next one asked, to the last; the reason is noted", () => {
  const life = lived(open("balanced"));
  const first = life.do(declined(WORKER), AT);
  expect(first.facts).toEqual([{ type: "OfferDeclined", worker: WORKER, reason: { why: "NO_SLOT", slots: 2 }, at: AT }]);
  expect([first, life.do(declined(OTHER), AT), life.do(declined(THIRD), AT)].map(({ effects }) => asked(effects))).toEqual([
    [OTHER],
    [THIRD],
    [],
  ]);
  const { reason: _reason, ...unsaid } = declined(WORKER) as Extract<Command, { type: "declined" }>;
  expect(lived(open("balanced")).do(unsaid, AT).facts).toStrictEqual([{ type: "OfferDeclined", worker: WORKER, at: AT }]);
});

test("a bid at a posted price is noted as one, by whom, and known by its worker's identity", () => {
  const placed = { id: id(80), worker: WORKER, credits: 9, quality: 0.5, identity: "mail:b", standing: true };
  expect(lived(open("cheapest")).do(price(), AT).facts).toEqual([{ type: "BidPlaced", bid: placed, at: AT }]);
});

test("it is taken at once by balanced, and from the pool by all", () => {
  expect(lived(open("balanced")).tries(price(), AT)).toBe("BidPlaced+Awarded");
  expect(lived(open("cheapest")).tries(price(), AT)).toBe("BidPlaced");
  expect(lived(open("cheapest"), timer("routing")).tries(price(), AT)).toBe("BidPlaced+Awarded");
});

describe("a bid at a posted price that cannot be taken gives its slot back", () => {
  const AWARD = [open("cheapest"), bid, timer("routing")];
  const fail = [submit(false), submit(false), submit(false)];
  test.each<[string, readonly Command[], Command]>([
    ["while bids are taken, from who has bid by hand", [open("cheapest"), bid], price(OTHER)],
    ["in the pool, from who failed it", [...AWARD, timer("execution"), timer("routing")], price(OTHER)],
    ["once it is awarded", AWARD, price()],
    ["while it is worked on", [...AWARD, { type: "start", worker: OTHER }], price()],
    ["after a wrong result", [...AWARD, submit(false)], price()],
    ["in the round after wrong results, from who gave them", [...AWARD, ...fail], price(OTHER)],
    ["after the right one", [...AWARD, submit(true)], price()],
    ["once it has ended", [open("cheapest"), { type: "cancel", requester: REQUESTER }], price()],
  ])("%s", (_when, before, command) => {
    const life = lived(...before);
    const { facts, effects } = life.do(command, AT + 5);
    const worker = command.type === "standingBid" ? command.worker : WORKER;
    expect(facts).toEqual([{ type: "StandingBidDropped", worker, bid: id(80), at: AT + 5 }]);
    expect(effects).toEqual([tell("account", worker, { type: "freed", task: TASK, bid: id(80) })]);
    expect(entity.row(TASK, life.state)?.updatedAt).toBe(AT + 5);
  });
});

test("a submission is decided with its verdict, and no other command has one", () => {
  const verdict = { code: null, errors: [] } as const;
  const { verdict: _verdict, ...submission } = submit(true) as Extract<Command, { type: "submit" }>;
  expect(entity.answered(submission, verdict)).toEqual({ ...submission, verdict });
  expect(entity.answered(bid, verdict)).toEqual(bid);
});

test("facts that were stored in between are taken as well: a task that has failed or timed out still frees slots", () => {
  const dropped: TaskFact = { type: "StandingBidDropped", worker: WORKER, at: AT };
  for (const end of [
    [{ type: "AwardTimedOut", at: AT }],
    [
      { type: "ResultRejected", submission: id(60), code: "RULE_VIOLATION", errors: [], left: 0, at: AT },
      { type: "AwardFailed", code: "RULE_VIOLATION", at: AT },
    ],
  ] as const satisfies readonly (readonly TaskFact[])[]) {
    const awarded = lived(open("cheapest"), bid, timer("routing")).state;
    const state = (end as readonly TaskFact[]).reduce((before, fact) => entity.evolve(before, fact).state, awarded);
    expect(entity.evolve(state, dropped).effects).toEqual([tell("account", WORKER, { type: "freed", task: TASK })]);
  }
});
