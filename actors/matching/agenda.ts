import type { Millis } from "../../machines/vocabulary.ts";
import { SortedList } from "./sorted.ts";

interface Appointment<T> {
  readonly at: Millis;
  readonly id: string;
  readonly item: T;
}

/** What is due when: one time for each id. */
export class Agenda<T> {
  readonly #appointments = new Map<string, Appointment<T>>();
  readonly #order = new SortedList<Appointment<T>>((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

  /** Sets the time (ms) of `id`, instead of the one that it had. */
  set(id: string, at: Millis, item: T): void {
    const before = this.#appointments.get(id);
    if (before?.at === at && before.item === item) return;
    this.drop(id);
    const appointment = { at, id, item };
    this.#appointments.set(id, appointment);
    this.#order.add(appointment);
  }

  drop(id: string): void {
    const appointment = this.#appointments.get(id);
    if (appointment === undefined) return;
    this.#appointments.delete(id);
    this.#order.remove(appointment);
  }

  /** Takes out what is due at `now` (ms), or was before, the earliest first. */
  due(now: Millis): readonly T[] {
    const due: T[] = [];
    for (let next = this.#order.first; next !== undefined && next.at <= now; next = this.#order.first) {
      this.drop(next.id);
      due.push(next.item);
    }
    return due;
  }
}
