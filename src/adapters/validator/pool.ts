/**
 * Judges results. What is light is judged at once; the rest in threads with a bound on memory and time, each of which
 * is killed and replaced when it goes over.
 *
 * V1  judge() never throws and never rejects, whatever it is asked: what nobody foresaw is a refusal with a sentence, and
 *     is logged.
 * V2  Who is next is the fair queue's matter: by the thread time that the account has used lately, submissions first.
 * V3  The thread time is counted as a whole deadline when a judgement begins, and put right when it ends: so an account
 *     that sends many at once is heavy at once. Heavy accounts never have all threads between them: one is kept for the
 *     others, who therefore wait for one another, but not for the deadlines of an attack.
 * V4  A thread that ends, for whatever reason, costs the judgement that it was at, and nobody else's.
 * V5  Nobody waits longer than `waitMs`.
 *
 * The account that pays for a submission is the task's requester, who wrote the schema and the rules, not the worker who
 * sends the result. Both can make a judgement costly, but not alike. A requester can write demands that are cheap by
 * the example and run to their deadline on every honest answer; paid by workers, ten such accounts would use up the fair
 * share of every worker that takes their tasks, and make fleets late for honest requesters. A worker needs an award first,
 * can have one judgement under way for each (a task's mailbox is serial), and needs demands that data of 64 KB can
 * make slow, which leaves little: costs are bounded over schema x data, and most patterns are linear. What it can do so is
 * make one requester wait, behind its own tasks alone, until the awards end. And a pair of accounts of one attacker pays
 * either way: ten requesters are ten shares, however many workers they have.
 */
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import type { JudgedWhere, Validator } from "../../../actors/ports/validator.ts";
import type { Judged, Judgement, Question, Unjudged } from "../../../machines/entity.ts";
import {
  type DemandsProblem,
  isLight,
  isQuicklyMeasured,
  judgeResult,
  measureDemands,
} from "../../../machines/validation/verdict.ts";
import { FairQueue, type Waiting } from "./fair-queue.ts";
import { KillableThread, type Said } from "./killable-thread.ts";

export interface ValidatorLimits {
  readonly threads: number;
  /** How long one judgement may take (ms). */
  readonly deadlineMs: number;
  /** How long one may wait for its thread (ms). Both together are within machines' JUDGING_MS_MAX. */
  readonly waitMs: number;
  /** Judgements that may wait for a thread. */
  readonly waitingMax: number;
  /** Memory of a thread's old objects (MB). */
  readonly heapMb: number;
}

/**
 * A core is left to the event loop. But never one thread alone: then one judgement that runs to its deadline would hold
 * up everybody, where a second one costs nothing until it is needed, and the operating system shares the core.
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
  unjudged: "Checking this result against the task's schema and rules takes too long; make the result smaller.",
};
const TOO_MANY: Unjudged = {
  because: "busy",
  unjudged: "Too many results wait for their check at the moment; try again after the time in Retry-After.",
};
const BROKEN: Unjudged = {
  because: "slow",
  unjudged:
    "Checking this result against the task's schema and rules failed; it is logged. Make the schema or the result simpler.",
};

interface Job {
  readonly question: Question;
  readonly done: (answer: Judgement) => void;
  /** Ends its waiting after `waitMs`. */
  readonly timer: ReturnType<typeof setTimeout>;
}

/** What came of a job in a thread. */
interface Run {
  readonly done: (answer: Judgement) => void;
  readonly account: string;
  readonly began: number;
}

/** What the pool has done since it was made. */
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
  /** Told of what nobody foresaw. */
  readonly #failed: (error: unknown) => void;
  readonly #queue: FairQueue<Job>;
  readonly #idle: KillableThread[] = [];
  readonly #all = new Set<KillableThread>();
  readonly #running = new Map<KillableThread, Run>();
  readonly #stats = { atOnce: 0, inThreads: 0, killed: 0, refused: 0 };
  #closed = false;

  /** `file` is the compiled thread.ts. Threads start when there is first something for them to do. */
  constructor(file: URL, limits: ValidatorLimits = VALIDATOR_LIMITS, failed: (error: unknown) => void = () => {}) {
    this.#file = file;
    this.#limits = limits;
    this.#failed = failed;
    this.#queue = new FairQueue(limits.waitingMax, limits.deadlineMs / 2);
  }

  get stats(): ValidatorStats {
    return { ...this.#stats, idle: this.#idle.length };
  }

  /** Judges at once where that is cheap and `where` allows it, else in a thread. Never throws, never rejects. */
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

  /** Ends all threads; who still waits, or is being judged, is told to try again. */
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

  /** Gives work to threads that have none, and starts more of them while some work waits. */
  #pump(): void {
    while (!this.#closed && this.#queue.size > 0) {
      if (this.#runOne()) continue;
      if (this.#all.size < this.#limits.threads) this.#start();
      return;
    }
  }

  /** Gives the next judgement to an idle thread, the one that is kept first; false when none may take one. */
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
      // It was not asked, so it is free again.
      this.#failed(error);
      this.#finish(thread, BROKEN);
      this.#idle.push(thread);
    }
  }

  /** Puts the thread time right that was counted in advance, and answers. */
  #finish(thread: KillableThread, answer: Judgement): void {
    const run = this.#running.get(thread);
    if (run === undefined) return;
    this.#running.delete(thread);
    const now = performance.now();
    this.#queue.charge(run.account, now - run.began - this.#limits.deadlineMs, now);
    run.done(answer);
  }

  #read(said: Exclude<Said, "ready">): Judgement {
    if ("judged" in said) return toAnswer(said.judged);
    this.#failed(new Error(`a judgement failed: ${said.failed}`));
    return BROKEN;
  }

  /** Its start is not part of anybody's deadline: it takes work once it has said that it is ready. */
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
      // One that cannot even start would be started for ever; those that did take what waits.
      if (!ready && this.#all.size === 0) this.#refuseAll();
      // So that who comes next finds it ready.
      else if (ready && thread.kind === "kept" && !this.#closed) this.#start();
      this.#pump();
    };
    try {
      this.#all.add(new KillableThread(this.#file, kind, this.#limits.heapMb, { free, ended }));
    } catch (error) {
      // The operating system gives no thread: those that there are go on, and without any nobody waits in vain.
      this.#failed(error);
      if (this.#all.size === 0) this.#refuseAll();
    }
  }

  #refuseAll(): void {
    for (const { job } of this.#queue.empty()) this.#refuse(job);
  }
}

/** Undefined where it must be done in a thread: reading a long schema is work too, and the account's that sends it. */
function judgeAtOnce({ demands, result }: Question): Judgement | undefined {
  if (!isQuicklyMeasured(demands)) return undefined;
  const measured = measureDemands(demands);
  if ("problem" in measured) return toAnswer(measured);
  if (!isLight(measured, result)) return undefined;
  const judged = judgeResult(demands, result);
  return toAnswer("problem" in judged ? judged : { ...judged, cost: measured.cost });
}

function toAnswer(judged: Judged | DemandsProblem): Judgement {
  if (!("problem" in judged)) return judged;
  return { because: judged.field, unjudged: judged.problem };
}
