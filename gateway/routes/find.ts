import { refuse } from "../../machines/refusal.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { problemOf } from "../http/problems.ts";
import type { ReadModel, TaskRow } from "../ports/read-model.ts";
import type { Services } from "../services.ts";
import { isParty, isVisible } from "../show/task.ts";

export const TASK_UNKNOWN = refuse(
  "TASK_UNKNOWN",
  "There is no task with this id that you may see. Check the id that POST /api/v1/tasks gave you.",
);

/** The budget is held and the task will exist in a moment. */
const OPENING = refuse("UNAVAILABLE", "This task was accepted and is being opened; ask again in a moment.");

/**
 * Gives a task that this account may see; throws a Problem (404, or 503 while the node that is to open it cannot be
 * reached). Ids are case-insensitive.
 */
export async function findTask({ reads }: Services, id: string, account: AccountId): Promise<TaskRow> {
  const task = id.toLowerCase();
  const row = (await reads.task(task)) ?? (await findOpening(reads, task, account));
  if (row === undefined || !isVisible(row, account)) throw problemOf(TASK_UNKNOWN);
  return row;
}

async function findOpening(reads: ReadModel, task: string, account: AccountId): Promise<TaskRow | undefined> {
  if (await reads.opening(account, task)) throw problemOf(OPENING);
  // It may have been opened between the two reads.
  return reads.task(task);
}

/** Gives a task of which this account is a party; throws a Problem (404). */
export async function findOwnTask(services: Services, id: string, account: AccountId): Promise<TaskRow> {
  const row = await findTask(services, id, account);
  if (!isParty(row, account)) throw problemOf(TASK_UNKNOWN);
  return row;
}
