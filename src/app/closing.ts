import type { Log } from "../../actors/ports/log.ts";

/** A step that takes longer than this is left behind (ms); the longest honest one lets what is under way finish. */
const STEP_MS_MAX = 15_000;

type Step = () => Promise<unknown>;

/** What is to be undone, the newest first. A step that fails or hangs keeps no other from being taken. */
export class Closing {
  readonly #steps: Step[] = [];
  readonly #log: Log;
  #run: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Puts a step before those that are there. What comes after `run` is undone at once. */
  add(step: Step): void {
    if (this.#run === undefined) this.#steps.push(step);
    else this.#run = this.#run.then(() => this.#take(step));
  }

  /** Undoes everything, once. Never rejects. */
  async run(): Promise<void> {
    this.#run ??= this.#takeAll();
    // What is added meanwhile is waited for as well.
    for (let run: Promise<void> | undefined; run !== this.#run; ) {
      run = this.#run;
      await run;
    }
  }

  async #takeAll(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await this.#take(step);
  }

  async #take(step: Step): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it took more than ${STEP_MS_MAX} ms`)), STEP_MS_MAX);
    });
    try {
      await Promise.race([step(), late]);
    } catch (error) {
      this.#log.warn({ err: error }, "a part of this process could not be closed; the others are");
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Rejects with the reason of `stop` as soon as that is aborted. */
export function aborted(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stop.aborted) reject(stop.reason);
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  });
}
