/**
 * A node of the cluster: it renews its lease, opens its shards, acquires those without an owner, and hands over those that should
 * be at other members.
 *
 * A node joins as a member, and rejoins as a new one after it was declared dead. Each life has its own member id and host. It is
 *   serving   while its heartbeats arrive;
 *   unsure    if the last one is too old: then it answers only what passes the journal's fence;
 *   dead      if others have declared it dead: its host is abandoned, and it rejoins;
 *   draining  if it was told to leave: it hands over all its shards.
 *
 * N1  A node opens a shard only after the registry has confirmed that the node owns it, and again if it had another owner since.
 * N2  A shard is handed over only after it is closed here, so the next owner sees everything that was committed.
 * N3  A node that could not reach the registry itself for the whole last lease declares nobody dead, so that an outage of the
 *     database costs no member its shards.
 */

import { agreedFormats, BASE_FORMATS, type Formats, reads } from "../../machines/formats.ts";
import type { Host, HostStats } from "../host/host.ts";
import { LIMITS } from "../limits.ts";
import type { CommandResult, Envelope } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { ClusterView, Registry } from "../ports/registry.ts";
import type { Routes } from "../ports/routes.ts";
import type { Transport } from "../ports/transport.ts";
import { type Plan, planFor } from "./plan.ts";

/** Heartbeats per lease. */
const BEATS_PER_LEASE = 20;
/** Poll interval while waiting for a drain or a close (ms). */
const POLL_MS = 10;
/** The part of the lease on which a node relies; the rest allows for clock drift. */
const LEASE_RELIED_ON = 0.8;

export interface NodePorts {
  readonly registry: Registry;
  readonly routes: Routes;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Makes the host of one life. */
  readonly hostOf: (member: string, leased: () => boolean, fenced: () => void) => Host;
  /** Worst lag of the event loop since the last call (ms). */
  readonly lagMs: () => number;
}

export interface NodeOptions {
  /** The name that operators use. */
  readonly name: string;
  readonly weight: number;
  readonly leaseMs: number;
  /** The formats that this node reads; null as for nodes from before formats were published. */
  readonly formats: Formats | null;
}

interface Life {
  readonly id: string;
  readonly host: Host;
  /** Shards that are open or being closed, with the epochs under which they were opened. */
  readonly open: Map<number, number>;
  /** Shards whose hand-over has an unknown outcome. */
  readonly unconfirmed: Set<number>;
  /** On both clocks: the wall clock may be set, the monotonic one may stop while the machine sleeps. */
  relied: { elapsed: number; now: number };
  /** Since when all heartbeats have arrived (monotonic ms). */
  healthySince: number;
  /** Counts changes by this node, so that an older view is recognised. */
  changes: number;
}

export class Node implements Transport {
  readonly #ports: NodePorts;
  readonly #options: NodeOptions;
  #life: Life;
  #draining = false;
  #drain: Promise<void> | undefined;
  #told = false;
  #ended = false;
  #adapting = false;
  #beating = false;
  /** Whether the last heartbeat failed. */
  #unheard = false;
  #beatAgain = false;
  #cancelBeat: (() => void) | null = null;
  #view: ClusterView | null = null;
  #formats: Formats = BASE_FORMATS;

  constructor(ports: NodePorts, options: NodeOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#life = this.#newLife();
  }

  /** Joins the cluster; shards open one after another from then on. Rejects with StoreUnavailable. */
  async start(): Promise<void> {
    await this.#join(this.#life);
    // It was told to leave meanwhile, before it had joined, so it leaves now.
    if (this.#ended) await this.#ports.registry.leave(this.#life.id);
    else await this.#beat();
  }

  /** Handles a command that arrived here. Never rejects. */
  request(envelope: Envelope): Promise<CommandResult> {
    return this.#life.host.request(envelope);
  }

  /** Whether this node accepts commands for a shard. */
  owns(shard: number): boolean {
    return this.#life.host.owns(shard);
  }

  /** Whether the journal answers and the lease holds. */
  get healthy(): boolean {
    return !this.#ended && this.#life.host.healthy && this.#leased(this.#life);
  }

  get draining(): boolean {
    return this.#draining || this.#told;
  }

  get stats(): HostStats & { readonly shards: number } {
    return { ...this.#life.host.stats, shards: this.#life.open.size };
  }

  /** The agreed formats as far as this node knows: never newer than what is recorded and required of joiners. */
  get formats(): Formats {
    return this.#formats;
  }

  /** Looks at the cluster at once, after a signal that it has changed. */
  look(): void {
    if (this.#beating) this.#beatAgain = true;
    else if (!this.#ended) void this.#beat();
  }

  /** Hands over all shards, if there is a member to take them, closes the others, and leaves. Waits at most `ms`. */
  drain(ms: number): Promise<void> {
    this.#drain ??= this.#leaveCluster(ms);
    return this.#drain;
  }

  async #leaveCluster(ms: number): Promise<void> {
    const { clock, registry, routes, log } = this.#ports;
    const until = clock.elapsed() + ms;
    this.#draining = true;
    this.look();
    while (this.#life.open.size > 0 && this.#takers() && clock.elapsed() < until) await this.#wait(POLL_MS);
    this.#ended = true;
    this.#cancelBeat?.();
    while (this.#adapting && clock.elapsed() < until) await this.#wait(POLL_MS);
    const life = this.#life;
    try {
      await Promise.all([...life.open.keys()].map((shard) => routes.retire(shard)));
      await life.host.stop(Math.max(0, until - clock.elapsed()));
      await registry.leave(life.id);
      routes.changed();
    } catch (error) {
      log.warn({ err: error }, "this node could not leave the cluster; its shards are taken over when its lease expires");
    }
  }

  /** Ends at once, like a killed process. */
  kill(): void {
    this.#ended = true;
    this.#cancelBeat?.();
    this.#life.host.abandon();
  }

  /** Whether another member could take shards; unknown before the first view that shows this node draining. */
  #takers(): boolean {
    return this.#view === null || this.#view.members.some(({ id, draining }) => id !== this.#life.id && !draining);
  }

  #newLife(): Life {
    const { clock, ids, hostOf } = this.#ports;
    const id = ids.next();
    // The host asks about its life before that is assigned; until then it has no lease.
    const assigned: { life?: Life } = {};
    const leased = () => assigned.life !== undefined && this.#leased(assigned.life);
    const fenced = () => this.look();
    const life: Life = {
      id,
      host: hostOf(id, leased, fenced),
      open: new Map(),
      unconfirmed: new Set(),
      relied: { elapsed: Number.NEGATIVE_INFINITY, now: Number.NEGATIVE_INFINITY },
      healthySince: clock.elapsed(),
      changes: 0,
    };
    assigned.life = life;
    return life;
  }

  #join({ id }: Life): Promise<void> {
    const { name, weight, formats } = this.#options;
    return this.#ports.registry.join({ id, node: name, weight, formats });
  }

  #leased({ relied }: Life): boolean {
    const { clock } = this.#ports;
    return clock.elapsed() < relied.elapsed && clock.now() < relied.now;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#ports.clock.after(ms, resolve));
  }

  async #beat(): Promise<void> {
    this.#cancelBeat?.();
    this.#beating = true;
    this.#beatAgain = false;
    const { log } = this.#ports;
    try {
      await this.#renew(this.#life);
      if (this.#unheard) log.info({}, "heartbeats succeed again");
      this.#unheard = false;
    } catch (error) {
      this.#life.healthySince = Number.POSITIVE_INFINITY;
      // Logged once: there are several per second.
      if (!this.#unheard) log.warn({ err: error }, "a heartbeat failed; retrying");
      this.#unheard = true;
    }
    this.#beating = false;
    if (this.#ended) return;
    const ms = this.#beatAgain ? 0 : this.#options.leaseMs / BEATS_PER_LEASE;
    this.#cancelBeat = this.#ports.clock.after(ms, () => void this.#beat());
  }

  async #renew(life: Life): Promise<void> {
    const { clock, registry, log, lagMs } = this.#ports;
    const { leaseMs } = this.#options;
    const { changes } = life;
    const sent = { elapsed: clock.elapsed(), now: clock.now() };
    const { actors, timers, inFlight, commits, facts } = life.host.stats;
    const view = await registry.beat(life.id, this.#draining, { actors, timers, inFlight, commits, facts, lagMs: lagMs() });
    if (this.#ended) return;
    if (view === null) {
      log.warn({ node: this.#options.name }, "this node was declared dead; it rejoins");
      return this.#rejoin(life);
    }
    // In a gap as long as a lease, others may have joined and left.
    if (life.healthySince > sent.elapsed || sent.elapsed > life.relied.elapsed) life.healthySince = sent.elapsed;
    life.relied = { elapsed: sent.elapsed + leaseMs * LEASE_RELIED_ON, now: sent.now + leaseMs * LEASE_RELIED_ON };
    this.#told = view.members.some(({ id, draining }) => id === life.id && draining);
    this.#view = view;
    this.#agree(view.formats);
    if (!this.#adapting && changes === life.changes) void this.#adapt(life, this.#draining ? drained(view, life.id) : view);
  }

  /** Applies the recorded formats; they are never lowered, but a view may be outdated. */
  #agree(formats: Formats): void {
    if (reads(this.#formats, formats)) return;
    this.#formats = formats;
    this.#ports.log.info({ formats }, "every member reads these formats; they are written from now on");
  }

  async #rejoin(old: Life): Promise<void> {
    old.host.abandon();
    this.#life = this.#newLife();
    await Promise.all([...old.open.keys()].map((shard) => this.#ports.routes.retire(shard)));
    await this.#join(this.#life);
    this.#beatAgain = true;
  }

  /** Carries out the plan for a view, one at a time; failures are retried with the next view. */
  async #adapt(life: Life, view: ClusterView): Promise<void> {
    const { clock, registry, log, routes } = this.#ports;
    const plan = planFor(view, life.id, life.open, this.#options.leaseMs);
    this.#adapting = true;
    try {
      const agreed = agreedFormats(view.members.map(({ formats }) => formats));
      if (!reads(view.formats, agreed)) await registry.raise(agreed);
      for (const shard of plan.drop) await this.#close(life, shard, 0);
      const epochs = new Map(view.shards.map(({ shard, epoch }) => [shard, epoch]));
      await this.#open(life, await this.#confirmed(life, plan.open, epochs));
      const healthy = clock.elapsed() - life.healthySince >= this.#options.leaseMs;
      for (const id of healthy ? plan.evict : []) if (await registry.evict(id, this.#options.leaseMs)) routes.changed();
      if (plan.acquire.length > 0) await this.#open(life, await this.#acquire(life, plan.acquire, epochs));
      await this.#handAll(life, plan.handOver);
    } catch (error) {
      log.warn({ err: error }, "could not open or hand over shards; retrying");
    } finally {
      this.#adapting = false;
    }
  }

  /** Takes shards with the epochs under which they are ours. */
  async #open(life: Life, shards: ReadonlyMap<number, number>): Promise<void> {
    if (shards.size === 0) return;
    life.changes += 1;
    try {
      await life.host.open([...shards.keys()]);
    } finally {
      // Where one could not be opened, others are open: one of them may be lost before the next try, and must be dropped then.
      const isCurrent = !this.#ended && life === this.#life;
      const opened = isCurrent ? [...shards].filter(([shard]) => life.host.owns(shard)) : [];
      for (const [shard, epoch] of opened) {
        life.open.set(shard, epoch);
        this.#ports.routes.serve(shard);
      }
      if (opened.length > 0) this.#ports.log.info({ shards: opened.length, open: life.open.size }, "shards opened");
    }
  }

  /** Acquires shards; gives those that it got, with their new epochs. */
  async #acquire(life: Life, shards: readonly number[], epochs: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const acquired = await this.#ports.registry.acquire(life.id, shards);
    // Others may have owned one since the view: then the next view shows another epoch, and it is opened once more.
    return new Map(acquired.map((shard) => [shard, (epochs.get(shard) ?? 0) + 1]));
  }

  async #close(life: Life, shard: number, ms: number): Promise<void> {
    life.changes += 1;
    await this.#ports.routes.retire(shard);
    await life.host.close(shard, ms);
    life.open.delete(shard);
  }

  /** Acquires again shards whose hand-over has an unknown outcome, so that a hand-over still in flight fails. */
  async #confirmed(life: Life, shards: readonly number[], epochs: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const sure = shards.filter((shard) => !life.unconfirmed.has(shard));
    const unconfirmed = shards.filter((shard) => life.unconfirmed.has(shard));
    const kept = unconfirmed.length === 0 ? [] : await this.#acquire(life, unconfirmed, epochs);
    for (const shard of unconfirmed) life.unconfirmed.delete(shard);
    return new Map([...sure.map((shard): [number, number] => [shard, epochs.get(shard) ?? 0]), ...kept]);
  }

  async #handAll(life: Life, hands: Plan["handOver"]): Promise<void> {
    for (let from = 0; from < hands.length; from += LIMITS.handsAtOnce) {
      if (this.#ended || life !== this.#life) return;
      const some = hands.slice(from, from + LIMITS.handsAtOnce);
      const handed = await Promise.all(some.map((hand) => this.#handOver(life, hand)));
      this.#ports.routes.changed();
      // The receiver is gone; a newer view shows the current members.
      if (handed.includes(false)) return;
    }
  }

  async #handOver(life: Life, { shard, epoch, to }: Plan["handOver"][number]): Promise<boolean> {
    await this.#close(life, shard, LIMITS.closeMs);
    try {
      return await this.#ports.registry.handOver(life.id, shard, epoch, to);
    } catch (error) {
      life.unconfirmed.add(shard);
      this.#ports.log.warn({ err: error, shard }, "unknown whether a shard was handed over; the registry will tell");
      return false;
    } finally {
      // In any case, because an older view may still show the shard as ours.
      life.changes += 1;
    }
  }
}

/** The view with this node marked as draining, which the registry may show only after the next heartbeat. */
function drained(view: ClusterView, me: string): ClusterView {
  return { ...view, members: view.members.map((member) => (member.id === me ? { ...member, draining: true } : member)) };
}
