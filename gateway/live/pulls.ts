/**
 * Pulls: a worker waits for tasks, and gets those that were awarded to it meanwhile.
 *
 * L1  A pull has an id, made from the request's key and body if it has a key. Its awards carry that id, so asked again it gives
 *     what it has won and its worker still has. Until it has won something, the same key with another body is another pull.
 * L2  It waits at the matcher of each of its task types, by parts of at most PART_MS, so that a matcher that died is noticed. Of
 *     what a matcher has not told, or not whole, the database is asked.
 * L3  It ends when it has tasks, when its time is over, when its client leaves, or when this gateway drains.
 * L4  A task that it has won and its client does not get, because it has gone, or has had its answer, is handed to `unwanted`.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { qualificationIn } from "../../machines/market/qualification.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { PullWaiter } from "../../machines/matcher/vocabulary.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import { Capacity } from "../doors/capacity.ts";
import type { ReadModel, StoredTask } from "../ports/read-model.ts";
import { LATE_MS, type Queues } from "./queues.ts";

/** How long a matcher is waited for at a time (ms). */
const PART_MS = 5_000;
/** The pause before matchers are asked again that answered with nothing before their time (ms). */
const PAUSE_MS = 250;
/** How long after an answer it is looked for tasks that were won too late for it (ms): longer than a task asks an account. */
const LOOK_AGAIN_MS = 8_000;
/** What one answer holds at most (bytes of tasks): a message over NATS is at most 1 MB. */
export const PULL_BYTES_MAX = 524_288;
/** Pulls of a gateway, and of one account there: a matcher takes not many more waits of one worker. */
export const PULLS_MAX = 10_000;
export const PULLS_OF_ACCOUNT_MAX = 200;

export interface PullPorts {
  readonly queues: Pick<Queues, "pull" | "leave">;
  readonly reads: Pick<ReadModel, "capabilities" | "pulled">;
  readonly clock: Clock;
  readonly log: Log;
  /** The id of this gateway. */
  readonly gateway: string;
  /** Takes tasks that were awarded to a worker who does not know it, to give them back. */
  readonly unwanted: (worker: AccountId, tasks: readonly StoredTask[]) => void;
}

export interface PullRequest {
  /** Stands for the key, or for this request if it has none. */
  readonly key: string;
  /** Stands for what is pulled, and for how much; see L1. */
  readonly terms: string;
  readonly row: AccountRow;
  /** Each once. */
  readonly taskTypes: readonly string[];
  readonly most: number;
  /** NC; with a posted price only that counts. */
  readonly minPrice: number;
  readonly waitMs: Millis;
  /** What the answer holds (bytes of tasks). */
  readonly bytesMost: number;
  /** Whether it may have come before. */
  readonly again: boolean;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
}

/** What a pull has got. */
export interface PullResult {
  readonly tasks: readonly StoredTask[];
  /** Why it has not got more, if that lies with the worker. */
  readonly limited: Ineligibility | null;
}

/** Why there is no result: too many pulls, of the account or in all, or another pull has won tasks under this key. */
export type PullRefusal = "account" | "gateway" | "mismatch";

type Terms = Omit<PullWaiter, "until" | "asked">;

interface Wait {
  readonly taskType: string;
  readonly terms: Terms;
}

export class Pulls {
  readonly #ports: PullPorts;
  readonly #capacity = new Capacity({ requests: PULLS_MAX, bytes: 0 }, { requests: PULLS_OF_ACCOUNT_MAX, bytes: 0 });
  /** Ends the part of each pull that waits. */
  readonly #leaving = new Set<() => void>();
  /** Cancel looks for tasks that were won too late. */
  readonly #looks = new Set<() => void>();
  #draining = false;

  constructor(ports: PullPorts) {
    this.#ports = ports;
  }

  /** How many wait for matchers. */
  get size(): number {
    return this.#leaving.size;
  }

  /** Waits for tasks. Rejects with StoreUnavailable. */
  async pull(request: PullRequest): Promise<PullResult | PullRefusal> {
    const { id: worker } = request.row;
    const leave = this.#capacity.enter(worker, 0);
    if (typeof leave === "string") return leave === "account" ? "account" : "gateway";
    try {
      const result = await this.#get(request);
      if (typeof result !== "string") this.#handOver(request, result.tasks);
      return result;
    } finally {
      leave();
    }
  }

  /** Answers all that wait, as if their time were over, and whatever comes later at once. */
  drain(): void {
    this.#draining = true;
    for (const leave of [...this.#leaving]) leave();
  }

  /** Looks for nothing more. */
  close(): void {
    this.drain();
    for (const cancel of this.#looks) cancel();
    this.#looks.clear();
  }

  async #get(request: PullRequest): Promise<PullResult | PullRefusal> {
    if (request.again) {
      const won = await this.#won(request);
      if (won.some(({ pull }) => pull !== idOf(request))) return "mismatch";
      if (won.length > 0) return { tasks: won.map(({ task }) => task), limited: null };
    }
    return this.#wait(request, await this.#waitsOf(request));
  }

  async #wait(request: PullRequest, waits: readonly Wait[]): Promise<PullResult> {
    const { clock, log } = this.#ports;
    const end = clock.now() + request.waitMs;
    // Whether something may have been won that no matcher has told.
    let isUnsure = false;
    for (;;) {
      if (this.#isOver(request)) return this.#result(request, [], null, isUnsure);
      const until = Math.min(end, clock.now() + PART_MS);
      const answers = await this.#ask(waits, until, request.gone);
      isUnsure ||= answers.some((answer) => answer === undefined || answer.missing > 0);
      const told = answers.flatMap((answer) => answer?.tasks ?? []);
      const limited = answers.find((answer) => answer?.limited !== undefined)?.limited ?? null;
      const tasks = isUnsure
        ? await this.#won(request).then(
            (won) => won.map(({ task }) => task),
            (error: unknown) => {
              if (told.length === 0) throw error;
              log.debug({ err: error }, "could not read what a pull has won; it gets what matchers told");
              return told;
            },
          )
        : told;
      if (tasks.length > 0 || clock.now() >= end || this.#isOver(request)) return this.#result(request, tasks, limited, isUnsure);
      // Who answers early has no room for it, or is going to another node.
      const pause = Math.min(PAUSE_MS, until - clock.now());
      if (pause > 0) await new Promise<void>((resolve) => void clock.after(pause, resolve));
    }
  }

  #isOver({ gone }: PullRequest): boolean {
    return this.#draining || gone.aborted;
  }

  /** Gives what fits into the answer; of the rest, and of what may yet be won, the worker does not know. */
  #result(request: PullRequest, won: readonly StoredTask[], limited: Ineligibility | null, isUnsure: boolean): PullResult {
    const tasks = within(won, request.bytesMost);
    if (tasks.length < won.length) this.#ports.unwanted(request.row.id, won.slice(tasks.length));
    if (isUnsure) this.#lookAgain(request, new Set(won.map(({ row }) => row.id)));
    return { tasks, limited: won.length < request.most ? limited : null };
  }

  /** Later, hands over what was won after the answer. */
  #lookAgain(request: PullRequest, known: ReadonlySet<string>): void {
    const { clock, log, unwanted } = this.#ports;
    const look = async () => {
      this.#looks.delete(cancel);
      try {
        const late = (await this.#won(request)).filter(({ pull, task }) => pull === idOf(request) && !known.has(task.row.id));
        if (late.length > 0)
          unwanted(
            request.row.id,
            late.map(({ task }) => task),
          );
      } catch (error) {
        log.debug({ err: error }, "could not look for tasks that were won too late for an answer");
      }
    };
    const cancel = clock.after(LOOK_AGAIN_MS, () => void look());
    this.#looks.add(cancel);
  }

  /** The client gets these tasks, unless it has gone, or goes before it has its answer. */
  #handOver({ row, gone }: PullRequest, tasks: readonly StoredTask[]): void {
    if (tasks.length === 0) return;
    const giveBack = () => this.#ports.unwanted(row.id, tasks);
    if (gone.aborted) giveBack();
    else gone.addEventListener("abort", giveBack, { once: true });
  }

  #won({ row, key }: PullRequest) {
    return this.#ports.reads.pulled(row.id, key);
  }

  async #waitsOf(request: PullRequest): Promise<readonly Wait[]> {
    const { reads, clock, gateway } = this.#ports;
    const { row, taskTypes, most, minPrice, bytesMost } = request;
    const capabilities = await reads.capabilities(row.id);
    const since = clock.now();
    return taskTypes.map((taskType) => {
      const capability = capabilities.find((one) => one.taskType === taskType && one.available);
      const record = Object.hasOwn(row.records, taskType) ? row.records[taskType] : undefined;
      const terms: Terms = {
        kind: "pull",
        id: idOf(request),
        worker: row.id,
        gateway,
        standing: qualificationIn(taskType, row.status, row),
        finished: record?.finished ?? 0,
        since,
        price: capability?.price ?? null,
        minPrice,
        most,
        bytesMost: Math.min(bytesMost, PULL_BYTES_MAX),
      };
      return { taskType, terms };
    });
  }

  /** Waits at all matchers. As soon as one has something, or the pull is to end, the others are left, and soon given up. */
  async #ask(waits: readonly Wait[], until: Millis, gone: AbortSignal): Promise<readonly (Pulled | undefined)[]> {
    const { queues, clock } = this.#ports;
    let giveUp = () => {};
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => {
      giveUp = () => resolve(undefined);
    });
    const leave = () => {
      if (!this.#leaving.delete(leave)) return;
      for (const { taskType, terms } of waits) queues.leave(taskType, [terms]);
      cancel = clock.after(LATE_MS, giveUp);
    };
    this.#leaving.add(leave);
    gone.addEventListener("abort", leave, { once: true });
    const asked = clock.now();
    const ask = async ({ taskType, terms }: Wait) => {
      const answer = await queues.pull(taskType, { ...terms, asked, until });
      if (answer !== undefined && answer.why === "awarded" && waits.length > 1) leave();
      return answer;
    };
    try {
      return await Promise.all(waits.map((wait) => Promise.race([ask(wait), late])));
    } finally {
      cancel();
      this.#leaving.delete(leave);
      gone.removeEventListener("abort", leave);
    }
  }
}

/** The id that a pull's awards carry. */
function idOf({ key, terms }: PullRequest): string {
  return `${key}.${terms}`;
}

/** The first of these tasks that are together not longer than `most` bytes, but always one. */
function within(tasks: readonly StoredTask[], most: number): readonly StoredTask[] {
  if (tasks.length < 2) return tasks;
  let bytes = 0;
  const beyond = tasks.findIndex((task, index) => {
    bytes += Buffer.byteLength(JSON.stringify(task));
    return index > 0 && bytes > most;
  });
  return beyond === -1 ? tasks : tasks.slice(0, beyond);
}
