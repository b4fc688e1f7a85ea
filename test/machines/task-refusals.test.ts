/** Why a command to a task is refused: the code, and the reason that the gateway makes its sentence of. */
import { describe, expect, test } from "vitest";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const DEADLINE = AT + 120_000;
type Command = Parameters<typeof entity.decide>[1];

const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
const bid: Command = { type: "bid", bid: id(50), worker: WORKER, credits: credits(12), standing, online: null };
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const start: Command = { type: "start", worker: WORKER };
const wrong: Command = {
  ...{ type: "submit", submission: id(60), worker: WORKER, result: {} },
  verdict: { code: "RULE_VIOLATION", errors: [] },
};
const resend = (requester = REQUESTER): Command => ({ type: "webhook.resend", requester });
const lived = (commands: readonly Command[], callbackUrl: string | null = null) => {
  const open: Command = {
    ...{ type: "open", task: TASK, requester: REQUESTER, marks: [], offers: [], createdAt: AT },
    order: order({ callbackUrl, autoRetry: 2 }),
  };
  return new Life(entity, TASK).through([open, ...commands].map((command) => [command, AT]));
};

describe("who comes too late is told that the time ran out", () => {
  const awarded = () => lived([bid, timer("routing")]);

  test("and, while the award stands, not that others have the task", () => {
    const reason = { why: "TIME_RAN_OUT", reassigned: false };
    expect(awarded().refuses(start, DEADLINE)).toMatchObject({ refused: "TIMEOUT", reason });
  });

  test("and, once it has ended, that others have it; one who failed with wrong results is not told so", () => {
    const late = awarded().through([[timer("execution"), DEADLINE]]);
    const reason = { why: "TIME_RAN_OUT", reassigned: true };
    expect(late.refuses(start, DEADLINE + 1)).toMatchObject({ refused: "TIMEOUT", reason });
    const failed = awarded().through([wrong, wrong, wrong].map((command) => [command, AT]));
    expect(failed.refuses(start, AT).reason).toEqual({ why: "NOT_AWARDED_TO_YOU" });
  });
});

describe("a webhook is sent again", () => {
  const HOOK = "https://example.com/hook";
  const cancel: Command = { type: "cancel", requester: REQUESTER };

  test.each<[string, string, readonly Command[], string | null, typeof REQUESTER]>([
    ["to nobody but the requester", "NOT_YOUR_TASK", [cancel], HOOK, OTHER],
    ["if there is one", "NO_CALLBACK", [cancel], null, REQUESTER],
    ["once the task has ended", "NOT_ENDED", [bid], HOOK, REQUESTER],
  ])("%s, else the answer is %s", (_when, code, commands, callbackUrl, asker) => {
    expect(lived(commands, callbackUrl).refuses(resend(asker), AT).refused).toBe(code);
    expect(lived([cancel], HOOK).tries(resend(), AT)).toBe("WebhookRequested");
  });
});

test("what is known already is out of date: the outcome of an attempt, and a message that comes twice", () => {
  const outcome = { id: id(70), ms: 1, result: "delivered", status: 200 } as const;
  const attempted = (attempt: number): Command => ({ type: "webhook.attempted", attempt, outcome });
  const ended = lived([{ type: "cancel", requester: REQUESTER }], "https://example.com/hook");
  expect([0, 1, 2].map((attempt) => ended.tries(attempted(attempt), AT))).toEqual([
    "MESSAGE_STALE",
    "WebhookAttempted",
    "MESSAGE_STALE",
  ]);
  const open = lived([], "https://example.com/hook");
  expect(open.tries(attempted(1), AT)).toBe("MESSAGE_STALE");
  ended.do(attempted(1), AT);
  expect([ended.tries(attempted(2), AT), ended.tries(timer("webhook"), AT)]).toEqual(["MESSAGE_STALE", "TIMER_STALE"]);
});
