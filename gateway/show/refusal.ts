/** What clients are told where a refusal gives its reason: the one table from a reason to a sentence in the words of the API. */
import type { RefusalReason } from "../../machines/refusal.ts";
import { limitSentence } from "./credit-line.ts";
import { ineligibilitySentence } from "./ineligibility.ts";

/** Gives the sentence for a reason; undefined for one of a newer version, which only its own node can tell of. */
export function refusalSentence(reason: RefusalReason): string | undefined {
  switch (reason.why) {
    case "TASK_UNKNOWN":
      return "There is no task with this id. Check the id that POST /tasks gave you.";
    case "NOT_AWARDED_TO_YOU":
      return "This task is not awarded to you; bid first, and wait until status is AWARDED.";
    case "TIME_RAN_OUT": {
      const rest = reason.reassigned ? "it went to other workers" : "look for others";
      return `Your time for this task ran out (max_execution_seconds); ${rest}.`;
    }
    case "EXTENSION_TOO_LONG":
      return reason.most === 0
        ? "This task allows no extension (max_extension_seconds is 0); submit in time, or release it."
        : `seconds must be at most ${reason.left}: this task allows ${reason.most} s of extension in all (max_extension_seconds).`;
    case "BID_STANDS":
      return "You have bid on this task; take the bid back with DELETE /api/v1/tasks/{id}/bid instead.";
    case "BID_UNKNOWN":
      return "You have no bid on this task in this round; GET /api/v1/bids says what became of yours.";
    case "ALREADY_ANSWERED":
      return "You have passed on this task, or taken a bid back, in this round already, and may do so once; this bid stays.";
    case "NO_CALLBACK":
      return "This task was created without a callback_url.";
    case "TOO_MANY_RESENDS":
      return `This webhook was sent again ${reason.most} times; GET the task instead, and see its deliveries for what went wrong.`;
    case "ACCOUNT_UNKNOWN":
      return "There is no such account; register one with POST /api/v1/auth/register.";
    case "ACCOUNT_EXISTS":
      return "This address has an account already. Use its API key; if it is lost, recover it with POST /api/v1/auth/recover.";
    case "NO_RECOVERY_CODE":
      return "There is no code that is good now; ask for a new one with POST /api/v1/auth/recover.";
    case "NO_DEBT":
      return "You owe nothing; GET /credits/credit-info says what you may owe.";
    case "DEBT_UNPAID":
      return "Your account is suspended, its debt is unpaid for 7 days; repay it (GET /credits/credit-info says how much) and go on at once.";
    case "LINE_LIMITED": {
      const { budget, power, line, whole, limit } = reason;
      const short = `The budget is ${budget} NC and you have ${power} NC; top up ${budget - power} NC or lower the budget.`;
      return `${short} Of your rating's credit line of ${whole} NC you can use ${line} NC: ${limitSentence(limit)}.`;
    }
    case "CAPABILITY_UNKNOWN":
      return "You have no capability with this id; GET /api/v1/capabilities lists yours.";
    case "TOO_MANY_BATCHES":
      return `${reason.most} of your batches run; wait until one has ended (GET /api/v1/batches/{id} says how far it is).`;
    case "BATCH_UNKNOWN":
      return "There is no batch of yours with this id; check the batch_id that POST /tasks/batch gave you.";
    case "MAILBOX_FULL":
      return "Too much is waiting for the same account or task; try again after the time in Retry-After.";
    case "NODE_FULL":
      return `More than ${reason.most} requests are under way; try again after the time in Retry-After.`;
    case "OUTCOME_UNKNOWN":
      return "No answer in time, so it is not known whether this was done. Send it again with the same Idempotency-Key, or look at what it should have changed.";
    case "REPLY_UNKNOWN":
      return "A node of another version did this and answered in words that are not known here. Ask the operator to update all of them; sent again with the same Idempotency-Key, it is not done twice.";
    default:
      return ineligibilitySentence(reason);
  }
}
