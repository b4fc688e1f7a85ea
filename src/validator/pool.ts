/**
 * Judges results. What is light is judged at once; the rest in threads with a bound on memory and time, each of which
 * is killed and replaced when it goes over.
 */
import { Worker } from "node:worker_threads";
import type { Validator } from "../../actors/ports.ts";
import type { Answer, Question } from "../../machines/entity.ts";
import { type DemandsProblem, isLight, judgeResult, measureDemands, type Verdict } from "../../machines/validation/verdict.ts";

export interface ValidatorLimits {
  readonly threads: number;
  /** How long one judgement may take (ms). */
  readonly deadlineMs: number;
  /** Judgements that may wait for a thread. */
  readonly waitingMax: number;
  /** Memory of a thread's young and old objects (MB). */
  readonly heapMb: number;
}

export const VALIDATOR_LIMITS: ValidatorLimits = { threads: 1, deadlineMs: 500, waitingMax: 1_000, heapMb: 64 };

const TOO_EXPENSIVE = {
  unjudged: "Checking this result against the task's schema and rules takes too long; make the result smaller.",
};
const TOO_MANY = { unjudged: "Too many results wait for their check at the moment; submit again shortly." };

interface Job {
  readonly question: Question;
  readonly done: (answer: Answer) => void;
}

export class ValidatorPool implements Validator {
  readonly #file: URL;
  readonly #limits: ValidatorLimits;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Job[] = [];
  #closed = false;

  /** `file` is the compiled thread.ts. Threads start when there is first something for them to do. */
  constructor(file: URL, limits: ValidatorLimits = VALIDATOR_LIMITS) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Judges at once where that is cheap, else in a thread. Never throws. */
  judge(question: Question): Promise<Answer> | Answer {
    const measured = measureDemands(question.demands);
    if ("problem" in measured) return toAnswer(measured);
    if (isLight(measured, question.result)) return toAnswer(judgeResult(question.demands, question.result));
    if (this.#closed || this.#waiting.length >= this.#limits.waitingMax) return TOO_MANY;
    return new Promise((done) => {
      this.#waiting.push({ question, done });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#waiting.splice(0)) done(TOO_MANY);
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#closed || this.#waiting.length === 0) return;
    const worker = this.#idle.pop();
    if (worker === undefined) {
      if (this.#all.size < this.#limits.threads) this.#start();
      return;
    }
    const job = this.#waiting.shift();
    if (job === undefined) this.#idle.push(worker);
    else this.#run(worker, job);
  }

  /** Its start is not part of anybody's deadline: it takes work once it has said that it is ready. */
  #start(): void {
    const worker = new Worker(this.#file, {
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    worker.unref();
    this.#all.add(worker);
    worker.once("message", () => {
      worker.removeAllListeners();
      this.#idle.push(worker);
      this.#next();
    });
    const failed = () => {
      this.#drop(worker);
      for (const { done } of this.#waiting.splice(0)) done(TOO_MANY);
    };
    worker.once("error", failed);
    worker.once("exit", failed);
  }

  #drop(worker: Worker): void {
    this.#all.delete(worker);
    worker.removeAllListeners();
    // Its end may still bring an error, which nobody waits for.
    worker.on("error", () => {});
    void worker.terminate();
  }

  #run(worker: Worker, { question, done }: Job): void {
    const finish = (answer: Answer, reusable: boolean) => {
      clearTimeout(timer);
      worker.removeAllListeners();
      if (reusable) this.#idle.push(worker);
      else this.#drop(worker);
      done(answer);
      this.#next();
    };
    const timer = setTimeout(() => finish(TOO_EXPENSIVE, false), this.#limits.deadlineMs);
    worker.once("message", (answer: Verdict | DemandsProblem) => finish(toAnswer(answer), true));
    worker.once("error", () => finish(TOO_EXPENSIVE, false));
    worker.once("exit", () => finish(TOO_EXPENSIVE, false));
    worker.postMessage(question);
  }
}

function toAnswer(judged: Verdict | DemandsProblem): Answer {
  if (!("problem" in judged)) return judged;
  return { unjudged: `The task's ${judged.field} ${judged.problem}, so that no result can be checked by it.` };
}
