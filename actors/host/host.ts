/** The host of all actors of one process: finds or wakes the one that a command is for, and lets effects out. */
import type { Address, EntityKind } from "../../machines/effect.ts";
import { type AnyEntity, addressKey, type Delivery } from "../../machines/entity.ts";
import { refuse } from "../../machines/refusal.ts";
import { Outbox } from "../effects/outbox.ts";
import { Timers } from "../effects/timers.ts";
import { LIMITS } from "../limits.ts";
import { type Answer, type Envelope, isTransient } from "../message.ts";
import type { Clock, Courier, DueTimer, Ids, Journal, Log, Transport, Validator } from "../ports.ts";
import { Actor, type ActorPorts, type Release } from "./actor.ts";
import { Committer } from "./commit.ts";

export interface HostPorts {
  readonly entities: { readonly [K in EntityKind]: AnyEntity };
  readonly journal: Journal;
  readonly validator: Validator;
  readonly courier: Courier;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** The way to other actors, which may live elsewhere. Left out, all of them live here. */
  readonly transport?: Transport;
  /** Transactions that may run at once. */
  readonly lanes?: number;
}

export interface HostStats {
  readonly actors: number;
  readonly inFlight: number;
  readonly timers: number;
  readonly commits: number;
  readonly facts: number;
}

const STOPPING = refuse("UNAVAILABLE", "This node is stopping; try again.");

export class Host implements Transport {
  readonly #ports: HostPorts;
  readonly #actors = new Map<string, Actor>();
  readonly #committer: Committer;
  readonly #outbox: Outbox;
  readonly #timers: Timers;
  readonly #actorPorts: ActorPorts;
  #inFlight = 0;
  #accepting = false;
  #sweep: (() => void) | null = null;

  constructor(ports: HostPorts) {
    const { journal, clock, ids, log, validator } = ports;
    this.#ports = ports;
    this.#committer = new Committer(journal, clock, ids, log, ports.lanes ?? 2);
    this.#outbox = new Outbox(ports.transport ?? this, this.#committer, clock, log);
    this.#timers = new Timers(clock, (timer) => this.#fire(timer));
    this.#actorPorts = {
      journal,
      committer: this.#committer,
      clock,
      ids,
      log,
      validator,
      release: (release) => this.#release(release),
      rested: (actor) => this.#rested(actor),
    };
  }

  /** Begins to accept commands, then takes up the timers and messages that were left. Rejects when they cannot be read. */
  async start(): Promise<{ readonly timers: number; readonly messages: number }> {
    this.#accepting = true;
    this.#scheduleSweep();
    const messages = await this.#outbox.resume(this.#ports.journal);
    const timers = await this.#timers.resume(this.#ports.journal);
    return { timers, messages };
  }

  /** Takes a command to its actor. Never rejects; past a bound it refuses at once. */
  async request(envelope: Envelope): Promise<Answer> {
    if (!this.#accepting) return { ok: false, refusal: STOPPING };
    const client = envelope.origin === "client";
    if (client && this.#committer.down) {
      const detail = "The journal cannot be reached at the moment, nothing was changed; try again shortly.";
      return { ok: false, refusal: refuse("UNAVAILABLE", detail) };
    }
    if (client && this.#inFlight >= LIMITS.inFlightMax) {
      const detail = `More than ${LIMITS.inFlightMax} requests are under way; try again after the time in Retry-After.`;
      return { ok: false, refusal: refuse("OVERLOADED", detail) };
    }
    this.#inFlight += 1;
    try {
      return await this.#actor(envelope.to).receive(envelope);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Whether the journal answers. */
  get healthy(): boolean {
    return this.#accepting && !this.#committer.down;
  }

  get stats(): HostStats {
    const { commits, facts } = this.#committer.stats;
    return { actors: this.#actors.size, inFlight: this.#inFlight, timers: this.#timers.size, commits, facts };
  }

  /** Accepts nothing more, lets what is under way finish, and writes what is still to be written. Waits at most `ms`. */
  async stop(ms: number): Promise<void> {
    const { clock } = this.#ports;
    const until = clock.now() + ms;
    this.#accepting = false;
    this.#sweep?.();
    this.#timers.close();
    while (this.#inFlight > 0 && clock.now() < until) await new Promise<void>((resolve) => clock.after(10, resolve));
    this.#outbox.close();
    for (const actor of this.#actors.values()) this.#leave(actor);
    await this.#flush(Math.max(0, until - clock.now()));
    this.#committer.close();
  }

  /** Waits until everything is written, but not longer than `ms`. */
  #flush(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.#ports.clock.after(ms, resolve);
      void this.#committer.flush().then(() => {
        callOff();
        resolve();
      });
    });
  }

  #actor(address: Address): Actor {
    const key = addressKey(address);
    const known = this.#actors.get(key);
    if (known !== undefined) return known;
    const actor = new Actor(address, this.#ports.entities[address.kind], this.#actorPorts);
    this.#actors.set(key, actor);
    return actor;
  }

  async #release({ address, messages, fresh, timers, errands }: Release): Promise<void> {
    for (const change of timers) this.#timers.change(address, change);
    for (const { delivery } of errands) void this.#deliver(address, delivery);
    await Promise.all(messages.map((message) => this.#outbox.send(message, "first", fresh.has(message.id))));
  }

  #fire({ address, name, at }: DueTimer): Promise<Answer> {
    return this.request(this.#internal(address, { type: "timer", name, due: at }));
  }

  #internal(to: Address, command: Envelope["command"]): Envelope {
    const deadline = Number.MAX_SAFE_INTEGER;
    return { to, command, commandId: this.#ports.ids.next(), origin: "timer", delivery: "first", deadline };
  }

  /** Carries an errand out and tells its actor how it went. The timer behind it stands until then. */
  async #deliver(address: Address, delivery: Delivery): Promise<void> {
    const outcome = await this.#ports.courier.deliver(delivery);
    if (outcome === null) {
      this.#timers.change(address, { name: "webhook", at: this.#ports.clock.now() + LIMITS.retryMaxMs });
      return;
    }
    const command = { type: "webhook.attempted", attempt: delivery.attempt, outcome };
    const answer = await this.request(this.#internal(address, command));
    if (isTransient(answer) && this.#accepting) {
      // Not told, so not known: the webhook is sent once more, as after a crash.
      this.#timers.change(address, { name: "webhook", at: this.#ports.clock.now() + LIMITS.retryMaxMs });
    }
  }

  #rested(actor: Actor): void {
    if (actor.finished) this.#actors.delete(addressKey(actor.address));
  }

  #scheduleSweep(): void {
    this.#sweep = this.#ports.clock.after(LIMITS.sweepMs, () => {
      const before = this.#ports.clock.now() - LIMITS.idleMs;
      for (const actor of this.#actors.values()) {
        if (actor.resting && actor.lastUsed < before) this.#leave(actor);
      }
      this.#scheduleSweep();
    });
  }

  #leave(actor: Actor): void {
    if (!actor.resting) return;
    const entry = actor.farewell();
    if (entry !== undefined) this.#committer.submit(entry, () => {});
    this.#actors.delete(addressKey(actor.address));
  }
}
