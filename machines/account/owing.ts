/** How each fact that moves credits changes what an account owes, and since when; see market/debt.ts. */
import { type Debt, drawn, NO_DEBT, oldestIn, owedIn, paid, undone } from "../market/debt.ts";
import type { Credits, Millis, TaskId } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import { type Draws, heldFor, withHold, withoutHold } from "./holds.ts";

/** What of an account's state says what it owes. */
export interface Owing {
  readonly available: Credits;
  readonly owed: Debt;
  readonly draws: Draws;
  /** The date of the oldest debt (ms), or null. */
  readonly debtSince: Millis | null;
}

type Change = Pick<Owing, "owed" | "draws" | "debtSince">;

/** Below 0 is debt (NC). */
function debtOf(available: number): number {
  return Math.max(0, -available);
}

/** The task whose hold a fact begins or ends. */
function holdIn(fact: AccountFact): TaskId | undefined {
  return fact.type === "Held" || fact.type === "Released" || fact.type === "Settled" ? fact.task : undefined;
}

/** Gives what is owed once this fact has made `available` what it is now (NC). */
export function owingAfter(before: Owing, available: Credits, fact: AccountFact): Change {
  const { owed, draws } = before;
  const more = debtOf(available) - debtOf(before.available);
  const task = holdIn(fact);
  const draw = task === undefined ? undefined : heldFor(draws, task);
  if (more === 0 && draw === undefined) return { owed, draws, debtSince: before.debtSince };
  const after = changed(owed, more, draw, fact.at);
  return { owed: after, draws: drawsAfter(draws, task, more, fact), debtSince: oldestIn(after) };
}

function changed(owed: Debt, more: number, draw: { readonly amount: number; readonly at: Millis } | undefined, at: Millis): Debt {
  if (more >= 0) return drawn(owed, more, at);
  const own = Math.min(draw?.amount ?? 0, -more);
  const rest = draw === undefined ? owed : undone(owed, own, draw.at, at);
  return paid(rest, -more - own, at);
}

function drawsAfter(draws: Draws, task: TaskId | undefined, more: number, fact: AccountFact): Draws {
  if (task === undefined) return draws;
  if (fact.type !== "Held") return heldFor(draws, task) === undefined ? draws : withoutHold(draws, task);
  return more === 0 ? draws : withHold(draws, task, { amount: more, at: fact.at });
}

/** What a stored state may know of its debt: nothing of buckets, if a version wrote it that had none. */
export interface StoredOwing extends Pick<Owing, "available" | "debtSince"> {
  readonly owed?: Debt;
  readonly updatedAt: Millis;
}

/**
 * Gives what is owed by a stored state. Without buckets all of it is as old as the debt. A version without buckets may have changed the
 * balance since they were written: then what it paid, paid the oldest, and what it drew was drawn when the state last changed.
 */
export function restoredOwing({ available, debtSince, owed, updatedAt }: StoredOwing): Pick<Owing, "owed" | "debtSince"> {
  const debt = debtOf(available);
  if (owed === undefined) {
    if (debt === 0 || debtSince === null) return { owed: NO_DEBT, debtSince };
    return { owed: { buckets: [{ since: debtSince, last: debtSince, amount: debt }], repaid: [] }, debtSince };
  }
  const more = debt - owedIn(owed);
  if (more === 0) return { owed, debtSince };
  const after = more > 0 ? drawn(owed, more, updatedAt) : paid(owed, -more, updatedAt);
  return { owed: after, debtSince: oldestIn(after) };
}
