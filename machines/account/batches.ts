/** What an account decides for its batches: which may run, and when their items open. */
import type { BatchMade } from "../batch/protocol.ts";
import type { Decision } from "../entity.ts";
import type { CreditTerms } from "../market/credit-line.ts";
import type { CommandOf, CommandType } from "../protocols.ts";
import { isRefusal, type Refusal, refuse } from "../refusal.ts";
import { accountId, type Millis } from "../vocabulary.ts";
import { afterHold } from "./changes.ts";
import type { AccountFact } from "./events.ts";
import { heldFor } from "./holds.ts";
import { type AccountSnapshot, restrictionOf } from "./machine.ts";
import { under } from "./power.ts";
import { FROZEN, hold, stamp } from "./spending.ts";
import type { AccountContext } from "./state.ts";
import { callsAt, paceAllows, waitsFor } from "./turns.ts";

/** The most batches of one account that may run at once. */
export const RUNNING_BATCHES_MAX = 20;

type Told = Decision<AccountFact, null> | Refusal;
type Of<T extends CommandType<"account">> = CommandOf<"account", T>;

/** Lets a batch run and opens it, as a hold opens its task. */
export function startBatch(
  state: AccountSnapshot,
  command: Of<"startBatch">,
  at: Millis,
): Decision<AccountFact, BatchMade> | Refusal {
  const { batch, request, template, items, atOnce, perMinute } = command;
  const { context } = state;
  if (state.hasTag("frozen")) return FROZEN;
  if (context.batches.length >= RUNNING_BATCHES_MAX) {
    const detail = `${RUNNING_BATCHES_MAX} of your batches run; wait until one has ended.`;
    return refuse("TOO_MANY_BATCHES", detail, { why: "TOO_MANY_BATCHES", most: RUNNING_BATCHES_MAX });
  }
  const requester = accountId(context.id);
  const open: CommandOf<"batch", "openBatch"> = { type: "openBatch", requester, request, template, items, atOnce, perMinute };
  return {
    facts: [{ type: "BatchStarted", batch, request, at }],
    reply: { batch, request },
    carry: [{ type: "tell", to: { kind: "batch", id: batch }, command: open, fresh: command.fresh }],
    afterDelivery: true,
  };
}

/** A batch that an older version opened may not be in the list. */
export function batchEnded({ context }: AccountSnapshot, { batch }: Of<"batchEnded">, at: Millis): Told {
  return { facts: context.batches.includes(batch) ? [{ type: "BatchEnded", batch, at }] : [], reply: null };
}

/** A fact even if the batch is not in the queue, because it waits to be told. */
export function leaveQueue(_state: AccountSnapshot, { batch }: Of<"leaveQueue">, at: Millis): Told {
  return { facts: [{ type: "BatchLeftQueue", batch, at }], reply: null };
}

/** Ends the batch for this account and cancels its tasks that have not ended; the tasks themselves know whether they are awarded. */
export function batchCancelled({ context }: AccountSnapshot, { batch, tasks }: Of<"batchCancelled">, at: Millis): Told {
  const open = tasks.filter((task) => heldFor(context.holds, task) !== undefined);
  return { facts: [{ type: "BatchCancelled", batch, tasks: open, at }], reply: null };
}

/** Holds the budget of an item, or puts its batch into the queue. A batch that asks before its turn joins at the end. */
export function holdItem(state: AccountSnapshot, { task, order, ask }: Of<"holdItem">, at: Millis, terms: CreditTerms): Told {
  if (order.batch === undefined) throw new Error("an item must belong to a batch");
  const { id: batch, item } = order.batch;
  // Versions from before the rate limit leave `ask` out.
  const { perMinute = 0, want = 0, called = true } = ask ?? {};
  const context = under(state.context, terms);
  const restriction = restrictionOf(state);
  const one = { batch, budget: order.budget, perMinute } as const;
  if (restriction !== "frozen") {
    const reason = waitsFor(context, restriction, one, at);
    const passes = called || context.waiting.every((other) => other.batch === batch);
    if (reason !== null || !passes) {
      return { facts: [waiting(context, { ...one, item, reason, want: want + 1 }, at)], reply: null };
    }
  }
  const held = hold(state, { type: "hold", task, order, fresh: true }, at, terms);
  if (isRefusal(held)) {
    const { refused: code, detail } = held;
    const goesOn = want > 0 && code !== "ACCOUNT_FROZEN";
    const rest = goesOn
      ? [waiting(context, { ...one, item: null, reason: waitsFor(context, restriction, one, at), want }, at)]
      : [];
    return { facts: [{ type: "ItemHoldRefused", batch, item, code, detail, at }, ...rest], reply: null };
  }
  const { score } = held.reply;
  const scored = score === undefined ? {} : { score };
  const fact = { type: "Held", task, budget: order.budget, perMinute, ...scored, ...stamp(terms), at } as const;
  const after = { ...context, ...afterHold(context, fact) };
  const rest = want > 0 ? [waiting(after, { ...one, item: null, reason: waitsFor(after, restriction, one, at), want }, at)] : [];
  return { ...held, facts: [fact, ...rest], reply: null, afterDelivery: false };
}

type Waits = Extract<AccountFact, { type: "BatchWaits" }>;

function waiting({ opened, terms }: AccountContext, what: Omit<Waits, "type" | "until" | "terms" | "at">, at: Millis): Waits {
  const until = what.reason === "pace" ? paceAllows(opened, what.perMinute, at) : null;
  return { type: "BatchWaits", ...what, until, ...stamp(terms), at };
}

/** Calls the batches whose turn it is. Calling none is a fact too, because it sets the timer again. */
export function callBatches(state: AccountSnapshot, at: Millis, terms: CreditTerms): Told {
  const calls = callsAt(under(state.context, terms), restrictionOf(state), at);
  return { facts: [{ type: "BatchesCalled", calls, ...stamp(terms), at }], reply: null };
}
