/** The tables of what is stored, and the columns of each. `shard` is the shard of the row's entity. */
import type { DueTimer, OutboxMessage } from "../../../actors/ports/journal.ts";
import type { ActionRow } from "../../../gateway/ports/operators.ts";
import type { LedgerRow, StoredCapability } from "../../../gateway/ports/read-model.ts";
import type { AccountRow } from "../../../machines/account/row.ts";
import type { EntityKind } from "../../../machines/address.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import type { Capability, Terms } from "../../../machines/market/capability.ts";
import type { BidRow } from "../../../machines/task/bid-rows.ts";
import type { TaskRow } from "../../../machines/task/row.ts";
import { BIDDING_STATUSES } from "../../../machines/task/tags.ts";
import type { Columns, Table } from "./columns.ts";

interface OfShard {
  readonly shard: number;
}

/** A fact as it is kept; `part` counts the facts that one command caused. */
interface JournalRow extends StoredFact, OfShard {
  readonly kind: EntityKind;
  readonly entity: string;
  readonly cause: string | null;
  readonly part: number;
  readonly batch: string;
}

/** What a reader of facts gets of each. */
export const FACT: Columns<StoredFact> = { seq: "integer", type: "text", version: "smallint", body: "json", at: "bigint" };

export const JOURNAL: Table<JournalRow> = {
  name: "journal",
  columns: { shard: "smallint", kind: "text", entity: "uuid", ...FACT, cause: "uuid", part: "smallint", batch: "uuid" },
};

/** One leg of a transfer; `entity` and `seq` name the fact that moved the money. */
interface PostingRow extends LedgerRow, OfShard {
  readonly entity: string;
  readonly seq: number;
}

export const POSTING: Columns<LedgerRow> = {
  transfer: "text",
  leg: "smallint",
  account: "text",
  owner: "uuid",
  amount: "bigint",
  task: "uuid",
  reason: "text",
  at: "bigint",
};

export const LEDGER: Table<PostingRow> = {
  name: "ledger",
  columns: { shard: "smallint", entity: "uuid", seq: "integer", ...POSTING },
};

/** A message that waits; once it is refused for good, `dead` says why. */
export interface MessageRow extends OfShard, Pick<OutboxMessage, "id" | "seq" | "leg" | "command"> {
  readonly senderKind: EntityKind;
  readonly sender: string;
  readonly receiverKind: EntityKind;
  readonly receiver: string;
}

export const OUTBOX: Table<MessageRow> = {
  name: "outbox",
  columns: {
    shard: "smallint",
    id: "uuid",
    senderKind: "text",
    sender: "uuid",
    seq: "integer",
    leg: "smallint",
    receiverKind: "text",
    receiver: "uuid",
    command: "json",
  },
};

export interface TimerRow extends OfShard, Pick<DueTimer, "name" | "at"> {
  readonly kind: EntityKind;
  readonly entity: string;
}

export const TIMERS: Table<TimerRow> = {
  name: "timers",
  columns: { shard: "smallint", kind: "text", entity: "uuid", name: "text", at: "bigint" },
};

interface SnapshotRow {
  readonly entity: string;
  readonly seq: number;
  readonly state: unknown;
}

export const SNAPSHOTS: Table<SnapshotRow> = {
  name: "snapshots",
  columns: { entity: "uuid", seq: "integer", state: "json" },
};

/** A task's row as it is kept: the requester's score is in the task's first fact, with which rows are read (task-rows.ts). */
type KeptTask = Omit<TaskRow, "requesterScore">;

export const TASK: Columns<KeptTask> = {
  id: "uuid",
  status: "text",
  requester: "uuid",
  marks: "text[]",
  worker: "uuid",
  taskType: "text",
  budget: "bigint",
  minSkill: "smallint",
  closedTo: "uuid[]",
  awardedPrice: "bigint",
  result: "json",
  errorCode: "text",
  retriesLeft: "smallint",
  autoRetriesLeft: "smallint",
  expiresAt: "bigint",
  createdAt: "bigint",
  updatedAt: "bigint",
};

/** The statuses of tasks that take bids, as literals: the planner takes the index on just these for nothing else. */
export const BIDDING = BIDDING_STATUSES.map((status) => `'${status}'`).join(", ");

export const TASKS: Table<KeptTask & OfShard> = { name: "tasks", columns: { shard: "smallint", ...TASK } };

export const ACCOUNT: Columns<AccountRow> = {
  id: "uuid",
  email: "text",
  marks: "text[]",
  status: "text",
  keyHash: "text",
  available: "bigint",
  held: "bigint",
  reputation: "bigint",
  cooldownUntil: "bigint",
  counterparties: "integer",
  debtSince: "bigint",
  tally: "json",
  records: "json",
  customer: "text",
  github: "json",
  createdAt: "bigint",
  updatedAt: "bigint",
};

export const ACCOUNTS: Table<AccountRow & OfShard> = { name: "accounts", columns: { shard: "smallint", ...ACCOUNT } };

/** What its owner says of a capability, but for its terms, which columns of schema 8 have; see capability-terms.ts. */
export const REGISTERED: Columns<Omit<Capability, keyof Terms>> = {
  id: "uuid",
  taskType: "text",
  description: "text",
  tags: "text[]",
  price: "bigint",
  concurrency: "integer",
  available: "boolean",
  createdAt: "bigint",
};

export const CAPABILITY: Columns<Omit<StoredCapability, keyof Terms>> = {
  ...REGISTERED,
  account: "uuid",
  active: "boolean",
  score: "double precision",
  tier: "smallint",
  quality: "double precision",
  finished: "integer",
};

/** As schemas before 8 have it. */
export const CAPABILITIES_BEFORE: Table<Omit<StoredCapability, keyof Terms> & OfShard> = {
  name: "capabilities",
  columns: { shard: "smallint", ...CAPABILITY },
};

export const CAPABILITIES: Table<StoredCapability & OfShard> = {
  name: "capabilities",
  columns: { ...CAPABILITIES_BEFORE.columns, minSeconds: "integer", minRequesterScore: "double precision" },
};

export const BID: Columns<BidRow> = {
  id: "uuid",
  task: "uuid",
  taskType: "text",
  worker: "uuid",
  credits: "bigint",
  via: "text",
  status: "text",
  reason: "json",
  placedAt: "bigint",
  updatedAt: "bigint",
};

/** In the shard of the task. */
export const BIDS: Table<BidRow & OfShard> = { name: "bids", columns: { shard: "smallint", ...BID } };

export const ACTIONS: Table<ActionRow> = {
  name: "actions",
  columns: { id: "uuid", at: "bigint", action: "text", target: "uuid", detail: "json", outcome: "text" },
};
