/** What the gateway needs of the world besides the actors; src/ has the adapters. */
import type { PaymentNews } from "../machines/account/payments.ts";
import type { AccountView } from "../machines/account/view.ts";
import type { GitHubProfile } from "../machines/market/github.ts";
import type { LedgerAccount, TransferReason } from "../machines/money/postings.ts";
import type { Order, TaskFact } from "../machines/task/facts.ts";
import type { TaskView } from "../machines/task/view.ts";
import type { AccountId, Millis, TaskStatus } from "../machines/vocabulary.ts";

/**
 * What is limited: requests and tasks of an account; visits (requests without a key), registrations and failures (wrong
 * secrets) of an address; recoveries of both.
 */
export type LimitName = "requests" | "tasks" | "visits" | "registrations" | "failures" | "recoveries";

/** What came of taking from a limit. */
export interface Allowance {
  readonly name: LimitName;
  /** How many are allowed in a window; 0 when the limit is off. */
  readonly limit: number;
  readonly windowS: number;
  readonly left: number;
  /** Ms until the window ends. */
  readonly resetMs: number;
  readonly allowed: boolean;
}

/** Counts; no call rejects because a server is away. */
export interface Limiter {
  /** Takes `points` (1) from what this key may have. */
  take(name: LimitName, key: string, points?: number): Promise<Allowance>;
  /** What `take` would say, but takes nothing. */
  look(name: LimitName, key: string): Promise<Allowance>;
  /** Gives one back. */
  give(name: LimitName, key: string): Promise<void>;
  readonly familiar: Familiar;
}

/** Pairs of an address and a secret that was good from it within the hour. No call rejects because a server is away. */
export interface Familiar {
  has(pair: string): Promise<boolean>;
  add(pair: string): void;
  drop(pair: string): void;
}

/** Brings mail to people. */
export interface Mailer {
  /** Sends a text; rejects when it cannot be handed over. */
  send(mail: { readonly to: string; readonly subject: string; readonly text: string }): Promise<void>;
}

/** What the payment service tells of a payment of an account. */
export interface PaymentTold {
  readonly account: AccountId;
  /** The payment's id there. */
  readonly payment: string;
  readonly customer: string | null;
  readonly news: PaymentNews;
}

/** Thrown by payments that cannot be reached, or refuse. */
export class PaymentsUnavailable extends Error {}

export interface Payments {
  /** Opens a page on which an account can buy; the same key opens the same page. Throws PaymentsUnavailable. */
  open(purchase: {
    readonly account: AccountId;
    readonly email: string;
    readonly customer: string | null;
    /** NC; as many US cents. */
    readonly amount: number;
    readonly successUrl: string;
    readonly cancelUrl: string;
    readonly key: string;
  }): Promise<{ readonly id: string; readonly url: string }>;
  /**
   * Reads what the service has sent: null when it concerns no payment of ours, undefined when the signature is not the
   * service's. Throws PaymentsUnavailable.
   */
  read(body: string, signature: string): Promise<PaymentTold | null | undefined>;
}

/** Thrown by an identity provider that does not accept a code or a token. */
export class IdentityRefused extends Error {}

/** Thrown by an identity provider that does not answer, or wants to be left alone for a while. */
export class IdentityUnavailable extends Error {
  readonly retryAfterS: number;

  constructor(message: string, retryAfterS: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterS = retryAfterS;
  }
}

export interface IdentityProfile extends GitHubProfile {
  readonly id: string;
  readonly login: string;
}

/** Says who somebody is elsewhere. exchange() and profile() throw IdentityRefused and IdentityUnavailable. */
export interface Identity {
  authorizeUrl(state: string, challenge: string): string;
  /** Gives a token for a code. */
  exchange(code: string, verifier: string): Promise<string>;
  profile(token: string): Promise<IdentityProfile>;
}

/** What keeps this process from serving. */
export interface Health {
  /** A sentence for the operator, or null when all is well. */
  trouble(): Promise<string | null>;
}

/** Tells the other gateways what is true only for a moment. Nothing depends on its arrival. */
export interface Signals {
  send(signal: Signal): void;
}

export type Signal =
  /** A task has come to a status that somebody may wait for. */
  | { readonly type: "task"; readonly task: string; readonly status: TaskStatus }
  /** A key is valid no longer. */
  | { readonly type: "key"; readonly hash: string }
  /** What an account may do has changed. */
  | { readonly type: "account"; readonly account: AccountId }
  /** A worker asked for tasks of a type. */
  | { readonly type: "presence"; readonly worker: AccountId; readonly taskType: string };

/** A task as it is shown: its row, and what was asked for. */
export interface TaskRow {
  readonly view: TaskView;
  readonly order: Order;
}

/**
 * A page of a list; `next` is where the following page begins, or null at the end. It ends early when its entries have about
 * 1 MB, but has at least one.
 */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface TaskQuery {
  readonly account: AccountId;
  readonly role: "requester" | "worker" | null;
  readonly status: TaskStatus | null;
  readonly limit: number;
  readonly cursor: string | null;
  /** Of the page, only those that have changed since (ms). */
  readonly since?: Millis;
}

export interface OpenQuery {
  readonly worker: AccountId;
  /** What the worker is known by. */
  readonly marks: readonly string[];
  readonly taskType: string | null;
  /** The worker's tier for each task type; 1 where none is named. */
  readonly tiers: { readonly [taskType: string]: number };
  readonly limit: number;
  readonly cursor: string | null;
  /** Of the page, only those that have changed since (ms). */
  readonly since?: Millis;
}

/** One leg of a transfer, in NC. */
export interface LedgerRow {
  readonly transfer: string;
  readonly account: LedgerAccount;
  readonly owner: AccountId | null;
  readonly amount: number;
  readonly task: string | null;
  readonly reason: TransferReason;
  readonly at: Millis;
}

/** One line of an account's statement, in NC. */
export interface StatementRow {
  readonly transfer: string;
  readonly reason: TransferReason;
  readonly task: string | null;
  readonly available: number;
  readonly held: number;
  readonly at: Millis;
}

/** What happened to a task, in order. */
export interface History extends Page<HistoryRow> {
  /** Who had the last award before the page. */
  readonly worker: AccountId | null;
}

export interface HistoryRow {
  readonly seq: number;
  readonly fact: TaskFact;
}

/** An account as operators see it. */
export type AccountRow = AccountView;

/** Something that an operator did. */
export interface ActionRow {
  readonly id: string;
  readonly at: Millis;
  readonly action: string;
  readonly target: string;
  readonly detail: object;
  /** `done`, or the code of a refusal; null while it is not known. */
  readonly outcome: string | null;
}

/** The log of what operators do. Every call may reject with StoreUnavailable. */
export interface Operators {
  /** Notes what is about to be done. */
  begin(action: Omit<ActionRow, "outcome">): Promise<void>;
  end(target: string, id: string, outcome: string): Promise<void>;
  list(limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined>;
  addHoneypot(row: HoneypotRow): Promise<void>;
  /** All of them, the oldest first. */
  honeypots(): Promise<readonly HoneypotRow[]>;
  /** A page of them, the oldest first. */
  listHoneypots(limit: number, cursor: string | null): Promise<Page<HoneypotRow> | undefined>;
  /** Whether it was there. */
  removeHoneypot(id: string): Promise<boolean>;
}

/** A task whose answer is known. */
export interface HoneypotRow {
  readonly id: string;
  readonly at: Millis;
  readonly order: Order;
}

export interface CapabilityRow {
  readonly id: string;
  readonly account: AccountId;
  readonly taskType: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** NC; null where its owner bids for each task. */
  readonly price: number | null;
  readonly concurrency: number;
  readonly available: boolean;
  /** Whether its owner may take work now. */
  readonly active: boolean;
  /** 0..100. */
  readonly score: number;
  readonly tier: number;
  readonly finished: number;
  readonly createdAt: Millis;
}

export interface BrowseQuery {
  readonly taskType: string | null;
  readonly tag: string | null;
  readonly tierMin: number | null;
  /** NC. */
  readonly priceMax: number | null;
  readonly available: boolean | null;
  readonly sort: "score" | "price" | "tasks";
  readonly limit: number;
  readonly cursor: string | null;
}

/** A price (NC) at which a worker takes tasks of a type without being asked. */
export interface StandingPrice {
  readonly account: AccountId;
  readonly price: number;
  readonly tier: number;
  readonly quality: number;
}

/** What a worker did in a task type within some time. */
export interface Workload {
  /** Of the settled ones, from the award to the accepted result (ms), in order. */
  readonly durationsMs: readonly number[];
  readonly settled: number;
  readonly failed: number;
  /** NC. */
  readonly earned: number;
}

/** An account and what it is known by. */
export interface Marked {
  readonly id: AccountId;
  readonly marks: readonly string[];
}

export interface Bidder {
  readonly account: AccountView;
  readonly taskType: string;
}

/** Reads what commits have written. Every call may reject with StoreUnavailable. A cursor that is none gives undefined. */
export interface ReadModel {
  /** Rejects when no database answers. */
  ping(): Promise<void>;
  /** The account of an API key's hash. */
  accountByKey(keyHash: string): Promise<AccountView | undefined>;
  account(id: AccountId): Promise<AccountView | undefined>;
  /** The accounts that are known by one of these marks. */
  marked(marks: readonly string[]): Promise<readonly Marked[]>;
  /** A worker's account with the type of the task that it bids on; undefined when one of the two is not there. */
  bidder(account: AccountId, task: string): Promise<Bidder | undefined>;
  task(id: string): Promise<TaskRow | undefined>;
  /** Whether this account holds a budget for a task that has not been opened yet: the message is on its way. */
  opening(account: AccountId, task: string): Promise<boolean>;
  tasks(query: TaskQuery): Promise<Page<TaskRow> | undefined>;
  /** Tasks that take bids now and that this worker may take, the oldest first. */
  open(query: OpenQuery): Promise<Page<TaskRow> | undefined>;
  /** The median awarded price of the type's latest settled tasks, in NC; null when there is none. */
  likelyPrice(taskType: string): Promise<number | null>;
  capabilities(account: AccountId): Promise<readonly CapabilityRow[]>;
  capability(id: string): Promise<CapabilityRow | undefined>;
  browse(query: BrowseQuery): Promise<Page<CapabilityRow> | undefined>;
  /** The lowest prices that stand for a task type, from the lowest up. */
  standingPrices(taskType: string): Promise<readonly StandingPrice[]>;
  workload(account: AccountId, taskType: string, since: Millis): Promise<Workload>;
  history(id: string, limit: number, cursor: string | null): Promise<History | undefined>;
  /** The attempts at a task's webhook, in order. */
  deliveries(id: string, limit: number, cursor: string | null): Promise<Page<HistoryRow> | undefined>;
  /** The entries of one task that are there by now, in order. */
  ledger(task: string): Promise<readonly LedgerRow[]>;
  statement(account: AccountId, limit: number, cursor: string | null): Promise<Page<StatementRow> | undefined>;
}
