import { refuse } from "../../machines/refusal.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { TaskRow } from "../ports.ts";
import { problemOf } from "../problems.ts";
import type { Services } from "../services.ts";
import { isParty, isVisible } from "../show/task.ts";

export const TASK_UNKNOWN = refuse(
  "TASK_UNKNOWN",
  "There is no task with this id that you may see. Check the id that POST /api/v1/tasks gave you.",
);

/** Gives a task that this account may see; throws a Problem (404). Ids are taken in either case of letters. */
export async function findTask({ reads }: Services, id: string, account: AccountId): Promise<TaskRow> {
  const row = await reads.task(id.toLowerCase());
  if (row === undefined || !isVisible(row, account)) throw problemOf(TASK_UNKNOWN);
  return row;
}

/** Gives a task that this account is a party of; throws a Problem (404). */
export async function findOwnTask(services: Services, id: string, account: AccountId): Promise<TaskRow> {
  const row = await findTask(services, id, account);
  if (!isParty(row, account)) throw problemOf(TASK_UNKNOWN);
  return row;
}
