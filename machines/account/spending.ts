/** Holding a budget, and why an account may not. */
import type { Decision } from "../entity.ts";
import { scoreOf } from "../market/requester-score.ts";
import type { CommandOf, ReplyOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { accountId, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import { heldFor } from "./holds.ts";
import type { AccountSnapshot } from "./machine.ts";
import { OPEN_TASKS_MAX, spendingPower } from "./power.ts";
import type { AccountContext } from "./state.ts";

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

/** Holds the budget of a task, which is opened with the same commit. */
export function hold(
  state: AccountSnapshot,
  command: CommandOf<"account", "hold">,
  at: Millis,
): Decision<AccountFact, ReplyOf<"account", "hold">> | Refusal {
  const { context } = state;
  const { task, order } = command;
  if (heldFor(context.holds, task) !== undefined) return refuse("HOLD_EXISTS", "This task was created already.");
  if (state.hasTag("frozen")) return FROZEN;
  if (state.hasTag("suspended")) return SUSPENDED;
  const power = spendingPower(context);
  if (order.budget > power) {
    return refuse(
      "INSUFFICIENT_CREDITS",
      `The budget is ${order.budget} NC and you have ${power} NC; top up ${order.budget - power} NC or lower the budget.`,
    );
  }
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
    facts: [{ type: "Held", task, budget: order.budget, score, at }],
    reply: { id: task, createdAt: at, score },
    carry: [{ type: "tell", to: { kind: "task", id: task }, command: open, fresh: command.fresh }],
    afterDelivery: true,
  };
}
