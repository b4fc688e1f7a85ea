import { createActor, getInitialSnapshot } from "xstate";
import type { Entity, Evolution } from "../entity.ts";
import { stepOf } from "../fold.ts";
import type { JsonValue } from "../vocabulary.ts";
import { decideAccount, recoveryReply } from "./decide.ts";
import { effectsOf, turnEffects } from "./effects.ts";
import { type AccountFact, upcastAccountFact } from "./events.ts";
import { type AccountSnapshot, accountMachine } from "./machine.ts";
import { accountPostings } from "./postings.ts";
import type { AccountCommand } from "./protocol.ts";
import { type AccountContext, NEW } from "./state.ts";
import { type AccountView, viewAccount } from "./view.ts";

const step = stepOf(accountMachine, createActor(accountMachine, { input: { id: "" } }));

/** Folds one fact in. Throws on a fact that does not fit the state, which decide() must never give. */
function evolve(state: AccountSnapshot, fact: AccountFact): Evolution<AccountSnapshot> {
  if (!state.can(fact)) throw new Error(`an account that is ${state.value} cannot have ${fact.type} happen to it`);
  const next = step(state, fact);
  if (next.context.held < 0) throw new Error(`account ${next.context.id} would hold less than nothing`);
  return { state: next, effects: [...effectsOf(fact, state.context, next.context), ...turnEffects(fact, state, next)] };
}

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

/** Snapshots are our own writing, so their shape is trusted; XState checks that the state exists. */
function restore(_id: string, stored: unknown): AccountSnapshot {
  const { value, context } = stored as { value: AccountSnapshot["value"]; context: AccountContext };
  return accountMachine.resolveState({ value, context: { ...NEW, ...context, tally: { ...NEW.tally, ...context.tally } } });
}

export const account: Entity<AccountSnapshot, AccountCommand, AccountFact, AccountView> = {
  kind: "account",
  initial: (id) => getInitialSnapshot(accountMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideAccount,
  patience: () => 0,
  evolve,
  upcast: upcastAccountFact,
  recall,
  postings: accountPostings,
  view: (_id, state) => viewAccount(state),
  persist: (state) => ({ value: state.value, context: state.context }),
  restore,
  finished: ({ value }) => value === "NEW",
};
