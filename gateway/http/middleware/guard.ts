/**
 * Turns away who guesses secrets: an address that has used up its failures is refused before anything is looked up.
 *
 * G1  A secret that was good from an address within the hour passes, so that a stranger behind the same NAT shuts nobody out.
 * G2  Of one address, secrets that are not familiar are looked up one after the other: so no more than the limit are.
 * G3  A secret that is good no longer loses its familiarity at once.
 */
import type { Limiter } from "../../ports/limiter.ts";
import { limit, type ResponseHeaders, refuseWhenUsedUp } from "./limit.ts";

export class Guard {
  readonly #limiter: Limiter;
  /** The last look-up of each address that has one under way. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(limiter: Limiter) {
    this.#limiter = limiter;
  }

  /**
   * Gives what `look` gives for a secret of this address (`secret` names it, a hash); undefined, and one failure more, when
   * that is nothing. Throws a Problem (429) when the address has used up its failures.
   */
  async check<T>(
    context: ResponseHeaders,
    address: string,
    secret: string,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { familiar } = this.#limiter;
    const pair = pairOf(address, secret);
    if (await familiar.has(pair)) {
      const found = await look();
      if (found !== undefined) familiar.add(pair);
      else {
        familiar.drop(pair);
        await this.failed(context, address);
      }
      return found;
    }
    return this.#inTurn(address, async () => {
      await refuseWhenUsedUp(context, this.#limiter, address, "failures");
      const found = await look();
      if (found !== undefined) familiar.add(pair);
      else await this.failed(context, address);
      return found;
    });
  }

  /** Throws a Problem (429) when this address has used up its failures and the secret is not familiar. */
  async admit(context: ResponseHeaders, address: string, secret: string): Promise<void> {
    if (await this.#limiter.familiar.has(pairOf(address, secret))) return;
    await refuseWhenUsedUp(context, this.#limiter, address, "failures");
  }

  /** Counts a failure; throws a Problem (429) when it is one too many. */
  async failed(context: ResponseHeaders, address: string): Promise<void> {
    await limit(context, this.#limiter, address, ["failures"]);
  }

  /** Notes that a secret is good from this address: one that was just given to it, or has proved itself. */
  vouch(address: string, secret: string): void {
    this.#limiter.familiar.add(pairOf(address, secret));
  }

  async #inTurn<T>(address: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(address) ?? Promise.resolve();
    const turn = before.then(work);
    const over = turn.catch(() => {});
    this.#turns.set(address, over);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(address) === over) this.#turns.delete(address);
    }
  }
}

function pairOf(address: string, secret: string): string {
  return `${address} ${secret}`;
}
