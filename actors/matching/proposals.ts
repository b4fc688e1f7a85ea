import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import { Agenda } from "./agenda.ts";
import type { QueuedTask } from "./vocabulary.ts";
import { MATCHING, type Offer } from "./vocabulary.ts";
import { priceOf, type Wait } from "./wait.ts";
import type { Waiters } from "./waiters.ts";

/** An offer that is under way, and the waiter whose place it reserves. */
export interface Offered {
  readonly offer: Offer;
  readonly wait: Wait;
}

export interface Proposal {
  readonly id: string;
  readonly task: QueuedTask;
  readonly offered: readonly Offered[];
  readonly complete: boolean;
}

export interface Resolved extends Proposal {
  /** Waiters that had no other place meanwhile. */
  readonly regained: readonly Wait[];
}

/** What is under way: at most one proposal for each task. Each offer reserves a place of its waiter until it is resolved. */
export class Proposals {
  readonly #waiters: Waiters;
  readonly #byId = new Map<string, Proposal>();
  readonly #byTask = new Map<TaskId, Proposal>();
  readonly #deadlines = new Agenda<Proposal>();

  constructor(waiters: Waiters) {
    this.#waiters = waiters;
  }

  get size(): number {
    return this.#byId.size;
  }

  has(task: TaskId): boolean {
    return this.#byTask.has(task);
  }

  /** Begins a proposal to these waiters, whose places it reserves; the first goes behind those that are equal to it. */
  begin(task: QueuedTask, waits: readonly Wait[], complete: boolean, nextId: () => string, now: Millis): Proposal {
    const id = nextId();
    // Of equal bids the one with the lowest id wins, and that has to be who has waited longest.
    const bids = waits.map(() => nextId()).sort();
    const offered = waits.map((wait, index) => ({ wait, offer: offerTo(wait, task, bids[index] ?? nextId()) }));
    const proposal = { id, task, offered, complete };
    this.#byId.set(id, proposal);
    this.#byTask.set(task.id, proposal);
    this.#deadlines.set(id, now + MATCHING.proposalMsMax, proposal);
    for (const wait of waits) {
      if (wait.terms.kind === "pull") wait.pending.set(task.id, task.bytes);
      else wait.worker.offered += 1;
      this.#waiters.refresh(wait.worker);
    }
    const [first] = waits;
    if (first !== undefined) this.#waiters.requeue(first, now);
    return proposal;
  }

  /** Ends a proposal and gives the places back; undefined if it is not under way, or not any more. */
  resolve(id: string): Resolved | undefined {
    const proposal = this.#byId.get(id);
    if (proposal === undefined) return undefined;
    this.#byId.delete(id);
    this.#byTask.delete(proposal.task.id);
    this.#deadlines.drop(id);
    const regained: Wait[] = [];
    for (const { wait, offer } of proposal.offered) {
      if (wait.listed === null) regained.push(wait);
      if (offer.pull !== null) wait.pending.delete(proposal.task.id);
      else wait.worker.offered -= 1;
      this.#waiters.refresh(wait.worker);
    }
    return { ...proposal, regained };
  }

  /** Gives the proposals that nobody has answered in time. */
  unanswered(now: Millis): readonly Proposal[] {
    return this.#deadlines.due(now);
  }
}

function offerTo(wait: Wait, task: QueuedTask, bid: string): Offer {
  const { id, standing, until, ...terms } = wait.terms;
  const pull = terms.kind === "pull" ? { id, most: terms.most } : null;
  return {
    bid,
    worker: wait.worker.id,
    credits: priceOf(wait, task),
    standing,
    until: pull === null ? null : until,
    pull,
  };
}

/** The offer of a proposal to a worker. */
export function offerOf({ offered }: Proposal, worker: AccountId): Offered | undefined {
  return offered.find(({ wait }) => wait.worker.id === worker);
}
