/**
 * Accounts of one person. An account has marks: its address, its GitHub account, its Stripe customer, each as an opaque word.
 * Accounts that share a mark are one identity. Each has the marks of all of them, so that comparing two accounts is enough.
 */
import type { AccountId } from "../vocabulary.ts";

/** More marks than an honest account ever has. */
const MARKS_MAX = 100;

/** Whether two accounts have one identity. */
export function isOneIdentity(a: readonly string[], b: readonly string[]): boolean {
  return a.some((mark) => b.includes(mark));
}

/** The name of an identity: the first of its marks in order, or the account's id if it has none. */
export function identityOf(marks: readonly string[], account: AccountId): string {
  return [...marks].sort()[0] ?? account;
}

/** The marks that are not known yet, each once, up to the maximum. */
export function newMarks(known: readonly string[], marks: readonly string[]): readonly string[] {
  const fresh = [...new Set(marks)].filter((mark) => !known.includes(mark));
  return fresh.slice(0, Math.max(0, MARKS_MAX - known.length));
}
