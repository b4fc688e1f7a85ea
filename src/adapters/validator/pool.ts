/**
 * Judges results. Light ones are judged at once, the others in threads with limited memory and time, which are killed and
 * replaced if they exceed it.
 *
 * V1  judge() never throws and never rejects: an unexpected error is logged and becomes a refusal with a sentence.
 * V2  The fair queue decides what is next, by the thread time that the account has used recently, submissions first.
 * V3  A judgement is charged a whole deadline of thread time when it begins, and corrected when it ends, so an account that
 *     sends many at once is heavy at once. Heavy accounts never occupy all threads: one is reserved for the others, who wait
 *     for each other but never for the deadlines of an attack.
 * V4  A thread that ends, for whatever reason, fails only the judgement it was running.
 * V5  Nobody waits longer than `waitMs`.
 *
 * A submission is charged to the task's requester, who wrote the schema and the rules, not to the worker who sends the result.
 * Both can make a judgement costly, but not equally. A requester can write demands that are cheap for the example and run to
 * their deadline on every honest result; charged to workers, ten such accounts would use up the fair share of every worker
 * that takes their tasks. A worker needs an award first, can have one judgement running for each (a task's mailbox is serial),
 * and needs demands that 64 KB of data can make slow, which leaves little: costs are bounded over schema x data, and most
 * patterns are linear. At worst it makes one requester wait, behind its own tasks alone, until the awards end. And a pair of
 * accounts of one attacker is charged either way: ten requesters are ten shares, however many workers they have.
 */
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import type { JudgedWhere, Validator } from "../../../actors/ports/validator.ts";
import type { Judged, Judgement, Question, Unjudged } from "../../../machines/validation/judgement.ts";
import {
  type DemandsProblem,
  isLight,
  isQuicklyMeasured,
  judgeResult,
  measureDemands,
} from "../../../machines/validation/verdict.ts";
import { FairQueue, type Waiting } from "./fair-queue.ts";
import { KillableThread, type ThreadMessage } from "./killable-thread.ts";

export interface ValidatorLimits {
  readonly threads: number;
  /** How long one judgement may take (ms). */
  readonly deadlineMs: number;
  /** How long one may wait for a thread (ms). Both together are within JUDGING_MS_MAX of the machines. */
  readonly waitMs: number;
  /** Judgements that may wait for a thread. */
  readonly waitingMax: number;
  /** Old generation of a thread (MB). */
  readonly heapMb: number;
}

/**
 * One core is left to the event loop. But there are at least two threads: with one, a judgement that runs to its deadline would
 * block everybody, and a second one costs nothing until it is needed.
 */
const THREADS = Math.max(2, availableParallelism() - 1);
export const VALIDATOR_LIMITS: ValidatorLimits = {
  threads: THREADS,
  deadlineMs: 500,
  waitMs: 2_500,
  waitingMax: 1_000,
  heapMb: 64,
};

const TOO_EXPENSIVE: Unjudged = {
  because: "slow",
  killed: true,
  unjudged: "Checking this result against the task's schema and rules takes too long; make the result smaller.",
};
const TOO_MANY: Unjudged = {
  because: "busy",
  unjudged: "Too many results are waiting to be checked; try again after the time in Retry-After.",
};
const BROKEN: Unjudged = {
  because: "slow",
  unjudged:
    "Checking this result against the task's schema and rules failed and was logged. Make the schema or the result simpler.",
};

interface Job {
  readonly question: Question;
  readonly done: (answer: Judgement) => void;
  /** Ends the waiting after `waitMs`. */
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The outcome of a job in a thread. */
interface Run {
  readonly done: (answer: Judgement) => void;
  readonly account: string;
  readonly began: number;
}

/** Counters since the pool was made. */
export interface ValidatorStats {
  readonly atOnce: number;
  readonly inThreads: number;
  readonly killed: number;
  readonly refused: number;
  /** Threads that wait for work now. */
  readonly idle: number;
}

export class ValidatorPool implements Validator {
  readonly #file: URL;
  readonly #limits: ValidatorLimits;
  /** Called with unexpected errors. */
  readonly #failed: (error: unknown) => void;
  readonly #queue: FairQueue<Job>;
  readonly #idle: KillableThread[] = [];
  readonly #all = new Set<KillableThread>();
  readonly #running = new Map<KillableThread, Run>();
  readonly #stats = { atOnce: 0, inThreads: 0, killed: 0, refused: 0 };
  #closed = false;

  /** `file` is the compiled thread.ts. Threads start when there is work for them. */
  constructor(file: URL, limits: ValidatorLimits = VALIDATOR_LIMITS, failed: (error: unknown) => void = () => {}) {
    this.#file = file;
    this.#limits = limits;
    this.#failed = failed;
    this.#queue = new FairQueue(limits.waitingMax, limits.deadlineMs / 2);
  }

  get stats(): ValidatorStats {
    return { ...this.#stats, idle: this.#idle.length };
  }

  /** Judges at once if that is cheap and `where` allows it, else in a thread. Never throws, never rejects. */
  judge(question: Question, where: JudgedWhere = "anywhere"): Promise<Judgement> | Judgement {
    try {
      const answer = where === "anywhere" ? judgeAtOnce(question) : undefined;
      if (answer === undefined) return this.#wait(question);
      this.#stats.atOnce += 1;
      return answer;
    } catch (error) {
      this.#failed(error);
      return BROKEN;
    }
  }

  /** Ends all threads; waiting and running judgements are told to try again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll();
    for (const thread of this.#all) thread.end();
  }

  #wait(question: Question): Promise<Judgement> | Judgement {
    if (this.#closed) return TOO_MANY;
    return new Promise((done) => {
      const job: Job = { question, done, timer: setTimeout(() => this.#giveUp(place, job), this.#limits.waitMs) };
      const place = this.#queue.join(question.account, question.lane, job, performance.now());
      if (place === undefined) this.#refuse(job);
      else this.#pump();
    });
  }

  #giveUp(place: Waiting<Job> | undefined, job: Job): void {
    if (place !== undefined && this.#queue.leave(place)) this.#refuse(job);
  }

  #refuse({ done, timer }: Job): void {
    clearTimeout(timer);
    this.#stats.refused += 1;
    done(TOO_MANY);
  }

  /** Gives work to idle threads, and starts more threads while work waits. */
  #pump(): void {
    while (!this.#closed && this.#queue.size > 0) {
      if (this.#runOne()) continue;
      if (this.#all.size < this.#limits.threads) this.#start();
      return;
    }
  }

  /** Gives the next judgement to an idle thread, the reserved one first; false if none may take one. */
  #runOne(): boolean {
    const now = performance.now();
    for (const kind of ["kept", "any"] as const) {
      const thread = this.#idle.find((idle) => idle.kind === kind);
      const next = thread === undefined ? undefined : this.#queue.next(now, kind === "any");
      if (thread === undefined || next === undefined) continue;
      this.#idle.splice(this.#idle.indexOf(thread), 1);
      this.#run(thread, next, now);
      return true;
    }
    return false;
  }

  #run(thread: KillableThread, { account, job }: Waiting<Job>, began: number): void {
    const { deadlineMs } = this.#limits;
    clearTimeout(job.timer);
    this.#running.set(thread, { done: job.done, account, began });
    this.#queue.charge(account, deadlineMs, began);
    this.#stats.inThreads += 1;
    try {
      thread.run(job.question, deadlineMs, (said) => this.#finish(thread, this.#read(said)));
    } catch (error) {
      // Nothing was sent, so it is free again.
      this.#failed(error);
      this.#finish(thread, BROKEN);
      this.#idle.push(thread);
    }
  }

  /** Corrects the thread time that was charged in advance, and answers. */
  #finish(thread: KillableThread, answer: Judgement): void {
    const run = this.#running.get(thread);
    if (run === undefined) return;
    this.#running.delete(thread);
    const now = performance.now();
    this.#queue.charge(run.account, now - run.began - this.#limits.deadlineMs, now);
    run.done(answer);
  }

  #read(said: Exclude<ThreadMessage, "ready">): Judgement {
    if ("judged" in said) return toAnswer(said.judged);
    this.#failed(new Error(`a judgement failed: ${said.failed}`));
    return BROKEN;
  }

  /** Starting a thread is not part of any deadline: it takes work once it is ready. */
  #start(): void {
    let ready = false;
    const kept = this.#limits.threads > 1 && ![...this.#all].some(({ kind }) => kind === "kept");
    const kind = kept ? "kept" : "any";
    const free = (thread: KillableThread) => {
      ready = true;
      this.#idle.push(thread);
      this.#pump();
    };
    const ended = (thread: KillableThread) => {
      this.#all.delete(thread);
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
      if (this.#running.has(thread) && !this.#closed) this.#stats.killed += 1;
      this.#finish(thread, this.#closed ? TOO_MANY : TOO_EXPENSIVE);
      // A thread that cannot start would be started forever; those that did start take the work.
      if (!ready && this.#all.size === 0) this.#refuseAll();
      // So that it is ready for the next judgement.
      else if (ready && thread.kind === "kept" && !this.#closed) this.#start();
      this.#pump();
    };
    try {
      this.#all.add(new KillableThread(this.#file, kind, this.#limits.heapMb, { free, ended }));
    } catch (error) {
      // The operating system gives no thread: the existing ones go on; without any, waiting judgements fail at once.
      this.#failed(error);
      if (this.#all.size === 0) this.#refuseAll();
    }
  }

  #refuseAll(): void {
    for (const { job } of this.#queue.empty()) this.#refuse(job);
  }
}

/** Undefined if it must be done in a thread: reading a long schema is work too, charged to the account that sends it. */
function judgeAtOnce({ demands, result, input }: Question): Judgement | undefined {
  if (!isQuicklyMeasured(demands)) return undefined;
  const measured = measureDemands(demands);
  if ("problem" in measured) return toAnswer(measured);
  if (!isLight(measured, result, input)) return undefined;
  const judged = judgeResult(demands, result, input);
  return toAnswer("problem" in judged ? judged : { ...judged, cost: measured.cost });
}

function toAnswer(judged: Judged | DemandsProblem): Judgement {
  if (!("problem" in judged)) return judged;
  return { because: judged.field, unjudged: judged.problem };
}
