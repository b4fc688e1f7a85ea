/**
 * Judges results. What is light is judged at once; the rest in threads with a bound on memory and time, each of which
 * is killed and replaced when it goes over.
 */
import { Worker } from "node:worker_threads";
import type { Validator } from "../../actors/ports.ts";
import type { Answer, Question, Unjudged } from "../../machines/entity.ts";
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

const TOO_EXPENSIVE: Unjudged = {
  because: "slow",
  unjudged: "Checking this result against the task's schema and rules takes too long; make the result smaller.",
};
const TOO_MANY: Unjudged = {
  because: "busy",
  unjudged: "Too many results wait for their check at the moment; try again after the time in Retry-After.",
};

interface Job {
  readonly question: Question;
  readonly done: (answer: Answer) => void;
}

/** One thread. Starting (until it says that it is ready) -> idle <-> busy with one job -> ended. */
class Thread {
  readonly #worker: Worker;
  /** Called when it can take a job, and once when it has ended, with the job that it did not finish. */
  readonly #free: (thread: Thread) => void;
  readonly #ended: (thread: Thread, job: Job | undefined) => void;
  #job: Job | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(file: URL, heapMb: number, free: (thread: Thread) => void, ended: (thread: Thread, job: Job | undefined) => void) {
    this.#free = free;
    this.#ended = ended;
    this.#worker = new Worker(file, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    this.#worker.unref();
    // Whatever it says, it is ready for the next job then: its first word is that it has started.
    this.#worker.on("message", (answer: Verdict | DemandsProblem | "ready") => this.#said(answer));
    this.#worker.on("error", () => this.end());
    this.#worker.on("exit", () => this.end());
  }

  run(job: Job, deadlineMs: number): void {
    this.#job = job;
    this.#timer = setTimeout(() => this.end(), deadlineMs);
    this.#worker.postMessage(job.question);
  }

  /** Kills it. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    void this.#worker.terminate();
    this.#ended(this, this.#job);
  }

  #said(answer: Verdict | DemandsProblem | "ready"): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const job = this.#job;
    this.#job = undefined;
    if (answer !== "ready") job?.done(toAnswer(answer));
    this.#free(this);
  }
}

export class ValidatorPool implements Validator {
  readonly #file: URL;
  readonly #limits: ValidatorLimits;
  readonly #idle: Thread[] = [];
  readonly #all = new Set<Thread>();
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

  /** Ends all threads; who still waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#waiting.splice(0)) done(TOO_MANY);
    for (const thread of this.#all) thread.end();
  }

  #next(): void {
    while (!this.#closed && this.#waiting.length > 0) {
      const thread = this.#idle.pop();
      if (thread === undefined) {
        if (this.#all.size < this.#limits.threads) this.#start();
        return;
      }
      const job = this.#waiting.shift();
      if (job !== undefined) thread.run(job, this.#limits.deadlineMs);
    }
  }

  /** Its start is not part of anybody's deadline: it takes work once it has said that it is ready. */
  #start(): void {
    let ready = false;
    const free = (thread: Thread) => {
      ready = true;
      this.#idle.push(thread);
      this.#next();
    };
    const ended = (thread: Thread, job: Job | undefined) => {
      this.#all.delete(thread);
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
      job?.done(TOO_EXPENSIVE);
      // One that cannot even start would be started for ever.
      if (!ready) for (const { done } of this.#waiting.splice(0)) done(TOO_MANY);
      this.#next();
    };
    this.#all.add(new Thread(this.#file, this.#limits.heapMb, free, ended));
  }
}

function toAnswer(judged: Verdict | DemandsProblem): Answer {
  if (!("problem" in judged)) return judged;
  return { because: judged.field, unjudged: judged.problem };
}
