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

  /** The waiters that have a bid in this task. */
  waitsOf(task: TaskId): Iterable<Wait> {
    return this.#waits.get(task) ?? [];
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

/**
 * Gives the answer to a pull when it has one: with its tasks as soon as nothing more is under way, or none when it has ended. Those of
 * which nothing was heard are in it, too: whoever asked will look what became of them.
 */
export function answerTo({ terms, awarded, pending, placed, ended, limited, unheard }: Wait): Answer | undefined {
  if (pending.size > 0 || placed.size > 0 || (awarded.length === 0 && !ended)) return undefined;
  const why = awarded.length > 0 ? "awarded" : limited !== null ? "full" : "over";
  return {
    type: "answer",
    waiter: terms.id,
    tasks: [...new Set([...awarded, ...unheard])],
    why,
    ...(limited === null ? {} : { limited }),
  };
}

/** When a pull was asked for (ms). */
export function askedAt({ asked, since }: Pull): Millis {
  return asked ?? since;
}

interface Ended {
  readonly asked: Millis;
  readonly answer: Answer;
  /** Whether who asked anew was told. */
  readonly isRepeated: boolean;
}

/**
 * Pulls that are over. One that is told again is answered again. One that is asked anew, under the same id, is told once more what it
 * has got: whoever asks looked for that before, and may have looked too early. Then it waits anew.
 */
export class EndedPulls {
  readonly #ended = new Map<string, Ended>();

  /** `asked`: when the pull that is over was asked for (ms). */
  remember(asked: Millis, answer: Answer): void {
    this.#ended.delete(answer.waiter);
    this.#ended.set(answer.waiter, { asked, answer, isRepeated: false });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MATCHING.endedMax && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** Whoever waited has left, at `now` (ms), before the wait was heard of. */
  left(id: string, now: Millis): void {
    if (!this.#ended.has(id)) this.remember(now, { type: "answer", waiter: id, tasks: [], why: "over" });
  }

  /** The answer that this pull has had; undefined if it is to wait. */
  answerOf(pull: Pull): Answer | undefined {
    const ended = this.#ended.get(pull.id);
    if (ended === undefined) return undefined;
    const { asked, answer, isRepeated } = ended;
    if (askedAt(pull) <= asked) return answer;
    if (isRepeated || answer.tasks.length === 0) return undefined;
    this.#ended.set(pull.id, { asked: askedAt(pull), answer, isRepeated: true });
    return answer;
  }
}
