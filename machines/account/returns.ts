/**
 * How many awards a worker may give back for free: one, and a tenth of its latest awards. So nobody can take tasks for a look at
 * their input and give them back, again and again. What the platform gives back itself counts as no award and no return.
 */

import { tellTask } from "../effect.ts";
import type { Decision } from "../entity.ts";
import type { CommandOf, ReplyOf } from "../protocols.ts";
import { accountId, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";
import type { AccountContext } from "./state.ts";

/** How many of the latest awards count, and of how many of them one may be given back. */
export const AWARDS_COUNTED = 100;
export const AWARDS_PER_RETURN = 10;

/** An award that was given back for free. */
export interface Returned {
  readonly task: string;
  /** Which award it was, of all that have ended. */
  readonly nth: number;
}

type Counted = Pick<AccountContext, "tally" | "returned" | "returns">;

/** The number of the award that ends next. */
function nextOf({ tally, returned }: Counted): number {
  return tally.earned + tally.failed + tally.timedOut + returned + 1;
}

/** The returns that still count. */
function latest(context: Counted): readonly Returned[] {
  const next = nextOf(context);
  return context.returns.filter(({ nth }) => nth > next - AWARDS_COUNTED);
}

/** The returns that count once the award of this task is one. */
export function withReturn(context: Counted, task: string): readonly Returned[] {
  return [...latest(context), { task, nth: nextOf(context) }];
}

/** Says whether the award of a task may be given back for free; a yes is counted, once for each task. */
export function mayReturn(
  { context }: AccountSnapshot,
  { task, reason }: CommandOf<"account", "mayReturn">,
  at: Millis,
): Decision<AccountFact, ReplyOf<"account", "mayReturn">> {
  if (context.returns.some((one) => one.task === task)) return { facts: [], reply: { granted: true } };
  const most = 1 + Math.floor(Math.min(AWARDS_COUNTED, nextOf(context)) / AWARDS_PER_RETURN);
  if (latest(context).length >= most) return { facts: [], reply: { granted: false } };
  return {
    facts: [{ type: "ReturnGranted", task, at }],
    reply: { granted: true },
    carry: [tellTask(task, { type: "returnGranted", worker: accountId(context.id), reason })],
  };
}
