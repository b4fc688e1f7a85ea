import { mayWork, type PostedTerms, type Slots } from "../eligibility.ts";
import { type AwardsByTier, awardLimit } from "../market/awards.ts";
import { type Capability, type Terms, termsOf } from "../market/capability.ts";
import { type CreditTerms, PURCHASE_HOLD_MS_MAX, type Purchase, type UsableLine, usableLine } from "../market/credit-line.ts";
import { type Qualification, qualificationIn, qualityIn, type Skill, skillIn } from "../market/qualification.ts";
import { type CreditRecord, type Rating, ratingOf } from "../market/rating.ts";
import { MARKET_RULES, type MarketRules, PROVEN_SETTLEMENTS } from "../market/settings.ts";
import type { Record } from "../market/skill.ts";
import type { Pull } from "../task/events.ts";
import { type AccountId, type AccountStatus, accountId, type Millis } from "../vocabulary.ts";
import type { GitHubLink } from "./events.ts";
import { type AccountSnapshot, statusOf } from "./machine.ts";
import { netAmount } from "./payments.ts";
import { evidenceOf } from "./power.ts";
import { type AccountContext, COUNTERPARTIES_MAX, creditRecord, type Tally } from "./state.ts";

/** The row from which an account is shown. Amounts in NC. */
export interface AccountRow {
  readonly id: AccountId;
  readonly email: string;
  /** See market/identity.ts. */
  readonly marks: readonly string[];
  readonly status: AccountStatus;
  readonly keyHash: string;
  readonly available: number;
  readonly held: number;
  readonly reputation: number;
  readonly cooldownUntil: Millis | null;
  readonly counterparties: number;
  /** When the debt began (ms), or null. */
  readonly debtSince: Millis | null;
  /** What the credit line is calculated from is in it, too, so that rows need no column that versions before do not write. */
  readonly tally: Tally & { readonly evidence?: RowEvidence };
  readonly records: { readonly [taskType: string]: Record };
  /** The payment service's id of the customer. */
  readonly customer: string | null;
  readonly github: GitHubLink | null;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

/** What vouches for an account, besides its GitHub account. Amounts in NC, times in ms. */
interface RowEvidence {
  readonly purchases: readonly Purchase[];
  readonly earned: number;
  readonly elsewhere: boolean;
}

/** The row of a capability, with the skill that its owner has in its task type. */
export interface CapabilityRow extends Omit<Capability, keyof Terms>, Terms, Skill {
  /** 0..1, see market/auction.ts. */
  readonly quality: number;
  /** Whether its owner may take work. */
  readonly active: boolean;
}

/** How far an account may go into debt at `at` (ms), and why. */
export function creditOf(
  { tally, counterparties, github }: Pick<AccountRow, "tally" | "counterparties" | "github">,
  terms: CreditTerms,
  at: Millis,
): { readonly record: CreditRecord; readonly rating: Rating; readonly usable: UsableLine } {
  const record = { ...creditRecord({ tally, counterparties: [] }), counterparties };
  const rating = ratingOf(record);
  const { purchases = [], earned = 0, elsewhere = false } = tally.evidence ?? {};
  const voucher = github === null ? null : { score: github.score, createdAt: github.createdAt ?? null, elsewhere };
  return { record, rating, usable: usableLine(rating.line, { purchases, earned, github: voucher }, terms, at) };
}

/** Purchases that no setting holds back any more are told as one. */
function rowEvidence(context: AccountContext): RowEvidence {
  const { purchases, earned, github } = evidenceOf(context);
  const isOld = ({ at }: Purchase) => context.updatedAt - at >= PURCHASE_HOLD_MS_MAX;
  const old = purchases.filter(isOld).reduce((sum, { net }) => sum + net, 0);
  const young = purchases.filter((purchase) => !isOld(purchase));
  return { purchases: old === 0 ? young : [{ at: 0, net: old }, ...young], earned, elsewhere: github?.elsewhere ?? false };
}

/** How many counterparties its owner is shown: with the house, until its honeypots are counted (H2 in honeypots.ts). */
export function shownCounterparties({ counterparties, tally }: Pick<AccountRow, "counterparties" | "tally">): number {
  return Math.min(COUNTERPARTIES_MAX, counterparties + (tally.honeypotsUntold ?? 0));
}

/** What the market knows about a worker in a task type. */
export function qualificationOf(state: AccountSnapshot, taskType: string, rules: MarketRules = MARKET_RULES): Qualification {
  const standing = qualificationIn(taskType, statusOf(state), state.context);
  return isProven(state.context, rules.provenSettlements ?? PROVEN_SETTLEMENTS) ? { ...standing, proven: true } : standing;
}

/** Whether its failures say something about a task: it is verified, and others have paid it often enough. */
function isProven({ github, payments, paidByOthers }: AccountContext, settlements: number): boolean {
  const isVerified = github !== null || Object.values(payments).some((payment) => netAmount(payment) > 0);
  return isVerified && paidByOthers >= settlements;
}

/** The slots of an account when a task asks whether it takes an award, which may belong to a pull. */
export function slotsOf(
  { slots, reserved, records }: Pick<AccountContext, "slots" | "reserved" | "records">,
  task: string,
  pull: Pull | undefined,
  byTier: AwardsByTier,
): Slots {
  const taken = Object.keys(slots).length - (Object.hasOwn(slots, task) ? 1 : 0);
  const limit = awardLimit(records, byTier);
  if (pull === undefined) return { ...limit, taken, pulled: null };
  const pulled = Object.entries(reserved).filter(([other, one]) => other !== task && one.pull === pull.id).length;
  return { ...limit, taken, pulled: { taken: pulled, most: pull.most } };
}

/** What an account knows about its posted price when a task of this type is offered to it. */
export function postedTerms(
  { capabilities, slots }: Pick<AccountContext, "capabilities" | "slots">,
  taskType: string,
  task: string,
): PostedTerms {
  const capability = capabilities[taskType];
  const kept = Object.entries(slots).filter(([other, id]) => other !== task && id === capability?.id).length;
  return { capability, kept, keepsThis: Object.hasOwn(slots, task) };
}

/** Gives the rows of an account's capabilities. */
export function capabilityRows(state: AccountSnapshot): readonly CapabilityRow[] {
  const { context } = state;
  const active = mayWork(statusOf(state));
  return Object.values(context.capabilities).map((capability) => {
    const { taskType } = capability;
    return {
      ...capability,
      ...termsOf(capability),
      ...skillIn(context.records, taskType),
      quality: qualityIn(taskType, context),
      active,
    };
  });
}

/** Gives the row of an account; undefined before it is registered. */
export function accountRow(state: AccountSnapshot): AccountRow | undefined {
  const { context } = state;
  if (!state.hasTag("registered")) return undefined;
  const { id, email, keyHash, available, held, reputation, cooldownUntil, tally, records } = context;
  const { counterparties, createdAt, updatedAt } = context;
  return {
    id: accountId(id),
    email,
    marks: context.marks,
    status: statusOf(state),
    keyHash,
    available,
    held,
    reputation,
    cooldownUntil,
    counterparties: counterparties.length,
    debtSince: context.debtSince,
    tally: { ...tally, evidence: rowEvidence(context) },
    records,
    customer: context.customer,
    github: context.github,
    createdAt,
    updatedAt,
  };
}
