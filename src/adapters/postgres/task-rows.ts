/** A task as it is read for lists: its row and its first fact, which never changes and has its specification. */
import type { StoredTask } from "../../../gateway/ports/read-model.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { SCORE_OF_NEWCOMER } from "../../../machines/market/requester-score.ts";
import { upcastTaskFact } from "../../../machines/task/events.ts";
import type { TaskRow } from "../../../machines/task/row.ts";
import { fieldsOf } from "./columns.ts";
import { jsonBytes } from "./page.ts";
import { FACT, TASK } from "./tables.ts";

/** A task's row together with its first fact. */
export type JoinedRow = Omit<TaskRow, "requesterScore"> & StoredFact;

/** Of `tasks t join journal j`. */
export const JOINED_FIELDS = `${fieldsOf(TASK, "t")}, ${fieldsOf(FACT, "j")}`;

export function toTask({ seq, type, version, body, at, ...joined }: JoinedRow): StoredTask {
  const fact = upcastTaskFact({ seq, type, version, body, at });
  if (fact.type !== "Opened") throw new Error(`the first fact of task ${joined.id} must be Opened, and is ${fact.type}`);
  const { order, requesterScore = SCORE_OF_NEWCOMER } = fact;
  return { row: { ...joined, requesterScore }, order };
}

/** About the size of a task as it is shown (bytes). The input is shown twice, once as its preview. */
export function taskBytes(row: JoinedRow): number {
  return jsonBytes(row) + jsonBytes(toTask(row).order.inputData);
}
