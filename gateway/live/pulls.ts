/**
 * Pulls: a worker waits for tasks, and gets those that were awarded to it meanwhile.
 *
 * L1  A pull has an id, made from the request's key and body if it has a key. Its awards carry that id, so asked again it gives
 *     what it has won and its worker still has. Until it has won something, the same key with another body is another pull.
 * L2  It waits at the matcher of each of its task types. A matcher that died is noticed, and its next one is asked (open-asks.ts). Of
 *     what a matcher has not told, or not whole, the database is asked.
 * L3  It ends when it has tasks, when its time is over, when its client leaves, or when this gateway drains.
 * L4  A task that it has won and its client does not get, because it has gone, or has had its answer, is given back (undelivered.ts).
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { termsOf } from "../../machines/market/capability.ts";
import { qualificationIn } from "../../machines/market/qualification.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { PullWaiter } from "../../machines/matcher/vocabulary.ts";
import { type Millis, taskId } from "../../machines/vocabulary.ts";
import { Capacity } from "../doors/capacity.ts";
import type { Recipient } from "../doors/recipient.ts";
import type { ReadModel, StoredCapability, StoredTask } from "../ports/read-model.ts";
import { showTask } from "../show/task.ts";
import { OpenAsks } from "./open-asks.ts";
import { LATE_MS, type Queues } from "./queues.ts";
import type { Undelivered, Won } from "./undelivered.ts";

/** The pause before matchers are asked again that answered with nothing before their time (ms). */
const PAUSE_MS = 250;
/** How long after an answer it is looked for tasks that were won too late for it (ms): longer than a task asks an account. */
const LOOK_AGAIN_MS = 8_000;
/** How often that is tried while the database does not answer. */
const LOOKS_MAX = 5;
/** What one answer holds at most (bytes of tasks): a message over NATS is at most 1 MB. */
export const PULL_BYTES_MAX = 524_288;
/** Pulls of a gateway, and of one account there: a matcher takes not many more waits of one worker. */
export const PULLS_MAX = 10_000;
export const PULLS_OF_ACCOUNT_MAX = 200;

export interface PullPorts {
  readonly queues: Pick<Queues, "pull" | "leave" | "unknown">;
  readonly reads: Pick<ReadModel, "pulled">;
  readonly clock: Clock;
  readonly log: Log;
  /** The id of this gateway. */
  readonly gateway: string;
  readonly undelivered: Pick<Undelivered, "open" | "answer" | "giveBack" | "giveBackUnkept">;
}

export interface PullRequest {
  /** Stands for the key, or for this request if it has none. */
  readonly key: string;
  /** Stands for what is pulled, and for how much; see L1. */
  readonly terms: string;
  readonly row: AccountRow;
  readonly capabilities: readonly StoredCapability[];
  /** Each once. */
  readonly taskTypes: readonly string[];
  readonly most: number;
  /** NC; with a posted price only that counts. */
  readonly minPrice: number;
  readonly waitMs: Millis;
  /** What the answer holds (bytes of tasks). */
  readonly bytesMost: number;
  /** Whether it has a key, so that it may have come before, and may come again. */
  readonly again: boolean;
  readonly client: Recipient;
}

/** What a pull has got. */
export interface PullResult {
  readonly tasks: readonly StoredTask[];
  /** Why it has not got more, if that lies with the worker. */
  readonly limited: Ineligibility | null;
}

/** A request that is under way. */
interface Asked extends PullRequest {
  /** Whether something may have been won for it that no matcher has told. */
  unsure: boolean;
  /** Ends its waiting at matchers. */
  leave: () => void;
}

/** What a request has got. */
interface Got {
  readonly won: readonly StoredTask[];
  readonly limited: Ineligibility | null;
  /** Whether it may have been won by the same pull when it was asked before, here or at another gateway. */
  readonly again: boolean;
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
  readonly #asks: OpenAsks;
  /** Ends the waiting of each pull. */
  readonly #leaving = new Set<() => void>();
  /** By pull: the look for tasks that were won too late, which is to come. */
  readonly #looks = new Map<string, { readonly look: () => Promise<void>; readonly cancel: () => void }>();
  #draining = false;

  constructor(ports: PullPorts) {
    this.#ports = ports;
    this.#asks = new OpenAsks(ports.queues, ports.clock);
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
    const asked: Asked = { ...request, unsure: false, leave: () => {} };
    const look = () => {
      asked.unsure = true;
      asked.leave();
    };
    const close = request.again ? this.#ports.undelivered.open(idOf(request), look) : () => {};
    let known: readonly StoredTask[] = [];
    try {
      const got = await this.#get(asked);
      // What it keeps from now on is what its answer holds.
      close();
      if (typeof got === "string") return got;
      known = got.won;
      return this.#answer(asked, got);
    } finally {
      close();
      leave();
      if (asked.unsure) this.#lookAgain(asked, new Set(known.map(({ row }) => row.id)));
    }
  }

  /** Answers all that wait, as if their time were over, and whatever comes later at once. */
  drain(): void {
    this.#draining = true;
    for (const leave of [...this.#leaving]) leave();
  }

  /** Looks now for what would be looked for later. Never rejects. */
  async close(): Promise<void> {
    this.drain();
    const looks = [...this.#looks];
    for (const [pull] of looks) this.#endLook(pull);
    await Promise.all(looks.map(([, { look }]) => look()));
  }

  async #get(request: Asked): Promise<Got | PullRefusal> {
    if (request.again) {
      const won = await this.#won(request);
      if (won.some(({ pull }) => pull !== idOf(request))) return "mismatch";
      if (this.#endLook(idOf(request))) request.unsure = true;
      if (won.length > 0) return { won: won.map(({ task }) => task), limited: null, again: true };
    }
    return this.#wait(request, this.#waitsOf(request));
  }

  async #wait(request: Asked, waits: readonly Wait[]): Promise<Got> {
    const { clock, log } = this.#ports;
    const end = clock.now() + request.waitMs;
    for (;;) {
      if (this.#isOver(request)) return { won: [], limited: null, again: false };
      const answers = await this.#ask(waits, end, request);
      if (answers.some((answer) => answer === undefined || answer.missing > 0)) request.unsure = true;
      const told = answers.flatMap((answer) => answer?.tasks ?? []);
      const limited = answers.find((answer) => answer?.limited !== undefined)?.limited ?? null;
      const again = request.unsure;
      const won = again
        ? await this.#won(request).then(
            (all) => all.map(({ task }) => task),
            (error: unknown) => {
              if (told.length === 0) throw error;
              log.debug({ err: error }, "could not read what a pull has won; it gets what matchers told");
              return told;
            },
          )
        : told;
      if (won.length > 0 || clock.now() >= end || this.#isOver(request)) return { won, limited, again };
      // Who answers early has no room for it, or is going to another node.
      const pause = Math.min(PAUSE_MS, end - clock.now());
      if (pause > 0) await new Promise<void>((resolve) => void clock.after(pause, resolve));
    }
  }

  #isOver({ client }: PullRequest): boolean {
    return this.#draining || client.gone.aborted;
  }

  /** Gives what fits into the answer; of the rest the worker does not know. */
  #answer(request: Asked, { won, limited, again }: Got): PullResult {
    const { undelivered } = this.#ports;
    const tasks = within(won, request);
    const held = wonBy(request, tasks);
    if (tasks.length > 0) {
      const giveBack = (isWhole: boolean) => {
        if (!isWhole) undelivered.giveBack(held);
      };
      request.client.whenAnswered(request.again ? undelivered.answer(held, again) : giveBack);
    }
    this.#giveBack(request, won.slice(tasks.length));
    return { tasks, limited: won.length < request.most ? limited : null };
  }

  /** Gives back what is in no answer of this request. */
  #giveBack(request: PullRequest, tasks: readonly StoredTask[]): void {
    if (tasks.length === 0) return;
    const { undelivered } = this.#ports;
    const won = wonBy(request, tasks);
    if (request.again) undelivered.giveBackUnkept(won);
    else undelivered.giveBack(won);
  }

  /** Later, gives back what was won after the answer, unless the pull is asked again and so gets it. */
  #lookAgain(request: PullRequest, known: ReadonlySet<string>, tries = LOOKS_MAX): void {
    const { clock, log } = this.#ports;
    const id = idOf(request);
    const look = async () => {
      try {
        const late = (await this.#won(request)).filter(({ pull, task }) => pull === id && !known.has(task.row.id));
        this.#giveBack(
          request,
          late.map(({ task }) => task),
        );
      } catch (error) {
        log.debug({ err: error }, "could not look for tasks that were won too late for an answer");
        if (tries > 1 && !this.#draining) this.#lookAgain(request, known, tries - 1);
      }
    };
    this.#endLook(id);
    const cancel = clock.after(LOOK_AGAIN_MS, () => {
      this.#looks.delete(id);
      void look();
    });
    this.#looks.set(id, { look, cancel });
  }

  /** Gives whether there was to be a look. */
  #endLook(pull: string): boolean {
    this.#looks.get(pull)?.cancel();
    return this.#looks.delete(pull);
  }

  #won({ row, key }: PullRequest) {
    return this.#ports.reads.pulled(row.id, key);
  }

  #waitsOf(request: PullRequest): readonly Wait[] {
    const { clock, gateway } = this.#ports;
    const { row, capabilities, taskTypes, most, minPrice, bytesMost } = request;
    const since = clock.now();
    return taskTypes.map((taskType) => {
      const own = capabilities.find((one) => one.taskType === taskType);
      const record = Object.hasOwn(row.records, taskType) ? row.records[taskType] : undefined;
      const terms: Terms = {
        kind: "pull",
        id: idOf(request),
        worker: row.id,
        gateway,
        standing: qualificationIn(taskType, row.status, row),
        finished: record?.finished ?? 0,
        since,
        price: own?.available === true ? own.price : null,
        takes: termsOf(own),
        minPrice,
        most,
        bytesMost: Math.min(bytesMost, PULL_BYTES_MAX),
        bytesShare: Math.floor(Math.min(bytesMost, PULL_BYTES_MAX) / taskTypes.length),
      };
      return { taskType, terms };
    });
  }

  /** Waits at all matchers. As soon as one has something, or the pull is to end, the others are left, and soon given up. */
  async #ask(waits: readonly Wait[], until: Millis, request: Asked): Promise<readonly (Pulled | undefined)[]> {
    const { queues, clock } = this.#ports;
    const { gone } = request.client;
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
    request.leave = leave;
    gone.addEventListener("abort", leave, { once: true });
    const asked = clock.now();
    const ask = async ({ taskType, terms }: Wait) => {
      let close = () => {};
      const abandoned = new Promise<undefined>((resolve) => {
        close = this.#asks.add(taskType, terms, () => resolve(undefined));
      });
      const answer = await Promise.race([queues.pull(taskType, { ...terms, asked, until }), abandoned, late]).finally(close);
      if (answer !== undefined && answer.why === "awarded" && waits.length > 1) leave();
      return answer;
    };
    try {
      return await Promise.all(waits.map(ask));
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

function wonBy(request: PullRequest, tasks: readonly StoredTask[]): Won {
  return { worker: request.row.id, pull: idOf(request), tasks: tasks.map(({ row }) => taskId(row.id)) };
}

/** The first of these tasks that are together, as the worker gets them, not longer than its answer may be, but always one. */
function within(tasks: readonly StoredTask[], { row, bytesMost }: PullRequest): readonly StoredTask[] {
  if (tasks.length < 2) return tasks;
  let bytes = 0;
  const beyond = tasks.findIndex((task, index) => {
    bytes += Buffer.byteLength(JSON.stringify(showTask(task, row.id)));
    return index > 0 && bytes > bytesMost;
  });
  return beyond === -1 ? tasks : tasks.slice(0, beyond);
}
