import type { AccountId, JsonValue, Millis, TaskStatus } from "../vocabulary.ts";
import type { TaskSnapshot } from "./machine.ts";
import { retriesLeft } from "./state.ts";
import { hasEnded } from "./tags.ts";

/** The row from which a task is shown and listed; its TaskSpec is stored beside it. */
export interface TaskRow {
  readonly id: string;
  readonly status: TaskStatus;
  readonly requester: AccountId;
  /** The requester's marks; see market/identity.ts. */
  readonly marks: readonly string[];
  /** The worker in charge, or who did the task. */
  readonly worker: AccountId | null;
  readonly taskType: string;
  readonly budget: number;
  readonly minSkill: number;
  /** Workers who cannot take it: bidders of this round, and those who failed it. */
  readonly closedTo: readonly AccountId[];
  readonly awardedPrice: number | null;
  readonly result: JsonValue;
  readonly errorCode: string | null;
  readonly retriesLeft: number;
  readonly autoRetriesLeft: number;
  readonly expiresAt: Millis | null;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

/** Gives the row of a task; undefined before it is opened. */
export function taskRow({ value: status, context }: TaskSnapshot): TaskRow | undefined {
  const { requester, order, award } = context;
  if (status === "NEW" || requester === null || order === null) return undefined;
  return {
    id: context.id,
    status,
    requester,
    marks: hasEnded(status) ? [] : context.marks,
    worker: award?.worker ?? null,
    taskType: order.taskType,
    budget: order.budget,
    minSkill: order.minSkill,
    closedTo: hasEnded(status) ? [] : [...context.bids, ...context.failures].map(({ worker }) => worker),
    awardedPrice: award?.credits ?? null,
    result: context.result,
    errorCode: context.errorCode,
    retriesLeft: retriesLeft(context),
    autoRetriesLeft: context.autoRetriesLeft,
    expiresAt: context.expiresAt,
    createdAt: context.createdAt,
    updatedAt: context.updatedAt,
  };
}
