/** Tasks as the API shows them: only the two parties see the text and the result. */

import type { AccountRow } from "../../machines/account/row.ts";
import { bidIneligibility, onOfferByRow } from "../../machines/eligibility.ts";
import { qualificationIn } from "../../machines/market/qualification.ts";
import { SCORE_OF_NEWCOMER } from "../../machines/market/requester-score.ts";
import type { ReplyOf } from "../../machines/protocols.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { takesBids } from "../../machines/task/tags.ts";
import { type AccountId, BOUNDS, type Millis, type TaskId } from "../../machines/vocabulary.ts";
import type { StoredTask } from "../ports/read-model.ts";
import type { Task } from "../schemas/task.ts";

/** ISO 8601 in UTC. */
export function time(at: Millis): string {
  return new Date(at).toISOString();
}

export function timeOrNull(at: Millis | null): string | null {
  return at === null ? null : time(at);
}

/** Whether this account is a party of the task, who may see all of it: its requester and the worker who has, or had, it. */
export function isParty({ row }: StoredTask, account: AccountId): boolean {
  return row.requester === account || row.worker === account;
}

/** Whether this account may see that the task exists: everyone while it is open, then its parties and those who bid on it. */
export function isVisible(task: StoredTask, account: AccountId): boolean {
  const { row } = task;
  return takesBids(row.status) || isParty(task, account) || row.closedTo.includes(account);
}

/** Whether this worker could bid on the task now, by what both their rows say. */
export function mayBid({ row, order }: StoredTask, worker: AccountRow): boolean {
  const applicant = { worker: worker.id, standing: qualificationIn(row.taskType, worker.status, worker) };
  return bidIneligibility(onOfferByRow(row, order.autoRetry), applicant, null) === undefined;
}

/** Counted in code points, so that none is cut in half. */
function preview(text: string): string {
  return [...text.slice(0, 2 * BOUNDS.previewCharacters)].slice(0, BOUNDS.previewCharacters).join("");
}

function demands(order: TaskSpec) {
  return {
    task_type: order.taskType,
    validation_schema: order.schema,
    validation_rules: [...order.rules],
    example_output: order.exampleOutput,
    max_budget_credits: order.budget,
    max_execution_seconds: order.maxSeconds,
    max_extension_seconds: order.maxExtension ?? 0,
    quality_preference: order.quality,
    min_skill_rating: order.minSkill,
  };
}

/** A task as this account may see it. */
export function showTask(task: StoredTask, account: AccountId): Task {
  const { row, order } = task;
  const party = isParty(task, account);
  const requester = row.requester === account;
  return {
    id: row.id,
    status: row.status,
    ...demands(order),
    requester_score: row.requesterScore ?? SCORE_OF_NEWCOMER,
    input_data: party ? order.inputData : null,
    input_data_preview: party ? order.inputData : preview(order.inputData),
    callback_url: requester ? order.callbackUrl : null,
    requester_id: party ? row.requester : null,
    awarded_to: party ? row.worker : null,
    awarded_price: party ? row.awardedPrice : null,
    result_data: party ? row.result : null,
    error_code: party ? row.errorCode : null,
    retries_left: row.retriesLeft,
    auto_retries_left: row.autoRetriesLeft,
    created_at: time(row.createdAt),
    updated_at: time(row.updatedAt),
    expires_at: timeOrNull(row.expiresAt),
  };
}

/** The answer to the creation of a task. A retry gets the same answer, whatever happened to the task since. */
export function showCreated(
  id: TaskId,
  requester: AccountId,
  order: TaskSpec,
  { createdAt, score = SCORE_OF_NEWCOMER }: ReplyOf<"account", "hold">,
): Task {
  return {
    id,
    status: "ROUTING",
    ...demands(order),
    requester_score: score,
    input_data: order.inputData,
    input_data_preview: order.inputData,
    callback_url: order.callbackUrl,
    requester_id: requester,
    awarded_to: null,
    awarded_price: null,
    result_data: null,
    error_code: null,
    retries_left: BOUNDS.submissionsPerAward - 1,
    auto_retries_left: order.autoRetry,
    created_at: time(createdAt),
    updated_at: time(createdAt),
    expires_at: time(createdAt + order.windowMs),
  };
}
