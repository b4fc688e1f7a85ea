/** How much a door holds at once: beyond it a request is refused before anything is done for it, so that memory is bounded. */

export interface CapacityBounds {
  readonly requests: number;
  readonly bytes: number;
}

/** Who is at its bound. */
export type Full = "account" | "door";

export class Capacity {
  readonly #inAll: CapacityBounds;
  readonly #ofAccount: CapacityBounds;
  readonly #held = new Map<string, { requests: number; bytes: number }>();
  #requests = 0;
  #bytes = 0;

  constructor(inAll: CapacityBounds, ofAccount: CapacityBounds) {
    this.#inAll = inAll;
    this.#ofAccount = ofAccount;
  }

  /** Lets a request of this many bytes in, and gives what must be called once when it is over; or says who is at its bound. */
  enter(account: string, bytes: number): (() => void) | Full {
    const held = this.#held.get(account) ?? { requests: 0, bytes: 0 };
    if (exceeds(held, bytes, this.#ofAccount)) return "account";
    if (exceeds({ requests: this.#requests, bytes: this.#bytes }, bytes, this.#inAll)) return "door";
    this.#held.set(account, held);
    held.requests += 1;
    held.bytes += bytes;
    this.#requests += 1;
    this.#bytes += bytes;
    return () => {
      held.requests -= 1;
      held.bytes -= bytes;
      this.#requests -= 1;
      this.#bytes -= bytes;
      if (held.requests === 0) this.#held.delete(account);
    };
  }

  /** How many accounts have a request under way. */
  get accounts(): number {
    return this.#held.size;
  }
}

function exceeds(held: CapacityBounds, bytes: number, most: CapacityBounds): boolean {
  return held.requests + 1 > most.requests || held.bytes + bytes > most.bytes;
}
