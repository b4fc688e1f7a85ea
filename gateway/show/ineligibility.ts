/** Why a worker may not take a task, told to that worker, with what it can do about it. */
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { tierName } from "../../machines/market/skill.ts";

const tier = (number: number) => `${number} (${tierName(number)})`;

/** Gives the sentence for a reason; undefined for one of a newer version, which only its own node can tell of. */
export function ineligibilitySentence(reason: Ineligibility): string | undefined {
  switch (reason.why) {
    case "OWN_TASK":
      return "This is your own task; another account must do it.";
    case "ONE_IDENTITY":
      return "This task was posted by another account of yours; somebody else must do it.";
    case "TASK_NOT_OPEN":
      return `This task is ${reason.status} and takes no bids; look for others at GET /api/v1/tasks/available.`;
    case "FROZEN":
      return "Your account is frozen; ask the operator to release it.";
    case "SUSPENDED":
      return "Your account is suspended because its debt has been unpaid for 7 days; repay it and bid again.";
    case "COOLING": {
      const until = reason.until === null ? "later" : `at ${new Date(reason.until).toISOString()}`;
      return `Your account is cooling down after failures in a row; bid again ${until}.`;
    }
    case "FAILED_BEFORE":
      return "You failed this task before, or gave it back; it is kept for other workers.";
    case "ALREADY_BID":
      return "You have bid on this task already; wait for the award.";
    case "BIDS_FULL":
      return `This task has ${reason.most} bids and yours is better than none of them; bid better, or look for others at GET /api/v1/tasks/available.`;
    case "PASSED":
      return "You have passed on this task in this round; bid on it if you want it after all.";
    case "OVER_BUDGET":
      return `bid_credits must be at most the budget, ${reason.budget} NC; you bid ${reason.price} NC.`;
    case "TIER_TOO_LOW":
      return `This task wants skill tier ${tier(reason.wanted)} and yours is ${tier(reason.tier)}; take others of this type to raise it.`;
    case "NO_CAPABILITY":
      return "You have no capability for this task's type; register one with POST /api/v1/capabilities.";
    case "CAPABILITY_AWAY":
      return "Your capability for this task's type is set to unavailable; make it available to be offered tasks.";
    case "NO_POSTED_PRICE":
      return "Your capability for this task's type has no price; set one to be offered tasks, or bid on each.";
    case "SLOT_RESERVED":
      return "Your capability reserves a slot for this task already.";
    case "NO_SLOT":
      return `All slots of your capability are taken (max_concurrent is ${reason.slots}); finish a task, or raise max_concurrent.`;
    case "TOO_LITTLE_TIME":
      return `This task leaves ${reason.seconds} s and you take ${reason.wanted} s at least without a bid by hand (min_seconds of your capability); bid on it if that is enough.`;
    case "REQUESTER_SCORE_TOO_LOW":
      return `The score of this task's requester is ${reason.score} and you take ${reason.wanted} at least without a bid by hand (min_requester_score of your capability); bid on it if you want it.`;
    case "AWARDS_FULL":
      return `You have ${reason.most} tasks in progress, as many as skill tier ${tier(reason.tier)} allows at a time; finish one, and bid again.`;
    case "PULL_FULL":
      return `This pull has its ${reason.most} tasks; do them, and pull again.`;
    default:
      reason satisfies never;
      return undefined;
  }
}
