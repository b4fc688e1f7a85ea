/**
 * How an account's state is stored. Format 2 is the statechart's own; in format 1 the state was one word, and the context said
 * whether a debt had led to suspension. Since format 6 it has the conduct, and what a requester's score and a worker's word are
 * counted by; code of before would keep that without counting on.
 */

import { suspensionAt } from "../market/rating.ts";
import { orNewer, persisted } from "../statechart.ts";
import type { Millis } from "../vocabulary.ts";
import { conductOfBefore } from "./conduct.ts";
import { type AccountSnapshot, accountMachine } from "./machine.ts";
import { restoredOwing, type StoredOwing } from "./owing.ts";
import { type AccountContext, NEW } from "./state.ts";

const FORMAT_OF_CONDUCT = 6;
const CONDUCT = { ACTIVE: "active", COOLING: "cooling", FROZEN: "frozen" } as const;

interface Format1 {
  readonly value: "NEW" | keyof typeof CONDUCT;
  readonly context: Omit<AccountContext, "debtSince" | "callAt" | keyof Counted> & {
    readonly debt?: { readonly since: Millis; readonly suspended: boolean } | null;
  };
}

/** What only format 6 has. */
type Counted = Pick<AccountContext, "conduct" | "excused" | "paidByOthers" | "unfulfilled">;

type Format2 = Pick<AccountSnapshot, "value"> & { readonly context: Omit<AccountContext, keyof Counted> & Partial<Counted> };

/** The stored state, as plain JSON. */
export function persistAccount(state: AccountSnapshot, format: number): unknown {
  if (format >= FORMAT_OF_CONDUCT) return persisted(state);
  const { conduct: _conduct, excused: _excused, paidByOthers: _paid, unfulfilled: _unfulfilled, ...known } = state.context;
  if (format >= 2) return { ...persisted(state), context: known };
  const { debtSince, callAt: _, ...context } = known;
  const debt = debtSince === null ? null : { since: debtSince, suspended: state.hasTag("suspended") };
  return { value: word(state), context: { ...context, debt } } satisfies Format1;
}

function word(state: AccountSnapshot): Format1["value"] {
  if (!state.hasTag("registered")) return "NEW";
  if (state.hasTag("frozen")) return "FROZEN";
  return state.hasTag("cooling") ? "COOLING" : "ACTIVE";
}

/** Reads a snapshot of any format. Only we write them, so their shape is trusted. Throws NewerFormat for an unknown state. */
export function restoreAccount(stored: unknown): AccountSnapshot {
  const { value, context } = upcast(stored as Format1 | Format2);
  const tally = { ...NEW.tally, ...context.tally };
  const counted = { ...NEW, ...countedBefore(context), ...context, ...debtOf(context), tally };
  return orNewer("account", () => accountMachine.resolveState({ value, context: counted }));
}

/** What an older snapshot leaves out, as far as it can be told from what it has. */
function countedBefore({ failuresInRow = 0, tally }: Partial<AccountContext>): Partial<Counted> {
  return { conduct: conductOfBefore(failuresInRow), paidByOthers: tally?.earned ?? 0 };
}

/** Snapshots of before know one date of the debt, and the timer that is set is that of this date. */
function debtOf(context: StoredOwing & { readonly debtDue?: Millis | null }) {
  const { debtSince, debtDue = debtSince === null ? null : suspensionAt(debtSince) } = context;
  return { ...restoredOwing(context), debtDue };
}

function upcast(stored: Format1 | Format2): Format2 {
  if (!isFormat1(stored)) return stored;
  const { value, context } = stored;
  const { debt = null, ...rest } = { ...NEW, ...countedBefore(context), ...context };
  const after = { ...rest, debtSince: debt?.since ?? null, callAt: null };
  if (value === "NEW") return { value: "new", context: after };
  const owing = debt === null ? "ok" : debt.suspended ? "suspended" : "indebted";
  // Format 1 does not say whether a call is set. If one may be, the next fact sets it again or removes it.
  const calls = after.waiting.length > 0 ? "set" : "unset";
  return { value: { registered: { conduct: CONDUCT[value], debt: owing, calls } }, context: after };
}

function isFormat1(stored: Format1 | Format2): stored is Format1 {
  return typeof stored.value === "string" && stored.value !== "new";
}
