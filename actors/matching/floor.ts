/** Where open tasks and those who wait meet: what is known of both, and the steps that every event is made of. */
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import { Agenda } from "./agenda.ts";
import { mayHave, nextStageAt, planFor, stageOf } from "./candidates.ts";
import { KeptTurns } from "./kept-turns.ts";
import { Audience, explain } from "./notices.ts";
import { Proposals } from "./proposals.ts";
import { answerTo, askedAt, EndedPulls, PlacedBids } from "./pulls.ts";
import { type Known, Queue } from "./queue.ts";
import { type Action, type AwardedTo, MATCHING, type QueuedTask, type Waiter } from "./vocabulary.ts";
import { hasRoom, placesOf, type Wait, type Worker } from "./wait.ts";
import { Waiters } from "./waiters.ts";

export interface FloorOptions {
  /** Gives the ids of proposals and bids; each is a new one. */
  readonly nextId: () => string;
  /** Streams that a new task is announced to. */
  readonly announcedMax?: number;
  /** Whether tasks that it proposes to nobody are passed on to another matcher, which then announces them. */
  readonly passesOn?: boolean;
  readonly tasksMax?: number;
  readonly waitersMax?: number;
}

export class Floor {
  readonly queue: Queue;
  readonly waiters: Waiters;
  readonly proposals: Proposals;
  readonly placed = new PlacedBids();
  readonly ended = new EndedPulls();
  readonly turns = new KeptTurns();
  /** When waits end, when full workers are tried again, and when tasks are. */
  readonly ends = new Agenda<Wait>();
  readonly fulls = new Agenda<Worker>();
  readonly wakes = new Agenda<TaskId>();
  /** What was closed since the last reconciliation began. */
  readonly closed = new Set<TaskId>();
  /** The going price as a share of the budget. */
  share: number | null = null;
  now: Millis = 0;
  actions: Action[] = [];
  readonly counts = { proposed: 0, awarded: 0, declined: 0 };
  readonly #nextId: () => string;
  readonly #audience: Audience;
  readonly #passesOn: boolean;
  readonly #tasksMax: number;

  constructor({ nextId, announcedMax, passesOn, tasksMax, waitersMax }: FloorOptions) {
    this.#nextId = nextId;
    this.#passesOn = passesOn ?? false;
    this.#tasksMax = tasksMax ?? MATCHING.tasksMax;
    this.queue = new Queue(this.#tasksMax);
    this.waiters = new Waiters(waitersMax ?? MATCHING.waitersMax);
    this.proposals = new Proposals(this.waiters);
    this.#audience = new Audience(this.waiters, announcedMax ?? MATCHING.announcedMax);
  }

  /** Announces a task that has been tried, once in a round. */
  announce(known: Known): void {
    if (known.announced) return;
    known.announced = true;
    // Otherwise it would be announced twice, to twice as many.
    if (this.#passesOn && !this.proposals.has(known.task.id)) return;
    const announced = this.#audience.announce(known, this.now);
    if (announced !== undefined) this.actions.push(announced);
  }

  /** Proposes a task, if nothing is under way for it and there is somebody to propose. */
  try(known: Known): void {
    const { task } = known;
    if (this.proposals.has(task.id)) return;
    if (known.retryAt > this.now) {
      this.queue.unshelve(known);
      this.wakes.set(task.id, known.retryAt, task.id);
      return;
    }
    const plan = planFor(known, this);
    if (plan === undefined) {
      this.#putOff(known);
      return;
    }
    this.queue.unshelve(known);
    this.wakes.drop(task.id);
    const { waits, complete } = plan;
    const { id, offered } = this.proposals.begin(task, waits, complete, this.#nextId, this.now);
    const offers = offered.map(({ offer }) => offer);
    this.counts.proposed += 1;
    this.actions.push({ type: "propose", proposal: id, task: task.id, offers, complete, going: this.share });
  }

  /** Nobody is there for a task: it is there for whoever comes. */
  #putOff(known: Known): void {
    const { id } = known.task;
    this.queue.shelve(known);
    const next = nextStageAt(known, this.now);
    if (next === null) this.wakes.drop(id);
    else this.wakes.set(id, next, id);
    if (stageOf(known, this.now) !== "pool") return;
    const why = explain(known, this.waiters, this.now);
    if (why !== undefined) this.actions.push(why);
  }

  /**
   * Proposes tasks for a waiter while it has places. Where tasks have to wait for their windows, those behind them are looked at
   * too, up to a bound.
   */
  serve(wait: Wait): void {
    const tried = new Set<Known>();
    for (const most of [placesOf(wait), MATCHING.lookAheadMax]) {
      if (wait.listed === null) return;
      const suitable = this.#suitable(wait, most).filter((known) => !tried.has(known));
      for (const known of suitable) {
        if (wait.listed === null) return;
        tried.add(known);
        this.try(known);
      }
    }
  }

  #suitable(wait: Wait, most: number): readonly Known[] {
    const suitable: Known[] = [];
    const waitsForWindows = this.waiters.countByHand > 0;
    let [looked, windows] = [0, 0];
    for (const known of this.queue.for(wait, waitsForWindows)) {
      looked += 1;
      if (waitsForWindows && known.task.status === "ROUTING") windows += 1;
      if (looked > MATCHING.lookAheadMax || windows > MATCHING.windowsLookedAt || suitable.length >= most) break;
      if (hasRoom(wait, known.task) && mayHave(known, wait, null)) suitable.push(known);
    }
    return suitable;
  }

  /** Since when (ms) somebody who begins to wait has waited. */
  sinceOf({ kind, worker, since }: Waiter): Millis {
    return kind === "pull" ? Math.min(since, this.turns.take(worker, this.now) ?? since) : since;
  }

  /** A worker is no longer taken to be full. */
  makeReady(worker: Worker): void {
    this.waiters.setFull(worker, null);
    for (const wait of [...worker.waits]) this.serve(wait);
  }

  /** A wait is over. */
  end(wait: Wait): void {
    this.ends.drop(wait.terms.id);
    this.waiters.end(wait);
    this.settle(wait);
    if (wait.terms.kind !== "manual") return;
    // It may have been the last that windows waited for.
    const windows: Known[] = [];
    for (const known of this.queue.inWindows()) {
      if (windows.length >= MATCHING.windowsLookedAt) break;
      windows.push(known);
    }
    for (const known of windows) this.try(known);
  }

  /** Answers a pull that has all that it can get, and forgets whoever has ended. */
  settle(wait: Wait): void {
    const { terms } = wait;
    if (this.waiters.get(terms.id) !== wait) return;
    if (terms.kind !== "pull") {
      if (wait.ended) this.waiters.remove(wait);
      return;
    }
    const answer = answerTo(wait);
    if (answer === undefined) return;
    this.ends.drop(terms.id);
    this.waiters.remove(wait);
    this.ended.remember(askedAt(terms), answer);
    if (answer.tasks.length === 0) this.turns.keep(wait.worker.id, wait.since, this.now);
    this.actions.push(answer);
  }

  /** A task takes no more bids. `award`: who has got it, where that is known. */
  close(task: TaskId, award?: AwardedTo): void {
    if (this.closed.size < this.#tasksMax) this.closed.add(task);
    const known = this.queue.get(task);
    if (known !== undefined) this.queue.remove(known);
    this.wakes.drop(task);
    const pull = award === undefined || award.pull === null ? undefined : this.waiters.get(award.pull);
    if (pull !== undefined) this.give(pull, task, known?.task);
    // What a proposal under way leads to is counted with its outcome.
    else if (award !== undefined && known !== undefined && !this.proposals.has(task)) this.takeSlot(award.worker);
    this.free(task);
    if (pull !== undefined) this.settle(pull);
  }

  /** Nothing was heard of a task in time in which pulls have bids: they may have it. */
  miss(task: TaskId): void {
    for (const wait of this.placed.waitsOf(task)) wait.unheard.add(task);
    this.free(task);
  }

  /** Gives back the places that bids in this task have reserved. */
  free(task: TaskId): void {
    for (const wait of this.placed.resolve(task)) {
      this.waiters.refresh(wait.worker);
      this.serve(wait);
      this.settle(wait);
    }
  }

  /** A pull has got a task; once, however often it is told. */
  give(wait: Wait, id: TaskId, task: QueuedTask | undefined): void {
    if (wait.awarded.includes(id)) return;
    wait.awarded.push(id);
    wait.awardedBytes += task?.bytes ?? wait.pending.get(id) ?? wait.placed.get(id) ?? 0;
    this.waiters.refresh(wait.worker);
  }

  /** A worker has got a task at its posted price. */
  takeSlot(id: AccountId): void {
    const worker = this.waiters.worker(id);
    if (worker === undefined) return;
    worker.free = Math.max(0, worker.free - 1);
    this.waiters.refresh(worker);
  }
}
