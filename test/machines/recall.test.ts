/** Who asks again gets the answer of the first time: what is made of the facts is what the decision answered, whatever that was. */
import { describe, expect, test } from "vitest";
import { account } from "../../machines/account/index.ts";
import { FORMATS } from "../../machines/formats.ts";
import { readReply } from "../../machines/incoming.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const AT = 1_000_000;
const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];

describe("of a task", () => {
  type Command = Parameters<typeof task.decide>[1];
  const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
  const bid = (worker = WORKER, n = 50, online: readonly (typeof WORKER)[] | null = null): Command => ({
    ...{ type: "bid", bid: id(n), worker, credits: credits(5 + n), standing, online },
  });
  const open: Command = {
    ...{ type: "open", task: TASK, requester: REQUESTER, marks: [], offers: [], createdAt: AT },
    order: order({ budget: credits(100), quality: "cheapest", callbackUrl: "https://example.com/hook", maxExtension: 9 }),
  };
  const timer = (name: string): Command => ({ type: "timer", name, due: AT });
  const submit = (n: number, good: boolean): Command => ({
    ...{ type: "submit", submission: id(n), worker: WORKER, result: { n } },
    verdict: good
      ? { code: null, errors: [] }
      : {
          code: "RULE_VIOLATION",
          errors: [
            { field: "name", message: "is wrong" },
            { field: "b", message: "too" },
          ],
        },
  });
  const settled: Command = { type: "settled", payout: credits(55), fee: credits(2), refund: credits(43) };
  const awarded = [open, bid(), timer("routing")];
  const done = [...awarded, submit(60, true), settled];

  const giveBack: Command = { type: "giveBack", worker: WORKER, reason: null };
  const REQUEST = { id: id(80), outcome: id(81) };

  test.each<[string, readonly Command[], Command]>([
    ["a bid that waits", [open], bid()],
    ["a bid that wins at once", [open], bid(WORKER, 50, [])],
    ["a bid that ends the window and loses", [open, bid(OTHER, 40)], bid(WORKER, 50, [WORKER, OTHER])],
    ["a bid from the pool", [open, timer("routing")], bid()],
    ["a start", awarded, { type: "start", worker: WORKER }],
    ["a right result", awarded, submit(60, true)],
    ["a wrong result", awarded, submit(61, false)],
    ["the last but one wrong result", [...awarded, submit(61, false)], submit(62, false)],
    ["the last wrong result", [...awarded, submit(61, false), submit(62, false)], submit(63, false)],
    ["a cancellation", [open], { type: "cancel", requester: REQUESTER }],
    ["an operator's end", [open], { type: "expire", reason: "r" }],
    ["a rating", done, { type: "rate", requester: REQUESTER, stars: 4 }],
    ["a pass", [open], { type: "pass", worker: WORKER, standing }],
    ["a bid that is taken back", [open, bid()], { type: "withdrawBid", worker: WORKER }],
    ["an award that is given back for free", awarded, giveBack],
    ["one that is given back late, by a request that may come again", awarded, { ...giveBack, request: REQUEST }],
    ["one that is so too often", awarded, { type: "returnAnswered", worker: WORKER, reason: null, granted: false }],
    ["an award that is extended", awarded, { type: "extend", worker: WORKER, seconds: 7 }],
    ["one that is so by such a request", awarded, { type: "extend", worker: WORKER, seconds: 7, request: REQUEST }],
    ["a webhook that is asked for again", done, { type: "webhook.resend", requester: REQUESTER }],
    ["its opening", [], open],
  ])("%s", (_about, before, command) => {
    const life = new Life(task, TASK).through(before.map((one) => [one, AT]));
    const { facts, decision } = life.do(command, AT + 1);
    expect(task.recall(command, facts, life.state)).toEqual(decision.reply);
    // Later, and after the state has been stored.
    const stored = task.restore(TASK, JSON.parse(JSON.stringify(task.persist(life.state, FORMATS.task))));
    expect(task.recall(command, JSON.parse(JSON.stringify(facts)), stored)).toEqual(decision.reply);
    expect(readReply("task", command.type, decision.reply)).toEqual(decision.reply);
  });

  test("a bid says whether it has won: at once, or not yet, or not at all", () => {
    const said = (before: readonly Command[], command: Command) =>
      JSON.stringify(new Life(task, TASK).through(before.map((one) => [one, AT])).do(command, AT).decision.reply);
    expect(said([open], bid(WORKER, 50, []))).toContain("AWARDED");
    expect(said([open], bid())).toContain("PENDING");
    expect(said([open, bid(OTHER, 40)], bid(WORKER, 50, [WORKER, OTHER]))).toContain("PENDING");
    expect(said([open, bid(OTHER, 60)], bid(WORKER, 50, [WORKER, OTHER]))).toContain("AWARDED");
  });
});

describe("of an account", () => {
  type Command = Parameters<typeof account.decide>[1];
  const register: Command = {
    ...{ type: "register", account: REQUESTER, email: "a@b.example", source: null, keyHash: "old" },
    ...{ grant: credits(50), marks: [] },
  };
  const capability = { id: id(70), taskType: "x", description: "", tags: [], price: null, concurrency: 1, available: true };
  const adjust: Command = { type: "adjust", adjustment: id(8), amount: credits(-80), reason: "r" };

  test.each<[string, readonly Command[], Command]>([
    ["a registration", [], register],
    ["a rotation", [register], { type: "rotateKey", presented: "old", keyHash: "new" }],
    ["a right code", [register, { type: "requestRecovery", codeHash: "c" }], { type: "recover", codeHash: "c", keyHash: "new" }],
    ["a wrong code", [register, { type: "requestRecovery", codeHash: "c" }], { type: "recover", codeHash: "d", keyHash: "new" }],
    ["a top-up", [register], { type: "topUp", topup: id(7), amount: credits(5) }],
    ["a correction", [register], adjust],
    ["a repayment", [register, adjust], { type: "repay", repayment: id(9), amount: credits(5) }],
    ["a hold", [register], { type: "hold", task: TASK, order: order(), fresh: true }],
    ["a return that is free", [register], { type: "mayReturn", task: TASK, reason: null }],
    ["a first capability", [register], { type: "registerCapability", capability }],
    [
      "a second one for the same type",
      [register, { type: "registerCapability", capability }],
      { type: "registerCapability", capability: { ...capability, id: id(71) } },
    ],
    [
      "being away",
      [register, { type: "registerCapability", capability }],
      { type: "setAvailability", capability: id(70), available: false },
    ],
  ])("%s", (_about, before, command) => {
    const life = new Life(account, REQUESTER).through(before.map((one) => [one, AT]));
    const { facts, decision } = life.do(command, AT + 1);
    life.do({ type: "topUp", topup: id(77), amount: credits(1) }, AT + 2);
    expect(account.recall(command, JSON.parse(JSON.stringify(facts)), life.state)).toEqual(decision.reply);
    expect(readReply("account", command.type, decision.reply)).toEqual(decision.reply);
  });
});
