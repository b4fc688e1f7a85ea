/** Who may act on an award, until when, and what follows where it ends without a result. */
import { type Refusal, refuse } from "../refusal.ts";
import type { AccountId, Millis, TaskStatus } from "../vocabulary.ts";
import { afterFailure } from "./changes.ts";
import type { TaskFact } from "./events.ts";
import { excusing } from "./fault.ts";
import type { Opened } from "./opened.ts";
import type { TaskContext } from "./state.ts";
import { isAwarded } from "./tags.ts";

/** Refuses anybody but the worker in charge, and what came too late: the arrival of the request counts. */
export function notInCharge(stage: TaskStatus, context: TaskContext, worker: AccountId, arrived: Millis): Refusal | undefined {
  if (context.award?.worker !== worker) {
    const failure = context.failures.findLast((failed) => failed.worker === worker);
    if (failure?.code === "TIMEOUT") return timeRanOut(true);
    const detail = "This task is not awarded to you; bid first, and wait for the award.";
    return refuse("NOT_AWARDED_TO_YOU", detail, { why: "NOT_AWARDED_TO_YOU" });
  }
  if (!isAwarded(stage)) {
    return refuse("TASK_ENDED", `This task is ${stage} and takes no more results.`);
  }
  return context.deadline !== null && arrived >= context.deadline ? timeRanOut(false) : undefined;
}

function timeRanOut(reassigned: boolean): Refusal {
  const rest = reassigned ? "it went to other workers" : "look for others";
  return refuse("TIMEOUT", `Your time for this task ran out; ${rest}.`, { why: "TIME_RAN_OUT", reassigned });
}

type Failed = Extract<TaskFact, { readonly type: "AwardFailed" | "AwardTimedOut" | "AwardReturned" }>;

/** What follows where an award has failed so: the task reopens while a retry is left; else it ends. */
export function afterFailed(context: TaskContext & Pick<Opened["context"], "order">, failed: Failed): TaskFact {
  const { autoRetriesLeft, order } = context;
  const { at } = failed;
  if (autoRetriesLeft === 0) return { type: "Expired", ...excusing(afterFailure(context, failed).failures), at };
  return { type: "Reopened", until: at + order.windowMs, at };
}
