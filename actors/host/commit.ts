/**
 * Group commit. All decisions of a host go through here. While one transaction runs, the next batch gathers, so an idle host
 * commits at once and a busy one in large batches. When nothing else is left to do until a transaction is done, what has gathered
 * is committed beside it: without the actors of that one, as if another node did it.
 *
 * C1  Entries of one actor are committed in the order of submission: no two transactions at once have entries of the same one.
 * C2  If an entry is not committed, every later entry of its actor fails before a new one can be submitted.
 * C3  A batch with an unknown outcome is repeated with the same id until the outcome is known.
 */
import { addressKey } from "../../machines/address.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import { type Batch, type Entry, Fenced, type Journal, StoreUnavailable } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";

/**
 * `fenced`: others own the actor now. `broken`: the journal will never accept this entry, which is a bug and is logged. What
 * was decided after a broken entry is a `conflict`, to be decided again without it.
 */
export type Outcome = "committed" | "conflict" | "unavailable" | "fenced" | "broken";

/** Poll interval while waiting for commits (ms). */
const FLUSH_POLL_MS = 5;

interface Waiting {
  readonly key: string;
  readonly entry: Entry;
  readonly weight: number;
  readonly done: (outcome: Outcome) => void;
}

/** Acknowledgements of messages that their receivers have committed, or refused for good. */
type Acks = Pick<Batch, "delivered" | "dead">;
const NO_ACKS: Acks = { delivered: [], dead: [] };

export interface CommitterPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Called when the journal accepts nothing more from this host. */
  readonly fenced: () => void;
}

export interface CommitBounds {
  /** Transactions that may be under way at once. */
  readonly writers: number;
  /** Facts that make one beside others worthwhile; LIMITS.besideFactsMin if absent. */
  readonly besideFactsMin?: number | undefined;
}

export interface CommitStats {
  commits: number;
  facts: number;
}

export class Committer {
  readonly stats: CommitStats = { commits: 0, facts: 0 };
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #log: Log;
  readonly #fenced: () => void;
  readonly #writers: number;
  readonly #besideFactsMin: number;
  #queue: Waiting[] = [];
  /** Transactions under way or about to start, and the actors that they have entries of. */
  #underWay = 0;
  readonly #busy = new Set<string>();
  /** How many entries were submitted, and whether it is being waited for that no more are. */
  #submitted = 0;
  #watching = false;
  /** Entries whose outcome is not known yet. */
  readonly #open = new Set<Entry>();
  readonly #delivered: string[] = [];
  readonly #dead: { id: string; reason: string }[] = [];
  #ackTimer: (() => void) | null = null;
  #down = false;
  #closed = false;

  constructor({ journal, clock, ids, log, fenced }: CommitterPorts, bounds: CommitBounds) {
    this.#journal = journal;
    this.#clock = clock;
    this.#ids = ids;
    this.#log = log;
    this.#fenced = fenced;
    this.#writers = bounds.writers;
    this.#besideFactsMin = bounds.besideFactsMin ?? LIMITS.besideFactsMin;
  }

  /** Whether the journal cannot be reached, so that new commands should be refused rather than queued. */
  get down(): boolean {
    return this.#down;
  }

  /** Enqueues an entry; `settled` is called with its outcome. */
  submit(entry: Entry, settled: (outcome: Outcome) => void): void {
    const key = addressKey(entry.address);
    if (this.#down || this.#closed) {
      settled("unavailable");
      return;
    }
    this.#open.add(entry);
    const done = (outcome: Outcome) => {
      this.#open.delete(entry);
      settled(outcome);
    };
    const weight = entry.facts.reduce((sum, fact) => sum + JSON.stringify(fact.body).length, 0);
    this.#queue.push({ key, entry, weight, done });
    this.#submitted += 1;
    this.#wake();
  }

  /** Acknowledges a message that its receiver has committed; it leaves the outbox with one of the next commits. */
  delivered(messageId: string): void {
    this.#delivered.push(messageId);
    this.#wakeForAcks();
  }

  /** Marks a message as refused for good. */
  dead(messageId: string, reason: string): void {
    this.#dead.push({ id: messageId, reason });
    this.#wakeForAcks();
  }

  /** Waits until no entry of these addresses is pending, or the committer is closed. Entries of others may keep arriving. */
  async settled(concerns: (address: Entry["address"]) => boolean): Promise<void> {
    while (!this.#closed && [...this.#open].some(({ address }) => concerns(address))) {
      await new Promise<void>((resolve) => this.#clock.after(FLUSH_POLL_MS, resolve));
    }
  }

  /** Waits until all entries have an outcome and all acknowledgements are written, or the committer is closed. */
  async flush(): Promise<void> {
    while (!this.#closed && (this.#underWay > 0 || this.#queue.length > 0 || this.#delivered.length > 0)) {
      this.#wake();
      await new Promise<void>((resolve) => this.#clock.after(FLUSH_POLL_MS, resolve));
    }
  }

  /** Stops repeating batches. */
  close(): void {
    this.#closed = true;
    this.#ackTimer?.();
  }

  #wake(): void {
    if (this.#underWay > 0) {
      this.#watch();
      return;
    }
    this.#underWay += 1;
    // Deferred, so that everything decided in this turn of the event loop joins the same commit.
    setImmediate(() => void this.#run());
  }

  /**
   * Starts a transaction beside those under way once a turn of the event loop has brought no entry. While entries come, the loop
   * has work to do, and one transaction for all of them costs less than two.
   */
  #watch(): void {
    if (this.#watching || this.#underWay >= this.#writers) return;
    this.#watching = true;
    let seen = -1;
    const look = () => {
      if (this.#submitted !== seen) {
        seen = this.#submitted;
        setImmediate(look);
        return;
      }
      this.#watching = false;
      if (this.#underWay === 0 || this.#underWay >= this.#writers || !this.#isWorthwhile()) return;
      this.#underWay += 1;
      void this.#run();
    };
    setImmediate(look);
  }

  /** Whether what could be committed now beside the others is worth a transaction. */
  #isWorthwhile(): boolean {
    let facts = 0;
    for (const { key, entry } of this.#queue) {
      if (!this.#busy.has(key)) facts += entry.facts.length;
      if (facts >= this.#besideFactsMin) return true;
    }
    return false;
  }

  #wakeForAcks(): void {
    this.#ackTimer ??= this.#clock.after(LIMITS.ackDelayMs, () => {
      this.#ackTimer = null;
      if (!this.#closed) this.#wake();
    });
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed) {
        const taken = this.#take();
        if (taken.length === 0 && this.#delivered.length === 0 && this.#dead.length === 0) break;
        const keys = new Set(taken.map(({ key }) => key));
        for (const key of keys) this.#busy.add(key);
        try {
          await this.#commit(taken);
        } finally {
          for (const key of keys) this.#busy.delete(key);
        }
        // What comes next has gathered for less than a transaction; another one may begin when the loop is idle again.
        if (this.#underWay > 1) break;
      }
    } finally {
      this.#underWay -= 1;
    }
    if (this.#closed) this.#failAll("unavailable");
    else if (this.#queue.length > 0) this.#wake();
  }

  /** Takes from the queue what fits into one transaction, without the actors of those under way. */
  #take(): readonly Waiting[] {
    let facts = 0;
    let characters = 0;
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    let full = false;
    for (const waiting of this.#queue) {
      if (full || this.#busy.has(waiting.key)) {
        left.push(waiting);
        continue;
      }
      facts += waiting.entry.facts.length;
      characters += waiting.weight;
      full = taken.length > 0 && (facts > LIMITS.batchFactsMax || characters > LIMITS.batchCharactersMax);
      (full ? left : taken).push(waiting);
    }
    this.#queue = left;
    return taken;
  }

  async #commit(taken: readonly Waiting[], acks: Acks = this.#takeAcks()): Promise<void> {
    const batch: Batch = { id: this.#ids.next(), entries: taken.map(({ entry }) => entry), ...acks };
    const conflicts = await this.#append(batch);
    if (conflicts === "closed" || conflicts === "fenced") {
      for (const { done } of taken) done(conflicts === "closed" ? "unavailable" : "fenced");
      return;
    }
    if (conflicts === "broken") return this.#isolate(taken, acks);
    this.stats.commits += 1;
    const behind = conflicts.size === 0 ? [] : this.#queue.filter(({ key }) => conflicts.has(key));
    if (behind.length > 0) this.#queue = this.#queue.filter(({ key }) => !conflicts.has(key));
    for (const { key, entry, done } of [...taken, ...behind]) {
      if (!conflicts.has(key)) this.stats.facts += entry.facts.length;
      done(conflicts.has(key) ? "conflict" : "committed");
    }
  }

  #takeAcks(): Acks {
    return { delivered: this.#delivered.splice(0), dead: this.#dead.splice(0) };
  }

  /** Finds by bisection the entry that the journal cannot accept, so that the others are committed. */
  async #isolate(taken: readonly Waiting[], acks: Acks): Promise<void> {
    const [only] = taken;
    // Acknowledgements that cannot be written are dropped: their messages are sent again and recognised as duplicates.
    if (only === undefined) return;
    if (acks.delivered.length + acks.dead.length > 0) {
      await this.#commit([], acks);
      return this.#commit(taken, NO_ACKS);
    }
    if (taken.length === 1) {
      const behind = this.#queue.filter(({ key }) => key === only.key);
      this.#queue = this.#queue.filter(({ key }) => key !== only.key);
      only.done("broken");
      for (const { done } of behind) done("conflict");
      return;
    }
    const failed = new Set<string>();
    const watched = taken.map((waiting) => ({
      ...waiting,
      done: (outcome: Outcome) => {
        if (outcome !== "committed") failed.add(waiting.key);
        waiting.done(outcome);
      },
    }));
    const middle = Math.ceil(watched.length / 2);
    for (const half of [watched.slice(0, middle), watched.slice(middle)]) {
      // Later entries of the same actor must not be written without this one.
      for (const { key, done } of half) if (failed.has(key)) done("conflict");
      const left = half.filter(({ key }) => !failed.has(key));
      if (left.length > 0) await this.#commit(left, NO_ACKS);
    }
  }

  /** Appends until the outcome is known, or the committer is closed. */
  async #append(batch: Batch): Promise<ReadonlySet<string> | "closed" | "fenced" | "broken"> {
    let wait: number = LIMITS.retryMinMs;
    while (!this.#closed) {
      try {
        const conflicts = await this.#journal.append(batch);
        if (this.#down) this.#log.info({}, "the journal is back");
        this.#down = false;
        return conflicts;
      } catch (error) {
        if (error instanceof Fenced) {
          this.#fenced();
          return "fenced";
        }
        if (!(error instanceof StoreUnavailable)) {
          const fields = { err: error, entries: batch.entries.length };
          if (batch.entries.length > 1) this.#log.warn(fields, "the journal did not accept a commit; trying its halves");
          else this.#log.error(fields, "the journal did not accept a commit; this is a bug");
          return "broken";
        }
        if (!this.#down)
          this.#log.error({ err: error }, "the journal cannot be reached; new commands are refused until it is back");
        this.#down = true;
        this.#failAll("unavailable");
        await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
        wait = Math.min(wait * 2, LIMITS.retryMaxMs);
      }
    }
    return "closed";
  }

  #failAll(outcome: Outcome): void {
    for (const { done } of this.#queue.splice(0)) done(outcome);
  }
}
