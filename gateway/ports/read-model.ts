/** What lists and look-ups are served from: rows that commits have written. */
import type { AccountRow, CapabilityView } from "../../machines/account/view.ts";
import type { Posting, TransferReason } from "../../machines/money/postings.ts";
import type { TaskFact, TaskSpec } from "../../machines/task/events.ts";
import type { TaskView } from "../../machines/task/view.ts";
import type { AccountId, Millis, TaskStatus } from "../../machines/vocabulary.ts";

/** A task as it is shown: its row, and what was asked for. */
export interface TaskRow {
  readonly view: TaskView;
  readonly order: TaskSpec;
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
  /** Of the page, only those that have changed since (ms), that moment included: others may have changed within it. */
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
  /** Of the page, only those that have changed since (ms), that moment included: others may have changed within it. */
  readonly since?: Millis;
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

/** What happened to a task, in order. */
export interface History extends Page<HistoryRow> {
  /** Who had the last award before the page. */
  readonly worker: AccountId | null;
}

export interface HistoryRow {
  readonly seq: number;
  readonly fact: TaskFact;
}

/** A capability among those of everybody. */
export interface CapabilityRow extends CapabilityView {
  readonly account: AccountId;
  /** Whether its owner may take work now. */
  readonly active: boolean;
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
export interface PostedPrice {
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
  readonly account: AccountRow;
  readonly taskType: string;
}

/** Reads what commits have written. Every call may reject with StoreUnavailable. A cursor that is none gives undefined. */
export interface ReadModel {
  /** Rejects when no database answers. */
  ping(): Promise<void>;
  /** The account of an API key's hash. */
  accountByKey(keyHash: string): Promise<AccountRow | undefined>;
  account(id: AccountId): Promise<AccountRow | undefined>;
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
  postedPrices(taskType: string): Promise<readonly PostedPrice[]>;
  workload(account: AccountId, taskType: string, since: Millis): Promise<Workload>;
  history(id: string, limit: number, cursor: string | null): Promise<History | undefined>;
  /** The attempts at a task's webhook, in order. */
  deliveries(id: string, limit: number, cursor: string | null): Promise<Page<HistoryRow> | undefined>;
  /** The entries of one task that are there by now, in order. */
  ledger(task: string): Promise<readonly LedgerRow[]>;
  statement(account: AccountId, limit: number, cursor: string | null): Promise<Page<StatementRow> | undefined>;
}
