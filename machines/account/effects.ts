/** Fact -> what it sets off once it is durable. */
import type { Effect } from "../effect.ts";
import { identityOf } from "../market/identity.ts";
import { suspensionAt } from "../market/rating.ts";
import { accountId } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";
import type { AccountContext, Debt } from "./state.ts";
import { CALL_MS, nextCall } from "./turns.ts";

/** The effects of one fact, given the contexts before and after it. */
export function effectsOf(fact: AccountFact, before: AccountContext, after: AccountContext): readonly Effect[] {
  return [...ownEffects(fact, after), ...debtEffects(before.debt, after.debt)];
}

/** The timer stands from the first day of a debt until it suspends, or the debt ends. */
function debtEffects(before: Debt | null, after: Debt | null): readonly Effect[] {
  if (after !== null && before === null) return [{ type: "remind", name: "debt", at: suspensionAt(after.since) }];
  const over = before !== null && !before.suspended && (after === null || after.suspended);
  return over ? [{ type: "forget", name: "debt" }] : [];
}

/** The timer stands while somebody in the queue can be called, now or when the pace lets it. */
export function turnEffects(fact: AccountFact, before: AccountSnapshot, after: AccountSnapshot): readonly Effect[] {
  if (before.context.waiting.length + after.context.waiting.length === 0) return [];
  const [was, next] = [before, after].map(({ value, context }) => nextCall(context, value === "FROZEN", fact.at));
  if (next == null) return was == null ? [] : [{ type: "forget", name: "turns" }];
  if (next === was && fact.type !== "BatchesCalled") return [];
  return [{ type: "remind", name: "turns", at: Math.max(next, after.context.calledAt + CALL_MS) }];
}

function ownEffects(fact: AccountFact, { id, marks }: AccountContext): readonly Effect[] {
  switch (fact.type) {
    case "Marked":
      return fact.kin.map((kin) => ({
        type: "tell",
        to: { kind: "account", id: kin },
        command: { type: "mark", marks, kin: [] },
      }));
    case "ItemHoldRefused": {
      const { batch, item, code, detail } = fact;
      return [{ type: "tell", to: { kind: "batch", id: batch }, command: { type: "itemRefused", item, code, detail } }];
    }
    case "BatchWaits": {
      const { batch, item, reason, until } = fact;
      // It is called at once.
      if (item === null && reason === null) return [];
      return [{ type: "tell", to: { kind: "batch", id: batch }, command: { type: "itemPostponed", item, reason, until } }];
    }
    case "BatchesCalled":
      return fact.calls.map(({ batch, count }) => ({
        type: "tell",
        to: { kind: "batch", id: batch },
        command: { type: "turns", count },
      }));
    case "OfferTaken": {
      const { task, bid, price: credits, standing } = fact;
      const command = { type: "standingBid", bid, worker: id, credits, standing };
      return [{ type: "tell", to: { kind: "task", id: task }, command }];
    }
    case "OfferDeclined": {
      const why = fact.reason === undefined ? {} : { reason: fact.reason };
      return [{ type: "tell", to: { kind: "task", id: fact.task }, command: { type: "declined", worker: id, ...why } }];
    }
    case "Settled": {
      const { task, taskType, worker, payout, fee, refund, firstTry, durationMs, allowedMs } = fact;
      const earn = {
        type: "earn",
        task,
        taskType,
        requester: id,
        requesterIdentity: identityOf(marks, accountId(id)),
        payout,
        firstTry,
        durationMs,
        allowedMs,
      };
      return [
        { type: "tell", to: { kind: "task", id: task }, command: { type: "settled", payout, fee, refund } as const },
        { type: "tell", to: { kind: "account", id: worker }, command: earn },
      ];
    }
    case "CooldownStarted":
      return [{ type: "remind", name: "cooldown", at: fact.until }];
    case "CooldownEnded":
      return [{ type: "forget", name: "cooldown" }];
    default:
      return [];
  }
}
