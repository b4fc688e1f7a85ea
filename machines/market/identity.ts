/**
 * Accounts of one identity. An account carries marks: its address, its GitHub account, its Stripe customer, each as a word that
 * tells nothing. Accounts that share one are one identity; each of them carries the marks of all, so that sharing one is
 * enough to be told by.
 */
import type { AccountId } from "../vocabulary.ts";

/** More marks than anybody comes by honestly. */
const MARKS_MAX = 100;

/** Whether two accounts are of one identity. */
export function isOneIdentity(a: readonly string[], b: readonly string[]): boolean {
  return a.some((mark) => b.includes(mark));
}

/** The word that an identity is counted by: the least of its marks; an account without one stands for itself. */
export function identityOf(marks: readonly string[], account: AccountId): string {
  return [...marks].sort()[0] ?? account;
}

/** The marks that are not among the known ones, each once; as many as there is room for. */
export function newMarks(known: readonly string[], marks: readonly string[]): readonly string[] {
  const fresh = [...new Set(marks)].filter((mark) => !known.includes(mark));
  return fresh.slice(0, Math.max(0, MARKS_MAX - known.length));
}
