/**
 * An award that its worker gives back before a submission (design: Trust).
 *
 * R1  In its first FREE_RETURN_MS it may be free: the worker's account says so, because it knows how many it has given back of late
 *     (account/free-returns.ts). A yes is a fact there, and comes by a message too, so it is never lost; asked again it is yes again.
 * R2  Otherwise it counts as a failure of the worker, not as one that timed out.
 * R3  The worker does not get the task again. What the platform gives back, because its answer did not reach the worker, counts
 *     for nobody, and closes the task to that worker only the second time.
 * R4  The first RETURNS_FREE_OF_RETRY of a task cost it no retry, and those of the platform none at all: clients that hang up again and
 *     again end no task. After UNDELIVERED_MAX of these a worker is closed to it at the first, so that they come to an end.
 */
import type { Ask, Decision } from "../entity.ts";
import type { CommandOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { type AccountId, type Millis, taskId } from "../vocabulary.ts";
import type { Result } from "./awarding.ts";
import { isMayReturn } from "./commands.ts";
import type { ReturnKind, TaskFact } from "./events.ts";
import { afterFailed, notInCharge } from "./in-charge.ts";
import type { Opened } from "./opened.ts";
import type { ReturnReply } from "./protocol.ts";
import { returnedReply } from "./replies.ts";
import { ASK_MS } from "./state.ts";

/** From the award, how long it may be given back for free (ms); exactly then it is too late. */
const FREE_RETURN_MS = 10_000;
/** How many returns by workers cost a task no retry. */
const RETURNS_FREE_OF_RETRY = 3;

type Of<T extends "giveBack" | "returnAnswered" | "returnGranted"> = CommandOf<"task", T>;
type Context = Opened["context"];

/** What one return is about, whatever brings it: who gives it back, why, and the request, if that may come again. */
type Return = Omit<Of<"returnGranted">, "type">;

/** Gives an award back; the same again gets its reply again. Late, or with `undelivered`, that is decided here (R1, R3). */
export function giveBack(
  task: Opened,
  { type: _, undelivered, ...given }: Of<"giveBack">,
  at: Millis,
  arrived: Millis,
): Result<"giveBack"> {
  const { stage, context } = task;
  const { worker } = given;
  const before = earlier(context, given);
  if (before !== undefined) return { facts: [], reply: before };
  const refusal = notReturnable(task, worker, arrived);
  if (refusal !== undefined) return refusal;
  if (undelivered !== undefined) {
    if (stage === "AWARDED" && context.award?.pull?.id === undelivered) return returned(context, "UNDELIVERED", given, at);
    return refuse("ALREADY_STARTED", "This award has reached its worker, or was not of this pull.");
  }
  if (arrived >= (context.awardedAt ?? 0) + FREE_RETURN_MS) return returned(context, "LATE", given, at);
  return { facts: [], reply: NOT_DECIDED, ask: askFor(context, given) };
}

/** Replaced by the reply to the command that brings the account's. */
const NOT_DECIDED: ReturnReply = { id: "", how: "LATE" };

function askFor({ id }: Context, { worker, ...given }: Return): Ask {
  return {
    to: { kind: "account", id: worker },
    command: { type: "mayReturn", task: taskId(id), ...given },
    ms: ASK_MS,
    answered: (reply) => ({ type: "returnAnswered", worker, ...given, granted: isMayReturn(reply) ? reply.granted : null }),
  };
}

/** The account of the worker has said whether it may give the award back for free; null: it has not answered in time. */
export function returnAnswered(
  task: Opened,
  { type: _, granted, ...given }: Of<"returnAnswered">,
  at: Millis,
): Result<"returnAnswered"> {
  const { context } = task;
  const before = earlier(context, given);
  if (before !== undefined) return { facts: [], reply: before };
  if (granted === null) {
    return refuse("UNAVAILABLE", "It is not known whether this was done, because your account did not answer; ask again.", {
      why: "OUTCOME_UNKNOWN",
    });
  }
  // It was in time when it was asked.
  const refusal = notReturnable(task, given.worker, 0);
  if (refusal !== undefined) return refusal;
  return returned(context, granted ? "FREE" : "TOO_MANY", given, at);
}

/** The yes of a worker's account, by a message; never refused. A submission may have come before it. */
export function returnGranted(task: Opened, { type: _, ...given }: Of<"returnGranted">, at: Millis): Result<"returnGranted"> {
  if (notReturnable(task, given.worker, 0) !== undefined) return { facts: [], reply: null };
  return { facts: returned(task.context, "FREE", given, at).facts, reply: null };
}

/** Refuses anybody but the worker in charge, what came too late, and what comes after a submission. */
function notReturnable({ stage, context }: Opened, worker: AccountId, arrived: Millis): Refusal | undefined {
  const refusal = notInCharge(stage, context, worker, arrived);
  if (refusal !== undefined || context.submissions === 0) return refusal;
  return refuse("ALREADY_SUBMITTED", "You have submitted a result for this task; correct it, or let its time run out.");
}

/**
 * How this worker has given the task back, if it has. The account's yes may bring a return before its answer does, so the request
 * that did it is known by its id here, and not by the command alone.
 */
function earlier({ id, award, failures }: Context, { worker, request }: Return): ReturnReply | undefined {
  if (award?.worker === worker) return undefined;
  const { how, returnedBy } = failures.findLast((failure) => failure.worker === worker) ?? {};
  if (how === undefined) return undefined;
  const isSame = returnedBy !== undefined && returnedBy.id === request?.id;
  return returnedReply(id, isSame ? { how, request: returnedBy } : { how });
}

function returned(context: Context, how: ReturnKind, given: Return, at: Millis): Decision<TaskFact, ReturnReply> {
  const { award, failures, order } = context;
  const { reason, request } = given;
  if (award === null) throw new Error("what is given back is an award");
  const said = { ...(reason === null ? {} : { reason }), ...(request === undefined ? {} : { request }) };
  const fact = { type: "AwardReturned", worker: award.worker, how, ...said, at } as const;
  const ofPlatform = how === "UNDELIVERED";
  const before = failures.filter((one) => one.how !== undefined && one.how !== "UNDELIVERED").length;
  const isFree = !context.withdrawn && (ofPlatform || before < RETURNS_FREE_OF_RETRY);
  const next: TaskFact = isFree ? { type: "Reopened", until: at + order.windowMs, free: true, at } : afterFailed(context, fact);
  return { facts: [fact, next], reply: returnedReply(context.id, fact) };
}
