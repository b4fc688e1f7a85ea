import { getInitialSnapshot } from "xstate";
import type { Entity } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import type { JsonValue } from "../vocabulary.ts";
import { decideAccount, recoveryReply } from "./decide.ts";
import { type AccountFact, upcastAccountFact } from "./events.ts";
import { type AccountSnapshot, accountMachine } from "./machine.ts";
import { accountPostings } from "./postings.ts";
import type { AccountCommand } from "./protocol.ts";
import { persistAccount, restoreAccount } from "./snapshot.ts";
import { type AccountView, viewAccount } from "./view.ts";

const logic = logicOf(accountMachine);

/** The answer that the command of these facts got. */
function recall([first]: readonly AccountFact[], state: AccountSnapshot): JsonValue {
  switch (first?.type) {
    case "Adjusted":
      return { adjustment: first.adjustment };
    case "CapabilityRegistered":
      return { capability: first.capability.id, ...(first.request === undefined ? {} : { request: first.request }) };
    case "AvailabilityChanged":
      return { capability: first.capability };
    case "Marked":
    case "RecoveryRequested":
    case "Frozen":
    case "Unfrozen":
    case "HoneypotJudged":
    case "ItemHoldRefused":
    case "BatchEnded":
    case "BatchWaits":
    case "BatchesCalled":
    case "PaymentChanged":
    case "OAuthStarted":
    case "OAuthUsed":
    case "GitHubLinked":
    case "OfferTaken":
    case "OfferDeclined":
    case "OfferFreed":
    case "Rated":
      return null;
    case "RecoveryFailed":
      return recoveryReply(null);
    case "KeyRecovered":
      return recoveryReply(first.before);
    case "ToppedUp":
      return { topup: first.topup, credits_balance: first.available };
    case "Repaid":
      return { repayment: first.repayment, credits_balance: first.available, debt: first.debt };
    case "BatchStarted":
      return { batch: first.batch, request: first.request };
    case "Held":
      return { id: first.task, createdAt: first.at };
    default:
      return { account_id: state.context.id };
  }
}

export const account: Entity<AccountSnapshot, AccountCommand, AccountFact, AccountView> = {
  kind: "account",
  initial: (id) => getInitialSnapshot(accountMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideAccount,
  patience: () => 0,
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: upcastAccountFact,
  recall,
  postings: accountPostings,
  view: (_id, state) => viewAccount(state),
  persist: persistAccount,
  restore: (_id, stored) => restoreAccount(stored),
  finished: (state) => !state.hasTag("registered"),
};
