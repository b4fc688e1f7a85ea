/** Gateways that listen for fleets, with signals between them that can be lost or late; journals and clock are shared. */
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../actors/ports/clock.ts";
import { Feed } from "../../gateway/live/feed.ts";
import { type Listen, type Listening, Listenings } from "../../gateway/live/listenings.ts";
import type { ListeningWorker } from "../../gateway/live/presence.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import type { PushLine } from "../../gateway/ports/fleet.ts";
import type { GatewaySignal, Signal, SignalHub } from "../../gateway/ports/signals.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { ManualClock } from "./clock.ts";
import { Journals, member } from "./journals.ts";
import { order, person, SILENT } from "./world.ts";

export const TYPE = order().taskType;

/** What a fleet hears, as it is pushed. */
export interface Heard {
  readonly id: number;
  readonly after: number;
  readonly type: string;
  readonly task?: { readonly id: string; readonly [field: string]: unknown };
  readonly reason?: string;
  readonly left_out?: readonly string[];
}

/** A fleet, and how it is with the line to it. */
export class HearingFleet {
  readonly heard: Heard[] = [];
  isUp = true;
  /** The longest push that passes (characters). */
  most = Number.POSITIVE_INFINITY;

  readonly line: PushLine = {
    isUp: () => this.isUp,
    push: (text) => {
      if (!this.isUp) return "later";
      if (text.length > this.most) return "too long";
      this.heard.push(JSON.parse(text));
      return "sent";
    },
  };

  /** Each event's id, and the task that it is about; then forgets them. */
  take(): readonly (readonly [id: number, task: string | undefined])[] {
    return this.heard.splice(0).map(({ id, task }) => [id, task?.id] as const);
  }
}

/** Signals between gateways: kept until they are passed on. */
class Signals {
  readonly gateways: Gateway[] = [];
  #under: (() => void)[] = [];

  hubOf(own: () => Gateway): SignalHub {
    const wakes = own().wakes;
    return {
      listen: () => {},
      send: (signal) => this.#under.push(...this.gateways.map((gateway) => () => gateway.hear(signal))),
      listenAs: () => {},
      sendTo: (id, signal) =>
        this.#under.push(...this.gateways.filter((one) => one.id === id).map((one) => () => one.hearOwn(signal))),
      wake: () => {},
      listenFor: (account, hear) => {
        wakes.set(account, hear);
        return () => void wakes.delete(account);
      },
    };
  }

  /** Passes on all that was told, and what is told upon it. */
  pass(): void {
    while (this.#under.length > 0) for (const tell of this.#under.splice(0)) tell();
  }

  /** Holds back what was told, until what this gives is called. */
  hold(): () => void {
    const held = this.#under.splice(0);
    return () => void this.#under.push(...held);
  }

  lose(): void {
    this.#under = [];
  }
}

export class Gateway {
  readonly id: string;
  readonly wakes = new Map<AccountId, () => void>();
  readonly feed: Feed;
  readonly listenings: Listenings;
  online: ListeningWorker[] = [];

  /** Its clock is so much ahead (ms). */
  constructor(id: string, world: Gateways, ahead = 0) {
    this.id = id;
    const { journals } = world;
    const clock: Clock = {
      now: () => world.clock.now() + ahead,
      elapsed: () => world.clock.elapsed(),
      after: (ms, job) => world.clock.after(ms, job),
    };
    const signals = world.signals.hubOf(() => this);
    const presence = {
      listens: (one: ListeningWorker) => {
        this.online.push(one);
        return () => {
          this.online = this.online.filter((other) => other !== one);
        };
      },
    };
    const common = { reads: journals.reads, log: SILENT, taskTypes: [TYPE, "analysis"], streamsPerAddress: 20 };
    this.feed = new Feed({ ...common, signals, presence, clock });
    this.listenings = new Listenings({ feed: this.feed, signals, clock, gateway: id });
    world.signals.gateways.push(this);
  }

  hear(signal: Signal): void {
    if (signal.type === "listening") this.listenings.hear(signal);
    if (signal.type === "unheard") this.listenings.hearEnd(signal);
  }

  hearOwn(signal: GatewaySignal): void {
    if (signal.type === "told") this.listenings.takeOver(signal);
    if (signal.type === "asked") this.listenings.sayAgain(signal);
  }
}

export class Gateways {
  readonly clock = new ManualClock();
  readonly journals = new Journals();
  readonly signals = new Signals();
  readonly first = new Gateway("g1", this);
  readonly second: Gateway;
  readonly fleet = new HearingFleet();

  /** The clock of the second gateway is so much ahead (ms). */
  constructor(ahead = 0) {
    this.second = new Gateway("g2", this, ahead);
    for (const n of [1, 2, 3]) this.journals.accounts.set(person(n), member(n));
  }

  /** Asks a gateway to listen for a person, and lets the others hear of it unless that is lost. */
  async listen(
    gateway: Gateway,
    n: number,
    changes: Partial<Listen> = {},
    signals: "pass" | "lose" = "pass",
  ): Promise<Listening> {
    const listening = await gateway.listenings.listen(this.asks(n, changes));
    this.signals[signals]();
    await this.turns();
    if (typeof listening === "string") throw new Error(listening);
    return listening;
  }

  /** The second person is awarded a task. */
  async award(task: number): Promise<void> {
    this.journals.add(2, "OfferTaken", task);
    this.journals.put(task, { status: "AWARDED", worker: person(2) });
    await this.wake(2);
  }

  /** A task of the first person ends. */
  async end(task: number): Promise<void> {
    this.journals.end(task);
    await this.wake(1);
  }

  /** How many listenings each gateway has, and how many workers are online there. */
  listeners(): readonly number[] {
    return [this.first, this.second].map(({ listenings }) => listenings.size);
  }

  online(): readonly number[] {
    return [this.first, this.second].map((gateway) => gateway.online.length);
  }

  /** What the fleet of a person asks for, unless it says otherwise. */
  asks(n: number, changes: Partial<Listen> = {}): Listen {
    return {
      account: person(n),
      keyHash: `key ${n}`,
      address: `fleet ${n}`,
      topics: TOPICS,
      taskTypes: null,
      last: null,
      works: true,
      ms: 60_000,
      line: this.fleet.line,
      ...changes,
    };
  }

  /** Something has happened to a person's account, and all gateways hear of it. */
  async wake(n: number): Promise<void> {
    for (const gateway of [this.first, this.second]) gateway.wakes.get(person(n))?.();
    await this.turns();
  }

  async turns(): Promise<void> {
    for (let n = 0; n < 20; n += 1) await turn();
  }

  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (let next = this.clock.next; next !== null && next <= until; next = this.clock.next) {
      this.clock.to(next);
      await this.turns();
    }
    this.clock.to(until);
    await this.turns();
  }
}
