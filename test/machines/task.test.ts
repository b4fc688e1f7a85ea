/** Every state x every command: taken with these facts, or refused with this code. */
import { describe, expect, test } from "vitest";
import { FORMATS } from "../../machines/formats.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { TaskStatus } from "../../machines/vocabulary.ts";
import { COMMANDS, fold, outcome, STATES, TASK } from "../support/task-states.ts";

type CommandName = keyof typeof COMMANDS;

/** Facts' types and the question with + between, or the refusal's code. A dot stands for neither. */
const unopened: { readonly [C in CommandName]: string } = {
  open: "Opened+RoutingStarted",
  bid: "TASK_UNKNOWN",
  standingBid: "TASK_UNKNOWN",
  declined: "TASK_UNKNOWN",
  yes: "TASK_UNKNOWN",
  yesAgain: "TASK_UNKNOWN",
  bidKept: "TASK_UNKNOWN",
  bidNotKept: "TASK_UNKNOWN",
  bidNotAnswered: "TASK_UNKNOWN",
  awardKept: "TASK_UNKNOWN",
  awardNotKept: "TASK_UNKNOWN",
  rate: "TASK_UNKNOWN",
  expire: "TASK_UNKNOWN",
  start: "TASK_UNKNOWN",
  good: "TASK_UNKNOWN",
  bad: "TASK_UNKNOWN",
  cancel: "TASK_UNKNOWN",
  withdraw: "TASK_UNKNOWN",
  settled: "TASK_UNKNOWN",
  routing: "TASK_UNKNOWN",
  pool: "TASK_UNKNOWN",
  execution: "TASK_UNKNOWN",
  webhook: "TASK_UNKNOWN",
  unknownTimer: "TASK_UNKNOWN",
  attempted: "TASK_UNKNOWN",
  resend: "TASK_UNKNOWN",
};
const nobody: { readonly [C in CommandName]: string } = {
  open: "TASK_EXISTS",
  bid: "TASK_NOT_OPEN",
  standingBid: "StandingBidDropped",
  declined: ".",
  yes: "StandingBidDropped",
  yesAgain: "StandingBidDropped",
  bidKept: "TASK_NOT_OPEN",
  bidNotKept: "TASK_NOT_OPEN",
  bidNotAnswered: "TASK_NOT_OPEN",
  awardKept: ".",
  awardNotKept: ".",
  rate: "NOT_ENDED",
  expire: "Expired",
  start: "NOT_AWARDED_TO_YOU",
  good: "NOT_AWARDED_TO_YOU",
  bad: "NOT_AWARDED_TO_YOU",
  cancel: "TASK_NOT_CANCELLABLE",
  withdraw: ".",
  settled: "MESSAGE_STALE",
  routing: "TIMER_STALE",
  pool: "TIMER_STALE",
  execution: "TIMER_STALE",
  webhook: "TIMER_STALE",
  unknownTimer: "TIMER_STALE",
  attempted: "MESSAGE_STALE",
  resend: "NOT_ENDED",
};
const inCharge = {
  ...nobody,
  yesAgain: ".",
  good: "ResultAccepted",
  bad: "ResultRejected",
  withdraw: "Withdrawn",
  execution: "AwardTimedOut+Reopened",
  start: "ALREADY_STARTED",
};
const over = { ...nobody, expire: "TASK_ENDED", webhook: ".", attempted: "WebhookAttempted", resend: "WebhookRequested" };
const done = { ...over, start: "TASK_ENDED", good: "TASK_ENDED", bad: "TASK_ENDED" };

const taking = {
  standingBid: "BidPlaced+Awarded",
  yes: "BidPlaced+Awarded",
  yesAgain: "BidPlaced+Awarded",
  bidKept: "BidPlaced",
  bidNotKept: "TOO_MANY_AWARDS",
  bidNotAnswered: "BidPlaced",
  cancel: "Cancelled",
};

const EXPECTED: { readonly [S in TaskStatus | "NEW"]: { readonly [C in CommandName]: string } } = {
  NEW: unopened,
  CREATED: { ...nobody, cancel: "Cancelled", withdraw: "Cancelled" },
  ROUTING: {
    ...nobody,
    bid: "BidPlaced",
    ...taking,
    declined: "OfferDeclined",
    withdraw: "Cancelled",
    routing: "PoolEntered",
    awardNotKept: "PoolEntered",
  },
  PENDING_POOL: { ...nobody, ...taking, withdraw: "Cancelled", bid: "asks", pool: "Expired" },
  AWARDED: {
    ...inCharge,
    start: "ExecutionStarted",
    good: "ExecutionStarted+ResultAccepted",
    bad: "ExecutionStarted+ResultRejected",
  },
  EXECUTING: inCharge,
  REJECTED: inCharge,
  FAILED: nobody,
  TIMED_OUT: { ...nobody, start: "TIMEOUT", good: "TIMEOUT", bad: "TIMEOUT" },
  COMPLETED: { ...nobody, expire: "TASK_ENDED", settled: "Settled", start: "TASK_ENDED", good: "TASK_ENDED", bad: "TASK_ENDED" },
  SETTLED: { ...done, rate: "Rated" },
  EXPIRED: over,
  CANCELLED: over,
};

describe.each(Object.entries(STATES))("a task that is %s", (name, facts) => {
  test("folds to that state", () => {
    expect(fold(facts).value).toBe(name);
  });
  test.each(Object.entries(EXPECTED[name as TaskStatus]))("given %s: %s", (command, expected) => {
    expect(outcome(fold(facts), COMMANDS[command as CommandName])).toBe(expected);
  });
  test("is the same after a snapshot", () => {
    const state = fold(facts);
    const restored = entity.restore(TASK, JSON.parse(JSON.stringify(entity.persist(state, FORMATS.task))));
    expect(restored.value).toBe(state.value);
    expect(restored.context).toEqual(state.context);
  });
});
