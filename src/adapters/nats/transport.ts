/**
 * Commands over NATS: request and reply on `<prefix>.shard.<n>`. The owner of a shard subscribes to its subject; that is the
 * whole routing table. Commands for shards of this process do not leave it.
 */
import { ErrorCode, type Msg, type NatsConnection, NatsError, type Subscription } from "nats";
import { shardOf } from "../../../actors/address.ts";
import { LIMITS } from "../../../actors/limits.ts";
import { type CommandResult, type Envelope, NOT_KNOWN, NOT_OWNER } from "../../../actors/message.ts";
import type { Clock } from "../../../actors/ports/clock.ts";
import type { Log } from "../../../actors/ports/log.ts";
import type { ClusterTransport, Receiver } from "../../../actors/ports/transport.ts";
import { packEnvelope, packResult, type Unreadable, unpackEnvelope, unpackResult } from "../../../actors/wire-format.ts";
import { refuse } from "../../../machines/refusal.ts";

const UNREADABLE = refuse(
  "UNAVAILABLE",
  "A node of another version answered in a way that cannot be read, so it is not known whether this was done; try again.",
);

/** What the sender of an envelope that is not taken is told, and the log. */
const NOT_TAKEN: { readonly [U in Unreadable]: string } = {
  "another platform":
    "Two platforms share a NATS server under the same subjects; the operator must set NATS_PREFIX of one of them.",
  "another version": "A node runs an incompatible version; the operator must update it.",
  "unknown command": NOT_KNOWN.detail,
};

export interface NatsTransportOptions {
  readonly prefix: string;
  /** Identifies the platform, see packEnvelope. */
  readonly cluster: string;
  readonly shards: number;
}

export class NatsTransport implements ClusterTransport {
  readonly #connection: NatsConnection;
  readonly #options: NatsTransportOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #served = new Map<number, Subscription>();
  #receiver: Receiver | null = null;

  constructor(connection: NatsConnection, options: NatsTransportOptions, clock: Clock, log: Log) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
  }

  attach(receiver: Receiver, look: () => void): void {
    this.#receiver = receiver;
    this.#connection.subscribe(`${this.#options.prefix}.changed`, { callback: () => look() });
  }

  async request(envelope: Envelope): Promise<CommandResult> {
    const shard = shardOf(envelope.to.id, this.#options.shards);
    if (this.#receiver?.owns(shard) === true) return this.#receiver.request(envelope);
    const now = this.#clock.now();
    const bytes = Buffer.from(packEnvelope(envelope, this.#options.cluster, now));
    const most = this.#connection.info?.max_payload ?? 0;
    if (bytes.length > most && most > 0) return tooLarge(bytes.length, most);
    // Messages between actors have no deadline: if the receiver may be dead, they are sent again.
    const timeout = envelope.origin === "actor" ? LIMITS.attemptMs : Math.max(1, envelope.deadline - now);
    try {
      const message = await this.#connection.request(this.#subject(shard), bytes, { timeout });
      return unpackResult(message.string()) ?? { ok: false, refusal: UNREADABLE };
    } catch (error) {
      return this.#failed(error);
    }
  }

  serve(shard: number): void {
    if (this.#served.has(shard)) return;
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) void this.#answer(message);
    };
    this.#served.set(shard, this.#connection.subscribe(this.#subject(shard), { callback }));
  }

  async retire(shard: number): Promise<void> {
    const subscription = this.#served.get(shard);
    this.#served.delete(shard);
    if (subscription === undefined || subscription.isClosed()) return;
    if (this.#away) subscription.unsubscribe();
    else await subscription.drain().catch(() => {});
  }

  changed(): void {
    if (!this.#away) this.#connection.publish(`${this.#options.prefix}.changed`);
  }

  get #away(): boolean {
    return this.#connection.isClosed() || this.#connection.isDraining();
  }

  #subject(shard: number): string {
    return `${this.#options.prefix}.shard.${shard}`;
  }

  async #answer(message: Msg): Promise<void> {
    const answer = await this.#taken(message);
    try {
      if (!this.#connection.isClosed()) message.respond(answer);
    } catch (error) {
      // The connection is closing, or the answer is larger than NATS allows: the caller will ask again.
      this.#log.warn({ err: error, subject: message.subject }, "could not send an answer over NATS");
    }
  }

  /** Has a command that came in carried out; gives the answer as it goes back. */
  async #taken(message: Msg): Promise<string> {
    try {
      const unpacked = unpackEnvelope(message.string(), this.#options.cluster, this.#clock.now());
      if ("wrong" in unpacked) {
        const detail = NOT_TAKEN[unpacked.wrong];
        this.#log.error({ subject: message.subject }, detail);
        return packResult({ ok: false, refusal: refuse("UNAVAILABLE", detail) });
      }
      const { envelope, older } = unpacked;
      const answer = (await this.#receiver?.request(envelope)) ?? { ok: false, refusal: NOT_OWNER };
      return packResult(answer, older ? envelope : undefined);
    } catch (error) {
      this.#log.error({ err: error, subject: message.subject }, "dropped a message that is not a command");
      const detail = "A node could not read a command; this is a bug and was logged.";
      return packResult({ ok: false, refusal: refuse("INTERNAL", detail) });
    }
  }

  #failed(error: unknown): CommandResult {
    const code = error instanceof NatsError ? error.code : undefined;
    if (code === ErrorCode.NoResponders) return { ok: false, refusal: NOT_OWNER };
    if (code !== ErrorCode.Timeout) this.#log.debug({ err: error }, "a request over NATS failed");
    const detail = "The node of this account or task does not answer, so it is unknown whether this was done; try again.";
    return { ok: false, refusal: refuse("UNAVAILABLE", detail) };
  }
}

function tooLarge(bytes: number, most: number): CommandResult {
  const detail = `This request has ${bytes} bytes between nodes, which is more than the ${most} allowed; make it smaller.`;
  return { ok: false, refusal: refuse("COMMAND_TOO_LARGE", detail) };
}
