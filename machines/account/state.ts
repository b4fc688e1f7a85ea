/** The state of an account, folded from its facts. */
import type { Capability } from "../market/capability.ts";
import { type CreditTerms, NO_TERMS } from "../market/credit-line.ts";
import { type Debt, NO_DEBT } from "../market/debt.ts";
import type { UntoldHoneypot } from "../market/honeypot.ts";
import type { CreditRecord } from "../market/rating.ts";
import type { Record } from "../market/skill.ts";
import { type Credits, type Millis, NO_CREDITS } from "../vocabulary.ts";
import { type Conduct, NO_CONDUCT } from "./conduct.ts";
import type { GitHubLink } from "./events.ts";
import type { Returned } from "./free-returns.ts";
import type { Draws, Holds } from "./holds.ts";
import type { Payment } from "./payments.ts";
import type { Opened, WaitingBatch } from "./waiting.ts";

/** How many counterparties are kept; the highest rating asks for 20 (guide: Credit Rating System). */
export const COUNTERPARTIES_MAX = 100;

/** What ratings are calculated from. Durations in ms. */
export interface Tally {
  readonly created: number;
  readonly paid: number;
  readonly earned: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly firstTry: number;
  readonly durationMs: Millis;
  /** Of honeypots: tasks of an operator with a known answer. */
  readonly honeypotsPassed: number;
  readonly honeypotsFailed: number;
  /** How the latest of them were done, the newest last; absent in rows from before it was kept. */
  readonly honeypotsLately?: readonly boolean[];
  /** How many were paid and are not counted yet; absent in rows from before that. */
  readonly honeypotsUntold?: number;
}

/** A code that was sent to the account's address. */
export interface Recovery {
  readonly codeHash: string;
  readonly until: Millis;
  readonly triesLeft: number;
}

/** The bid that a slot is for, and the pull that it is from, if it is from one. */
export interface Reservation {
  readonly bid: string;
  readonly pull?: string;
}

export interface AccountContext {
  readonly id: string;
  readonly email: string;
  readonly source: string | null;
  readonly marks: readonly string[];
  readonly keyHash: string;
  /** The code that is valid now, or null. */
  readonly recovery: Recovery | null;
  readonly available: Credits;
  readonly held: Credits;
  readonly holds: Holds;
  readonly openTasks: number;
  /** Running batches. */
  readonly batches: readonly string[];
  /** Items that opened recently, batches that wait for their turn, and when one was last called (ms); see turns.ts. */
  readonly opened: readonly Opened[];
  readonly waiting: readonly WaitingBatch[];
  readonly calledAt: Millis;
  /** When the timer that calls them is due (ms), or null. */
  readonly callAt: Millis | null;
  readonly reputation: number;
  readonly failuresInRow: number;
  readonly cooldownUntil: Millis | null;
  readonly conduct: Conduct;
  /** The date of the oldest debt (ms), or null. The debt is how far `available` is below 0. */
  readonly debtSince: Millis | null;
  /** The debt by the day on which it was drawn, what holds drew of it, and when the timer of its oldest is due (ms), or null. */
  readonly owed: Debt;
  readonly draws: Draws;
  readonly debtDue: Millis | null;
  /** The terms of the last fact that was decided by a credit line. */
  readonly terms: CreditTerms;
  /** What was earned from verified identities (NC), and how many settlements with each of them count. */
  readonly vouched: { readonly total: number; readonly by: { readonly [identity: string]: number } };
  readonly tally: Tally;
  /** Identities with which a task was settled, on either side. */
  readonly counterparties: readonly string[];
  /** Task type -> what this account did in it as a worker. */
  readonly records: { readonly [taskType: string]: Record };
  /** Honeypots that were done and are not counted yet; see honeypots.ts. */
  readonly untold: readonly UntoldHoneypot[];
  /** The latest tasks whose penalties were taken back. */
  readonly excused: readonly string[];
  /** Of the tasks that it was paid for, those of other identities than its own. */
  readonly paidByOthers: number;
  /** Of the tasks that it posted, those of which an award has ended, and none with a result. */
  readonly unfulfilled: number;
  /** The OAuth state that is valid now, or null. */
  readonly oauth: { readonly stateHash: string; readonly until: Millis } | null;
  readonly github: GitHubLink | null;
  /** The mark of the GitHub account that vouches for an older account of its owner, and so not for this one; or null. */
  readonly vouchesElsewhere: string | null;
  /** By task type. */
  readonly capabilities: { readonly [taskType: string]: Capability };
  /** Task that it was awarded, or has a bid on -> the capability whose slot that takes; empty for none. */
  readonly slots: { readonly [task: string]: string };
  /** Of those, task -> for what it is reserved, if it was asked for with `asked`. */
  readonly reserved: { readonly [task: string]: Reservation };
  /** How many awards were given back for free, and the latest of them; see returns.ts. */
  readonly returned: number;
  readonly returns: readonly Returned[];
  readonly payments: { readonly [payment: string]: Payment & { readonly changes: number } };
  /** The payment service's id of the customer. */
  readonly customer: string | null;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

const NO_TALLY: Tally = {
  created: 0,
  paid: 0,
  earned: 0,
  failed: 0,
  timedOut: 0,
  firstTry: 0,
  durationMs: 0,
  honeypotsPassed: 0,
  honeypotsFailed: 0,
  honeypotsLately: [],
  honeypotsUntold: 0,
};

/** The initial state; also the defaults of fields that older snapshots lack. */
export const NEW: Omit<AccountContext, "id"> = {
  email: "",
  source: null,
  marks: [],
  keyHash: "",
  recovery: null,
  available: NO_CREDITS,
  held: NO_CREDITS,
  holds: {},
  openTasks: 0,
  batches: [],
  opened: [],
  waiting: [],
  calledAt: 0,
  callAt: null,
  reputation: 0,
  failuresInRow: 0,
  cooldownUntil: null,
  conduct: NO_CONDUCT,
  debtSince: null,
  owed: NO_DEBT,
  draws: {},
  debtDue: null,
  terms: NO_TERMS,
  vouched: { total: 0, by: {} },
  tally: NO_TALLY,
  counterparties: [],
  records: {},
  untold: [],
  excused: [],
  paidByOthers: 0,
  unfulfilled: 0,
  oauth: null,
  github: null,
  vouchesElsewhere: null,
  capabilities: {},
  slots: {},
  reserved: {},
  returned: 0,
  returns: [],
  payments: {},
  customer: null,
  createdAt: 0,
  updatedAt: 0,
};

/** What an account's credit rating is calculated from. */
export function creditRecord({ tally, counterparties }: Pick<AccountContext, "tally" | "counterparties">): CreditRecord {
  const { earned, failed, timedOut, honeypotsPassed, honeypotsFailed } = tally;
  const honeypots = Math.max(0, honeypotsPassed - honeypotsFailed);
  return { settled: earned, failed, timedOut, counterparties: counterparties.length, honeypots };
}
