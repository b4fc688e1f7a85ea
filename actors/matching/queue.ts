import type { TaskOnOffer } from "../../machines/eligibility.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import { inOrder, type Order, SortedList } from "./sorted.ts";
import { MATCHING, type QueuedTask, type Unmatched } from "./vocabulary.ts";
import { type Listed, listedAs, type Wait } from "./wait.ts";

/** A task as the matcher keeps it: what it was told, and what it did about it in this round. */
export interface Known {
  task: QueuedTask;
  /** The task as the rule of eligibility wants it. */
  onOffer: TaskOnOffer;
  /** Workers who have a bid in it. */
  bidders: ReadonlySet<AccountId>;
  /** Workers that it was proposed in its window, in this round. Sets that would be empty are shared: most tasks need none. */
  proposed: ReadonlySet<AccountId>;
  /** Workers who declined it in this round. */
  declined: ReadonlySet<AccountId>;
  announced: boolean;
  explained: { readonly why: Unmatched; readonly at: Millis; readonly times: number } | null;
  /** Proposals in a row that led to nothing, and when it may be proposed again (ms). */
  failures: number;
  retryAt: Millis;
  /** When it was heard of: the number of a reconciliation. */
  heard: number;
  /** Where it is listed for workers; null while a proposal is under way. */
  shelf: Shelf | null;
}

/** Tasks with one budget and lowest skill, the oldest first. */
interface Shelf {
  readonly budget: number;
  readonly minSkill: number;
  readonly tasks: SortedList<Known>;
}

const byId: Order<Known> = (a, b) => (a.task.id < b.task.id ? -1 : a.task.id > b.task.id ? 1 : 0);
const oldestFirst: Order<Known> = (a, b) => a.task.createdAt - b.task.createdAt || byId(a, b);
const dearestFirst: Order<Known> = (a, b) => b.task.budget - a.task.budget || oldestFirst(a, b);

function onOffer({ status, requester, marks, budget, minSkill, closedTo, passed }: QueuedTask): TaskOnOffer {
  // Bidders are compared one by one: a task that is full of bids says itself whether a better one takes a place.
  return { status, requester, marks, budget, minSkill, bidders: [], failed: [...closedTo, ...passed] };
}

const NOBODY: ReadonlySet<AccountId> = new Set();

function bidders({ bids }: QueuedTask): ReadonlySet<AccountId> {
  return bids.length === 0 ? NOBODY : new Set(bids.map(({ worker }) => worker));
}

/** The latest so many of them, and one more. */
function withOne(workers: ReadonlySet<AccountId>, worker: AccountId): ReadonlySet<AccountId> {
  return new Set([...workers, worker].slice(-MATCHING.declinedMax));
}

/** Open tasks that no proposal is under way for, by what a worker can compare. */
class Shelves {
  readonly #shelves = new Map<string, Shelf>();

  get all(): Iterable<Shelf> {
    return this.#shelves.values();
  }

  add(known: Known): void {
    const { budget, minSkill } = known.task;
    const key = `${budget}/${minSkill}`;
    const shelf = this.#shelves.get(key) ?? { budget, minSkill, tasks: new SortedList(oldestFirst) };
    this.#shelves.set(key, shelf);
    shelf.tasks.add(known);
    known.shelf = shelf;
  }

  remove(known: Known): void {
    const { shelf } = known;
    if (shelf === null) return;
    shelf.tasks.remove(known);
    if (shelf.tasks.size === 0) this.#shelves.delete(`${shelf.budget}/${shelf.minSkill}`);
    known.shelf = null;
  }

  for({ least, tier }: Listed): readonly SortedList<Known>[] {
    return [...this.#shelves.values()]
      .filter(({ budget, minSkill }) => budget >= least && minSkill <= tier)
      .map(({ tasks }) => tasks);
  }
}

/** All open tasks that are in memory. */
export class Queue {
  readonly #max: number;
  readonly #tasks = new Map<TaskId, Known>();
  readonly #windows = new Shelves();
  readonly #pool = new Shelves();
  #sweep: Iterator<Known> = this.#tasks.values();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#tasks.size;
  }

  get(id: TaskId): Known | undefined {
    return this.#tasks.get(id);
  }

  all(): Iterable<Known> {
    return this.#tasks.values();
  }

  /** Takes in a task that is not here; undefined if it is worse than all that there is room for. */
  add(task: QueuedTask, heard: number): Known | undefined {
    if (this.#tasks.size >= this.#max && !this.#makeRoom(task)) return undefined;
    const known: Known = {
      task,
      onOffer: onOffer(task),
      bidders: bidders(task),
      proposed: NOBODY,
      declined: NOBODY,
      announced: false,
      explained: null,
      failures: 0,
      retryAt: 0,
      heard,
      shelf: null,
    };
    this.#tasks.set(task.id, known);
    return known;
  }

  /** Drops the worst task, the lowest budget and of those the newest, if it is worse than this one. */
  #makeRoom(task: QueuedTask): boolean {
    let worst: Known | undefined;
    for (const { all } of [this.#windows, this.#pool]) {
      for (const { tasks } of all) {
        const { last } = tasks;
        if (last !== undefined && (worst === undefined || dearestFirst(last, worst) > 0)) worst = last;
      }
    }
    if (worst === undefined) return false;
    const isWorse =
      worst.task.budget < task.budget || (worst.task.budget === task.budget && worst.task.createdAt > task.createdAt);
    if (isWorse) this.remove(worst);
    return isWorse;
  }

  /** Takes over what was told of a task; a new round begins with nothing done about it. */
  update(known: Known, task: QueuedTask): void {
    const isShelved = known.shelf !== null;
    this.unshelve(known);
    if (task.round !== known.task.round) {
      known.proposed = NOBODY;
      known.declined = NOBODY;
      known.announced = false;
      known.explained = null;
      known.failures = 0;
      known.retryAt = 0;
    }
    known.task = task;
    known.onOffer = onOffer(task);
    known.bidders = bidders(task);
    if (isShelved) this.shelve(known);
  }

  remove(known: Known): void {
    this.unshelve(known);
    if (this.#tasks.get(known.task.id) === known) this.#tasks.delete(known.task.id);
  }

  shelve(known: Known): void {
    if (known.shelf !== null) return;
    (known.task.status === "PENDING_POOL" ? this.#pool : this.#windows).add(known);
  }

  unshelve(known: Known): void {
    // Only one of them has it.
    (known.task.status === "PENDING_POOL" ? this.#pool : this.#windows).remove(known);
  }

  /** Whether that is new. */
  decline(known: Known, worker: AccountId): boolean {
    if (known.declined.has(worker)) return false;
    known.declined = withOne(known.declined, worker);
    return true;
  }

  /** Whether that is new. */
  propose(known: Known, worker: AccountId): boolean {
    if (known.proposed.has(worker)) return false;
    known.proposed = withOne(known.proposed, worker);
    return true;
  }

  /**
   * Gives the tasks that suit a waiter with a price: by a posted price the oldest first, else the highest budget. While
   * somebody bids by hand those in the pool come first, because the others may have to wait for their windows.
   */
  *for(wait: Wait, poolFirst: boolean): Generator<Known> {
    const listed = listedAs(wait.terms);
    if (listed === null) return;
    const order = listed.price === null ? dearestFirst : oldestFirst;
    const [pool, windows] = [this.#pool.for(listed), this.#windows.for(listed)];
    if (poolFirst) {
      yield* inOrder(pool, order);
      yield* inOrder(windows, order);
    } else yield* inOrder([...pool, ...windows], order);
  }

  /** Gives tasks in their windows, the oldest first. */
  inWindows(): Generator<Known> {
    return inOrder(
      [...this.#windows.all].map(({ tasks }) => tasks),
      oldestFirst,
    );
  }

  /** Gives so many tasks, and the next time the next ones, round and round. */
  sweep(count: number): readonly Known[] {
    const swept: Known[] = [];
    while (swept.length < Math.min(count, this.#tasks.size)) {
      const next = this.#sweep.next();
      if (next.done !== true) swept.push(next.value);
      else this.#sweep = this.#tasks.values();
    }
    return swept;
  }
}
