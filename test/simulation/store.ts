/** The database of a simulated cluster: journal and registry, reached over a line that is slow, breaks, and loses answers. */
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import { type Batch, Fenced, type Journal, StoreUnavailable } from "../../actors/ports/journal.ts";
import { type ClusterView, type NodeStats, type Registry, TooOld } from "../../actors/ports/registry.ts";
import { type Address, addressKey } from "../../machines/address.ts";
import { BASE_FORMATS, type Formats, reads } from "../../machines/formats.ts";
import { MemoryJournal } from "../support/memory-journal.ts";
import type { Random } from "./random.ts";
import type { Process, Time } from "./time.ts";

/** What is switched off on purpose, to see that the simulation notices. */
export type Mutation = (typeof MUTATIONS)[number];
export const MUTATIONS = [
  "none",
  "fence",
  "dedupe",
  "gate",
  "formats",
  /** Nodes answer out of their memory without a lease. */
  "lease",
  /** Nobody minds that a message has overtaken the one before it. */
  "order",
  /** What is refused is not looked up: it may have come before. */
  "recall",
  /** Accounts refuse what they can pay. */
  "refusal",
  /** Accounts hold by the whole line of their rating, and say that they looked at what vouches for it. */
  "line",
  /** Rows are read from a copy that lags behind. */
  "copy",
  /** A batch says what it was when it was first asked. */
  "stale",
  /** Matchers are told of tasks, and never look at the index of those that are open. */
  "index",
] as const;

/** How old a copy of the rows may be that should not be there (ms). */
const COPY_MS = 1_000;

/** How likely what was given up for lost is carried out later. */
const LATE = 0.2;

interface MemberState {
  readonly node: string;
  readonly weight: number;
  draining: boolean;
  beat: number;
  readonly formats: Formats | null;
}

export class Store {
  readonly journal = new MemoryJournal();
  readonly members = new Map<string, MemberState>();
  readonly shards = Array.from({ length: SHARDS_DEFAULT }, (_, shard) => ({ shard, owner: null as string | null, epoch: 0 }));
  /** What all members have agreed to write. */
  formats = BASE_FORMATS;
  /** Processes whose line is cut. */
  readonly cut = new Set<string>();
  /** Until when nobody reaches it (ms of simulated time). */
  awayUntil = 0;
  /** How likely a call fails: before it is carried out, or after. */
  refused = 0;
  lost = 0;
  /** Told of every batch that was written, with what was left out. */
  written: (batch: Batch, conflicts: ReadonlySet<string>, member: string) => void = () => {};
  /** How many commits of a node began while another of its was under way. */
  beside = 0;
  /** When each fact of an actor was committed (ms of simulated time), by its key. */
  readonly committedAt = new Map<string, number[]>();
  readonly #copies = new Map<string, { readonly row: unknown; readonly at: number }>();
  readonly #time: Time;
  readonly #random: Random;
  readonly #mutation: Mutation;

  constructor(time: Time, random: Random, mutation: Mutation) {
    this.#time = time;
    this.#random = random;
    this.#mutation = mutation;
    if (mutation === "fence") this.journal.fenced = false;
    if (mutation === "dedupe") this.journal.dedupes = false;
  }

  /** The journal as a life of a node reaches it. */
  journalOf(process: Process, member: string): Journal {
    const call = <T>(work: () => Promise<T>) => this.#call(process, async () => structuredClone(await work()));
    let underWay = 0;
    const append = async (batch: Batch) => {
      if (underWay > 0) this.beside += 1;
      underWay += 1;
      try {
        return await call(() => this.#append(structuredClone(batch), member));
      } finally {
        underWay -= 1;
      }
    };
    return {
      append:
        this.#mutation === "gate"
          ? async (batch) => {
              // As if what is decided were let out at once: nobody waits for the commit, or hears that it failed.
              void append(batch).catch(() => {});
              return new Set();
            }
          : append,
      load: (address) => call(() => this.journal.load(address)),
      caused: (address, cause) => call(async () => (this.#mutation === "recall" ? [] : this.journal.caused(address, cause))),
      outbox: (shard, after, rows) => call(() => this.journal.outbox(shard, after, rows)),
      timers: (shard, after, rows) => call(() => this.journal.timers(shard, after, rows)),
    };
  }

  /** The row of an actor as a gateway reads it; undefined where there is none. */
  row(process: Process, address: Address): Promise<unknown> {
    const key = addressKey(address);
    return this.#call(process, async () => {
      const row = structuredClone(this.journal.actors.get(key)?.row);
      if (this.#mutation !== "copy") return row;
      const copy = this.#copies.get(key);
      if (copy !== undefined && copy.at > this.#time.now - COPY_MS) return copy.row;
      this.#copies.set(key, { row, at: this.#time.now });
      return row;
    });
  }

  /** What a gateway or a matcher reads of rows. */
  query<T>(process: Process, read: (actors: MemoryJournal["actors"]) => T): Promise<T> {
    return this.#call(process, async () => structuredClone(read(this.journal.actors)));
  }

  registryOf(process: Process): Registry {
    const call = <T>(work: () => T) => this.#call(process, async () => work());
    return {
      join: ({ id, node, weight, formats }) =>
        call(() => {
          if (!reads(formats, this.formats) && this.#mutation !== "formats") throw new TooOld("it does not read what is there");
          if (!this.members.has(id)) this.members.set(id, { node, weight, draining: false, beat: this.#time.now, formats });
        }),
      beat: (id, draining, _: NodeStats) => call(() => this.#beat(id, draining)),
      evict: (id, leaseMs) =>
        call(() => {
          const member = this.members.get(id);
          if (member !== undefined && member.beat < this.#time.now - leaseMs) this.members.delete(id);
          return !this.members.has(id);
        }),
      acquire: (id, shards) => call(() => this.#acquire(id, shards)),
      handOver: (id, shard, epoch, to) =>
        call(() => {
          const row = this.shards[shard];
          if (row?.owner !== id || row.epoch !== epoch || !this.members.has(to)) return false;
          row.owner = to;
          row.epoch += 1;
          return true;
        }),
      raise: (formats) =>
        call(() => {
          if (![...this.members.values()].every((member) => reads(member.formats, formats))) return;
          const { task, account, batch } = this.formats;
          this.formats = {
            task: Math.max(task, formats.task),
            account: Math.max(account, formats.account),
            batch: Math.max(batch, formats.batch),
          };
        }),
      leave: (id) => call(() => void this.members.delete(id)),
    };
  }

  #beat(id: string, draining: boolean): ClusterView | null {
    const me = this.members.get(id);
    if (me === undefined) return null;
    me.beat = this.#time.now;
    me.draining ||= draining;
    const members = [...this.members].map(([member, { node, weight, draining: leaves, beat, formats }]) => ({
      id: member,
      node,
      weight,
      draining: leaves,
      ageMs: this.#time.now - beat,
      formats,
    }));
    return { members, shards: this.shards.map((shard) => ({ ...shard })), formats: this.formats };
  }

  #acquire(id: string, shards: readonly number[]): readonly number[] {
    if (!this.members.has(id)) return [];
    return shards.filter((shard) => {
      const row = this.shards[shard];
      if (row === undefined || (row.owner !== null && row.owner !== id && this.members.has(row.owner))) return false;
      row.owner = id;
      row.epoch += 1;
      return true;
    });
  }

  async #append(batch: Batch, member: string): Promise<ReadonlySet<string>> {
    const mine = this.members.has(member) || this.#mutation === "fence";
    if (!mine && !this.journal.knows(batch)) throw new Fenced("declared dead");
    const before = this.journal.appends;
    const conflicts = await this.journal.append(batch);
    for (const { address } of batch.entries) this.#date(addressKey(address));
    if (this.journal.appends > before) this.written(batch, conflicts, member);
    return conflicts;
  }

  /** Facts that have no time yet were committed now. */
  #date(key: string): void {
    const times = this.committedAt.get(key) ?? [];
    this.committedAt.set(key, times);
    const facts = this.journal.actors.get(key)?.facts.length ?? 0;
    while (times.length < facts) times.push(this.#time.now);
  }

  /** The owner of an entity's shard now. */
  ownerOf(id: string): string | null {
    return this.shards[shardOf(id, SHARDS_DEFAULT)]?.owner ?? null;
  }

  /**
   * There and back, each way with its own delay and its own risk. What was sent is carried out even if the sender dies. What comes
   * back is a copy.
   */
  #call<T>(process: Process, work: () => Promise<T>): Promise<T> {
    const random = this.#random;
    return new Promise((resolve, reject) => {
      const fail = (ms: number) => process.run(ms, () => reject(new StoreUnavailable("the line to the store broke")));
      this.#time.at(this.#time.now + random.delay(4, 300), () => {
        if (this.#unreachable(process) || random.chance(this.refused)) {
          fail(random.int(0, 20));
          // A statement may be carried out long after its sender was told that the line broke.
          if (random.chance(LATE)) this.#time.at(this.#time.now + random.int(20, 1_000), () => void work().catch(() => {}));
          return;
        }
        void work().then(
          (value) => {
            if (this.#unreachable(process) || random.chance(this.lost)) fail(random.int(0, 20));
            else process.run(random.delay(3, 200), () => resolve(value));
          },
          (error) => process.run(1, () => reject(error)),
        );
      });
    });
  }

  #unreachable(process: Process): boolean {
    return this.#time.now < this.awayUntil || this.cut.has(process.name);
  }
}
