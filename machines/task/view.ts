import type { AccountId, JsonValue, Millis, TaskStatus } from "../vocabulary.ts";

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
  /** The requester's when the task was opened; absent in a row from a node of before. */
  readonly requesterScore?: number;
  /** Workers who cannot take it, as closedToOf() lists them. */
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
