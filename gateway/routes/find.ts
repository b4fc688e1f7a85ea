import { refuse } from "../../machines/refusal.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { problemOf } from "../http/problems.ts";
import type { ReadModel, StoredTask } from "../ports/read-model.ts";
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
export async function findTask({ reads }: Services, id: string, account: AccountId): Promise<StoredTask> {
  const known = id.toLowerCase();
  const task = (await reads.task(known)) ?? (await findOpening(reads, known, account));
  if (task === undefined || !(await maySee(reads, task, account))) throw problemOf(TASK_UNKNOWN);
  return task;
}

/** Who has ever bid on a task may see what became of it. */
async function maySee(reads: ReadModel, task: StoredTask, account: AccountId): Promise<boolean> {
  return isVisible(task, account) || reads.hasBid(account, task.row.id);
}

async function findOpening(reads: ReadModel, id: string, account: AccountId): Promise<StoredTask | undefined> {
  if (await reads.opening(account, id)) throw problemOf(OPENING);
  // It may have been opened between the two reads.
  return reads.task(id);
}

/** Gives a task of which this account is a party, or on which it has bid; throws a Problem (404). */
export async function findKnownTask(services: Services, id: string, account: AccountId): Promise<StoredTask> {
  const task = await findTask(services, id, account);
  if (!isParty(task, account) && !(await services.reads.hasBid(account, task.row.id))) throw problemOf(TASK_UNKNOWN);
  return task;
}

/** Gives a task of which this account is a party; throws a Problem (404). */
export async function findOwnTask(services: Services, id: string, account: AccountId): Promise<StoredTask> {
  const task = await findTask(services, id, account);
  if (!isParty(task, account)) throw problemOf(TASK_UNKNOWN);
  return task;
}
