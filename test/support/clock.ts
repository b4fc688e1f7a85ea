import type { Clock } from "../../actors/ports/clock.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 1_800_000_000_000;
  #jobs: { readonly at: number; readonly job: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  after(ms: number, job: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, ms), job };
    this.#jobs.push(entry);
    return () => {
      this.#jobs = this.#jobs.filter((other) => other !== entry);
    };
  }

  /** The moment of the next job, or null. */
  get next(): number | null {
    return this.#jobs.length === 0 ? null : Math.min(...this.#jobs.map(({ at }) => at));
  }

  /** Goes on to `at` and runs what is due then. */
  to(at: number): void {
    this.#now = Math.max(this.#now, at);
    const due = this.#jobs.filter((job) => job.at <= this.#now).sort((a, b) => a.at - b.at);
    this.#jobs = this.#jobs.filter((job) => job.at > this.#now);
    for (const { job } of due) job();
  }
}
