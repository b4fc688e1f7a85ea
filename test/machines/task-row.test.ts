/** The row of a task through its life: what lists and pages show, when it has changed, and when it may leave memory. */
import { describe, expect, test } from "vitest";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
type Command = Parameters<typeof entity.decide>[1];

const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
const open = (changes: object = {}): Command => ({
  ...{ type: "open", task: TASK, requester: REQUESTER, marks: ["mail:a"], offers: [], createdAt: AT },
  order: order({ quality: "cheapest", autoRetry: 2, ...changes }),
});
const bid = (worker = WORKER, amount = 12): Command => ({
  ...{ type: "bid", bid: id(50), worker, credits: credits(amount), standing, online: null },
});
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const submit = (good: boolean): Command => ({
  ...{ type: "submit", submission: id(60), worker: WORKER, result: { name: "Ada" } },
  verdict: good ? { code: null, errors: [] } : { code: "RULE_VIOLATION", errors: [] },
});
const start: Command = { type: "start", worker: WORKER };
const settled: Command = { type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) };
const cancel: Command = { type: "cancel", requester: REQUESTER };
/** One command a millisecond. */
const lived = (commands: readonly Command[], changes: object = {}) =>
  new Life(entity, TASK).through([open(changes), ...commands].map((command, n) => [command, AT + n]));
const row = (commands: readonly Command[]) => entity.row(TASK, lived(commands).state);

const AWARD = [bid(), timer("routing")];
const DONE = [...AWARD, submit(true)];

test("there is none before a task is opened", () => {
  expect(entity.row(TASK, entity.initial(TASK))).toBeUndefined();
});

test.each<[string, readonly Command[], object]>([
  ["opened", [], { status: "ROUTING", worker: null, awardedPrice: null, result: null, retriesLeft: 2, expiresAt: AT + 3_000 }],
  ["bid on", [bid()], { status: "ROUTING", closedTo: [WORKER], worker: null, expiresAt: AT + 3_000 }],
  ["in the pool", [timer("routing")], { status: "PENDING_POOL", expiresAt: AT + 1 + 3_600_000 }],
  ["awarded", AWARD, { status: "AWARDED", worker: WORKER, awardedPrice: 12, closedTo: [WORKER], expiresAt: AT + 2 + 120_000 }],
  ["started", [...AWARD, start], { status: "EXECUTING", expiresAt: AT + 2 + 120_000 }],
  ["wrong once", [...AWARD, submit(false)], { status: "REJECTED", retriesLeft: 1, errorCode: "RULE_VIOLATION", result: null }],
  ["wrong twice", [...AWARD, submit(false), submit(false)], { status: "REJECTED", retriesLeft: 0, errorCode: "RULE_VIOLATION" }],
  ["right", DONE, { status: "COMPLETED", retriesLeft: 1, errorCode: null, result: { name: "Ada" }, expiresAt: null }],
  ["right at last", [...AWARD, submit(false), submit(true)], { status: "COMPLETED", retriesLeft: 0, errorCode: null }],
  ["settled", [...DONE, settled], { status: "SETTLED", worker: WORKER, awardedPrice: 12, closedTo: [], expiresAt: null }],
  ["cancelled", [bid(OTHER), cancel], { status: "CANCELLED", worker: null, closedTo: [], expiresAt: null, result: null }],
  [
    "late and open again",
    [...AWARD, timer("execution")],
    {
      ...{ status: "ROUTING", worker: null, awardedPrice: null, closedTo: [WORKER], errorCode: "TIMEOUT" },
      ...{ retriesLeft: 2, autoRetriesLeft: 1, expiresAt: AT + 3 + 3_000 },
    },
  ],
])("a task that is %s: what it shows, and that it changed then", (_about, commands, shown) => {
  const marks = row(commands)?.status === "SETTLED" || row(commands)?.status === "CANCELLED" ? [] : ["mail:a"];
  expect(row(commands)).toMatchObject({ ...shown, marks, requester: REQUESTER, createdAt: AT, updatedAt: AT + commands.length });
});

describe("a task leaves memory", () => {
  const delivered = { id: id(70), ms: 1, result: "delivered", status: 200 } as const;
  const attempted: Command = { type: "webhook.attempted", attempt: 1, outcome: delivered };
  const finished = (commands: readonly Command[], callbackUrl: string | null) =>
    entity.finished(lived(commands, { callbackUrl }).state);

  test.each<[string, readonly Command[], string | null, boolean]>([
    ["while it takes bids", [], null, false],
    ["while somebody works on it", AWARD, null, false],
    ["before its money is divided", DONE, null, false],
    ["at its end, if nobody is to be told", [...DONE, settled], null, true],
    ["at its end, before its webhook is sent", [...DONE, settled], "https://example.com/hook", false],
    ["at its end, once its webhook is sent", [...DONE, settled, attempted], "https://example.com/hook", true],
    ["once it is cancelled", [cancel], null, true],
  ])("%s: %s", (_when, commands, callbackUrl, leaves) => {
    expect(finished(commands, callbackUrl)).toBe(leaves);
  });

  test("if nobody has opened it", () => {
    expect(entity.finished(entity.initial(TASK))).toBe(true);
  });
});
