/** Pulls: what was placed for them in windows, how they are answered, and those that were. */
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import { Agenda } from "./agenda.ts";
import { type Answer, MATCHING, type Pull, type QueuedTask } from "./vocabulary.ts";
import type { Wait } from "./wait.ts";

/** Bids of pulls that compete in windows. Each reserves a place until it is known what became of it, or long after the window. */
export class PlacedBids {
  readonly #waits = new Map<TaskId, Set<Wait>>();
  readonly #ends = new Agenda<TaskId>();

  add({ id, bytes, windowEnds }: QueuedTask, wait: Wait): void {
    const waits = this.#waits.get(id) ?? new Set();
    this.#waits.set(id, waits.add(wait));
    wait.placed.set(id, bytes);
    this.#ends.set(id, windowEnds + MATCHING.poolAfterMs, id);
  }

  /** The waiter of this worker that has a bid in the task. */
  of(task: TaskId, worker: AccountId): Wait | undefined {
    for (const wait of this.#waits.get(task) ?? []) if (wait.worker.id === worker) return wait;
    return undefined;
  }

  /** Gives the places back of all who have a bid in this task, and those waiters. */
  resolve(task: TaskId): Iterable<Wait> {
    const waits = this.#waits.get(task) ?? [];
    this.#waits.delete(task);
    this.#ends.drop(task);
    for (const wait of waits) wait.placed.delete(task);
    return waits;
  }

  /** Gives the tasks of which nothing was heard in time. */
  due(now: Millis): readonly TaskId[] {
    return this.#ends.due(now);
  }
}

/** Gives the answer to a pull when it has one: with its tasks as soon as nothing more is under way, or none when it has ended. */
export function answerTo({ terms, awarded, pending, placed, ended, limited }: Wait): Answer | undefined {
  if (pending.size > 0 || placed.size > 0 || (awarded.length === 0 && !ended)) return undefined;
  const why = awarded.length > 0 ? "awarded" : limited !== null ? "full" : "over";
  return { type: "answer", waiter: terms.id, tasks: [...awarded], why, ...(limited === null ? {} : { limited }) };
}

/** When a pull was asked for (ms). */
export function askedAt({ asked, since }: Pull): Millis {
  return asked ?? since;
}

/** Pulls that are over. One that is told again is answered again; asked anew, under the same id, it waits anew. */
export class EndedPulls {
  readonly #ended = new Map<string, { readonly asked: Millis; readonly answer: Answer }>();

  /** `asked`: when the pull that is over was asked for (ms). */
  remember(asked: Millis, answer: Answer): void {
    this.#ended.delete(answer.waiter);
    this.#ended.set(answer.waiter, { asked, answer });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MATCHING.endedMax && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** Whoever waited has left, at `now` (ms), before the wait was heard of. */
  left(id: string, now: Millis): void {
    if (!this.#ended.has(id)) this.remember(now, { type: "answer", waiter: id, tasks: [], why: "over" });
  }

  /** The answer that this pull has had; undefined if it is a new one. */
  answerOf(pull: Pull): Answer | undefined {
    const ended = this.#ended.get(pull.id);
    return ended !== undefined && askedAt(pull) <= ended.asked ? ended.answer : undefined;
  }
}
