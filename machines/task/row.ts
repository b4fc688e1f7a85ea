import { closedToOf } from "../eligibility.ts";
import type { TaskSnapshot } from "./machine.ts";
import { closedWorkers, retriesLeft } from "./state.ts";
import { hasEnded } from "./tags.ts";
import type { TaskRow } from "./view.ts";

export type { TaskRow } from "./view.ts";

/** Gives the row of a task; undefined before it is opened. */
export function taskRow({ value: status, context }: TaskSnapshot): TaskRow | undefined {
  const { requester, order, award, autoRetriesLeft } = context;
  if (status === "NEW" || requester === null || order === null) return undefined;
  const bidders = context.bids.map(({ worker }) => worker);
  return {
    id: context.id,
    status,
    requester,
    marks: hasEnded(status) ? [] : context.marks,
    worker: award?.worker ?? null,
    taskType: order.taskType,
    budget: order.budget,
    minSkill: order.minSkill,
    requesterScore: context.requesterScore,
    closedTo: hasEnded(status) ? [] : closedToOf(bidders, context.freeRounds, closedWorkers(context.failures)),
    awardedPrice: award?.credits ?? null,
    result: context.result,
    errorCode: context.errorCode,
    retriesLeft: retriesLeft(context),
    autoRetriesLeft,
    expiresAt: context.expiresAt,
    createdAt: context.createdAt,
    updatedAt: context.updatedAt,
  };
}
