import type { Log } from "../../actors/ports/log.ts";

/** A finalizer that takes longer than this is abandoned (ms); the longest one waits for running work. */
const STEP_MS_MAX = 15_000;

type Step = () => Promise<unknown>;

/** Finalizers of a process, run newest first. One that fails or hangs does not keep the others from running. */
export class Finalizers {
  readonly #steps: Step[] = [];
  readonly #log: Log;
  #run: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Adds a finalizer. After `run` it is run at once. */
  add(step: Step): void {
    if (this.#run === undefined) this.#steps.push(step);
    else this.#run = this.#run.then(() => this.#take(step));
  }

  /** Runs all finalizers, once. Never rejects. */
  async run(): Promise<void> {
    this.#run ??= this.#takeAll();
    // Finalizers that are added meanwhile are awaited as well.
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
      this.#log.warn({ err: error }, "a part of this process could not be closed; the others were");
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
