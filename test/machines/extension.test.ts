/** More time for an award: as much as its requester allows, and exactly until then. */
import { describe, expect, test } from "vitest";
import { task as entity } from "../../machines/task/index.ts";
import { taskRow } from "../../machines/task/row.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life, remind } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const DEADLINE = AT + 120_000;
type Command = Parameters<typeof entity.decide>[1];

const awarded = (changes: object = { maxExtension: 60 }) =>
  new Life(entity, TASK).through([
    [{ type: "open", task: TASK, requester: REQUESTER, marks: [], order: order(changes), createdAt: AT }, AT],
    [{ type: "standingBid", bid: id(50), worker: WORKER, credits: credits(12), standing: STANDING, asked: true }, AT],
  ]);
const extend = (seconds: number, worker = WORKER): Command => ({ type: "extend", worker, seconds });
const submit = (right: boolean): Command => ({
  ...{ type: "submit", submission: id(60), worker: WORKER, result: { name: "Ada" } },
  verdict: right ? { code: null, errors: [] } : { code: "RULE_VIOLATION", errors: [] },
});
const timer = (due: number): Command => ({ type: "timer", name: "execution", due });

describe("an award that is extended", () => {
  test("has a later deadline: shown, kept by its timer, and told with what is left", () => {
    const life = awarded();
    const step = life.do(extend(20), AT + 5);
    expect(step.facts).toEqual([
      { type: "AwardExtended", worker: WORKER, seconds: 20, deadline: DEADLINE + 20_000, left: 40, at: AT + 5 },
    ]);
    expect(step.effects).toEqual([remind("execution", DEADLINE + 20_000)]);
    expect(step.decision.reply).toEqual({ id: TASK, deadline: DEADLINE + 20_000, left: 40 });
    expect(taskRow(life.state)?.expiresAt).toBe(DEADLINE + 20_000);
  });

  test("takes results between the old deadline and the new one, and none at the new one", () => {
    const life = awarded().through([[extend(20), AT]]);
    expect(life.tries(submit(true), DEADLINE + 19_999)).toBe("ExecutionStarted+ResultAccepted");
    expect(life.tries(submit(true), DEADLINE + 20_000)).toBe("TIMEOUT");
  });

  test("is not ended by the timer of its first deadline, but by that of the new one", () => {
    const life = awarded();
    expect(life.tries(timer(DEADLINE), DEADLINE)).toBe("AwardTimedOut+Reopened");
    life.do(extend(20), AT);
    expect(life.tries(timer(DEADLINE), DEADLINE + 3_000)).toBe("TIMER_STALE");
    expect(life.tries(timer(DEADLINE + 20_000), DEADLINE + 20_000)).toBe("AwardTimedOut+Reopened");
  });

  test("can be so as often as it likes, by all that is allowed together and not a second more", () => {
    const life = awarded().through([[extend(59), AT]]);
    expect(life.refuses(extend(2), AT)).toMatchObject({
      refused: "EXTENSION_TOO_LONG",
      reason: { why: "EXTENSION_TOO_LONG", left: 1, most: 60 },
    });
    expect(life.do(extend(1), AT).decision.reply).toMatchObject({ left: 0 });
    expect(life.tries(extend(1), AT)).toBe("EXTENSION_TOO_LONG");
  });

  test("needs a requester who allows it, and the worker in charge, in time", () => {
    expect(awarded({}).tries(extend(1), AT)).toBe("EXTENSION_TOO_LONG");
    expect(awarded().tries(extend(1, OTHER), AT)).toBe("NOT_AWARDED_TO_YOU");
    expect(awarded().tries(extend(1), AT, DEADLINE - 1)).toBe("AwardExtended");
    expect(awarded().tries(extend(1), AT, DEADLINE)).toBe("TIMEOUT");
    expect(
      awarded()
        .through([[submit(true), AT]])
        .tries(extend(1), AT),
    ).toBe("TASK_ENDED");
  });

  test("may have begun, or have had a wrong result; the next award begins without an extension", () => {
    const life = awarded().through([[{ type: "start", worker: WORKER }, AT]]);
    expect(life.tries(extend(1), AT)).toBe("AwardExtended");
    life.do(submit(false), AT);
    life.do(extend(60), AT);
    expect(life.state.value).toBe("REJECTED");
    life.do(timer(DEADLINE + 60_000), DEADLINE + 60_000);
    life.do({ type: "standingBid", bid: id(51), worker: OTHER, credits: credits(12), standing: STANDING, asked: true }, DEADLINE);
    expect(life.do(extend(60, OTHER), DEADLINE).decision.reply).toMatchObject({ left: 0 });
  });
});
