/** The network between simulated processes: it delays, reorders, doubles and drops, and falls apart into islands. */
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import { type CommandResult, type Envelope, NOT_OWNER } from "../../actors/message.ts";
import type { Routes } from "../../actors/ports/routes.ts";
import type { Transport } from "../../actors/ports/transport.ts";
import { refuse } from "../../machines/refusal.ts";
import type { Random } from "./random.ts";
import type { Mutation } from "./store.ts";
import type { Process, Time } from "./time.ts";

/** As a transport gives up on a message without a deadline (ms). */
const ATTEMPT_MS = 4_000;
const LOST: CommandResult = { ok: false, refusal: refuse("UNAVAILABLE", "no answer") };

interface Receiver extends Transport {
  owns(shard: number): boolean;
}

interface Place {
  readonly process: Process;
  readonly receiver: Receiver;
}

export class Network {
  dropped = 0;
  doubled = 0;
  slow = 0;
  /** Processes that hear nobody and are heard by nobody. */
  readonly cut = new Set<string>();
  readonly #time: Time;
  readonly #random: Random;
  readonly #mutation: Mutation;
  readonly #served = new Map<number, Set<Place>>();
  readonly #listeners = new Map<Process, () => void>();

  constructor(time: Time, random: Random, mutation: Mutation) {
    this.#time = time;
    this.#random = random;
    this.#mutation = mutation;
  }

  /** Requests as they leave a process; `own` is its node, if it has one. */
  transportOf(process: Process, own?: () => Receiver): Transport {
    return {
      request: (envelope) => {
        const shard = shardOf(envelope.to.id, SHARDS_DEFAULT);
        const node = own?.();
        return node?.owns(shard) === true ? node.request(envelope) : this.#send(process, shard, envelope);
      },
    };
  }

  routesOf(process: Process, receiver: () => Receiver, look: () => void): Routes {
    const places = new Map<number, Place>();
    this.#listeners.set(process, look);
    return {
      serve: (shard) => {
        const place = { process, receiver: { request: (envelope: Envelope) => receiver().request(envelope), owns: () => true } };
        places.set(shard, place);
        this.#placesOf(shard).add(place);
      },
      retire: async (shard) => {
        const place = places.get(shard);
        if (place !== undefined) this.#placesOf(shard).delete(place);
        places.delete(shard);
      },
      changed: () => {
        for (const [other, listener] of this.#listeners) {
          if (other !== process) this.#travel(process, other, listener);
        }
      },
    };
  }

  /** A process is gone, and its subscriptions with it. */
  forget(process: Process): void {
    this.#listeners.delete(process);
    for (const places of this.#served.values()) {
      for (const place of places) if (place.process === process) places.delete(place);
    }
  }

  #placesOf(shard: number): Set<Place> {
    const places = this.#served.get(shard) ?? new Set<Place>();
    this.#served.set(shard, places);
    return places;
  }

  #send(from: Process, shard: number, envelope: Envelope): Promise<CommandResult> {
    const left = envelope.deadline === Number.MAX_SAFE_INTEGER ? null : Math.max(0, envelope.deadline - from.now());
    const { after: _after, ...unordered } = envelope;
    const sent = structuredClone({ ...(this.#mutation === "order" ? unordered : envelope), deadline: 0 });
    return new Promise((resolve) => {
      from.run(Math.min(ATTEMPT_MS, left ?? ATTEMPT_MS), () => resolve(LOST));
      // Who is subscribed is seen when it arrives, as in NATS.
      this.#travel(from, null, () => {
        const places = [...this.#placesOf(shard)];
        if (places.length === 0) this.#travel(null, from, () => resolve({ ok: false, refusal: NOT_OWNER }));
        for (const { process, receiver } of places) {
          this.#travel(null, process, () => {
            const deadline = left === null ? Number.MAX_SAFE_INTEGER : process.now() + left;
            void receiver.request({ ...structuredClone(sent), deadline }).then((answer) => {
              this.#travel(process, from, () => resolve(structuredClone(answer)));
            });
          });
        }
      });
    });
  }

  /** From a process (or the server) to a process (or the server). */
  #travel(from: Process | null, to: Process | null, arrive: () => void): void {
    const random = this.#random;
    if (from !== null && this.cut.has(from.name)) return;
    if (random.chance(this.dropped)) return;
    const copies = random.chance(this.doubled) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const ms = random.chance(this.slow) ? random.int(20, 3_000) : random.int(0, 3);
      this.#time.at(this.#time.now + ms, () => {
        if (to === null) arrive();
        else if (!this.cut.has(to.name)) to.run(0, arrive);
      });
    }
  }
}
