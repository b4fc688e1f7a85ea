/**
 * Delivers messages from one actor to another at least once, and removes them when the receiver has committed them. The
 * receiver ignores duplicates, so each is processed exactly once.
 *
 * O1  Messages of one pair are processed in order. Many are in flight at once: each names the one before it that is not answered
 *     yet, and the receiver refuses it for now if that one has not arrived. When one is deferred (refused for now), no later one
 *     of its pair is sent until all in flight are answered. Then the deferred ones go first, one at a time, until one is
 *     accepted.
 * O2  What earlier owners of a shard left undelivered is sent before new messages of its actors.
 */

import { type Address, addressKey } from "../../machines/address.ts";
import { readMessage } from "../../machines/incoming.ts";
import type { Committer } from "../host/commit.ts";
import { LIMITS } from "../limits.ts";
import { type CommandResult, isTransient, NOT_KNOWN } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Journal, OutboxMessage } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { Transport } from "../ports/transport.ts";

interface Waiting {
  readonly message: OutboxMessage;
  readonly fresh: boolean;
  delivery: "first" | "again";
  readonly done: () => void;
}

/** The messages from one actor to another. */
interface Pair {
  /** The sender's shard. */
  readonly shard: number;
  waiting: Waiting[];
  /** Sent, and not answered yet. */
  readonly inFlight: Set<Waiting>;
  /** The last one that was sent. */
  last: Waiting | undefined;
  /** Refused for now; sent again later. */
  readonly deferred: Waiting[];
  /** How many may be in flight at once. */
  window: number;
  retryMs: number;
  pausing: boolean;
}

export class Outbox {
  readonly #transport: Transport;
  readonly #committer: Committer;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #shardOf: (address: Address) => number;
  readonly #pairs = new Map<string, Pair>();
  /** The ids of the messages in these pairs, and of those held back. */
  readonly #known = new Set<string>();
  /** By shard: held back while its rows are read (O2). */
  readonly #held = new Map<number, Waiting[]>();
  #closed = false;

  constructor(transport: Transport, committer: Committer, clock: Clock, log: Log, shardOf: (address: Address) => number) {
    this.#transport = transport;
    this.#committer = committer;
    this.#clock = clock;
    this.#log = log;
    this.#shardOf = shardOf;
  }

  /** How many pairs have messages to deliver. */
  get busy(): number {
    return this.#pairs.size;
  }

  /** Sends a committed message. Resolves when the receiver has committed it or refused it for good; never rejects. */
  send(message: OutboxMessage, delivery: "first" | "again", fresh: boolean): Promise<void> {
    this.#known.add(message.id);
    return new Promise((done) => {
      const one = { message, delivery, fresh, done };
      const held = this.#held.get(this.#shardOf(message.from));
      if (held === undefined) this.#enqueue(one);
      else held.push(one);
    });
  }

  #enqueue(one: Waiting): void {
    const { from, to } = one.message;
    const key = `${from.id}>${to.id}`;
    const known = this.#pairs.get(key);
    const pair: Pair = known ?? {
      shard: this.#shardOf(from),
      waiting: [],
      inFlight: new Set(),
      last: undefined,
      deferred: [],
      window: LIMITS.pairInFlightMax,
      retryMs: LIMITS.retryMinMs,
      pausing: false,
    };
    if (known === undefined) this.#pairs.set(key, pair);
    pair.waiting.push(one);
    this.#pump(key, pair);
  }

  /** Resumes what earlier owners of a shard left undelivered. Gives how many messages that were. Rejects with StoreUnavailable. */
  async resume(journal: Journal, shard: number): Promise<number> {
    const held: Waiting[] = [];
    this.#held.set(shard, held);
    const count = await this.#read(journal, shard);
    // Dropped meanwhile.
    if (this.#held.get(shard) !== held) return count;
    this.#held.delete(shard);
    for (const one of held) this.#enqueue(one);
    return count;
  }

  async #read(journal: Journal, shard: number): Promise<number> {
    let count = 0;
    let last: OutboxMessage | null = null;
    for (;;) {
      const page: readonly OutboxMessage[] = await journal.outbox(shard, last, LIMITS.pageRows);
      for (const message of page) {
        if (this.#known.has(message.id)) continue;
        this.#known.add(message.id);
        this.#enqueue({ message, delivery: "again", fresh: false, done: () => {} });
      }
      count += page.length;
      last = page.at(-1) ?? null;
      if (last === null || page.length < LIMITS.pageRows) return count;
    }
  }

  /** Forgets the messages that actors of a shard still have to send, and no longer waits for those in flight. */
  drop(shard: number): void {
    for (const { message } of this.#held.get(shard) ?? []) this.#known.delete(message.id);
    this.#held.delete(shard);
    for (const [key, pair] of this.#pairs) {
      if (pair.shard !== shard) continue;
      for (const { message } of [...pair.waiting, ...pair.inFlight, ...pair.deferred]) this.#known.delete(message.id);
      this.#pairs.delete(key);
    }
  }

  close(): void {
    this.#closed = true;
    this.#pairs.clear();
    this.#held.clear();
    this.#known.clear();
  }

  #pump(key: string, pair: Pair): void {
    if (pair.inFlight.size === 0 && pair.deferred.length > 0 && !pair.pausing) this.#pause(key, pair);
    while (!pair.pausing && pair.deferred.length === 0 && pair.inFlight.size < pair.window && !this.#closed) {
      const next = pair.waiting.shift();
      if (next === undefined) break;
      const { last } = pair;
      const after = last !== undefined && pair.inFlight.has(last) ? last.message.id : undefined;
      pair.last = next;
      pair.inFlight.add(next);
      void this.#deliver(key, pair, next, after);
    }
    if (pair.waiting.length + pair.inFlight.size + pair.deferred.length === 0) this.#pairs.delete(key);
  }

  async #deliver(key: string, pair: Pair, one: Waiting, after: string | undefined): Promise<void> {
    const { message, delivery, fresh } = one;
    const { id: commandId, to, command } = message;
    const deadline = Number.MAX_SAFE_INTEGER;
    // A newer version may have written it to the database; then it waits for a node that knows it.
    const answer: CommandResult =
      delivery === "again" && readMessage(to, command) === undefined
        ? { ok: false, refusal: NOT_KNOWN }
        : await this.#transport.request({ to, command, commandId, origin: "actor", delivery, fresh, deadline, after });
    // Dropped meanwhile: the next owner of the shard sends it again and handles the outcome.
    if (this.#pairs.get(key) !== pair) return;
    pair.inFlight.delete(one);
    if (isTransient(answer)) {
      one.delivery = "again";
      pair.deferred.push(one);
    } else {
      pair.window = LIMITS.pairInFlightMax;
      pair.retryMs = LIMITS.retryMinMs;
      this.#known.delete(message.id);
      this.#settle(message, answer);
      one.done();
    }
    this.#pump(key, pair);
  }

  /** Waits, then starts again with the deferred messages, in their order. */
  #pause(key: string, pair: Pair): void {
    pair.pausing = true;
    this.#clock.after(pair.retryMs, () => {
      if (this.#pairs.get(key) !== pair) return;
      const order = (a: Waiting, b: Waiting) => a.message.seq - b.message.seq || a.message.leg - b.message.leg;
      pair.waiting = [...pair.deferred.splice(0).sort(order), ...pair.waiting];
      pair.window = 1;
      pair.retryMs = Math.min(pair.retryMs * 2, LIMITS.retryMaxMs);
      pair.pausing = false;
      this.#pump(key, pair);
    });
  }

  #settle(message: OutboxMessage, answer: CommandResult): void {
    if (answer.ok) {
      this.#committer.delivered(message.id);
      return;
    }
    const { refused, detail } = answer.refusal;
    const fields = { from: addressKey(message.from), to: addressKey(message.to), command: message.command.type, refused };
    this.#log.error({ ...fields, detail }, "a message between actors was refused; it stays in the outbox for the operator");
    this.#committer.dead(message.id, `${refused}: ${detail}`);
  }
}
