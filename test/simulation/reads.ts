/** What gateways and matchers of a simulated cluster read of rows, over the line to its store. */
import type { OpenTask, OpenTasks, ReadTask } from "../../actors/ports/open-tasks.ts";
import type { PulledTask, ReadModel, StoredCapability, StoredTask } from "../../gateway/ports/read-model.ts";
import type { AccountRow, CapabilityRow } from "../../machines/account/row.ts";
import { addressKey } from "../../machines/address.ts";
import { mayWork } from "../../machines/eligibility.ts";
import { queuedByRow, shownTask } from "../../machines/task/announce.ts";
import type { TaskFact, TaskSpec } from "../../machines/task/events.ts";
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

/** Those that pulls of a key have won for a worker, with the ids of the pulls. */
export function wonBy(rows: Rows, worker: AccountId, key: string): readonly PulledTask[] {
  return storedTasks(rows).flatMap((task) =>
    awardedTo(rows, task.row.id, worker).flatMap((pull) => (pull?.startsWith(`${key}.`) === true ? [{ task, pull }] : [])),
  );
}

/** For each award of a task, the pull of this worker that won it, if one did. */
function awardedTo(rows: Rows, id: string, worker: AccountId): readonly (string | undefined)[] {
  const facts = rows.get(addressKey({ kind: "task", id }))?.facts ?? [];
  return facts.flatMap(({ type, body }) => (type === "Awarded" ? [pullOf(body as TaskFact, worker)] : []));
}

/** The pull that a fact awards the task to, if it is one of this worker. */
function pullOf(fact: TaskFact, worker: AccountId): string | undefined {
  return fact.type === "Awarded" && fact.bid.worker === worker ? fact.bid.pull?.id : undefined;
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
    pulled: (worker, key) =>
      store.query(process, (rows) =>
        wonBy(rows, worker, key).filter(
          ({ task: { row }, pull }) =>
            row.status === "AWARDED" && row.worker === worker && awardedTo(rows, row.id, worker).at(-1) === pull,
        ),
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
          .flatMap(({ row: { id, status, autoRetriesLeft: round, closedTo } }): readonly OpenTask[] =>
            status === "ROUTING" || status === "PENDING_POOL" ? [{ id: taskId(id), status, round, closed: closedTo.length }] : [],
          );
        return { tasks, next: all.length > limit ? (tasks.at(-1)?.id ?? null) : null };
      }),
    read: (ids) =>
      store.query(process, (rows) => {
        const wanted = new Set<string>(ids);
        return open(rows).flatMap(({ row, order }) => readTask(row, order, wanted));
      }),
    going: () => store.query(process, () => GOING),
  };
}

function readTask(row: TaskRow, order: TaskSpec, wanted: ReadonlySet<string>): readonly ReadTask[] {
  const task = wanted.has(row.id) ? queuedByRow(row, order) : undefined;
  return task === undefined ? [] : [{ task, shown: shownTask(row, order) }];
}
