/** What gateways and matchers of a simulated cluster read of rows, over the line to its store. */
import type { OpenTask, OpenTasks } from "../../actors/ports/open-tasks.ts";
import type { ReadModel, StoredCapability, StoredTask } from "../../gateway/ports/read-model.ts";
import type { AccountRow, CapabilityRow } from "../../machines/account/row.ts";
import { addressKey } from "../../machines/address.ts";
import { mayWork } from "../../machines/eligibility.ts";
import { queuedByRow } from "../../machines/task/announce.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import { takesBids } from "../../machines/task/tags.ts";
import { type AccountId, taskId } from "../../machines/vocabulary.ts";
import type { Store } from "./store.ts";
import type { Process } from "./time.ts";

/** The going price, as a share of the budget: so that some posted prices are below it and some above. */
const GOING = 0.4;

type Rows = Store["journal"]["actors"];

/** Every task that has a row. */
export function storedTasks(rows: Rows): readonly StoredTask[] {
  return [...rows.values()].flatMap(({ address, row, facts }) => {
    // The store holds rows and facts as unknown; a task's actor made these.
    const opened = facts[0]?.body as TaskFact | undefined;
    if (address.kind !== "task" || row === undefined || opened?.type !== "Opened") return [];
    return [{ row: row as TaskRow, order: opened.order }];
  });
}

/** Those that a pull, or a part of it, has won for a worker. */
export function wonBy(rows: Rows, worker: AccountId, pull: string): readonly StoredTask[] {
  const isFor = (fact: TaskFact) =>
    fact.type === "Awarded" && fact.bid.worker === worker && fact.bid.pull?.id.split("/")[0] === pull;
  return storedTasks(rows).filter(({ row }) => {
    const facts = rows.get(addressKey({ kind: "task", id: row.id }))?.facts ?? [];
    return facts.some(({ body }) => isFor(body as TaskFact));
  });
}

/** The reads of gateways. */
export function readsOf(store: Store, process: Process): Pick<ReadModel, "account" | "capabilities" | "pulled"> {
  return {
    account: (id) => store.query(process, (rows) => rows.get(addressKey({ kind: "account", id }))?.row as AccountRow | undefined),
    capabilities: (id) =>
      store.query(process, (rows): readonly StoredCapability[] => {
        const stored = rows.get(addressKey({ kind: "account", id }));
        const row = stored?.row as AccountRow | undefined;
        return [...(stored?.parts.values() ?? [])].map((part) => ({
          ...(part as CapabilityRow),
          account: id,
          active: row !== undefined && mayWork(row.status),
        }));
      }),
    pulled: (worker, pull) =>
      store.query(process, (rows) =>
        wonBy(rows, worker, pull).filter(({ row }) => row.status === "AWARDED" && row.worker === worker),
      ),
  };
}

/** The index of matchers. */
export function openTasksOf(store: Store, process: Process): OpenTasks {
  const open = (rows: Rows) => storedTasks(rows).filter(({ row }) => takesBids(row.status));
  return {
    page: (taskType, after, limit) =>
      store.query(process, (rows) => {
        const all = open(rows)
          .filter(({ row }) => row.taskType === taskType && (after === null || row.id > after))
          .sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
        const tasks = all
          .slice(0, limit)
          .flatMap(({ row: { id, status, autoRetriesLeft: round } }): readonly OpenTask[] =>
            status === "ROUTING" || status === "PENDING_POOL" ? [{ id: taskId(id), status, round }] : [],
          );
        return { tasks, next: all.length > limit ? (tasks.at(-1)?.id ?? null) : null };
      }),
    read: (ids) =>
      store.query(process, (rows) => {
        const wanted = new Set<string>(ids);
        return open(rows).flatMap(({ row, order }) => (wanted.has(row.id) ? (queuedByRow(row, order) ?? []) : []));
      }),
    going: () => store.query(process, () => GOING),
  };
}
