/** What a stream that begins is told of: a selection of what is open. */
import { tiersIn } from "../../machines/market/qualification.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { ReadModel, StoredTask } from "../ports/read-model.ts";
import { mayBid } from "../show/task.ts";

/** Open tasks that a new stream is told of. */
export const OPEN_MAX = 50;

/** Gives tasks of these types that are open and that the account can take, the oldest first. Rejects with StoreUnavailable. */
export async function openTasksFor(
  reads: Pick<ReadModel, "account" | "open">,
  account: AccountId,
  taskTypes: readonly string[],
): Promise<readonly StoredTask[]> {
  const me = await reads.account(account);
  if (me === undefined) return [];
  const page = await reads.open({
    worker: account,
    marks: me.marks,
    taskTypes,
    tiers: tiersIn(me),
    minBudget: null,
    sort: null,
    limit: OPEN_MAX,
    cursor: null,
  });
  return (page?.items ?? []).filter((task) => mayBid(task, me));
}
