/** What the gateway needs of the world besides the actors; src/ has the adapters. */
import type { AccountView } from "../machines/account/view.ts";
import type { LedgerAccount, TransferReason } from "../machines/money/postings.ts";
import type { Order, TaskFact } from "../machines/task/facts.ts";
import type { TaskView } from "../machines/task/view.ts";
import type { AccountId, Millis, TaskStatus } from "../machines/vocabulary.ts";

/** A task as it is shown: its row, and what was asked for. */
export interface TaskRow {
  readonly view: TaskView;
  readonly order: Order;
}

/** A page of a list, newest first; `next` is where the following page begins, or null at the end. */
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
}

export interface OpenQuery {
  readonly worker: AccountId;
  readonly taskType: string | null;
  /** The worker's tier for each task type; 1 where none is named. */
  readonly tiers: { readonly [taskType: string]: number };
  readonly limit: number;
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

export interface HistoryRow {
  readonly seq: number;
  readonly fact: TaskFact;
}

export interface Bidder {
  readonly account: AccountView;
  readonly taskType: string;
}

/** Reads what commits have written. Every call may reject with StoreUnavailable. A cursor that is none gives undefined. */
export interface ReadModel {
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  /** The account of an API key's hash. */
  accountByKey(keyHash: string): Promise<AccountView | undefined>;
  account(id: AccountId): Promise<AccountView | undefined>;
  /** A worker's account with the type of the task that it bids on; undefined when one of the two is not there. */
  bidder(account: AccountId, task: string): Promise<Bidder | undefined>;
  task(id: string): Promise<TaskRow | undefined>;
  tasks(query: TaskQuery): Promise<Page<TaskRow> | undefined>;
  /** Tasks that take bids now and that this worker may take, the oldest first. */
  open(query: OpenQuery): Promise<readonly TaskRow[]>;
  /** The median awarded price of the type's latest settled tasks, in NC; null when there is none. */
  likelyPrice(taskType: string): Promise<number | null>;
  history(id: string): Promise<readonly HistoryRow[]>;
  /** The entries of one task that are there by now, in order. */
  ledger(task: string): Promise<readonly LedgerRow[]>;
  statement(account: AccountId, limit: number, cursor: string | null): Promise<Page<StatementRow> | undefined>;
}
