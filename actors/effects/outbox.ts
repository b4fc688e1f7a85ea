/**
 * Brings messages from one actor to another: at least once, in order for each pair, removed when the receiver has
 * committed them. The receiver drops what it has seen, so that together they arrive exactly once.
 */
import { addressKey } from "../../machines/entity.ts";
import type { Committer } from "../host/commit.ts";
import { LIMITS } from "../limits.ts";
import { type Answer, isTransient } from "../message.ts";
import type { Clock, Journal, Log, OutboxMessage, Transport } from "../ports.ts";

export class Outbox {
  readonly #transport: Transport;
  readonly #committer: Committer;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The last delivery under way for each pair of actors; the next one waits for it. */
  readonly #pairs = new Map<string, Promise<void>>();
  #closed = false;

  constructor(transport: Transport, committer: Committer, clock: Clock, log: Log) {
    this.#transport = transport;
    this.#committer = committer;
    this.#clock = clock;
    this.#log = log;
  }

  /** How many pairs have a delivery under way. */
  get busy(): number {
    return this.#pairs.size;
  }

  /** Sends a committed message; the promise is done when it has been taken in, or refused for good. Never rejects. */
  send(message: OutboxMessage, delivery: "first" | "again", fresh: boolean): Promise<void> {
    const pair = `${message.from.id}>${message.to.id}`;
    const before = this.#pairs.get(pair);
    const sent =
      before === undefined ? this.#deliver(message, delivery, fresh) : before.then(() => this.#deliver(message, delivery, fresh));
    this.#pairs.set(pair, sent);
    void sent.then(() => {
      if (this.#pairs.get(pair) === sent) this.#pairs.delete(pair);
    });
    return sent;
  }

  /** Takes up what earlier processes left undelivered. */
  async resume(journal: Journal): Promise<number> {
    let count = 0;
    let last: OutboxMessage | null = null;
    for (;;) {
      const page: readonly OutboxMessage[] = await journal.outbox(last, LIMITS.pageRows);
      for (const message of page) void this.send(message, "again", false);
      count += page.length;
      last = page.at(-1) ?? null;
      if (last === null || page.length < LIMITS.pageRows) return count;
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #deliver(message: OutboxMessage, first: "first" | "again", fresh: boolean): Promise<void> {
    let delivery = first;
    for (let wait: number = LIMITS.retryMinMs; !this.#closed; wait = Math.min(wait * 2, LIMITS.retryMaxMs)) {
      const { id: commandId, to, command } = message;
      const deadline = Number.MAX_SAFE_INTEGER;
      const answer = await this.#transport.request({ to, command, commandId, origin: "actor", delivery, fresh, deadline });
      if (!isTransient(answer)) return this.#taken(message, answer);
      delivery = "again";
      await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
    }
  }

  #taken(message: OutboxMessage, answer: Answer): void {
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
