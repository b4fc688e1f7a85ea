/**
 * What must have been true of an actor, at some moment between a command and its answer, for that answer to be a refusal. Written
 * anew from what is promised, code by code: nothing here asks how the platform decides.
 */
import type { AccountSnapshot } from "../../machines/account/machine.ts";
import { accountRow, creditOf } from "../../machines/account/row.ts";
import type { BatchSnapshot } from "../../machines/batch/machine.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import type { Refusal, RefusalCode } from "../../machines/refusal.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { TERMS } from "./cluster.ts";

/** A command that was refused, and a state of its actor that may be why. */
export interface Cause<S> {
  readonly state: S;
  readonly command: CarriedCommand;
  readonly refusal: Refusal;
  /** The latest time that any clock of the cluster had shown when the answer came (ms). */
  readonly latest: number;
  /** Whether judging some result was given up while the command was under way. */
  readonly gaveUp: boolean;
  /** The states of the account of who bids meanwhile, which has the last word on a bid that would win. */
  readonly bidder: readonly AccountSnapshot[];
}

export interface Rule {
  readonly task?: (cause: Cause<TaskSnapshot>) => boolean;
  readonly account?: (cause: Cause<AccountSnapshot>) => boolean;
  readonly batch?: (cause: Cause<BatchSnapshot>) => boolean;
}

/** For what is told to actors and timers, or at the edge, or for what no client of the simulation asks or can bring about. */
const NEVER: Rule = {};

/** The cluster is in trouble: that says nothing of the command, which may be sent again. */
const PASSING = "passing";

const RULES: { readonly [C in RefusalCode]: Rule | typeof PASSING } = {
  ACCOUNT_EXISTS: { account: ({ state }) => state.hasTag("registered") },
  ACCOUNT_UNKNOWN: { account: ({ state }) => !state.hasTag("registered") },
  ACCOUNT_FROZEN: {
    account: ({ state, command }) => isSpending(command) && state.hasTag("frozen"),
    task: ({ state, bidder }) => isOpen(state) && bidder.some((worker) => worker.hasTag("frozen")),
  },
  ACCOUNT_SUSPENDED: {
    account: ({ state, command }) => isSpending(command) && state.hasTag("suspended"),
    task: ({ state, bidder }) => isOpen(state) && bidder.some((worker) => worker.hasTag("suspended")),
  },
  INSUFFICIENT_CREDITS: {
    account: ({ state, command, refusal }) => {
      const power = powerOf(state);
      return command.type === "hold" && command.order.budget > power && refusal.detail.includes(`you have ${power} NC`);
    },
  },
  NO_DEBT: { account: ({ state }) => state.context.available >= 0 },
  REPAYMENT_TOO_LARGE: {
    account: ({ state: { context }, command, refusal }) =>
      command.type === "repay" &&
      command.amount > -context.available &&
      refusal.detail.includes(`You owe ${-context.available} NC`),
  },
  // Each task of the simulation is posted by one command, so only what it did itself could stand in its way.
  HOLD_EXISTS: NEVER,

  TASK_UNKNOWN: { task: ({ state }) => state.value === "NEW" },
  TASK_NOT_OPEN: {
    task: ({ state, command, refusal: { reason } }) =>
      !isOpen(state) &&
      (command.type === "withdrawBid" ||
        (isBidding(command) && reason?.why === "TASK_NOT_OPEN" && reason.status === state.value)),
  },
  OWN_TASK: { task: ({ state, command }) => isBidding(command) && state.context.requester === command.worker },
  ALREADY_BID: {
    task: ({ state, command }) =>
      isBidding(command) && isOpen(state) && state.context.bids.some(({ worker }) => worker === command.worker),
  },
  TOO_MANY_AWARDS: {
    task: ({ state, bidder, refusal: { reason } }) =>
      isOpen(state) &&
      reason?.why === "AWARDS_FULL" &&
      bidder.some(({ context }) => Object.keys(context.slots).length >= reason.most),
  },
  ACCOUNT_COOLING_DOWN: { task: ({ state, bidder }) => isOpen(state) && bidder.some((worker) => worker.hasTag("cooling")) },
  FAILED_THIS_TASK: {
    task: ({ state, command }) =>
      isBidding(command) && isOpen(state) && state.context.failures.some(({ worker }) => worker === command.worker),
  },
  // Passing or withdrawing is done once in a round, and bids that are not there cannot be withdrawn.
  ALREADY_ANSWERED: {
    task: ({ state, command }) =>
      command.type === "withdrawBid" && isOpen(state) && state.context.passed.some(({ worker }) => worker === command.worker),
  },
  BID_UNKNOWN: {
    task: ({ state, command }) =>
      command.type === "withdrawBid" && !state.context.bids.some(({ worker }) => worker === command.worker),
  },
  ALREADY_SUBMITTED: {
    task: (cause) => cause.command.type === "giveBack" && isInCharge(cause) && cause.state.context.submissions > 0,
  },
  EXTENSION_TOO_LONG: {
    task: ({ state: { context }, command }) =>
      command.type === "extend" && command.seconds > (context.order?.maxExtension ?? 0) - context.extended,
  },
  BID_OVER_BUDGET: {
    task: ({ state: { context }, command }) =>
      command.type === "bid" && context.order !== null && (command.credits ?? 0) > context.order.budget,
  },
  TASK_NOT_CANCELLABLE: {
    task: (cause) => cause.command.type === "cancel" && !isOpen(cause.state) && cause.state.value !== "CREATED" && says(cause),
  },
  NOT_YOUR_TASK: {
    task: ({ state, command }) =>
      "requester" in command && state.value !== "NEW" && state.context.requester !== command.requester,
  },
  // Whose time has run out is told that (contract: TIMEOUT).
  NOT_AWARDED_TO_YOU: {
    task: (cause) => isWork(cause.command) && cause.state.value !== "NEW" && !isInCharge(cause) && !ranOut(cause),
  },
  TASK_ENDED: {
    task: (cause) => !isAwarded(cause.state) && (isInCharge(cause) || cause.command.type === "expire") && says(cause),
  },
  ALREADY_STARTED: {
    task: (cause) =>
      cause.command.type === "start" && isInCharge(cause) && isAwarded(cause.state) && cause.state.value !== "AWARDED",
  },
  TIMEOUT: { task: (cause) => ranOut(cause) || (isInCharge(cause) && deadlineOf(cause.state) <= cause.latest) },
  VALIDATION_TOO_EXPENSIVE: { task: (cause) => cause.command.type === "submit" && isInCharge(cause) && cause.gaveUp },
  NOT_ENDED: {
    task: (cause) =>
      (cause.command.type === "rate" ? cause.state.value !== "SETTLED" : !cause.state.hasTag("ended")) && says(cause),
  },
  ALREADY_RATED: { task: ({ state, command }) => command.type === "rate" && state.context.rating !== null },
  NO_CALLBACK: { task: ({ state }) => state.context.order?.callbackUrl === null },

  OVERLOADED: PASSING,
  UNAVAILABLE: PASSING,
  CONTENDED: PASSING,
  NOT_OWNER: PASSING,

  KEY_REPLACED: NEVER,
  RECOVERY_FAILED: NEVER,
  BALANCE_TOO_LARGE: NEVER,
  TOO_MANY_OPEN_TASKS: NEVER,
  TOO_MANY_CAPABILITIES: NEVER,
  CAPABILITY_UNKNOWN: NEVER,
  NOTHING_TO_DO: NEVER,
  TOO_MANY_BATCHES: NEVER,
  BATCH_EXISTS: NEVER,
  BATCH_UNKNOWN: {
    batch: ({ state, command }) =>
      state.value === "NEW" || ("requester" in command && state.context.requester !== command.requester),
  },
  BATCH_ENDED: {
    batch: ({ state: { value }, command, refusal }) =>
      refusal.detail.includes(`This batch is ${value}`) &&
      (command.type === "cancel" ? value === "DONE" : value !== "RUNNING" && value !== "PAUSED"),
  },
  OAUTH_STATE_INVALID: NEVER,
  HOLD_UNKNOWN: NEVER,
  TASK_EXISTS: NEVER,
  TOO_MANY_BIDS: NEVER,
  TOO_MANY_PASSES: NEVER,
  SKILL_TOO_LOW: NEVER,
  TOO_MANY_RESENDS: NEVER,
  TIMER_STALE: NEVER,
  MESSAGE_STALE: NEVER,
  NOT_SUPPORTED: NEVER,
  INVALID_SCHEMA: NEVER,
  INVALID_RULES: NEVER,
  INVALID_EXAMPLE: NEVER,
  IDEMPOTENCY_MISMATCH: NEVER,
  COMMAND_TOO_LARGE: NEVER,
  INTERNAL: NEVER,
};

/** What must have been true where a command is refused with this code; undefined where it says nothing of the command. */
export function ruleOf(code: RefusalCode): Rule | undefined {
  const rule = RULES[code];
  return rule === PASSING ? undefined : rule;
}

function isSpending({ type }: CarriedCommand): boolean {
  return type === "hold" || type === "startBatch";
}

function powerOf(state: AccountSnapshot): number {
  const row = accountRow(state);
  return row === undefined ? 0 : row.available + creditOf(row, TERMS, row.updatedAt).usable.line;
}

function isOpen({ value }: TaskSnapshot): boolean {
  return value === "ROUTING" || value === "PENDING_POOL";
}

function isAwarded({ value }: TaskSnapshot): boolean {
  return value === "AWARDED" || value === "EXECUTING" || value === "REJECTED";
}

type Bidding = Extract<CarriedCommand, { type: "bid" | "pass" }>;

/** What only who may bid can do. */
function isBidding(command: CarriedCommand): command is Bidding {
  return command.type === "bid" || command.type === "pass";
}

type Work = Extract<CarriedCommand, { type: "start" | "submit" | "giveBack" | "extend" }>;

function isWork(command: CarriedCommand): command is Work {
  return command.type === "start" || command.type === "submit" || command.type === "giveBack" || command.type === "extend";
}

function isInCharge({ state, command }: Cause<TaskSnapshot>): boolean {
  return isWork(command) && state.context.award?.worker === command.worker;
}

function ranOut({ state, command }: Cause<TaskSnapshot>): boolean {
  return isWork(command) && state.context.failures.some(({ worker, code }) => worker === command.worker && code === "TIMEOUT");
}

function deadlineOf({ context: { awardedAt, order, extended } }: TaskSnapshot): number {
  return (awardedAt ?? Number.POSITIVE_INFINITY) + ((order?.maxSeconds ?? 0) + extended) * 1_000;
}

/** Whether the sentence names the state that the task was in. */
function says({ state, refusal }: Cause<TaskSnapshot>): boolean {
  return refusal.detail.includes(`This task is ${state.value}`);
}
