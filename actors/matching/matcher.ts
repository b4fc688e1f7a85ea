/**
 * The matcher of one queue: events in, actions out. It is pure but for its own state: the time is an argument, ids come from
 * the caller, and the same events in the same order give the same actions.
 *
 * M1  A task has at most one proposal under way.
 * M2  A waiter never has more under way, placed and awarded than it has places, nor more bytes than its answer holds.
 * M3  What is known here may be old. Any event may be lost, doubled or late: outcomes, renewals and reconciliation mend it.
 * M4  Whatever may match is tried when it changes, and in turn with the ticks; no event costs more than a bounded look around.
 */
import type { Look } from "../../machines/matcher/protocol.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import type { OpenTask } from "../ports/open-tasks.ts";
import { Floor, type FloorOptions } from "./floor.ts";
import { lookAt } from "./look.ts";
import { resolve } from "./outcomes.ts";
import type { Known } from "./queue.ts";
import { type Action, type AwardedTo, MATCHING, type Outcome, type QueuedTask, type Waiter } from "./vocabulary.ts";

/** Whether `told` is from before what is known: a later round has fewer retries left, and the pool comes after the window. */
function isOlder(told: QueuedTask, known: QueuedTask): boolean {
  if (told.round !== known.round) return told.round > known.round;
  return told.status === "ROUTING" && known.status === "PENDING_POOL";
}

/** How many workers cannot take a task, because they have bid on it, or failed it. */
function closedTo({ bids, closedTo: failed }: QueuedTask): number {
  return bids.length + failed.length;
}

function isAsKnown({ status, round, closed }: Omit<OpenTask, "id">, known: QueuedTask): boolean {
  return status === known.status && round === known.round && closed === closedTo(known);
}

export class Matcher {
  readonly #floor: Floor;
  /** The number of this reconciliation. */
  #reconciliation = 0;

  constructor(options: FloorOptions) {
    this.#floor = new Floor(options);
  }

  /** What is here now, and counts since the start. `ready`: waiters with a price and a place. */
  get stats() {
    const { queue, waiters, proposals, counts } = this.#floor;
    return {
      tasks: queue.size,
      waiters: waiters.size,
      workers: waiters.present,
      ready: waiters.ranks.size,
      underWay: proposals.size,
      ...counts,
    };
  }

  /** A task is open: it is new, or has changed. */
  opened(task: QueuedTask, now: Millis): Action[] {
    return this.#act(now, (floor) => {
      const known = this.#learn(task);
      if (known === undefined) return;
      floor.try(known);
      floor.announce(known);
    });
  }

  /** A task takes no more bids. `award`: who has got it, if that is known; a pull may be waiting for it. */
  closed(task: TaskId, now: Millis, award?: AwardedTo): Action[] {
    return this.#act(now, (floor) => floor.close(task, award));
  }

  /** Somebody waits, or goes on waiting. A renewal keeps its turn and what is under way. */
  wait(terms: Waiter, now: Millis): Action[] {
    return this.#act(now, (floor) => {
      const isKnown = floor.waiters.get(terms.id) !== undefined;
      const before = terms.kind === "pull" && !isKnown ? floor.ended.answerOf(terms) : undefined;
      const put = before === undefined ? floor.waiters.put(terms, isKnown ? terms.since : floor.sinceOf(terms)) : undefined;
      if (put === undefined) {
        const over = { type: "answer", waiter: terms.id, tasks: [], why: "over" } as const;
        if (terms.kind === "pull") floor.actions.push(before ?? over);
        return;
      }
      floor.ends.set(terms.id, terms.until, put.wait);
      if (put.takesMore) floor.serve(put.wait);
      // A pull that does not wait takes what is there.
      if (terms.until <= floor.now) floor.end(put.wait);
    });
  }

  /** Whether somebody who waits is known. */
  knows(waiter: string): boolean {
    return this.#floor.waiters.get(waiter) !== undefined;
  }

  /** Somebody who is known goes on waiting, on the same terms; whether it is known. */
  renew(waiter: string, until: Millis): boolean {
    const { waiters, ends } = this.#floor;
    const wait = waiters.get(waiter);
    if (wait === undefined || wait.ended) return false;
    wait.terms = { ...wait.terms, until };
    ends.set(waiter, until, wait);
    return true;
  }

  /** Somebody waits no longer. A pull with something under way is answered when that is resolved. */
  leave(waiter: string, now: Millis): Action[] {
    return this.#act(now, (floor) => {
      const wait = floor.waiters.get(waiter);
      if (wait === undefined) floor.ended.left(waiter, floor.now);
      else floor.end(wait);
    });
  }

  /** A worker has a free slot again. */
  freed(worker: AccountId, now: Millis): Action[] {
    return this.#act(now, (floor) => {
      const known = floor.waiters.worker(worker);
      if (known === undefined) return;
      known.free = Math.min(known.slots, known.free + 1);
      for (const wait of known.waits) wait.limited = null;
      floor.fulls.drop(worker);
      known.fullTimes = 0;
      known.freedMeanwhile = known.offered > 0 || [...known.waits].some(({ pending }) => pending.size > 0);
      floor.makeReady(known);
    });
  }

  /** What became of a proposal. */
  answered(proposal: string, outcome: Outcome, now: Millis): Action[] {
    return this.#act(now, (floor) => resolve(floor, proposal, outcome));
  }

  /** Time has passed; to be called about every 100 ms. */
  tick(now: Millis): Action[] {
    return this.#act(now, (floor) => {
      for (const known of floor.queue.sweep(MATCHING.sweptPerTick)) floor.try(known);
    });
  }

  /** An open task that is known here. */
  taskOf(id: TaskId): QueuedTask | undefined {
    return this.#floor.queue.get(id)?.task;
  }

  /** Tells who is online for a task, and whether somebody would take it. */
  look(question: CommandOf<"matcher", "look">): Look {
    const { queue, waiters, share } = this.#floor;
    return lookAt(question, queue, waiters, share);
  }

  /** The going price, as a share of the budget; null while there is none. */
  setGoing(share: number | null): void {
    this.#floor.share = share;
  }

  /** Begins to compare what is here with the index of open tasks. */
  reconcileBegin(): void {
    this.#reconciliation += 1;
    this.#floor.closed.clear();
  }

  /** Whether a task of the index is known as it is there, or was closed since the comparison began, so that it need not be read. */
  recognise(task: OpenTask): boolean {
    const known = this.#floor.queue.get(task.id);
    if (known === undefined) return this.#floor.closed.has(task.id);
    if (!isAsKnown(task, known.task)) return false;
    known.heard = this.#reconciliation;
    return true;
  }

  /** Open tasks of the index. What was heard of since the beginning is newer than the index. */
  reconcilePage(page: readonly QueuedTask[], now: Millis): Action[] {
    return this.#act(now, () => {
      for (const task of page) this.#compare(task);
    });
  }

  /** Ends a comparison. If the `whole` index was read, what it has not is dropped, unless it was heard of since the beginning. */
  reconcileEnd(whole: boolean, now: Millis): Action[] {
    return this.#act(now, (floor) => {
      if (!whole) return;
      for (const { task, heard } of floor.queue.all()) {
        if (heard < this.#reconciliation && !floor.proposals.has(task.id)) floor.close(task.id);
      }
    });
  }

  #act(now: Millis, event: (floor: Floor) => void): Action[] {
    const floor = this.#floor;
    floor.now = Math.max(floor.now, now);
    this.#passTime();
    event(floor);
    const { actions } = floor;
    floor.actions = [];
    return actions;
  }

  #passTime(): void {
    const floor = this.#floor;
    for (const { id } of floor.proposals.unanswered(floor.now)) resolve(floor, id, { type: "failed" });
    for (const task of floor.placed.due(floor.now)) floor.miss(task);
    for (const wait of floor.ends.due(floor.now)) floor.end(wait);
    for (const worker of floor.fulls.due(floor.now)) floor.makeReady(worker);
    for (const task of floor.wakes.due(floor.now)) {
      const known = floor.queue.get(task);
      if (known !== undefined) floor.try(known);
    }
  }

  /** Takes over what is told of a task; undefined if that is old, or there is no room for it. */
  #learn(task: QueuedTask): Known | undefined {
    const floor = this.#floor;
    const known = floor.queue.get(task.id);
    if (known === undefined) return floor.queue.add(task, this.#reconciliation);
    if (isOlder(task, known.task)) return undefined;
    const isNext = task.round !== known.task.round || task.status !== known.task.status;
    floor.queue.update(known, task);
    known.heard = this.#reconciliation;
    if (isNext) floor.free(task.id);
    return known;
  }

  #compare(task: QueuedTask): void {
    const floor = this.#floor;
    const known = floor.queue.get(task.id);
    if (known === undefined ? floor.closed.has(task.id) : known.heard === this.#reconciliation) return;
    if (known !== undefined && known.task.status === task.status && known.task.round === task.round) {
      known.heard = this.#reconciliation;
      if (task.status === "ROUTING") return;
      // A bid in the pool that its worker's account refused is gone, and that may not have been heard.
      const { bids, closedTo, passed } = task;
      floor.queue.update(known, { ...known.task, bids, closedTo, passed });
      floor.try(known);
      return;
    }
    const learnt = this.#learn(task);
    if (learnt === undefined) return;
    // After a take-over nothing is known of what was announced; what is not new was.
    const isNew = floor.now < task.windowEnds + MATCHING.announceAfterMs;
    floor.try(learnt);
    if (isNew) floor.announce(learnt);
    learnt.announced = true;
  }
}
