/** Turns a batch into the columns that the append statement unnests. */
import type { Batch, Entry } from "../../../actors/ports/journal.ts";
import type { AccountView } from "../../../machines/account/view.ts";
import type { TaskView } from "../../../machines/task/view.ts";

type ShardOf = (id: string) => number;
type Columns<Row> = { readonly [Name in keyof Row]: Row[Name][] };

/** Rows as columns; `names` also fixes the columns when there is no row. */
function columns<Row extends object, Name extends keyof Row>(
  rows: readonly Row[],
  names: readonly Name[],
): Columns<Pick<Row, Name>> {
  const made = {} as { [N in Name]: Row[N][] };
  for (const name of names) made[name] = rows.map((row) => row[name]);
  return made;
}

function factsOf(entries: readonly Entry[], shardOf: ShardOf) {
  const rows = entries.flatMap(({ address, after, facts, cause }) =>
    facts.map(({ type, version, body, at }, part) => ({
      shard: shardOf(address.id),
      kind: address.kind,
      entity: address.id,
      seq: after + 1 + part,
      type,
      version,
      body: JSON.stringify(body),
      at,
      cause,
      part,
    })),
  );
  return columns(rows, ["shard", "kind", "entity", "seq", "type", "version", "body", "at", "cause", "part"]);
}

function postingsOf(entries: readonly Entry[], shardOf: ShardOf) {
  const rows = entries.flatMap(({ address, after, facts, postings }) =>
    postings.flatMap((legs, part) =>
      legs.map(({ transfer, leg, account, owner, amount, task, reason }) => ({
        shard: shardOf(address.id),
        entity: address.id,
        seq: after + 1 + part,
        leg,
        transfer,
        account,
        owner,
        amount,
        task,
        reason,
        at: facts[part]?.at ?? 0,
      })),
    ),
  );
  return columns(rows, ["shard", "entity", "seq", "leg", "transfer", "account", "owner", "amount", "task", "reason", "at"]);
}

function messagesOf(entries: readonly Entry[], shardOf: ShardOf) {
  const rows = entries.flatMap(({ messages }) =>
    messages.map(({ id, from, seq, leg, to, command }) => ({
      shard: shardOf(from.id),
      id,
      senderKind: from.kind,
      sender: from.id,
      seq,
      leg,
      receiverKind: to.kind,
      receiver: to.id,
      command: JSON.stringify(command),
    })),
  );
  const names = ["shard", "id", "senderKind", "sender", "seq", "leg", "receiverKind", "receiver", "command"] as const;
  return columns(rows, names);
}

/** The last word on each timer: what is set, and what is removed. */
function timersOf(entries: readonly Entry[], shardOf: ShardOf) {
  const last = new Map<string, { shard: number; kind: string; entity: string; name: string; at: number | null }>();
  for (const { address, timers } of entries) {
    for (const { name, at } of timers) {
      last.set(`${address.id}:${name}`, { shard: shardOf(address.id), kind: address.kind, entity: address.id, name, at });
    }
  }
  const rows = [...last.values()];
  return {
    timers: columns(
      rows.filter(({ at }) => at !== null),
      ["shard", "kind", "entity", "name", "at"],
    ),
    unset: columns(
      rows.filter(({ at }) => at === null),
      ["entity", "name"],
    ),
  };
}

/** The last snapshot of each actor in the batch. */
function snapshotsOf(entries: readonly Entry[]) {
  const last = new Map<string, { entity: string; seq: number; state: string }>();
  for (const { address, after, facts, snapshot } of entries) {
    if (snapshot === undefined) continue;
    last.set(address.id, { entity: address.id, seq: after + facts.length, state: JSON.stringify(snapshot) });
  }
  return columns([...last.values()], ["entity", "seq", "state"]);
}

/** The last row of each actor in the batch; entries that only save a snapshot change none. */
function viewsOf(entries: readonly Entry[], kind: Entry["address"]["kind"]): readonly unknown[] {
  const last = new Map<string, unknown>();
  for (const { address, facts, view } of entries) {
    if (address.kind === kind && facts.length > 0 && view !== undefined) last.set(address.id, view);
  }
  return [...last.values()];
}

/** Ids and marks as an array of Postgres; none of them has a character that must be escaped. */
function listOf(words: readonly string[]): string {
  return `{${words.join(",")}}`;
}

function tasksOf(entries: readonly Entry[], shardOf: ShardOf) {
  // The host knows views only as unknown; which kind makes which is fixed by the entities.
  const views = viewsOf(entries, "task") as readonly TaskView[];
  const rows = views.map((view) => ({
    ...view,
    shard: shardOf(view.id),
    marks: listOf(view.marks),
    closedTo: listOf(view.closedTo),
    result: view.result === null ? null : JSON.stringify(view.result),
  }));
  return columns(rows, [
    "shard",
    "id",
    "status",
    "requester",
    "marks",
    "worker",
    "taskType",
    "budget",
    "minSkill",
    "closedTo",
    "awardedPrice",
    "result",
    "errorCode",
    "retriesLeft",
    "autoRetriesLeft",
    "expiresAt",
    "createdAt",
    "updatedAt",
  ]);
}

function accountsOf(entries: readonly Entry[], shardOf: ShardOf) {
  const views = viewsOf(entries, "account") as readonly AccountView[];
  const rows = views.map((view) => ({
    ...view,
    shard: shardOf(view.id),
    marks: listOf(view.marks),
    github: view.github === null ? null : JSON.stringify(view.github),
    tally: JSON.stringify(view.tally),
    records: JSON.stringify(view.records),
  }));
  return columns(rows, [
    "shard",
    "id",
    "email",
    "marks",
    "keyHash",
    "status",
    "available",
    "held",
    "reputation",
    "cooldownUntil",
    "counterparties",
    "debtSince",
    "customer",
    "github",
    "tally",
    "records",
    "createdAt",
    "updatedAt",
  ]);
}

/** The capabilities of every account in the batch: what an account does changes how good they are. */
function capabilitiesOf(entries: readonly Entry[], shardOf: ShardOf) {
  const views = viewsOf(entries, "account") as readonly AccountView[];
  const rows = views.flatMap(({ id: account, status, capabilities }) =>
    capabilities.map((capability) => ({
      ...capability,
      shard: shardOf(account),
      account,
      // As words: the driver takes an array of booleans for one boolean.
      available: String(capability.available),
      active: String(status === "ACTIVE"),
      tags: JSON.stringify(capability.tags),
    })),
  );
  return columns(rows, [
    "shard",
    "id",
    "account",
    "taskType",
    "description",
    "tags",
    "price",
    "concurrency",
    "available",
    "active",
    "score",
    "tier",
    "quality",
    "finished",
    "createdAt",
  ]);
}

/** Everything that one append writes, a column each. */
export type Sections = ReturnType<typeof sectionsOf>;

/** Takes a batch apart. `shardOf` gives an id's shard. */
export function sectionsOf({ id, entries, delivered, dead }: Batch, shardOf: ShardOf) {
  return {
    facts: factsOf(entries, shardOf),
    postings: postingsOf(entries, shardOf),
    messages: messagesOf(entries, shardOf),
    ...timersOf(entries, shardOf),
    snapshots: snapshotsOf(entries),
    tasks: tasksOf(entries, shardOf),
    accounts: accountsOf(entries, shardOf),
    capabilities: capabilitiesOf(entries, shardOf),
    acks: { batch: id, delivered, dead: dead.map((message) => message.id), reasons: dead.map(({ reason }) => reason) },
  };
}
