import type { TaskOnOffer } from "../../machines/eligibility.ts";
import { type AccountId, BOUNDS, type Millis, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { firstIndex, Heads, inOrder, type Order, SortedList } from "./sorted.ts";
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
  /** When the first of them was created. */
  oldest: Millis;
}

const byId: Order<Known> = (a, b) => (a.task.id < b.task.id ? -1 : a.task.id > b.task.id ? 1 : 0);
const oldestFirst: Order<Known> = (a, b) => a.task.createdAt - b.task.createdAt || byId(a, b);
const dearestFirst: Order<Known> = (a, b) => b.task.budget - a.task.budget || oldestFirst(a, b);

function onOffer(task: QueuedTask): TaskOnOffer {
  const { status, requester, marks, budget, minSkill, maxSeconds, requesterScore, closedTo, passed } = task;
  const score = requesterScore === undefined ? {} : { requesterScore };
  // Bidders are compared one by one: a task that is full of bids says itself whether a better one takes a place.
  const failed = [...closedTo, ...passed];
  return { status, requester, marks, budget, minSkill, maxSeconds, ...score, bidders: [], failed };
}

const NOBODY: ReadonlySet<AccountId> = new Set();
const NO_TASK = taskId("00000000-0000-0000-0000-000000000000");

/** A task that is not here, and may be posted, as one that is. */
export function shownAsKnown(terms: Pick<QueuedTask, "requester" | "budget" | "minSkill"> & { readonly at: Millis }): Known {
  const { requester, budget, minSkill, at } = terms;
  const task: QueuedTask = {
    id: NO_TASK,
    requester,
    marks: [],
    budget,
    minSkill,
    quality: "balanced",
    status: "PENDING_POOL",
    round: 0,
    bids: [],
    closedTo: [],
    passed: [],
    // Not known, so it keeps nobody out.
    maxSeconds: BOUNDS.executionSecondsMax,
    createdAt: at,
    windowEnds: at,
    bytes: 0,
  };
  return newKnown(task, 0);
}

function newKnown(task: QueuedTask, heard: number): Known {
  return {
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
}

function bidders({ bids }: QueuedTask): ReadonlySet<AccountId> {
  return bids.length === 0 ? NOBODY : new Set(bids.map(({ worker }) => worker));
}

/** The latest so many of them, and one more. */
function withOne(workers: ReadonlySet<AccountId>, worker: AccountId): ReadonlySet<AccountId> {
  return new Set([...workers, worker].slice(-MATCHING.declinedMax));
}

/** Open tasks that no proposal is under way for, by what a worker can compare. */
class Shelves {
  /** By lowest skill; in each the highest budget first. */
  readonly #tiers: Shelf[][] = [];

  *[Symbol.iterator](): Generator<Shelf> {
    for (const shelves of this.#tiers) yield* shelves;
  }

  #find(minSkill: number, budget: number): { readonly shelves: Shelf[]; readonly index: number } {
    while (this.#tiers.length <= minSkill) this.#tiers.push([]);
    const shelves = this.#tiers[minSkill] ?? [];
    return { shelves, index: firstIndex(shelves, (shelf) => shelf.budget <= budget) };
  }

  add(known: Known): void {
    const { budget, minSkill, createdAt } = known.task;
    const { shelves, index } = this.#find(minSkill, budget);
    let shelf = shelves[index];
    if (shelf?.budget !== budget) {
      shelf = { budget, minSkill, tasks: new SortedList(oldestFirst), oldest: createdAt };
      shelves.splice(index, 0, shelf);
    }
    shelf.tasks.add(known);
    shelf.oldest = Math.min(shelf.oldest, createdAt);
    known.shelf = shelf;
  }

  remove(known: Known): void {
    const { shelf } = known;
    if (shelf === null) return;
    known.shelf = null;
    shelf.tasks.remove(known);
    const { first } = shelf.tasks;
    if (first !== undefined) {
      shelf.oldest = first.task.createdAt;
      return;
    }
    const { shelves, index } = this.#find(shelf.minSkill, shelf.budget);
    shelves.splice(index, 1);
  }

  /** Chooses among the shelves that suit a waiter. */
  choose({ least, tier, price }: Listed, heads: Heads<Known>): Heads<Known> {
    for (let minSkill = 0; minSkill <= Math.min(tier, this.#tiers.length - 1); minSkill += 1) {
      for (const { budget, oldest, tasks } of this.#tiers[minSkill] ?? []) {
        if (budget < least) break;
        const { last } = heads;
        const isBehind = last !== undefined && (price === null ? budget < last.task.budget : oldest > last.task.createdAt);
        if (!isBehind) heads.offer(tasks);
        else {
          heads.leftOut();
          // Lower budgets follow.
          if (price === null) break;
        }
      }
    }
    return heads;
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
    const known = newKnown(task, heard);
    this.#tasks.set(task.id, known);
    return known;
  }

  /** Drops the worst task, the lowest budget and of those the newest, if it is worse than this one. */
  #makeRoom(task: QueuedTask): boolean {
    let worst: Known | undefined;
    for (const { tasks } of [...this.#windows, ...this.#pool]) {
      const { last } = tasks;
      if (last !== undefined && (worst === undefined || dearestFirst(last, worst) > 0)) worst = last;
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
    const [pool, windows] = [this.#pool, this.#windows];
    if (poolFirst) {
      yield* inOrder((width) => pool.choose(listed, new Heads(order, width)), order);
      yield* inOrder((width) => windows.choose(listed, new Heads(order, width)), order);
    } else yield* inOrder((width) => windows.choose(listed, pool.choose(listed, new Heads(order, width))), order);
  }

  /** Gives tasks in their windows, the oldest first. */
  inWindows(): Generator<Known> {
    return inOrder((width) => {
      const heads = new Heads(oldestFirst, width);
      for (const { tasks } of this.#windows) heads.offer(tasks);
      return heads;
    }, oldestFirst);
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
