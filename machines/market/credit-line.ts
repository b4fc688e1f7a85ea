/**
 * How much of its rating's credit line an account can use. Ratings are the guide's and cheap to get with accounts that one makes
 * oneself; so what may be owed follows what it cost the account to become known: money that was paid in, and work for others who
 * are somebody.
 *
 * L1  A line is never more than the rating's, nor than the multiple of what counts: purchases (net of refunds and disputes, and older
 *     than the hold), and earnings from verified identities, SETTLEMENTS_PER_IDENTITY for each. Never what was given, simulated or
 *     adjusted, and never what the platform's own tasks or borrowed credits paid.
 * L2  Verified is who has bought credits, or has a GitHub account of some age and score that vouches for no older account of its owner.
 * L3  Nothing here reads a setting or a clock: the terms and the time come with the facts.
 */
import { type Credits, credits, type Millis, NO_CREDITS } from "../vocabulary.ts";

export const CREDIT_REQUIRES = ["none", "identity", "payment"] as const;
export type CreditRequires = (typeof CREDIT_REQUIRES)[number];

/** What an operator sets. */
export interface CreditTerms {
  /** `none`: the rating alone. `identity`: L1 and L2. `payment`: purchases alone count. */
  readonly requires: CreditRequires;
  /** How many NC of line each NC that counts gives. */
  readonly multiple: number;
  /** How old a purchase must be until it counts (ms). */
  readonly holdMs: Millis;
}

/** The rating alone: a platform for oneself, and the rule of facts that name no terms. */
export const NO_TERMS: CreditTerms = { requires: "none", multiple: 10, holdMs: 0 };

/** The longest that purchases may be held back (ms): cardholders have that long to dispute, give or take a month. */
export const PURCHASE_HOLD_MS_MAX = 90 * 24 * 3_600_000;
/** How many settlements with one identity count, so that two who help each other come to an end. */
export const SETTLEMENTS_PER_IDENTITY = 5;
/** How many identities are remembered for that; the highest rating requires 20. */
export const VOUCHERS_MAX = 200;
/** How old a GitHub account must be (ms): whoever makes accounts for this has to keep them for half a year. */
export const GITHUB_AGE_MS_MIN = 180 * 24 * 3_600_000;
/**
 * The score that it needs. Age alone never gives more than 30 (github.ts), so an old, empty account does not do; two years
 * and ten repositories with a few followers do.
 */
export const GITHUB_SCORE_MIN = 35;

/** What vouches for an account. */
export interface Evidence {
  /** Net amounts (NC) of purchases, and when each was paid (ms). */
  readonly purchases: readonly Purchase[];
  /** NC, from verified identities. */
  readonly earned: number;
  readonly github: GitHubVoucher | null;
}

export interface Purchase {
  readonly at: Millis;
  readonly net: number;
}

export interface GitHubVoucher {
  readonly score: number;
  /** When the GitHub account was made (ms); null if it was linked before that was asked, until it is refreshed. */
  readonly createdAt: Millis | null;
  /** Whether it vouches for an older account of its owner. */
  readonly elsewhere: boolean;
}

/** What a GitHub account lacks to vouch. */
export type GitHubLack = "NOT_LINKED" | "AGE_UNKNOWN" | "TOO_YOUNG" | "SCORE_TOO_LOW" | "VOUCHES_ELSEWHERE";

/** Why less than the rating's line can be used. Amounts in NC, times in ms. */
export type LineLimit =
  | { readonly limit: "NOT_VERIFIED"; readonly github: GitHubLack }
  | { readonly limit: "PURCHASE_TOO_YOUNG"; readonly until: Millis }
  | { readonly limit: "COUNTED"; readonly counted: number; readonly multiple: number }
  | { readonly limit: "PAID_IN"; readonly counted: number; readonly multiple: number };

export interface UsableLine {
  readonly line: Credits;
  /** null where the whole line of the rating can be used. */
  readonly limit: LineLimit | null;
}

/** What a GitHub account lacks at `at` (ms) to vouch for the account that it is linked to; undefined if nothing. */
export function githubLack(github: GitHubVoucher | null, at: Millis): GitHubLack | undefined {
  if (github === null) return "NOT_LINKED";
  if (github.elsewhere) return "VOUCHES_ELSEWHERE";
  if (github.createdAt === null) return "AGE_UNKNOWN";
  if (at - github.createdAt < GITHUB_AGE_MS_MIN) return "TOO_YOUNG";
  return github.score < GITHUB_SCORE_MIN ? "SCORE_TOO_LOW" : undefined;
}

/** What was paid in and counts at `at` (NC). */
function paidIn({ purchases }: Evidence, holdMs: Millis, at: Millis): number {
  return purchases.reduce((sum, purchase) => sum + (at - purchase.at >= holdMs ? purchase.net : 0), 0);
}

/** Whether earnings from an account with this evidence count for others. */
export function isVerified(evidence: Evidence, holdMs: Millis, at: Millis): boolean {
  return paidIn(evidence, holdMs, at) > 0 || githubLack(evidence.github, at) === undefined;
}

/** Gives how much of the rating's line `whole` (NC) can be used at `at` (ms), and why it is not all of it. */
export function usableLine(whole: Credits, evidence: Evidence, terms: CreditTerms, at: Millis): UsableLine {
  if (terms.requires === "none" || whole === NO_CREDITS) return { line: whole, limit: null };
  const { multiple, holdMs } = terms;
  const bought = paidIn(evidence, holdMs, at);
  const lack = bought > 0 || terms.requires === "payment" ? undefined : githubLack(evidence.github, at);
  const earned = terms.requires === "payment" || lack !== undefined ? 0 : evidence.earned;
  const counted = bought + earned;
  if (multiple * counted >= whole) return { line: whole, limit: null };
  return { line: credits(multiple * counted), limit: limitOf(evidence, terms, at, lack, counted) };
}

function limitOf(
  { purchases }: Evidence,
  { requires, multiple, holdMs }: CreditTerms,
  at: Millis,
  lack: GitHubLack | undefined,
  counted: number,
): LineLimit {
  const next = purchases.filter((purchase) => purchase.net > 0 && at - purchase.at < holdMs).map((purchase) => purchase.at);
  if (next.length > 0) return { limit: "PURCHASE_TOO_YOUNG", until: Math.min(...next) + holdMs };
  if (lack !== undefined) return { limit: "NOT_VERIFIED", github: lack };
  return { limit: requires === "payment" ? "PAID_IN" : "COUNTED", counted, multiple };
}

/** When, after `at` (ms), a line may grow by the mere passing of time; null if it will not. */
export function lineGrowsAt({ purchases, github }: Evidence, { requires, holdMs }: CreditTerms, at: Millis): Millis | null {
  if (requires === "none") return null;
  const times = purchases.filter(({ net }) => net > 0).map((purchase) => purchase.at + holdMs);
  if (requires === "identity" && github?.createdAt != null) times.push(github.createdAt + GITHUB_AGE_MS_MIN);
  const later = times.filter((time) => time > at);
  return later.length === 0 ? null : Math.min(...later);
}
