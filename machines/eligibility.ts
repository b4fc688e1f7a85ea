/**
 * The one rule that says whether a worker may take a task, and if not, why.
 *
 * E1  A task decides on a bid by `bidIneligibility`; a worker's account on an award by `slotIneligibility`, and on one at its posted
 *     price by `offerIneligibility` before, on one by a pull by `termsIneligibility`; nobody else decides.
 * E2  Lists, streams and posted prices know less beforehand, and only narrow down: they never leave out a worker who may take
 *     the task, and use this rule where they have all that it needs.
 * E3  Exact bounds are in the worker's favour: exactly the wanted tier, a price of exactly the budget, the last slot.
 * E4  Of a worker that has failed more of its last 10 honeypots than it has passed, and at least 2, the tier counts as Unrated in
 *     every type, whatever its skill, so that tasks with a lowest tier above that are not for it (`isDoubted` in
 *     market/honeypot.ts, which qualifications take into account).
 */

import type { BidIneligibility, Ineligibility } from "./ineligibility.ts";
import type { AwardLimit } from "./market/awards.ts";
import { type Capability, type Terms, termsOf } from "./market/capability.ts";
import { isOneIdentity } from "./market/identity.ts";
import type { Qualification } from "./market/qualification.ts";
import { takesBids } from "./task/tags.ts";
import { type AccountId, type AccountStatus, accountId, type TaskStatus } from "./vocabulary.ts";

/** The most bids that one round collects, in the task's state until the award; beyond that a better bid displaces the worst. */
export const BIDS_MAX = 100;

/** What decides who may take a task. Amounts in NC. */
export interface TaskOnOffer {
  readonly status: TaskStatus;
  /** null in an offer: the worker's account knows the requester by its marks only. */
  readonly requester: AccountId | null;
  /** The requester's marks; see market/identity.ts. */
  readonly marks: readonly string[];
  readonly budget: number;
  /** The lowest tier that may bid. */
  readonly minSkill: number;
  /** Time for the worker (s), and the requester's score, 0..1; absent where they are not known, and then not judged. */
  readonly maxSeconds?: number;
  readonly requesterScore?: number;
  /** Workers who have bid in this round. */
  readonly bidders: readonly AccountId[];
  /** Workers whose awards ended without a result; they do not get this task again. */
  readonly failed: readonly AccountId[];
}

/** As much of a task's row; see task/row.ts. */
export interface TaskRowOnOffer extends Omit<TaskOnOffer, "bidders" | "failed" | "maxSeconds"> {
  readonly closedTo: readonly AccountId[];
  readonly autoRetriesLeft: number;
}

/** A worker who wants a task. */
export interface Applicant {
  readonly worker: AccountId;
  /** Under the name that it has in commands. */
  readonly standing: Omit<Qualification, "quality">;
}

/** What a worker's account knows about its posted price for the task's type. */
export interface PostedTerms {
  readonly capability: Capability | undefined;
  /** How many slots it reserves for tasks that it won, or has bid on, by this price. */
  readonly kept: number;
  /** Whether one of them is for this task. */
  readonly keepsThis: boolean;
}

/** Whether an account of this status may take any work at all. */
export function mayWork(status: AccountStatus): status is "ACTIVE" {
  return status === "ACTIVE";
}

/** Says why a worker may not bid this price (NC; null is the budget) on a task; undefined when it may. */
export function bidIneligibility(
  task: TaskOnOffer,
  { worker, standing }: Applicant,
  price: number | null,
): BidIneligibility | undefined {
  if (task.requester === worker) return { why: "OWN_TASK" };
  if (isOneIdentity(task.marks, standing.marks ?? [])) return { why: "ONE_IDENTITY" };
  if (!takesBids(task.status)) return { why: "TASK_NOT_OPEN", status: task.status };
  if (standing.status === "COOLING") return { why: "COOLING", until: standing.cooldownUntil };
  if (!mayWork(standing.status)) return { why: standing.status };
  if (task.failed.includes(worker)) return { why: "FAILED_BEFORE" };
  if (task.bidders.includes(worker)) return { why: "ALREADY_BID" };
  if (price !== null && price > task.budget) return { why: "OVER_BUDGET", price, budget: task.budget };
  if (standing.tier < task.minSkill) return { why: "TIER_TOO_LOW", tier: standing.tier, wanted: task.minSkill };
  return undefined;
}

/** Says why a worker does not take a task that it has not seen; undefined when it does. Who bids by hand has seen it. */
export function termsIneligibility(
  { maxSeconds, requesterScore }: Pick<TaskOnOffer, "maxSeconds" | "requesterScore">,
  { minSeconds, minRequesterScore }: Terms,
): Ineligibility | undefined {
  if (maxSeconds !== undefined && maxSeconds < minSeconds) {
    return { why: "TOO_LITTLE_TIME", seconds: maxSeconds, wanted: minSeconds };
  }
  if (requesterScore !== undefined && requesterScore < minRequesterScore) {
    return { why: "REQUESTER_SCORE_TOO_LOW", score: requesterScore, wanted: minRequesterScore };
  }
  return undefined;
}

/** Says why a worker may not take a task at its posted price; undefined when it may. */
export function offerIneligibility(
  task: TaskOnOffer,
  applicant: Applicant,
  { capability, kept, keepsThis }: PostedTerms,
): Ineligibility | undefined {
  if (capability === undefined) return { why: "NO_CAPABILITY" };
  if (!capability.available) return { why: "CAPABILITY_AWAY" };
  if (capability.price === null) return { why: "NO_POSTED_PRICE" };
  const reason = bidIneligibility(task, applicant, capability.price) ?? termsIneligibility(task, termsOf(capability));
  if (reason !== undefined) return reason;
  if (keepsThis) return { why: "SLOT_RESERVED" };
  return kept >= capability.concurrency ? { why: "NO_SLOT", slots: capability.concurrency } : undefined;
}

/** What a worker's account knows about its slots when it is asked whether it takes an award. */
export interface Slots extends AwardLimit {
  /** How many slots are reserved, without one for this task. */
  readonly taken: number;
  /** Of those, how many the same pull has got; null without a pull. */
  readonly pulled: { readonly taken: number; readonly most: number } | null;
}

/** Says why a worker has no slot for one more award; undefined when it has. */
export function slotIneligibility({ tier, most, taken, pulled }: Slots): Ineligibility | undefined {
  if (taken >= most) return { why: "AWARDS_FULL", tier, most };
  return pulled !== null && pulled.taken >= pulled.most ? { why: "PULL_FULL", most: pulled.most } : undefined;
}

/** In the list of a task's row: a round that cost no retry. Rows have no column for it, so that nodes of before go on with them. */
export const FREE_ROUND = accountId("00000000-0000-0000-0000-000000000000");

/**
 * The list of those who cannot take a task: this round's bidders, then FREE_ROUND as often as there were such rounds, then those who
 * failed it or gave it back.
 */
export function closedToOf(
  bidders: readonly AccountId[],
  freeRounds: number,
  failed: readonly AccountId[],
): readonly AccountId[] {
  return [...bidders, ...Array.from({ length: freeRounds }, () => FREE_ROUND), ...failed];
}

/** Gives the round of a task by its row: how many retries are left, less the rounds that cost none. */
export function roundByRow({ closedTo, autoRetriesLeft }: Pick<TaskRowOnOffer, "closedTo" | "autoRetriesLeft">): number {
  return autoRetriesLeft - closedTo.filter((one) => one === FREE_ROUND).length;
}

/**
 * Gives what a task's row says about who may take it. Without a free round as many workers have failed it as automatic retries are
 * used up.
 */
export function onOfferByRow(row: TaskRowOnOffer, autoRetry: number): TaskOnOffer {
  const { status, requester, marks, budget, minSkill, requesterScore, closedTo, autoRetriesLeft } = row;
  const free = closedTo.indexOf(FREE_ROUND);
  const end = free < 0 ? Math.max(0, closedTo.length - (autoRetry - autoRetriesLeft)) : free;
  const bids = takesBids(status) ? end : 0;
  const failed = closedTo.slice(bids).filter((one) => one !== FREE_ROUND);
  const score = requesterScore === undefined ? {} : { requesterScore };
  return { status, requester, marks, budget, minSkill, ...score, bidders: closedTo.slice(0, bids), failed };
}
