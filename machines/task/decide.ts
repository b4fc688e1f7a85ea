/** Command -> facts, or a refusal. One function for each command; each says what it needs of the state. */

import type { DeliveryOutcome } from "../delivery.ts";
import type { Deciders, Decision } from "../entity.ts";
import { FORMATS } from "../formats.ts";
import { isKnownAnswer } from "../market/honeypot.ts";
import { MARKET_RULES, type MarketRules } from "../market/settings.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import type { Question } from "../validation/judgement.ts";
import { readSource } from "../validation/rules.ts";
import type { Millis, TaskStatus } from "../vocabulary.ts";
import { pass, withdrawBid } from "./answers.ts";
import { awardAnswered, bid, bidAnswered, declined, endWindow, takeSlot } from "./awarding.ts";
import { isEcho } from "./echo.ts";
import type { TaskFact } from "./events.ts";
import { extend } from "./extension.ts";
import { excusing } from "./fault.ts";
import { afterFailed, notInCharge } from "./in-charge.ts";
import type { TaskSnapshot } from "./machine.ts";
import { type Opened, opened } from "./opened.ts";
import { explain, proposalAnswered, propose } from "./proposals.ts";
import { acceptedReply, rejectedReply } from "./replies.ts";
import { giveBack, returnAnswered, returnGranted } from "./returns.ts";
import { retriesLeft } from "./state.ts";
import { hasEnded, isAwarded, takesBids } from "./tags.ts";
import { unjudged } from "./unjudged.ts";

/** How often a webhook may be requested again; each request is a fact and leads to up to four attempts. */
export const RESENDS_MAX = 100;
/** The waits before the retries of a webhook (guide: Webhook Callback), in ms. */
const WEBHOOK_RETRY_MS = [1_000, 3_000, 10_000] as const;
/**
 * The longest time from a submission's arrival to its verdict (ms), including the wait for a thread. A result that arrived in
 * time may be accepted so long after the deadline, so the award's timer takes effect no sooner.
 */
export const JUDGING_MS_MAX = 3_000;

type Result<T extends CommandType<"task">> = Decision<TaskFact, ReplyOf<"task", T>> | Refusal;
type Of<T extends CommandType<"task">> = CommandOf<"task", T>;

const UNKNOWN = refuse("TASK_UNKNOWN", "There is no task with this id.", { why: "TASK_UNKNOWN" });

/**
 * The judgement that a submission needs. None if it will be refused whatever the verdict: a caller without the right to submit
 * must not cost a judgement.
 */
export function questionOf(state: TaskSnapshot, command: CommandOf<"task">, arrived: Millis): Question | undefined {
  if (command.type !== "submit" || command.verdict !== undefined) return undefined;
  const task = opened(state);
  if (task === undefined || notInCharge(task.stage, task.context, command.worker, arrived) !== undefined) return undefined;
  const { order, requester } = task.context;
  const demands = { schema: order.schema, rules: order.rules };
  const input = readSource(order.rules) ? { input: order.inputData } : {};
  return { demands, result: command.result, ...input, account: requester ?? "", lane: "submission" };
}

/** Decides a command at the time `at` that came at the time `arrived` (ms), in facts of this format and before. Pure. */
export function decideTask<T extends CommandType<"task">>(
  state: TaskSnapshot,
  command: CommandOf<"task", T>,
  at: Millis,
  arrived: Millis = at,
  _rules: MarketRules = MARKET_RULES,
  format: number = FORMATS.task,
): Result<T> {
  return DECIDERS[command.type](state, command, at, arrived, format);
}

type DecideOpened<T extends CommandType<"task">> = (
  task: Opened,
  command: Of<T>,
  at: Millis,
  arrived: Millis,
  format: number,
) => Result<T>;

/** Refuses commands to a task that does not exist. */
function ofOpened<T extends CommandType<"task">>(decide: DecideOpened<T>) {
  return (state: TaskSnapshot, command: Of<T>, at: Millis, arrived: Millis, format: number): Result<T> => {
    const task = opened(state);
    return task === undefined ? UNKNOWN : decide(task, command, at, arrived, format);
  };
}

const DECIDERS: Deciders<"task", TaskSnapshot, TaskFact, [format: number]> = {
  open,
  bid: ofOpened(bid),
  standingBid: ofOpened(takeSlot),
  declined: ofOpened(declined),
  bidAnswered: ofOpened(bidAnswered),
  awardAnswered: ofOpened(awardAnswered),
  propose: ofOpened(propose),
  proposalAnswered: ofOpened(proposalAnswered),
  explain: ofOpened(explain),
  pass: ofOpened(pass),
  withdrawBid: ofOpened(withdrawBid),
  giveBack: ofOpened(giveBack),
  returnAnswered: ofOpened(returnAnswered),
  returnGranted: ofOpened(returnGranted),
  extend: ofOpened(extend),
  expire: ofOpened(expire),
  rate: ofOpened(rate),
  start: ofOpened(start),
  submit: ofOpened(submit),
  cancel: ofOpened(cancel),
  withdraw: ofOpened(withdraw),
  settled: ofOpened(settled),
  timer: ofOpened(timer),
  "webhook.attempted": ofOpened(webhookAttempted),
  "webhook.resend": ofOpened(webhookResend),
};

function open(state: TaskSnapshot, command: Of<"open">, at: Millis): Result<"open"> {
  if (state.value !== "NEW") return refuse("TASK_EXISTS", "This task is open already.");
  const { task, requester, marks, order, offers = [], requesterScore, createdAt } = command;
  const score = requesterScore === undefined ? {} : { requesterScore };
  return {
    facts: [
      { type: "Opened", task, requester, marks, order, offers, ...score, createdAt, at },
      { type: "RoutingStarted", until: createdAt + order.windowMs, at },
    ],
    reply: { id: task },
  };
}

function expire({ state, stage, context }: Opened, { reason }: Of<"expire">, at: Millis): Result<"expire"> {
  const expired: TaskFact = { type: "Expired", reason, ...excusing(context.failures), at };
  if (!state.can(expired)) {
    return refuse("TASK_ENDED", `This task is ${stage}; its money has been divided, or is about to be.`);
  }
  return { facts: [expired], reply: { id: context.id } };
}

function rate({ stage, context }: Opened, command: Of<"rate">, at: Millis): Result<"rate"> {
  if (context.requester !== command.requester) return refuse("NOT_YOUR_TASK", "Only the requester of a task can rate it.");
  if (stage !== "SETTLED") return refuse("NOT_ENDED", `This task is ${stage}; it can be rated once it is SETTLED.`);
  if (context.rating !== null) return refuse("ALREADY_RATED", `You have rated this task already, with ${context.rating}.`);
  return { facts: [{ type: "Rated", stars: command.stars, at }], reply: { id: context.id, rating: command.stars } };
}

function start({ stage, context }: Opened, command: Of<"start">, at: Millis, arrived: Millis): Result<"start"> {
  const refusal = notInCharge(stage, context, command.worker, arrived);
  if (refusal !== undefined) return refusal;
  if (stage !== "AWARDED") return refuse("ALREADY_STARTED", "You have started this task already; submit its result.");
  return { facts: [{ type: "ExecutionStarted", worker: command.worker, at }], reply: { id: context.id, status: "EXECUTING" } };
}

function submit(
  { stage, context }: Opened,
  command: Of<"submit">,
  at: Millis,
  arrived: Millis,
  format: number,
): Result<"submit"> {
  const refusal = notInCharge(stage, context, command.worker, arrived);
  if (refusal !== undefined) return refusal;
  const { verdict, submission } = command;
  if (verdict === undefined) throw new Error("a submission must be judged before it is decided");
  if ("unjudged" in verdict) return unjudged({ stage, context }, command, verdict, at, format);
  const begun: TaskFact[] = stage === "AWARDED" ? [{ type: "ExecutionStarted", worker: command.worker, at }] : [];
  if (verdict.code === null) {
    const firstTry = context.submissions === 0;
    const { known } = context.order;
    const judged = {
      ...(known === undefined ? {} : { isKnown: isKnownAnswer(command.result, known) }),
      ...(isEcho(context.order, command.result) ? { echo: true as const } : {}),
    };
    const accepted = { type: "ResultAccepted", submission, result: command.result, firstTry, ...judged, at } as const;
    return { facts: [...begun, accepted], reply: acceptedReply(accepted) };
  }
  const { code, errors } = verdict;
  const left = retriesLeft(context);
  const rejected = { type: "ResultRejected", submission, code, errors, left, at } as const;
  if (left > 0) return { facts: [...begun, rejected], reply: rejectedReply(rejected, "REJECTED") };
  const failed = { type: "AwardFailed", code, at } as const;
  return {
    facts: [...begun, rejected, failed, afterFailed({ ...context, submissions: context.submissions + 1 }, failed)],
    reply: rejectedReply(rejected, "FAILED"),
  };
}

function cancel({ state, stage, context }: Opened, command: Of<"cancel">, at: Millis): Result<"cancel"> {
  if (context.requester !== command.requester) {
    return refuse("NOT_YOUR_TASK", "Only the requester of a task can cancel it.");
  }
  const cancelled: TaskFact = { type: "Cancelled", ...excusing(context.failures), at };
  if (!state.can(cancelled)) {
    return refuse("TASK_NOT_CANCELLABLE", `This task is ${stage}; it can be cancelled only before its award.`);
  }
  return { facts: [cancelled], reply: { id: context.id, status: "CANCELLED" }, afterDelivery: true };
}

/** Never refused: whatever the task is doing, it is the end of its batch. */
function withdraw({ state, stage, context }: Opened, _command: Of<"withdraw">, at: Millis): Result<"withdraw"> {
  const cancelled: TaskFact = { type: "Cancelled", ...excusing(context.failures), at };
  if (state.can(cancelled)) return { facts: [cancelled], reply: null };
  const runsOn = isAwarded(stage) && context.autoRetriesLeft > 0;
  return { facts: runsOn ? [{ type: "Withdrawn", at }] : [], reply: null };
}

function settled({ stage }: Opened, command: Of<"settled">, at: Millis): Result<"settled"> {
  if (stage !== "COMPLETED") return refuse("MESSAGE_STALE", `A task that is ${stage} cannot be settled.`);
  const { payout, fee, refund } = command;
  return { facts: [{ type: "Settled", payout, fee, refund, at }], reply: null };
}

function timer(task: Opened, command: Of<"timer">, at: Millis): Result<"timer"> {
  const { stage, context } = task;
  const stale = refuse("TIMER_STALE", `The timer ${command.name} is out of date: the task is ${stage}.`);
  switch (command.name) {
    case "routing":
      // In the pool it is set only for a bid.
      return stage === "ROUTING" || (takesBids(stage) && context.bids.length > 0) ? endWindow(task, at) : stale;
    case "pool":
      return stage === "PENDING_POOL" ? { facts: [{ type: "Expired", ...excusing(context.failures), at }], reply: null } : stale;
    case "execution":
      // It was set for the deadline before an extension.
      if (!isAwarded(stage) || (context.extended > 0 && command.due < (context.deadline ?? 0))) return stale;
      return timedOut(context, at);
    case "webhook":
      return hasEnded(stage) && !context.webhook.done ? deliver(stage, context, command.due) : stale;
    default:
      return stale;
  }
}

function timedOut(context: Opened["context"], at: Millis): Result<"timer"> {
  const fact = { type: "AwardTimedOut", at } as const;
  return { facts: [fact, afterFailed(context, fact)], reply: null };
}

/** Leaves no fact: the timer stays set until the outcome is known, so that after a crash it is sent again. */
function deliver(stage: TaskStatus, context: Opened["context"], due: Millis): Result<"timer"> {
  const { callbackUrl } = context.order;
  if (callbackUrl === null || context.requester === null) throw new Error("a webhook needs its address");
  const body = {
    event: "task.terminal",
    task_id: context.id,
    status: stage,
    result_data: context.result,
    awarded_price: context.award?.credits ?? null,
    created_at: new Date(context.createdAt).toISOString(),
    timestamp: new Date(due).toISOString(),
  };
  const attempt = context.webhook.attempts + 1;
  const message = context.id;
  const request = { task: context.id, account: context.requester, message, attempt, url: callbackUrl, body };
  const outcomeTo = (outcome: DeliveryOutcome) => ({ type: "webhook.attempted", attempt, outcome }) as const;
  return { facts: [], reply: null, calls: [{ kind: "webhook", request, outcomeTo, timer: "webhook" }] };
}

function webhookAttempted({ stage, context }: Opened, command: Of<"webhook.attempted">, at: Millis): Result<"webhook.attempted"> {
  if (!hasEnded(stage) || context.webhook.done || command.attempt !== context.webhook.attempts + 1) {
    return refuse("MESSAGE_STALE", "This attempt's outcome is known already.");
  }
  const { attempt, outcome } = command;
  return { facts: [{ type: "WebhookAttempted", attempt, outcome, next: nextAttempt(attempt, outcome, at), at }], reply: null };
}

function nextAttempt(attempt: number, outcome: DeliveryOutcome, at: Millis): Millis | null {
  const wait = WEBHOOK_RETRY_MS[attempt - 1];
  return outcome.result !== "failed" || wait === undefined ? null : at + wait;
}

function webhookResend({ stage, context }: Opened, command: Of<"webhook.resend">, at: Millis): Result<"webhook.resend"> {
  if (context.requester !== command.requester) return refuse("NOT_YOUR_TASK", "Only the requester can have it sent again.");
  if (context.order.callbackUrl === null) {
    return refuse("NO_CALLBACK", "This task was created without a webhook.", { why: "NO_CALLBACK" });
  }
  if (!hasEnded(stage)) return refuse("NOT_ENDED", `This task is ${stage}; its webhook is sent when it ends.`);
  if ((context.webhook.resends ?? 0) >= RESENDS_MAX) {
    const detail = `This webhook was sent again ${RESENDS_MAX} times; see its deliveries for what went wrong.`;
    return refuse("TOO_MANY_RESENDS", detail, { why: "TOO_MANY_RESENDS", most: RESENDS_MAX });
  }
  return { facts: [{ type: "WebhookRequested", at }], reply: { id: context.id, status: "QUEUED" } };
}
