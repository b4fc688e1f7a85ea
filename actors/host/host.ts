/**
 * The host of all actors in the shards that it owns: finds or loads the actor of a command, and runs effects. A host lives as
 * long as its node's membership; after being declared dead it is abandoned and not used again.
 *
 * H1  A command for a shard that is not open here is refused with NOT_OWNER, undecided.
 * H2  A shard is closed only when every commit that was begun for it has an outcome, so that its next owner reads all of them.
 */

import { type Address, addressKey, type EntityKind, isEntityAddress } from "../../machines/address.ts";
import type { AnyEntity, Ask, OutboundCall } from "../../machines/entity.ts";
import { FORMATS, type Formats } from "../../machines/formats.ts";
import { refuse } from "../../machines/refusal.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import { SHARDS_DEFAULT, shardOf } from "../address.ts";
import { Outbox } from "../effects/outbox.ts";
import { Timers } from "../effects/timers.ts";
import { LIMITS } from "../limits.ts";
import { Matching, type MatchingPorts } from "../matching/matching.ts";
import { type CommandResult, type Envelope, isTransient, NOT_OWNER, UNDECIDED } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { DueTimer, Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { OutboundCalls } from "../ports/outbound-call.ts";
import type { Transport } from "../ports/transport.ts";
import type { Validator } from "../ports/validator.ts";
import { Router } from "../router.ts";
import { Actor } from "./actor.ts";
import type { ActorPorts, IdleActor, Release } from "./actor-ports.ts";
import { agreed } from "./agreed.ts";
import { Committer } from "./commit.ts";
import type { Inspect } from "./live.ts";

export interface HostPorts {
  readonly entities: { readonly [K in EntityKind]: AnyEntity };
  readonly journal: Journal;
  readonly validator: Validator;
  readonly calls: OutboundCalls;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** The transport to other actors. If absent, all of them are here. */
  readonly transport?: Transport;
  /** Transactions that may run at once; 2 if absent. */
  readonly writers?: number;
  /** Facts that make a transaction beside others worthwhile; LIMITS.besideFactsMin if absent. */
  readonly besideFactsMin?: number;
  /** Shards of the whole platform; 128 if absent. */
  readonly shards?: number;
  /** How long a request may take (ms); 10 s if absent. An earlier arrival time is not accepted. */
  readonly requestMsMax?: number;
  /** Whether this node is certain now that nobody else owns its shards. If absent, there is no other node. */
  readonly leased?: () => boolean;
  /** The formats that every member of the cluster reads. If absent, this host is alone. */
  readonly formats?: () => Formats;
  /** Called when the journal accepts nothing more from this host, because others own its shards now. */
  readonly fenced?: () => void;
  /** Called after a commit with each account whose event streams have more to tell. It is lost if the process dies before. */
  readonly wake?: (account: AccountId) => void;
  /** What matchers need; without it there are none, and tasks wait for bids by hand. */
  readonly matching?: Pick<MatchingPorts, "notices" | "index" | "partitions"> | undefined;
  /** Observes everything that live actors do; for development only. */
  readonly inspect?: Inspect | undefined;
}

export interface HostStats {
  readonly actors: number;
  readonly inFlight: number;
  readonly timers: number;
  readonly commits: number;
  readonly facts: number;
}

/** A shard that is open here, or being closed and accepting nothing new. */
interface OpenShard {
  accepting: boolean;
  /** Requests and outbound calls in progress. */
  requests: number;
  calls: number;
  readonly actors: Map<string, Actor>;
}

/** Poll interval while waiting for work in progress to end (ms). */
const POLL_MS = 5;
/** How many shards' timers and messages are read at once. */
const RESUMED_AT_ONCE = 8;

export class Host implements Transport {
  readonly #ports: HostPorts;
  readonly #shards = new Map<number, OpenShard>();
  readonly #count: number;
  readonly #committer: Committer;
  readonly #outbox: Outbox;
  readonly #timers: Timers;
  readonly #router: Router;
  readonly #actorPorts: ActorPorts;
  readonly #matching: Matching | undefined;
  #inFlight = 0;
  #stopped = false;
  #sweep: (() => void) | null = null;

  constructor(ports: HostPorts) {
    const { journal, clock, ids, log, validator } = ports;
    this.#ports = ports;
    this.#count = ports.shards ?? SHARDS_DEFAULT;
    const shardOfAddress = ({ id }: Address) => this.shardOf(id);
    const { writers = 2, besideFactsMin } = ports;
    this.#committer = new Committer({ journal, clock, ids, log, fenced: () => ports.fenced?.() }, { writers, besideFactsMin });
    this.#outbox = new Outbox(ports.transport ?? this, this.#committer, clock, log, shardOfAddress);
    const { matching, transport = this } = ports;
    this.#matching =
      matching === undefined ? undefined : new Matching({ ...matching, transport, clock, ids, log }, (id) => this.shardOf(id));
    const graceMs = ({ address, name }: DueTimer) => ports.entities[address.kind].timerGraceMs(name);
    this.#timers = new Timers(clock, shardOfAddress, graceMs, (timer) => this.#fire(timer));
    this.#router = new Router(ports.transport ?? this, clock, ids, LIMITS.attemptMs);
    this.#scheduleSweep();
    this.#actorPorts = {
      journal,
      committer: this.#committer,
      clock,
      ids,
      log,
      validator,
      inspect: ports.inspect,
      leased: ports.leased ?? (() => true),
      formats: ports.formats ?? (() => FORMATS),
      release: (release) => this.#release(release),
      ask: (asker, ask, commandId) => this.#ask(asker, ask, commandId),
      idle: (actor) => this.#idle(actor),
    };
  }

  /** Opens every shard: for a host that is alone. Rejects as open() does. */
  start(): Promise<{ readonly timers: number; readonly messages: number }> {
    return this.open(Array.from({ length: this.#count }, (_, shard) => shard));
  }

  /**
   * Starts to accept commands for shards that this node owns, then resumes their timers and messages; actors are loaded when
   * they are needed. Rejects with StoreUnavailable if timers or messages cannot be read; those shards are not open then.
   */
  async open(shards: readonly number[]): Promise<{ readonly timers: number; readonly messages: number }> {
    let messages = 0;
    const resume = async (shard: number) => {
      if (this.#stopped) return;
      this.#shards.set(shard, { accepting: true, requests: 0, calls: 0, actors: new Map() });
      try {
        messages += await this.#outbox.resume(this.#ports.journal, shard);
        await this.#timers.resume(this.#ports.journal, shard);
      } catch (error) {
        this.#drop(shard);
        throw error;
      }
    };
    const wanted = shards.filter((shard) => !this.#shards.has(shard));
    for (let from = 0; from < wanted.length; from += RESUMED_AT_ONCE) {
      // Only when all have finished: one that fails later would be dropped after it was reported as open.
      const opened = await Promise.allSettled(wanted.slice(from, from + RESUMED_AT_ONCE).map(resume));
      const failed = opened.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
    return { timers: this.#timers.size, messages };
  }

  /**
   * Closes a shard so that another node can open it: accepts nothing new, lets running work finish for at most `ms`, writes
   * what is still to be written, and drops the shard. Callers that still wait get NOT_OWNER and may ask again; an outbound call
   * without an answer is made again by the next owner.
   */
  async close(shard: number, ms: number): Promise<void> {
    const open = this.#shards.get(shard);
    if (open === undefined) return;
    const { clock } = this.#ports;
    const until = clock.elapsed() + ms;
    open.accepting = false;
    this.#matching?.close(shard);
    const callsUntil = clock.elapsed() + Math.min(ms, LIMITS.closeCallsMs);
    while (open.requests > 0 && clock.elapsed() < until) await this.#wait(POLL_MS);
    while (open.calls > 0 && clock.elapsed() < callsUntil) await this.#wait(POLL_MS);
    for (const actor of open.actors.values()) {
      if (actor.isIdle) this.#leave(actor);
      else actor.abandon();
    }
    await this.#committer.settled(({ id }) => this.shardOf(id) === shard);
    this.#drop(shard);
  }

  /** Gives everything up at once and writes nothing more, after this node was declared dead. */
  abandon(): void {
    this.#stopped = true;
    this.#sweep?.();
    this.#timers.close();
    this.#outbox.close();
    this.#committer.close();
    this.#matching?.closeAll();
    for (const [shard, { actors }] of this.#shards) {
      for (const actor of actors.values()) actor.abandon();
      this.#shards.delete(shard);
    }
  }

  /** Passes a command to its actor. Never rejects; above a bound it refuses at once. */
  async request(envelope: Envelope): Promise<CommandResult> {
    const { to } = envelope;
    const shard = this.#shards.get(this.shardOf(to.id));
    if (!isEntityAddress(to)) {
      return this.#matching?.request(to, envelope.command, shard?.accepting === true) ?? { ok: false, refusal: NOT_OWNER };
    }
    if (shard?.accepting !== true) return { ok: false, refusal: NOT_OWNER };
    const client = envelope.origin === "client";
    if (client && this.#committer.down) {
      const detail = "The journal cannot be reached at the moment, nothing was changed; try again shortly.";
      return { ok: false, refusal: refuse("UNAVAILABLE", detail) };
    }
    if (client && this.#inFlight >= LIMITS.inFlightMax) {
      const detail = `More than ${LIMITS.inFlightMax} requests are under way; try again shortly.`;
      return { ok: false, refusal: refuse("OVERLOADED", detail, { why: "NODE_FULL", most: LIMITS.inFlightMax }) };
    }
    this.#inFlight += 1;
    shard.requests += 1;
    try {
      const dated = client ? { ...envelope, arrived: this.#arrivalOf(envelope) } : envelope;
      const result = await this.#actor(shard, to).receive(dated);
      this.#matching?.heard(envelope, result);
      return result;
    } finally {
      this.#inFlight -= 1;
      shard.requests -= 1;
    }
  }

  /** When a request arrived (ms), as its gateway says, but not later than now and not longer ago than a request may take. */
  #arrivalOf({ arrived }: Envelope): Millis {
    const now = this.#ports.clock.now();
    return Math.min(now, Math.max(arrived ?? now, now - (this.#ports.requestMsMax ?? LIMITS.arrivalMsMax)));
  }

  /** The shard of an entity's id. */
  shardOf(id: string): number {
    return shardOf(id, this.#count);
  }

  /** Whether commands for a shard are accepted here. */
  owns(shard: number): boolean {
    return this.#shards.get(shard)?.accepting === true;
  }

  /** Whether the journal answers. */
  get healthy(): boolean {
    return !this.#stopped && !this.#committer.down;
  }

  get stats(): HostStats {
    const { commits, facts } = this.#committer.stats;
    let actors = 0;
    for (const shard of this.#shards.values()) actors += shard.actors.size;
    return { actors, inFlight: this.#inFlight, timers: this.#timers.size, commits, facts };
  }

  /** Accepts nothing more, lets running work finish, and writes what is still to be written. Waits at most `ms`. */
  async stop(ms: number): Promise<void> {
    const { clock } = this.#ports;
    const until = clock.elapsed() + ms;
    this.#timers.close();
    for (const shard of this.#shards.values()) shard.accepting = false;
    this.#matching?.closeAll();
    while (this.#inFlight > 0 && clock.elapsed() < until) await this.#wait(POLL_MS);
    this.#outbox.close();
    for (const { actors } of this.#shards.values()) {
      for (const actor of actors.values()) this.#leave(actor);
    }
    await this.#flush(Math.max(0, until - clock.elapsed()));
    this.abandon();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#ports.clock.after(ms, resolve));
  }

  #drop(shard: number): void {
    this.#matching?.close(shard);
    this.#shards.delete(shard);
    this.#outbox.drop(shard);
    this.#timers.drop(shard);
  }

  /** Waits until everything is written, at most `ms`. */
  #flush(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(ms, resolve);
      void this.#committer.flush().then(() => {
        cancel();
        resolve();
      });
    });
  }

  #actor({ actors }: OpenShard, address: Address): Actor {
    const key = addressKey(address);
    const known = actors.get(key);
    if (known !== undefined) return known;
    const entity = agreed(this.#ports.entities[address.kind], this.#actorPorts.formats);
    const actor = new Actor(address, entity, this.#actorPorts);
    actors.set(key, actor);
    return actor;
  }

  /** Evicts an idle actor from memory, unless another has replaced it meanwhile. */
  #evict(actor: IdleActor): void {
    const actors = this.#shards.get(this.shardOf(actor.address.id))?.actors;
    const key = addressKey(actor.address);
    const here = actors?.get(key);
    if (here !== actor) return;
    actors?.delete(key);
    here.abandon();
  }

  async #release({ address, messages, fresh, timers, calls, wakes, announcements }: Release): Promise<void> {
    try {
      for (const account of wakes) this.#ports.wake?.(account);
    } catch (error) {
      // Others are only notified here; the commit is done.
      this.#ports.log.warn({ err: error, actor: addressKey(address) }, "gateways could not be notified of a commit");
    }
    this.#matching?.announce(announcements);
    for (const change of timers) this.#timers.change(address, change);
    for (const call of calls) void this.#call(address, call);
    await Promise.all(messages.map((message) => this.#outbox.send(message, "first", fresh.has(message.id))));
  }

  #fire({ address, name, at }: DueTimer): Promise<CommandResult> {
    return this.request(this.#internal(address, { type: "timer", name, due: at }));
  }

  #internal(to: Address, command: Envelope["command"]): Envelope {
    const deadline = Number.MAX_SAFE_INTEGER;
    return { to, command, commandId: this.#ports.ids.next(), origin: "timer", delivery: "first", deadline };
  }

  /** Makes an outbound call and tells its actor the outcome. The timer behind it stays set until then. */
  async #call(address: Address, call: OutboundCall): Promise<void> {
    const shard = this.#shards.get(this.shardOf(address.id));
    if (shard === undefined) return;
    shard.calls += 1;
    const outcome = await this.#ports.calls.make(call).catch((error: unknown) => {
      this.#ports.log.error(
        { err: error, actor: addressKey(address), call: call.kind },
        "an outbound call could not be made; it will be tried again",
      );
      return null;
    });
    shard.calls -= 1;
    if (this.#shards.get(this.shardOf(address.id)) !== shard) return;
    const again = () => this.#timers.change(address, { name: call.timer, at: this.#ports.clock.now() + LIMITS.retryMaxMs });
    if (outcome === null) {
      again();
      return;
    }
    const answer = await this.request(this.#internal(address, call.outcomeTo(outcome)));
    // The actor did not get the outcome, so the call is made again, as after a crash.
    if (isTransient(answer) && !this.#stopped) again();
  }

  /**
   * Asks another actor, and tells the asker the reply, or that none came in time. Gives what comes of that. If the caller of the
   * command waits for it, it is what that command has done: sent again, it is answered with that.
   */
  async #ask(asker: Address, { to, command, ms, answered, apart, timer }: Ask, commandId: string): Promise<CommandResult> {
    const reply = await this.#router.ask(to, command, { origin: "actor", ms });
    const told = this.#internal(asker, answered(reply.ok ? reply.value : undefined));
    const result = await this.request(apart === true ? told : { ...told, cause: commandId });
    const fails = !result.ok && !isTransient(result);
    if (timer !== undefined && result !== UNDECIDED && !fails) this.#timers.hasten(asker, timer, LIMITS.retryMaxMs);
    return result;
  }

  #idle(actor: IdleActor): void {
    if (actor.finished) this.#evict(actor);
  }

  #scheduleSweep(): void {
    this.#sweep = this.#ports.clock.after(LIMITS.sweepMs, () => {
      const before = this.#ports.clock.now() - LIMITS.idleMs;
      for (const { actors } of this.#shards.values()) {
        for (const actor of actors.values()) if (actor.isIdle && actor.lastUsed < before) this.#leave(actor);
      }
      this.#scheduleSweep();
    });
  }

  #leave(actor: Actor): void {
    if (!actor.isIdle) return;
    const entry = actor.passivate();
    if (entry !== undefined) this.#committer.submit(entry, () => {});
    this.#evict(actor);
  }
}
