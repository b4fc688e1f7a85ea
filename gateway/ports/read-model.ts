/** The read model (CQRS): rows written by commits, from which lists and lookups are served. */
import type { AccountFact, AccountFactType } from "../../machines/account/events.ts";
import type { AccountRow, CapabilityRow } from "../../machines/account/row.ts";
import type { Posting, TransferReason } from "../../machines/money/postings.ts";
import type { BidOutcome, BidRow } from "../../machines/task/bid-rows.ts";
import type { TaskFact, TaskSpec } from "../../machines/task/events.ts";
import type { OwnAward } from "../../machines/task/own-award.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import type { AccountId, AccountStatus, Millis, TaskId, TaskStatus } from "../../machines/vocabulary.ts";

/** A row of a task, with its spec. */
export interface StoredTask {
  readonly row: TaskRow;
  readonly order: TaskSpec;
}

/** A row of an account, with what it offers, the oldest first. */
export interface StoredAccount {
  readonly row: AccountRow;
  readonly capabilities: readonly StoredCapability[];
}

/**
 * A page of a list; `next` is the cursor of the next page, or null at the end. A page ends early at about 1 MB, but where a list
 * says nothing else it has at least one entry if there is one.
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
  /** Of the page, only those that have changed since (ms), that moment included: others may have changed within it. */
  readonly since?: Millis;
}

export interface OpenQuery {
  readonly worker: AccountId;
  /** The marks of the worker. */
  readonly marks: readonly string[];
  /** Only tasks of these types. */
  readonly taskTypes: readonly string[];
  /** The worker's tier per task type; 1 if missing. */
  readonly tiers: { readonly [taskType: string]: number };
  /** Only tasks that pay at least so much (NC). */
  readonly minBudget: number | null;
  /** The oldest first, or the best paid; null for a first page that has some of the newest, and then the best paid. */
  readonly sort: "age" | "budget" | null;
  readonly limit: number;
  readonly cursor: string | null;
  /** Of the newest, only those that have changed since (ms), that moment included: others may have changed within it. */
  readonly since?: Millis;
}

export interface BidQuery {
  readonly worker: AccountId;
  readonly status: BidOutcome | null;
  readonly limit: number;
  readonly cursor: string | null;
}

/** One leg of a transfer, in NC. */
export interface LedgerRow extends Posting {
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

/** A page of the facts of a task, in order. */
export interface History extends Page<HistoryRow> {
  /** The worker of the last award before the page. */
  readonly worker: AccountId | null;
}

export interface HistoryRow {
  readonly seq: number;
  readonly fact: TaskFact;
}

/** A capability among those of everybody. */
export interface StoredCapability extends CapabilityRow {
  readonly account: AccountId;
}

export interface BrowseQuery {
  /** Only capabilities in these types. */
  readonly taskTypes: readonly string[];
  readonly tag: string | null;
  readonly tierMin: number | null;
  /** NC. */
  readonly priceMax: number | null;
  readonly available: boolean | null;
  readonly sort: "score" | "price" | "tasks";
  readonly limit: number;
  readonly cursor: string | null;
}

/** What a worker did in a task type since some time. */
export interface Workload {
  /** Times from award to accepted result of settled tasks (ms), sorted. */
  readonly durationsMs: readonly number[];
  readonly settled: number;
  readonly failed: number;
  /** NC. */
  readonly earned: number;
}

/** An account and its marks. */
export interface Marked {
  readonly id: AccountId;
  readonly marks: readonly string[];
}

/** A task, and the id of the pull that has won it: its key, a dot, and what was pulled under it. */
export interface PulledTask {
  readonly task: StoredTask;
  readonly pull: string;
}

/** A bid, and its task. */
export interface WonBid {
  readonly id: string;
  readonly task: string;
}

/** A fact of an account that has changed its reputation, or what it may do for that. */
export type ReputationFact = Extract<
  AccountFact,
  { readonly type: "Earned" | "Failed" | "Excused" | "CooldownStarted" | "CooldownEnded" | "Frozen" | "Unfrozen" }
>;

export interface Bidder {
  readonly account: AccountRow;
  readonly taskType: string;
}

/** What a stream of an account looks for in its journal: ends of its own tasks, awards to it, or both. */
export interface NewsQuery {
  readonly account: AccountId;
  /** The number of the fact after which to look. */
  readonly after: number;
  readonly ends: boolean;
  readonly awards: boolean;
}

/** A fact of an account that says something of a task: that it ended (the first two), or how an award to this account began or ended. */
export interface AccountNews {
  readonly seq: number;
  readonly type: Extract<AccountFactType, "Settled" | "Released" | "OfferTaken" | "OfferFreed" | "Failed" | "Earned">;
  readonly task: TaskId;
}

/** A part of an account's journal. */
export interface NewsPage {
  /** In order. */
  readonly news: readonly AccountNews[];
  /** The number of the last fact that was looked at. */
  readonly upTo: number;
  /** Whether there are facts after it. */
  readonly more: boolean;
}

/** What the streams of an account depend on. */
export interface Watched {
  readonly id: AccountId;
  readonly keyHash: string;
  readonly status: AccountStatus;
  /** The number of its last fact. */
  readonly lastFact: number;
}

/** Every call may reject with StoreUnavailable. An invalid cursor gives undefined. */
export interface ReadModel {
  /** Rejects if no database answers. */
  ping(): Promise<void>;
  /** The account with this hash of an API key. */
  accountByKey(keyHash: string): Promise<StoredAccount | undefined>;
  account(id: AccountId): Promise<AccountRow | undefined>;
  storedAccount(id: AccountId): Promise<StoredAccount | undefined>;
  /** The accounts that have one of these marks. */
  marked(marks: readonly string[]): Promise<readonly Marked[]>;
  /** A worker's account and the type of the task that it bids on; undefined if one of them does not exist. */
  bidder(account: AccountId, task: string): Promise<Bidder | undefined>;
  task(id: string): Promise<StoredTask | undefined>;
  /** Whether this account holds a budget for a task that is not open yet, because the message to it is on its way. */
  opening(account: AccountId, task: string): Promise<boolean>;
  /** Those of these tasks that exist, without those whose database does not answer, unless that is all of them. */
  tasksOf(ids: readonly TaskId[]): Promise<readonly StoredTask[]>;
  /** Looks through a bounded number of facts. */
  accountNews(query: NewsQuery): Promise<NewsPage>;
  /** The number of an account's last fact from before this time (ms), as its nodes' clocks say; null: of its last one. 0 if there is none. */
  factBefore(account: AccountId, at: Millis | null): Promise<number>;
  /** Those of these accounts whose databases answer. */
  watched(accounts: readonly AccountId[]): Promise<readonly Watched[]>;
  tasks(query: TaskQuery): Promise<Page<StoredTask> | undefined>;
  /** A worker's bids, the newest first. */
  bids(query: BidQuery): Promise<Page<BidRow> | undefined>;
  /** What became of awards: those that these bids have won, by bid. */
  awards(worker: AccountId, bids: readonly WonBid[]): Promise<ReadonlyMap<string, OwnAward>>;
  /** What became of the last award of a task to this worker; undefined if it had none. */
  lastAward(worker: AccountId, task: string): Promise<OwnAward | undefined>;
  /** What has changed an account's reputation, the newest first: of its latest facts, of which a bounded number is looked at. */
  reputationChanges(account: AccountId): Promise<readonly ReputationFact[]>;
  /** Whether this worker has ever bid on a task. */
  hasBid(worker: AccountId, task: string): Promise<boolean>;
  /** Open tasks that this worker may take. A page may be short, or empty, and have a next one: it looks at a bounded number. */
  open(query: OpenQuery): Promise<Page<StoredTask> | undefined>;
  /** The tasks that pulls of this key have won for this worker, and that are still AWARDED: the oldest first. */
  pulled(worker: AccountId, key: string): Promise<readonly PulledTask[]>;
  /** The median price of the latest settled tasks of this type (NC); null if there are none. */
  likelyPrice(taskType: string): Promise<number | null>;
  capabilities(account: AccountId): Promise<readonly StoredCapability[]>;
  capability(id: string): Promise<StoredCapability | undefined>;
  /** The capabilities of everybody. A page may be short, or empty, and have a next one. */
  browse(query: BrowseQuery): Promise<Page<StoredCapability> | undefined>;
  workload(account: AccountId, taskType: string, since: Millis): Promise<Workload>;
  history(id: string, limit: number, cursor: string | null): Promise<History | undefined>;
  /** The webhook attempts of a task, in order. */
  deliveries(id: string, limit: number, cursor: string | null): Promise<Page<HistoryRow> | undefined>;
  /** The ledger entries of a task so far, in order. */
  ledger(task: string): Promise<readonly LedgerRow[]>;
  statement(account: AccountId, limit: number, cursor: string | null): Promise<Page<StatementRow> | undefined>;
}
