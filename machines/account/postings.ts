import { type Posting, transfer } from "../money/postings.ts";
import { type AccountId, accountId } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";

/**
 * The double entry of an account's fact. An account writes only its own legs and the platform's; what it pays a worker goes to
 * `transit`, from where the worker's account takes it.
 */
export function accountPostings(id: string, fact: AccountFact): readonly Posting[] {
  const owner: AccountId = accountId(id);
  switch (fact.type) {
    case "Registered":
      return transfer(`grant:${id}`, "GRANT", null, [
        { account: "issuance", owner: null, amount: -fact.grant },
        { account: "available", owner, amount: fact.grant },
      ]);
    case "ToppedUp":
      return transfer(`topup:${id}:${fact.topup}`, "TOPUP", null, [
        { account: "issuance", owner: null, amount: -fact.amount },
        { account: "available", owner, amount: fact.amount },
      ]);
    case "PaymentChanged":
      return transfer(`payment:${fact.payment}:${fact.change}`, fact.amount < 0 ? "CHARGEBACK" : "PURCHASE", null, [
        { account: "issuance", owner: null, amount: -fact.amount },
        { account: "available", owner, amount: fact.amount },
      ]);
    case "Adjusted":
      return transfer(`adjust:${id}:${fact.adjustment}`, "ADJUSTMENT", null, [
        { account: "issuance", owner: null, amount: -fact.amount },
        { account: "available", owner, amount: fact.amount },
      ]);
    case "Repaid":
      return transfer(`repay:${id}:${fact.repayment}`, "REPAY", null, [
        { account: "issuance", owner: null, amount: -fact.amount },
        { account: "available", owner, amount: fact.amount },
      ]);
    case "Held":
      return transfer(`hold:${fact.task}`, "HOLD", fact.task, [
        { account: "available", owner, amount: -fact.budget },
        { account: "held", owner, amount: fact.budget },
      ]);
    case "Released":
      return transfer(`release:${fact.task}`, "RELEASE", fact.task, [
        { account: "held", owner, amount: -fact.budget },
        { account: "available", owner, amount: fact.budget },
      ]);
    case "Settled":
      return transfer(`settle:${fact.task}`, "SETTLE", fact.task, [
        { account: "held", owner, amount: -(fact.payout + fact.fee + fact.refund) },
        { account: "transit", owner: null, amount: fact.payout },
        { account: "fees", owner: null, amount: fact.fee },
        { account: "available", owner, amount: fact.refund },
      ]);
    case "Earned":
      return transfer(`earn:${fact.task}`, "EARN", fact.task, [
        { account: "transit", owner: null, amount: -fact.payout },
        { account: "available", owner, amount: fact.payout },
      ]);
    default:
      return [];
  }
}
