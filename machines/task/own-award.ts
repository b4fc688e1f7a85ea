/** What became of one award, as its worker is told. */
import { type Failing, pointsOf } from "../market/reputation.ts";
import type { FieldError } from "../validation/rules.ts";
import type { AccountId } from "../vocabulary.ts";
import type { Excused, TaskFact, TaskFactType } from "./events.ts";
import { isPenalised } from "./fault.ts";

/** EXPIRED: the task was ended while it was awarded. */
export const AWARD_OUTCOMES = ["IN_PROGRESS", "SETTLED", "FAILED", "TIMED_OUT", "RELEASED", "EXPIRED"] as const;

export interface OwnAward {
  readonly outcome: (typeof AWARD_OUTCOMES)[number];
  readonly errorCode: string | null;
  /** Of the last result that was wrong. */
  readonly errors: readonly FieldError[];
  /** How the end of the award has changed its worker's reputation; what was taken back is 0. */
  readonly reputationChange: number;
  /** Why that was taken back, if it was. */
  readonly excused: Excused["reason"] | null;
}

const BEGUN: OwnAward = { outcome: "IN_PROGRESS", errorCode: null, errors: [], reputationChange: 0, excused: null };

/** The types of facts that say what became of an award. */
export const AWARD_FACTS: readonly TaskFactType[] = [
  "ResultRejected",
  "JudgingKilled",
  "AwardFailed",
  "AwardTimedOut",
  "AwardReturned",
  "Settled",
  "Expired",
  "Cancelled",
];

/** Folds the facts of a task that came after an award of this worker, in order. */
export function ownAward(worker: AccountId, facts: readonly TaskFact[]): OwnAward {
  return facts.reduce((award, fact) => after(award, worker, fact), BEGUN);
}

function after(award: OwnAward, worker: AccountId, fact: TaskFact): OwnAward {
  if (award.outcome !== "IN_PROGRESS") return excusedBy(award, worker, fact);
  switch (fact.type) {
    case "ResultRejected":
      return { ...award, errorCode: fact.code, errors: fact.errors };
    case "JudgingKilled":
      return { ...award, errorCode: "VALIDATION_TOO_EXPENSIVE", errors: [] };
    case "AwardFailed":
      return failed(award, "FAILED", "FAILED_VALIDATION", fact.code);
    case "AwardTimedOut":
      return failed(award, "TIMED_OUT", "TIMED_OUT", "TIMEOUT");
    case "AwardReturned":
      if (isPenalised(fact)) return failed(award, "RELEASED", "FAILED_VALIDATION", "RELEASED");
      return { ...award, outcome: "RELEASED", errorCode: "RELEASED" };
    case "Settled":
      return { ...award, outcome: "SETTLED", errorCode: null, errors: [], reputationChange: pointsOf("DELIVERED") };
    case "Expired":
      return { ...award, outcome: "EXPIRED", errorCode: fact.code ?? award.errorCode };
    default:
      return award;
  }
}

function failed(award: OwnAward, outcome: OwnAward["outcome"], failing: Failing, errorCode: string): OwnAward {
  return { ...award, outcome, errorCode, reputationChange: pointsOf(failing) };
}

function excusedBy(award: OwnAward, worker: AccountId, fact: TaskFact): OwnAward {
  const all = fact.type === "Expired" || fact.type === "Cancelled" ? (fact.excused ?? []) : [];
  const mine = all.find((one) => one.worker === worker);
  return mine === undefined || award.reputationChange >= 0 ? award : { ...award, reputationChange: 0, excused: mine.reason };
}
