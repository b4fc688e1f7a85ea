/** Holding a budget, and why an account may not. */
import type { Decision } from "../entity.ts";
import type { CreditTerms } from "../market/credit-line.ts";
import { ratingOf } from "../market/rating.ts";
import { scoreOf } from "../market/requester-score.ts";
import type { CommandOf, ReplyOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { accountId, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import { heldFor } from "./holds.ts";
import type { AccountSnapshot } from "./machine.ts";
import { lineOf, OPEN_TASKS_MAX, spendingPower, under } from "./power.ts";
import { type AccountContext, creditRecord } from "./state.ts";

/** Why an account may not spend or take on work now. */
const SUSPENDED = refuse(
  "ACCOUNT_SUSPENDED",
  "Your account is suspended, its debt is unpaid for 7 days; repay it and go on at once.",
  { why: "DEBT_UNPAID" },
);
export const FROZEN = refuse(
  "ACCOUNT_FROZEN",
  "Your account is frozen, its reputation is too low; ask the operator to release it.",
);

/** The score of an account as a requester. */
function requesterScore({ tally, unfulfilled }: AccountContext): number {
  return scoreOf({ settled: tally.paid, unfulfilled });
}

/** The terms as a fact keeps them that was decided by a credit line. */
export function stamp(terms: CreditTerms): { readonly terms?: CreditTerms } {
  return terms.requires === "none" ? {} : { terms };
}

/** With the reason where the rating's line would have covered more. */
function tooLittle(context: AccountContext, budget: number, power: number, at: Millis): Refusal {
  const { line, limit } = lineOf(context, at);
  const detail = `The budget is ${budget} NC and you have ${power} NC; top up ${budget - power} NC or lower the budget.`;
  if (limit === null) return refuse("INSUFFICIENT_CREDITS", detail);
  const whole = ratingOf(creditRecord(context)).line;
  return refuse("INSUFFICIENT_CREDITS", detail, { why: "LINE_LIMITED", budget, power, line, whole, limit });
}

/** Holds the budget of a task, which is opened with the same commit. */
export function hold(
  state: AccountSnapshot,
  command: CommandOf<"account", "hold">,
  at: Millis,
  terms: CreditTerms,
): Decision<AccountFact, ReplyOf<"account", "hold">> | Refusal {
  const context = under(state.context, terms);
  const { task, order } = command;
  if (heldFor(context.holds, task) !== undefined) return refuse("HOLD_EXISTS", "This task was created already.");
  if (state.hasTag("frozen")) return FROZEN;
  if (state.hasTag("suspended")) return SUSPENDED;
  const power = spendingPower(context, at);
  if (order.budget > power) return tooLittle(context, order.budget, power, at);
  if (context.openTasks >= OPEN_TASKS_MAX) {
    return refuse("TOO_MANY_OPEN_TASKS", `You have ${OPEN_TASKS_MAX} open tasks; wait for some to end or cancel them.`);
  }
  const score = requesterScore(context);
  const open: CommandOf<"task", "open"> = {
    type: "open",
    task,
    requester: accountId(context.id),
    marks: context.marks,
    order,
    offers: command.offers ?? [],
    requesterScore: score,
    createdAt: at,
  };
  return {
    facts: [{ type: "Held", task, budget: order.budget, score, ...stamp(terms), at }],
    reply: { id: task, createdAt: at, score },
    carry: [{ type: "tell", to: { kind: "task", id: task }, command: open, fresh: command.fresh }],
    afterDelivery: true,
  };
}
