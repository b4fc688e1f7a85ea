/**
 * Follows what the journal of an account says of its tasks' ends and awards. The account is its only writer, so its facts are
 * numbered without gaps, whatever the clocks of nodes say; an event has the number of its fact.
 *
 * N1  An end is the fact with which the account paid (Settled) or got its budget back (Released); an award the one with which it
 *     reserved a slot for it (OfferTaken).
 * N2  Such a fact says what will be so, or is: the event waits until the row of the task says so too, or it is known that it never
 *     will. Those behind it wait as well, so that events leave in the order of their numbers.
 * N3  Where that takes long, later events go first, but no event has a number above the one that waits: who resumes from it gets
 *     that one, and some twice.
 * N4  Reads are bounded in rows, and none of another account's rows are read.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import { hasEnded } from "../../machines/task/tags.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import type { AccountNews, ReadModel, StoredTask } from "../ports/read-model.ts";

/** Tasks that are read at a time: at most about 200 KB each. */
const TASKS_MAX = 16;
/** Facts that wait for their tasks; no more are read meanwhile. */
const WAITING_MAX = 1_000;
/** How long a fact holds back those behind it (ms). */
export const HELD_MS = 10_000;
/** The pause before a task is read again: the first one, which doubles up to the second, and the one after HELD_MS (ms). */
const AGAIN_MS = 100;
const AGAIN_MS_MAX = 1_000;
const OVERDUE_MS = 5_000;
/** Awards that were told of, because an account that is asked again says again that it has reserved a slot. */
const TOLD_MAX = 100;

export interface FollowerPorts {
  readonly reads: Pick<ReadModel, "accountNews" | "tasksOf">;
  readonly clock: Clock;
}

export interface Following {
  readonly account: AccountId;
  readonly ends: boolean;
  readonly awards: boolean;
  /** The number of the fact after which it begins. */
  readonly after: number;
}

export interface AccountEvent {
  /** What a client sends to go on after it. */
  readonly id: number;
  readonly topic: "task.awarded" | "task.terminal";
  readonly task: StoredTask;
}

/** What one look has found, and when the next one is due: in so many ms, or when there is something new (null). */
export interface Followed {
  readonly events: readonly AccountEvent[];
  readonly again: Millis | null;
}

/** A fact whose task is not known to be as it says. */
interface Waiting {
  readonly seq: number;
  readonly topic: AccountEvent["topic"];
  readonly task: TaskId;
  readonly since: Millis;
  /** Whether a later fact says that the slot is free again. */
  over: boolean;
  looks: number;
  lookAt: Millis;
}

export class Follower {
  readonly #ports: FollowerPorts;
  readonly #following: Following;
  readonly #told = new Set<TaskId>();
  #read: number;
  #mayHaveMore = true;
  #waiting: Waiting[] = [];

  constructor(ports: FollowerPorts, following: Following) {
    this.#ports = ports;
    this.#following = following;
    this.#read = following.after;
  }

  /** The number of the last fact such that all events up to it were given. */
  get position(): number {
    const [first] = this.#waiting;
    return first === undefined ? this.#read : first.seq - 1;
  }

  /** The journal has facts up to this number; gives whether there are some to read. */
  hear(last: number): boolean {
    this.#mayHaveMore ||= last > this.#read;
    return this.#mayHaveMore;
  }

  /** Something has happened: the next look reads on, and looks at the first task that it waits for. */
  hurry(): void {
    this.#mayHaveMore = true;
    const [first] = this.#waiting;
    if (first !== undefined) first.lookAt = this.#ports.clock.now();
  }

  /** Reads on, a bounded step. Rejects with StoreUnavailable; nothing is lost by that. */
  async look(): Promise<Followed> {
    if (this.#mayHaveMore && this.#waiting.length < WAITING_MAX) await this.#readOn();
    const due = this.#due();
    const events = due.length === 0 ? [] : this.#settle(due, await this.#tasksOf(due));
    return { events, again: this.#again() };
  }

  async #readOn(): Promise<void> {
    const { account, ends, awards } = this.#following;
    const { reads, clock } = this.#ports;
    this.#mayHaveMore = false;
    try {
      const { news, upTo, more } = await reads.accountNews({ account, after: this.#read, ends, awards });
      const now = clock.now();
      for (const one of news) this.#take(one, now);
      this.#read = upTo;
      this.#mayHaveMore ||= more;
    } catch (error) {
      this.#mayHaveMore = true;
      throw error;
    }
  }

  #take({ seq, task, ...fact }: AccountNews, now: Millis): void {
    const common = { seq, task, since: now, over: false, looks: 0, lookAt: now };
    switch (fact.type) {
      case "Settled":
      case "Released":
        this.#waiting.push({ ...common, topic: "task.terminal" });
        return;
      case "OfferTaken":
        if (!this.#told.has(task)) this.#waiting.push({ ...common, topic: "task.awarded" });
        return;
      case "OfferFreed":
      case "Failed":
      case "Earned":
        for (const one of this.#waiting) if (one.task === task && one.topic === "task.awarded") one.over = true;
        return;
      default:
        fact.type satisfies never;
    }
  }

  /** Those to look at now, in order: what comes after one that still holds them back waits for it. */
  #due(): readonly Waiting[] {
    const now = this.#ports.clock.now();
    const due: Waiting[] = [];
    for (const one of this.#waiting) {
      const holds = !isOverdue(one, now);
      if (one.lookAt <= now) due.push(one);
      if ((holds && (one.looks > 0 || one.lookAt > now)) || due.length >= TASKS_MAX) break;
    }
    return due;
  }

  async #tasksOf(due: readonly Waiting[]): Promise<ReadonlyMap<string, StoredTask>> {
    const tasks = await this.#ports.reads.tasksOf([...new Set(due.map(({ task }) => task))]);
    return new Map(tasks.map((task) => [task.row.id, task]));
  }

  /** Gives the events of those that are as their facts say, up to the first that still holds back the others. */
  #settle(due: readonly Waiting[], tasks: ReadonlyMap<string, StoredTask>): readonly AccountEvent[] {
    const now = this.#ports.clock.now();
    const events: AccountEvent[] = [];
    for (const one of due) {
      const task = tasks.get(one.task);
      const verdict = this.#verdict(one, task);
      if (verdict === "wait") {
        one.lookAt = now + pauseAfter(one, now);
        one.looks += 1;
        if (isOverdue(one, now)) continue;
        break;
      }
      this.#waiting = this.#waiting.filter((other) => other !== one);
      if (verdict === "skip" || task === undefined || !this.#isNew(one)) continue;
      events.push({ id: Math.min(one.seq, this.position), topic: one.topic, task });
    }
    return events;
  }

  #verdict({ topic, over }: Waiting, task: StoredTask | undefined): "tell" | "skip" | "wait" {
    // Its database may be away.
    if (task === undefined) return "wait";
    const { status, worker } = task.row;
    if (topic === "task.terminal") return hasEnded(status) ? "tell" : "wait";
    if (worker === this.#following.account) return "tell";
    return over ? "skip" : "wait";
  }

  #isNew({ topic, task }: Waiting): boolean {
    if (topic === "task.terminal") return true;
    if (this.#told.has(task)) return false;
    this.#told.add(task);
    const [oldest] = this.#told;
    if (this.#told.size > TOLD_MAX && oldest !== undefined) this.#told.delete(oldest);
    return true;
  }

  #again(): Millis | null {
    if (this.#mayHaveMore && this.#waiting.length < WAITING_MAX) return 0;
    const now = this.#ports.clock.now();
    let at = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      at = Math.min(at, one.lookAt);
      if (!isOverdue(one, now)) break;
    }
    return Number.isFinite(at) ? Math.max(0, at - now) : null;
  }
}

function isOverdue({ since }: Waiting, now: Millis): boolean {
  return now - since >= HELD_MS;
}

function pauseAfter(one: Waiting, now: Millis): Millis {
  return isOverdue(one, now) ? OVERDUE_MS : Math.min(AGAIN_MS * 2 ** one.looks, AGAIN_MS_MAX);
}
