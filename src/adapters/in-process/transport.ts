/** Commands within one process, passed to the node that owns the shard without serialisation. */
import { shardOf } from "../../../actors/address.ts";
import { type CommandResult, type Envelope, NOT_OWNER } from "../../../actors/message.ts";
import type { Routes } from "../../../actors/ports/routes.ts";
import type { Transport } from "../../../actors/ports/transport.ts";

export class LocalTransport implements Transport {
  readonly #shards: number;
  readonly #served = new Map<number, Transport>();
  readonly #listeners = new Set<() => void>();

  constructor(shards: number) {
    this.#shards = shards;
  }

  async request(envelope: Envelope): Promise<CommandResult> {
    const receiver = this.#served.get(shardOf(envelope.to.id, this.#shards));
    return receiver === undefined ? { ok: false, refusal: NOT_OWNER } : receiver.request(envelope);
  }

  /** The routes of one node of this process. `look` is called when shards have changed owners. */
  routesOf(receiver: Transport, look: () => void): Routes {
    this.#listeners.add(look);
    return {
      serve: (shard) => void this.#served.set(shard, receiver),
      retire: async (shard) => {
        if (this.#served.get(shard) === receiver) this.#served.delete(shard);
      },
      changed: () => {
        for (const listener of this.#listeners) if (listener !== look) listener();
      },
    };
  }
}
