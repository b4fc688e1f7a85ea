/**
 * A task's facts as a history for its two parties, and for who has bid on it: they see their own part, whoever has the task now. Other
 * workers' bids are the requester's to see, and nobody else's. Why a worker declined tells of its account, so that is for the worker
 * itself and for operators; what was wrong with a result tells of the result, so that is for who sent it.
 */
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { bestFirst, weightOf } from "../../machines/market/auction.ts";
import { type Failing, pointsOf } from "../../machines/market/reputation.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { isPenalised } from "../../machines/task/fault.ts";
import type { AccountId, JsonObject, JsonValue, QualityPreference } from "../../machines/vocabulary.ts";
import type { History } from "../ports/read-model.ts";
import { ineligibilitySentence } from "./ineligibility.ts";
import { EXCUSES } from "./reputation.ts";
import { time, timeOrNull } from "./task.ts";
import { UNMATCHED_SENTENCES } from "./unmatched.ts";

export interface HistoryEvent {
  readonly seq: number;
  readonly event: string;
  readonly at: string;
  readonly by: string | null;
  readonly data: JsonObject;
}

const PLATFORM = "platform";

interface Viewer {
  readonly account: AccountId;
  readonly requester: AccountId;
  /** Whether it is the requester, or the worker who has, or had, the task last; else one of those who bid on it. */
  readonly party: boolean;
  /** The task's quality preference. */
  readonly preference: QualityPreference;
  /** The task's budget (NC). */
  readonly budget: number;
  /** Sees what the requester does, and why workers declined. */
  readonly operator?: boolean;
}

/** Why a bid won; `asked`: a better one came while its worker's account was asked, and the award was already its. */
const WHY: { readonly [R in QualityPreference | "explored" | "alone" | "asked"]: string } = {
  cheapest: "The lowest price; among equal prices the better quality.",
  best: "The best quality; among equal qualities the lower price.",
  balanced: "The lowest price / (1 + quality).",
  explored: "The lowest price: a share of all tasks goes to it, so that newcomers get a start.",
  alone: "The only one there was.",
  asked: "The best when its worker was asked; a better bid came while it answered.",
};
const COUNTED = " Prices count down to half of the going price; below that the better quality wins.";

type Awarded = Extract<TaskFact, { readonly type: "Awarded" }>;

function whyWon(fact: Awarded, preference: QualityPreference, going: number | null): string {
  const { bid, candidates, explored } = fact;
  if (candidates.length <= 1) return WHY.alone;
  const [best] = candidates.toSorted(bestFirst(explored ? "cheapest" : preference, going));
  if (best?.id !== bid.id) return WHY.asked;
  const counts = going !== null && candidates.some(({ credits }) => credits < going / 2) && (explored || preference !== "best");
  return `${WHY[explored ? "explored" : preference]}${counts ? COUNTED : ""}`;
}

/** Gives the events that this account may see, in order. */
export function showHistory({ items, worker: before }: History, viewer: Viewer): readonly HistoryEvent[] {
  let worker = before;
  return items.flatMap(({ seq, fact }) => {
    if (fact.type === "Awarded") worker = fact.bid.worker;
    const shown = describe(fact, worker, viewer);
    return shown === undefined ? [] : [{ seq, event: fact.type, at: time(fact.at), by: shown.by, data: shown.data }];
  });
}

/** Leaves out what an older version did not record. */
function whyDeclined(reason: Ineligibility | undefined): JsonObject {
  if (reason === undefined) return {};
  const sentence = ineligibilitySentence(reason);
  return { reason: reason.why, ...(sentence === undefined ? {} : { detail: sentence }) };
}

/** What an award was weighed against, for the requester. */
function weighing(fact: Awarded, preference: QualityPreference, budget: number): JsonObject {
  const { bid, explored, candidates } = fact;
  const going = fact.going === undefined ? null : fact.going * budget;
  const weighed = explored ? "cheapest" : preference;
  const bids: JsonValue[] = candidates.map(({ id, worker, credits, quality, standing, posted }) => ({
    bid_id: id,
    worker,
    bid_credits: credits,
    quality,
    weight: weightOf(weighed, { credits, quality }, going),
    standing_price: standing === true || posted === true,
  }));
  return { awarded_price: bid.credits, explored, going_price: going, why: whyWon(fact, preference, going), bids };
}

/** Whose place it takes is the requester's to see. */
function placedBid({ bid, displaces }: Extract<TaskFact, { readonly type: "BidPlaced" }>, all: boolean): JsonObject {
  return { bid_id: bid.id, bid_credits: bid.credits, ...(all && displaces !== undefined ? { displaces } : {}) };
}

/** Facts of somebody's work, which are for the parties and for whoever did it. */
const OF_WORK: ReadonlySet<TaskFact["type"]> = new Set([
  "ExecutionStarted",
  "ResultAccepted",
  "ResultRejected",
  "JudgingKilled",
  "AwardFailed",
  "AwardReturned",
  "AwardExtended",
  "AwardTimedOut",
  "Settled",
  "Rated",
]);

/** What the end of its award has cost this worker. */
function costs(failing: Failing): JsonObject {
  return { reputation_change: pointsOf(failing) };
}

/** Why a task ended, and whether this account's penalty is taken back by that. */
function ended(fact: Extract<TaskFact, { readonly type: "Expired" | "Cancelled" }>, account: AccountId): JsonObject {
  const code = fact.type === "Cancelled" || fact.code === undefined ? {} : { error_code: fact.code };
  const mine = fact.excused?.find(({ worker }) => worker === account);
  if (mine === undefined) return code;
  const { reason, outcome } = mine;
  return { ...code, penalty_taken_back: reason, reputation_change: -pointsOf(outcome), detail: EXCUSES[reason] };
}

/** What was wrong with a result is told to who sent it. */
function rejection(fact: Extract<TaskFact, { readonly type: "ResultRejected" }>, own: boolean): JsonObject {
  const { submission, code, left } = fact;
  const errors = own ? { errors: fact.errors.map(({ field, message }) => ({ field, message })) } : {};
  return { submission_id: submission, error_code: code, retries_left: left, ...errors };
}

type AwardEnd = Extract<TaskFact, { readonly type: "AwardFailed" | "AwardReturned" | "AwardTimedOut" }>;

/** How an award ended without a result; `own`: for its worker, whom it tells what that has cost. */
function awardEnd(fact: AwardEnd, worker: AccountId | null, own: boolean): { by: string | null; data: JsonObject } {
  const isPenalty = own && (fact.type !== "AwardReturned" || isPenalised(fact));
  const cost = isPenalty ? costs(fact.type === "AwardTimedOut" ? "TIMED_OUT" : "FAILED_VALIDATION") : {};
  if (fact.type === "AwardReturned") {
    const { how, reason = null } = fact;
    return { by: how === "UNDELIVERED" ? PLATFORM : worker, data: { awarded_to: worker, how, reason, ...cost } };
  }
  const code = fact.type === "AwardFailed" ? fact.code : "TIMEOUT";
  return { by: PLATFORM, data: { awarded_to: worker, error_code: code, ...cost } };
}

function describe(
  fact: TaskFact,
  worker: AccountId | null,
  { account, requester: poster, party, preference, budget, operator = false }: Viewer,
): { by: string | null; data: JsonObject } | undefined {
  const all = account === poster;
  const own = worker === account;
  const requester = party ? poster : null;
  const name = (who: AccountId | null) => (all || who === account ? who : null);
  if (!party && !own && OF_WORK.has(fact.type)) return undefined;
  switch (fact.type) {
    case "Opened":
      return { by: requester, data: {} };
    case "RoutingStarted":
    case "PoolEntered":
      return { by: PLATFORM, data: { until: time(fact.until) } };
    case "Reopened":
      return { by: PLATFORM, data: { until: time(fact.until), costs_retry: fact.free !== true } };
    case "Passed":
      return all || fact.worker === account ? { by: fact.worker, data: {} } : undefined;
    case "BidWithdrawn":
      return all || fact.worker === account ? { by: fact.worker, data: { bid_id: fact.bid } } : undefined;
    case "BidPlaced": {
      if (!all && fact.bid.worker !== account) return undefined;
      return { by: fact.bid.worker, data: placedBid(fact, all) };
    }
    case "Awarded":
      return {
        by: PLATFORM,
        data: {
          awarded_to: name(fact.bid.worker),
          deadline: time(fact.deadline),
          ...(all ? weighing(fact, preference, budget) : {}),
        },
      };
    case "PoolExplained":
      return all
        ? { by: PLATFORM, data: { reason: fact.why, detail: UNMATCHED_SENTENCES[fact.why], workers_online: fact.present } }
        : undefined;
    case "OfferDeclined":
      return operator || fact.worker === account ? { by: fact.worker, data: whyDeclined(fact.reason) } : undefined;
    case "StandingBidDropped":
      return undefined;
    case "Rated":
      return { by: requester, data: { rating: fact.stars } };
    case "ExecutionStarted":
      return { by: name(fact.worker), data: {} };
    case "ResultAccepted":
      return { by: name(worker), data: { submission_id: fact.submission, first_try: fact.firstTry } };
    case "ResultRejected":
      return { by: name(worker), data: rejection(fact, own) };
    case "JudgingKilled":
      return { by: name(worker), data: { submission_id: fact.submission, error_code: "VALIDATION_TOO_EXPENSIVE" } };
    case "AwardFailed":
    case "AwardReturned":
    case "AwardTimedOut":
      return awardEnd(fact, name(worker), own);
    case "AwardExtended":
      return { by: name(fact.worker), data: { seconds: fact.seconds, deadline: time(fact.deadline) } };
    case "Settled":
      return { by: PLATFORM, data: { payout: fact.payout, fee: fact.fee, refund: fact.refund } };
    case "Expired":
      return { by: PLATFORM, data: ended(fact, account) };
    case "Cancelled":
      return { by: requester, data: ended(fact, account) };
    case "Withdrawn":
      return { by: requester, data: {} };
    case "WebhookAttempted":
      return all
        ? { by: PLATFORM, data: { attempt: fact.attempt, result: fact.outcome.result, next_attempt_at: timeOrNull(fact.next) } }
        : undefined;
    case "WebhookRequested":
      return all ? { by: requester, data: {} } : undefined;
    default:
      return fact satisfies never;
  }
}
