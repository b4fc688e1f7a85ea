/** What an account decides when the penalty of a failed award is taken back: what that award has led to is undone (conduct.ts). */
import type { Decision } from "../entity.ts";
import type { CommandOf } from "../protocols.ts";
import type { Millis } from "../vocabulary.ts";
import { afterExcusing } from "./changes.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";
import type { AccountContext } from "./state.ts";

/** Never refused. Nobody fails a task twice, so a second message about one task, whatever it came from, does nothing. */
export function excuse(
  state: AccountSnapshot,
  { task, taskType, outcome, reason, requesterIdentity: counterparty, honeypot }: CommandOf<"account", "excuse">,
  at: Millis,
): Decision<AccountFact, null> {
  const { context } = state;
  if (context.excused.includes(task)) return { facts: [], reply: null };
  const counted = honeypot === undefined ? {} : { honeypot };
  const fact = { type: "Excused", task, taskType, outcome, reason, counterparty, ...counted, at } as const;
  const after: AccountContext = { ...context, ...afterExcusing(context, fact) };
  return { facts: [fact, ...cooldownAfter(context, after, at), ...unfreezingAfter(state, after, at)], reply: null };
}

/** A cooldown that this award has led to ends, or ends earlier; nothing makes one longer, or starts one. */
function cooldownAfter(before: AccountContext, after: AccountContext, at: Millis): readonly AccountFact[] {
  const { cooldownUntil } = before;
  // One that is not known to be of these awards is left as it is.
  if (cooldownUntil === null || before.conduct.now.coolsUntil !== cooldownUntil) return [];
  const until = after.conduct.now.coolsUntil;
  if (until === null || until <= at) return [{ type: "CooldownEnded", at }];
  return until < cooldownUntil ? [{ type: "CooldownStarted", until, at }] : [];
}

function unfreezingAfter(state: AccountSnapshot, after: AccountContext, at: Millis): readonly AccountFact[] {
  const { now, byOperator } = state.context.conduct;
  if (!state.hasTag("frozen") || byOperator || !now.frozen || after.conduct.now.frozen) return [];
  return [{ type: "Unfrozen", reason: "a penalty was taken back", at }];
}
