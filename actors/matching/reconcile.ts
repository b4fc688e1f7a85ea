/** Compares a matcher with the index of open tasks, and tells it the going price. */
import type { TaskId } from "../../machines/vocabulary.ts";
import { shardOf } from "../address.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { OpenTasks } from "../ports/open-tasks.ts";
import type { LiveMatcher } from "./live-matcher.ts";
import { MATCHING } from "./vocabulary.ts";

/** How long after a comparison the next one begins (ms). */
const RECONCILE_MS = 30_000;
/** How soon it begins again after the index could not be read (ms). */
const RETRY_MS = 1_000;
/** Tasks of a page, and the pause after it (ms), so that a long queue costs the database and the node little at a time. */
const PAGE = 500;
const PAUSE_MS = 20;
/** How often the going price is worked out anew (ms). */
const GOING_MS = 60_000;

export interface ReconcilerPorts {
  readonly index: OpenTasks;
  readonly clock: Clock;
  readonly log: Log;
  readonly partitions: number;
}

export class Reconciler {
  readonly #live: LiveMatcher;
  readonly #partition: number;
  readonly #ports: ReconcilerPorts;
  #cancel: () => void = () => {};
  #stopped = false;
  #pricedAt = Number.NEGATIVE_INFINITY;

  constructor(live: LiveMatcher, partition: number, ports: ReconcilerPorts) {
    this.#live = live;
    this.#partition = partition;
    this.#ports = ports;
  }

  /** Compares now, and again and again. */
  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#ports;
    let next = RECONCILE_MS;
    try {
      await this.#price();
      await this.#compare();
    } catch (error) {
      // The index is away as the journal is; the matcher goes on with what it hears.
      log.debug({ err: error, queue: this.#live.address.id }, "could not read the open tasks; it is tried again");
      next = RETRY_MS;
    }
    if (!this.#stopped) this.#cancel = clock.after(next, () => void this.#run());
  }

  async #price(): Promise<void> {
    const { clock, index } = this.#ports;
    const now = clock.now();
    if (now - this.#pricedAt < GOING_MS) return;
    this.#live.matcher.setGoing(await index.going(this.#live.taskType, now));
    this.#pricedAt = now;
  }

  async #compare(): Promise<void> {
    const { clock, index } = this.#ports;
    const { matcher, taskType } = this.#live;
    matcher.reconcileBegin();
    let after: string | null = null;
    let seen = 0;
    do {
      const page = await index.page(taskType, after, PAGE);
      if (this.#stopped) return;
      const here = page.tasks.filter(({ id }) => this.#isHere(id));
      const unknown = here.filter((task) => !matcher.recognise(task));
      const read = unknown.length === 0 ? [] : await index.read(unknown.map(({ id }) => id));
      if (this.#stopped) return;
      const shown = new Map(read.map((one) => [one.task.id, one.shown]));
      const tasks = read.map(({ task }) => task);
      this.#live.carryOut(matcher.reconcilePage(tasks, clock.now()), (id) => shown.get(id));
      seen += here.length;
      after = page.next;
      if (after !== null) await this.#pause();
      if (this.#stopped) return;
    } while (after !== null && seen < MATCHING.tasksMax);
    this.#live.carryOut(matcher.reconcileEnd(after === null, clock.now()));
  }

  /** Never ends if it is stopped meanwhile. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#cancel = this.#ports.clock.after(PAUSE_MS, resolve);
    });
  }

  /** The first partition knows all tasks, because others pass on what they cannot match. */
  #isHere(id: TaskId): boolean {
    return this.#partition === 0 || shardOf(id, this.#ports.partitions) === this.#partition;
  }
}
