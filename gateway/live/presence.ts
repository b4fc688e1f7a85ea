/**
 * Who is online at this gateway, told to the matchers. Workers with a posted price are proposed tasks; others are told of them,
 * and waited for before a window ends early.
 *
 * P1  Matchers are told at once of who is new, has changed or is gone, and of all others together, by their ids alone, every
 *     RENEW_MS. Whatever they have not confirmed is told again then.
 * P2  A worker is online as long as it has a stream, or for ONLINE_MS after it asked for tasks.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import { termsOf } from "../../machines/market/capability.ts";
import { qualificationIn } from "../../machines/market/qualification.ts";
import type { ManualWaiter, PostedWaiter } from "../../machines/matcher/vocabulary.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { ReadModel, StoredCapability } from "../ports/read-model.ts";
import type { Queues } from "./queues.ts";

/** A worker counts as online for this long after asking for work (ms). */
const ONLINE_MS = 10_000;
/** How often matchers are told that workers are still online, and how long that holds (ms): one message may be lost. */
const RENEW_MS = 5_000;
const VALID_MS = 12_000;
/** How long it takes until a changed account or price is read again, if no signal tells of it (ms). */
const READ_AGAIN_MS = 60_000;
/** The share of the workers that are read again with a renewal, so that those who came together are not read together. */
const READ_SHARE = 1 / 6;
/** Changes within this time go in one message (ms). */
const GATHER_MS = 5;
/** Workers of one gateway, counted in each of their task types; whoever comes on top of that is not proposed anything here. */
export const ONLINE_MAX = 50_000;

export interface PresencePorts {
  readonly reads: Pick<ReadModel, "account" | "capabilities">;
  readonly queues: Pick<Queues, "present" | "leave">;
  readonly clock: Clock;
  readonly log: Log;
  readonly taskTypes: readonly string[];
  /** The id of this gateway. */
  readonly gateway: string;
}

type Terms = PostedWaiter | ManualWaiter;

/** A worker in one queue. */
interface Online {
  readonly worker: AccountId;
  readonly taskType: string;
  /** Of its wait: the same for all that are told. */
  readonly id: string;
  readonly since: Millis;
  /** Its streams that listen to new tasks, and all of them. */
  announced: number;
  streams: number;
  /** When it last asked for tasks (ms). */
  polledAt: Millis;
  /** What it offers; null until that is read. */
  terms: Terms | null;
  /** Whether matchers have confirmed these terms. */
  confirmed: boolean;
  readAt: Millis;
  /** The number of the last read: an earlier one that ends later is not taken. */
  reads: number;
}

/** A stream of a worker, as it is online in these task types. */
export interface ListeningWorker {
  readonly worker: AccountId;
  readonly taskTypes: readonly string[];
  /** Whether it is told of new tasks. */
  readonly announce: boolean;
}

export class Presence {
  readonly #ports: PresencePorts;
  readonly #online = new Map<string, Online>();
  readonly #changed = new Set<Online>();
  readonly #gone = new Set<Online>();
  #gathering: (() => void) | null = null;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(ports: PresencePorts) {
    this.#ports = ports;
    this.#scheduleRenewal();
  }

  /** How many workers are online, counted in each of their task types. */
  get size(): number {
    return this.#online.size;
  }

  /** A worker asked this gateway for tasks of these types. */
  polled(row: AccountRow, taskTypes: readonly string[]): void {
    const now = this.#ports.clock.now();
    const all = taskTypes.flatMap((taskType) => this.#get(row.id, taskType) ?? []);
    for (const one of all) one.polledAt = now;
    const unread = all.filter(({ terms, reads }) => terms === null && reads === 0);
    if (unread.length > 0) void this.#read(unread, row);
  }

  /** A stream of a worker opens; call what it gives when it ends. */
  listens({ worker, taskTypes, announce }: ListeningWorker): () => void {
    const all = taskTypes.flatMap((taskType) => this.#get(worker, taskType) ?? []);
    const count = (by: 1 | -1) => {
      for (const one of all) {
        one.streams += by;
        if (announce) one.announced += by;
      }
    };
    count(1);
    if (all.length > 0) void this.#read(all);
    return () => {
      count(-1);
      const still = all.filter((one) => this.#isOnline(one));
      for (const one of all) if (!still.includes(one)) this.#drop(one);
      if (still.length > 0) void this.#read(still);
    };
  }

  /** An account or its prices have changed. */
  changed(worker: AccountId): void {
    const all = this.#ports.taskTypes.flatMap((taskType) => this.#online.get(keyOf({ worker, taskType })) ?? []);
    if (all.length > 0) void this.#read(all);
  }

  /** Tells that nobody is online here any more, and then nothing. */
  close(): void {
    for (const one of [...this.#online.values()]) this.#drop(one);
    this.#flush();
    this.#closed = true;
    this.#cancel();
    this.#gathering?.();
  }

  #get(worker: AccountId, taskType: string): Online | undefined {
    const key = keyOf({ worker, taskType });
    const known = this.#online.get(key);
    if (known !== undefined) return known;
    const { clock, gateway } = this.#ports;
    if (this.#closed || this.#online.size >= ONLINE_MAX) return undefined;
    const made: Online = {
      worker,
      taskType,
      id: `${gateway}/${worker}`,
      since: clock.now(),
      announced: 0,
      streams: 0,
      polledAt: Number.NEGATIVE_INFINITY,
      terms: null,
      confirmed: false,
      readAt: Number.NEGATIVE_INFINITY,
      reads: 0,
    };
    this.#online.set(key, made);
    return made;
  }

  #isOnline({ streams, polledAt }: Online): boolean {
    return streams > 0 || this.#ports.clock.now() - polledAt <= ONLINE_MS;
  }

  #isHere(one: Online): boolean {
    return this.#online.get(keyOf(one)) === one;
  }

  #drop(one: Online): void {
    if (!this.#isHere(one)) return;
    this.#online.delete(keyOf(one));
    if (one.terms === null) return;
    this.#gone.add(one);
    this.#gather();
  }

  /** Reads what a worker offers in these queues, and tells the matchers of what has changed. */
  async #read(all: readonly Online[], known?: AccountRow): Promise<void> {
    const { reads, clock, log } = this.#ports;
    const worker = all[0]?.worker;
    if (worker === undefined) return;
    const numbers = all.map((one) => {
      one.readAt = clock.now();
      one.reads += 1;
      return one.reads;
    });
    try {
      const [row, capabilities] = await Promise.all([known ?? reads.account(worker), reads.capabilities(worker)]);
      for (const [index, one] of all.entries()) {
        if (row === undefined || one.reads !== numbers[index] || !this.#isHere(one)) continue;
        const terms = this.#termsOf(one, row, capabilities);
        if (one.terms !== null && areSame(one.terms, terms)) continue;
        one.terms = terms;
        one.confirmed = false;
        this.#changed.add(one);
        this.#gather();
      }
    } catch (error) {
      for (const one of all) one.readAt = Number.NEGATIVE_INFINITY;
      log.debug({ err: error }, "could not read what a worker offers; it is read again with the next renewal");
    }
  }

  #termsOf(one: Online, row: AccountRow, capabilities: readonly StoredCapability[]): Terms {
    const { id, worker, taskType, since } = one;
    const { gateway } = this.#ports;
    const capability = capabilities.find((each) => each.taskType === taskType);
    const record = Object.hasOwn(row.records, taskType) ? row.records[taskType] : undefined;
    const common = {
      id,
      worker,
      gateway,
      standing: qualificationIn(taskType, row.status, row),
      finished: record?.finished ?? 0,
      since,
      until: 0,
      announce: one.announced > 0,
    };
    if (capability === undefined || !capability.available || capability.price === null) return { ...common, kind: "manual" };
    const { price, concurrency: free } = capability;
    return { ...common, kind: "posted", price, free, takes: termsOf(capability) };
  }

  #gather(): void {
    this.#gathering ??= this.#ports.clock.after(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#gathering?.();
    this.#gathering = null;
    const changed = [...this.#changed].filter((one) => this.#isHere(one));
    const gone = [...this.#gone];
    this.#changed.clear();
    this.#gone.clear();
    for (const taskType of this.#ports.taskTypes) {
      const left = gone.filter((one) => one.taskType === taskType);
      if (left.length > 0) this.#ports.queues.leave(taskType, left);
      const told = changed.filter((one) => one.taskType === taskType);
      if (told.length > 0) void this.#tell(taskType, told, []);
    }
  }

  /** Tells the terms of some, and that others go on; those of the others that a matcher does not know are told at once. */
  async #tell(taskType: string, told: readonly Online[], renewed: readonly Online[]): Promise<void> {
    const until = this.#ports.clock.now() + VALID_MS;
    const terms = told.flatMap((one) => (one.terms === null ? [] : { ...one.terms, until }));
    const sent = told.map((one) => one.terms);
    const again = await this.#ports.queues.present(taskType, { terms, renewed, until });
    for (const [index, one] of told.entries()) one.confirmed = one.terms === sent[index] && !again.has(one.id);
    const unknown = renewed.filter((one) => again.has(one.id) && this.#isHere(one));
    for (const one of unknown) one.confirmed = false;
    if (unknown.length > 0 && !this.#closed) await this.#tell(taskType, unknown, []);
  }

  #scheduleRenewal(): void {
    this.#cancel = this.#ports.clock.after(RENEW_MS, () => {
      this.#renew();
      this.#scheduleRenewal();
    });
  }

  #renew(): void {
    for (const one of [...this.#online.values()]) if (!this.#isOnline(one)) this.#drop(one);
    this.#readAgain();
    for (const taskType of this.#ports.taskTypes) {
      const all = [...this.#online.values()].filter((one) => one.taskType === taskType && one.terms !== null);
      const told = all.filter(({ confirmed }) => !confirmed);
      const renewed = all.filter(({ confirmed }) => confirmed);
      if (all.length > 0) void this.#tell(taskType, told, renewed);
    }
  }

  /** Reads those that could not be read, and a share of those who were not read for long, each worker once for all its types. */
  #readAgain(): void {
    const now = this.#ports.clock.now();
    const workers = new Set<AccountId>();
    const due = new Map<AccountId, Online[]>();
    for (const one of this.#online.values()) {
      workers.add(one.worker);
      if (now - one.readAt <= READ_AGAIN_MS) continue;
      const all = due.get(one.worker) ?? [];
      due.set(one.worker, all);
      all.push(one);
    }
    let left = Math.ceil(workers.size * READ_SHARE);
    for (const all of due.values()) {
      const isKnown = all.every(({ terms, readAt }) => terms !== null && readAt !== Number.NEGATIVE_INFINITY);
      if (isKnown && left === 0) continue;
      if (isKnown) left -= 1;
      void this.#read(all);
    }
  }
}

function keyOf({ worker, taskType }: Pick<Online, "worker" | "taskType">): string {
  return `${worker} ${taskType}`;
}

/** Whether a matcher would do the same for both. */
function areSame(one: Terms, other: Terms): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
