/** What clients are told of a refusal: in the words of the API, whatever version the node was that refused. */
import { describe, expect, test } from "vitest";
import { accountSuspended, problemOf } from "../../gateway/http/problems.ts";
import { ineligibilitySentence } from "../../gateway/show/ineligibility.ts";
import { RUNNING_BATCHES_MAX } from "../../machines/account/batches.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { batch } from "../../machines/batch/index.ts";
import { readRefusal } from "../../machines/incoming.ts";
import { isRefusal, type Refusal } from "../../machines/refusal.ts";
import { RESENDS_MAX } from "../../machines/task/decide.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { wireWordsOf } from "../support/wire-words.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const [ME, WORKER, OTHER] = [person(1), person(2), person(3)];
const TASK = taskId(id(90));
const AT = 1_000_000;

type TaskCommand = Parameters<typeof task.decide>[1];
type AccountCommand = Parameters<typeof account.decide>[1];

function refusal(decision: object): Refusal {
  if (!isRefusal(decision)) throw new Error("it was taken");
  return decision;
}

function byTask(facts: readonly TaskFact[], command: TaskCommand, at = AT): Refusal {
  const state = facts.reduce((before, fact) => task.evolve(before, fact).state, task.initial(TASK));
  return refusal(task.decide(state, command, at, at));
}

function byAccount(facts: readonly AccountFact[], command: AccountCommand): Refusal {
  const state = facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(ME));
  return refusal(account.decide(state, command, AT, AT));
}

function openedTask(callbackUrl: string | null): TaskFact[] {
  const spec = order({ callbackUrl });
  return [
    { type: "Opened", task: TASK, requester: ME, marks: [], order: spec, offers: [], createdAt: AT, at: AT },
    { type: "RoutingStarted", until: AT + 3_000, at: AT },
  ];
}
const placed = { id: id(50), worker: WORKER, credits: credits(12), quality: 0.5, identity: WORKER } as const;
const bidFact: TaskFact = { type: "BidPlaced", bid: placed, at: AT };
const bidden: TaskFact[] = [...openedTask(null), bidFact];
const awarded: TaskFact[] = [
  ...bidden,
  { type: "Awarded", bid: placed, deadline: AT + 10, explored: false, candidates: [placed], at: AT },
];
const reopened: TaskFact[] = [
  ...awarded,
  { type: "AwardTimedOut", at: AT + 10 },
  { type: "Reopened", until: AT + 3_010, at: AT + 10 },
];
const cancelled: TaskFact[] = [...openedTask("https://me.example/hook"), { type: "Cancelled", at: AT }];
const resent: TaskFact[] = [...cancelled];
for (let n = 0; n < RESENDS_MAX; n += 1) resent.push({ type: "WebhookRequested", at: AT });

const registered: AccountFact[] = [
  { type: "Registered", account: ME, email: "a@b.example", source: null, keyHash: "h", grant: credits(50), at: AT },
];
const suspended: AccountFact[] = [
  ...registered,
  { type: "Adjusted", adjustment: id(8), amount: credits(-80), reason: "fraud", at: AT },
  { type: "Suspended", at: AT },
];
const busy: AccountFact[] = [...registered];
for (let n = 0; n < RUNNING_BATCHES_MAX; n += 1) busy.push({ type: "BatchStarted", batch: id(100 + n), request: "r", at: AT });

const register: AccountCommand = {
  ...{ type: "register", account: ME, email: "a@b.example", source: null, keyHash: "h", grant: credits(50), marks: [] },
};
const startBatch: AccountCommand = {
  ...{ type: "startBatch", batch: id(60), request: "r", template: order(), atOnce: 1, perMinute: 60, fresh: true },
  items: [{ task: TASK, inputData: "Ada" }],
};
const start = (worker: typeof WORKER): TaskCommand => ({ type: "start", worker });
const resend: TaskCommand = { type: "webhook.resend", requester: ME };

/** Refusals of today's machines, and what the client reads. */
const MADE: readonly (readonly [() => Refusal, status: number, code: string, sentence: string])[] = [
  [() => byTask([], resend), 404, "TASK_UNKNOWN", "There is no task with this id. Check the id that POST /tasks gave you."],
  [
    () => byTask(awarded, start(OTHER)),
    403,
    "NOT_AWARDED_TO_YOU",
    "This task is not awarded to you; bid first, and wait until status is AWARDED.",
  ],
  [
    () => byTask(awarded, start(WORKER), AT + 10),
    409,
    "TIMEOUT",
    "Your time for this task ran out (max_execution_seconds); look for others.",
  ],
  [
    () => byTask(reopened, start(WORKER), AT + 11),
    409,
    "TIMEOUT",
    "Your time for this task ran out (max_execution_seconds); it went to other workers.",
  ],
  [
    () => byTask(awarded, { type: "extend", worker: WORKER, seconds: 1 }),
    422,
    "EXTENSION_TOO_LONG",
    "This task allows no extension (max_extension_seconds is 0); submit in time, or release it.",
  ],
  [
    () => byTask(bidden, { type: "pass", worker: WORKER, standing: STANDING }),
    409,
    "ALREADY_BID",
    "You have bid on this task; take the bid back with DELETE /api/v1/tasks/{id}/bid instead.",
  ],
  [
    () => byTask(bidden, { type: "withdrawBid", worker: OTHER }),
    404,
    "BID_UNKNOWN",
    "You have no bid on this task in this round; GET /api/v1/bids says what became of yours.",
  ],
  [
    () =>
      byTask([...openedTask(null), { type: "Passed", worker: WORKER, at: AT }, bidFact], { type: "withdrawBid", worker: WORKER }),
    409,
    "ALREADY_ANSWERED",
    "You have passed on this task, or taken a bid back, in this round already, and may do so once; this bid stays.",
  ],
  [() => byTask(awarded, resend), 409, "NO_CALLBACK", "This task was created without a callback_url."],
  [
    () => byTask(resent, resend),
    409,
    "TOO_MANY_RESENDS",
    "This webhook was sent again 100 times; GET the task instead, and see its deliveries for what went wrong.",
  ],
  [
    () => byAccount([], { type: "repay", repayment: id(7), amount: credits(5) }),
    404,
    "ACCOUNT_UNKNOWN",
    "There is no such account; register one with POST /api/v1/auth/register.",
  ],
  [
    () => byAccount(registered, register),
    409,
    "ACCOUNT_EXISTS",
    "This address has an account already. Use its API key; if it is lost, recover it with POST /api/v1/auth/recover.",
  ],
  [
    () => byAccount(registered, { type: "recover", codeHash: "c", keyHash: "new" }),
    401,
    "RECOVERY_FAILED",
    "There is no code that is good now; ask for a new one with POST /api/v1/auth/recover.",
  ],
  [
    () => byAccount(registered, { type: "repay", repayment: id(7), amount: credits(5) }),
    409,
    "NO_DEBT",
    "You owe nothing; GET /credits/credit-info says what you may owe.",
  ],
  [
    () => byAccount(registered, { type: "setAvailability", capability: id(9), available: true }),
    404,
    "CAPABILITY_UNKNOWN",
    "You have no capability with this id; GET /api/v1/capabilities lists yours.",
  ],
  [
    () => byAccount(suspended, { type: "hold", task: TASK, order: order(), fresh: true }),
    403,
    "ACCOUNT_SUSPENDED",
    "Your account is suspended, its debt is unpaid for 7 days; repay it (GET /credits/credit-info says how much) and go on at once.",
  ],
  [
    () => byAccount(busy, startBatch),
    409,
    "TOO_MANY_BATCHES",
    "20 of your batches run; wait until one has ended (GET /api/v1/batches/{id} says how far it is).",
  ],
  [
    () => refusal(batch.decide(batch.initial(id(60)), { type: "show", requester: ME }, AT, AT)),
    404,
    "BATCH_UNKNOWN",
    "There is no batch of yours with this id; check the batch_id that POST /tasks/batch gave you.",
  ],
];

const throughTheWire = (made: Refusal) => readRefusal(JSON.parse(JSON.stringify(made)));

describe.each(MADE)("%#", (make, status, code, sentence) => {
  const made = make();

  test(`${code} tells clients: ${sentence}`, () => {
    const come = throughTheWire(made);
    expect(come).toEqual(made);
    expect(problemOf(come ?? made)).toMatchObject({ status, code, message: sentence });
  });

  test(`${code} of an older node, which gives no reason, is told as it comes`, () => {
    const older = throughTheWire({ refused: made.refused, detail: sentence });
    expect(problemOf(older ?? made)).toMatchObject({ status, code, message: sentence });
  });

  test(`${code} is told by an older gateway, which knows why workers may not bid and no other reason, in the node's own words`, () => {
    expect(made.reason).toBeDefined();
    expect(ineligibilitySentence(JSON.parse(JSON.stringify(made.reason)))).toBeUndefined();
    expect([made.detail, wireWordsOf(made.detail)]).toEqual([expect.stringMatching(/^[A-Z\d].*\w{3}.*\.$/), []]);
  });
});

test("a refusal by who runs actors tells how to ask again", () => {
  const told = (reason: NonNullable<Refusal["reason"]>) => problemOf({ refused: "UNAVAILABLE", detail: "no", reason }).message;
  expect(told({ why: "MAILBOX_FULL" })).toBe(
    "Too much is waiting for the same account or task; try again after the time in Retry-After.",
  );
  expect(told({ why: "NODE_FULL", most: 1_000 })).toBe(
    "More than 1000 requests are under way; try again after the time in Retry-After.",
  );
  expect(told({ why: "OUTCOME_UNKNOWN" })).toBe(
    "No answer in time, so it is not known whether this was done. Send it again with the same Idempotency-Key, or look at what it should have changed.",
  );
  expect(told({ why: "REPLY_UNKNOWN" })).toBe(
    "A node of another version did this and answered in words that are not known here. Ask the operator to update all of them; sent again with the same Idempotency-Key, it is not done twice.",
  );
});

test("a suspended account is told the same by the gateway and by its actor", () => {
  const byActor = problemOf(byAccount(suspended, { type: "hold", task: TASK, order: order(), fresh: true }));
  const { status, code, message } = accountSuspended();
  expect({ status, code, message }).toEqual({ status: byActor.status, code: byActor.code, message: byActor.message });
});
