/** Counts of who may take what, and why the others may not, for operators. */
import type { Ineligibility, WhyNot } from "../../../machines/ineligibility.ts";
import { plural } from "./words.ts";

/** How many may not, for one reason. */
export interface Ineligible {
  readonly why: WhyNot;
  readonly count: number;
  readonly sentence: string;
}

export interface Tally {
  readonly may: number;
  readonly mayNot: readonly Ineligible[];
}

/** Counts answers of the rule; undefined is who may. The commonest reason comes first. */
export function tally(answers: readonly (Ineligibility | undefined)[]): Tally {
  const byReason = new Map<WhyNot, Ineligibility[]>();
  for (const reason of answers) {
    if (reason === undefined) continue;
    byReason.set(reason.why, [...(byReason.get(reason.why) ?? []), reason]);
  }
  const mayNot = [...byReason].map(([why, reasons]) => ({ why, count: reasons.length, sentence: phrase(reasons) }));
  const ineligible = mayNot.reduce((sum, { count }) => sum + count, 0);
  return { may: answers.length - ineligible, mayNot: mayNot.sort((a, b) => b.count - a.count) };
}

/** Says what answers with one reason have in common. */
function phrase(reasons: readonly Ineligibility[]): string {
  const [first] = reasons;
  if (first === undefined) throw new Error("a reason that is counted is there");
  switch (first.why) {
    case "TIER_TOO_LOW": {
      const tiers = reasons.flatMap((reason) => (reason.why === "TIER_TOO_LOW" ? [reason] : []));
      return `skill tier too low: ${span(tiers.map(({ tier }) => tier))}, where ${span(tiers.map(({ wanted }) => wanted))} is wanted`;
    }
    case "OVER_BUDGET": {
      const prices = reasons.flatMap((reason) => (reason.why === "OVER_BUDGET" ? [reason] : []));
      return `price above the budget: ${span(prices.map(({ price }) => price))} NC, where ${span(prices.map(({ budget }) => budget))} NC is paid`;
    }
    default:
      return ineligibilityPhrase(first);
  }
}

/** From the least to the most of these numbers. */
function span(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

/** Says in a few words why a worker may not take a task; a reason of a newer version is told as it stands. */
export function ineligibilityPhrase(reason: Ineligibility): string {
  switch (reason.why) {
    case "OWN_TASK":
      return "the task is the worker's own";
    case "ONE_IDENTITY":
      return "worker and requester are of one identity";
    case "TASK_NOT_OPEN":
      return `the task is ${reason.status} and takes no bids`;
    case "FROZEN":
      return "the worker's account is frozen";
    case "SUSPENDED":
      return "the worker's account is suspended for its debt";
    case "COOLING":
      return "the worker's account is cooling down after failures";
    case "FAILED_BEFORE":
      return "the worker failed this task before, or gave it back";
    case "PASSED":
      return "the worker has passed in this round";
    case "ALREADY_BID":
      return "the worker has bid already";
    case "BIDS_FULL":
      return `the task has all ${reason.most} bids that a round takes`;
    case "OVER_BUDGET":
      return `price above the budget: ${reason.price} NC, where ${reason.budget} NC is paid`;
    case "TIER_TOO_LOW":
      return `skill tier too low: ${reason.tier}, where ${reason.wanted} is wanted`;
    case "NO_CAPABILITY":
      return "the worker has no capability for the type";
    case "CAPABILITY_AWAY":
      return "the worker's capability is set to unavailable";
    case "NO_POSTED_PRICE":
      return "the worker's capability has no price, so it bids by itself";
    case "SLOT_RESERVED":
      return "the worker reserves a slot for the task already";
    case "NO_SLOT":
      return `every slot is taken: the worker does ${plural(reason.slots, "task")} at once`;
    case "TOO_LITTLE_TIME":
      return `too little time: ${reason.seconds} s, where the worker takes ${reason.wanted} s at least`;
    case "REQUESTER_SCORE_TOO_LOW":
      return `the requester's score is too low: ${reason.score}, where the worker takes ${reason.wanted} at least`;
    case "AWARDS_FULL":
      return `the worker has ${plural(reason.most, "task")} in progress, as many as skill tier ${reason.tier} allows`;
    case "PULL_FULL":
      return `the pull has its ${plural(reason.most, "task")}`;
    default:
      return unknownReason(reason);
  }
}

function unknownReason(reason: never): string {
  return JSON.stringify(reason);
}
