/**
 * Brute-force protection for keys, tokens and codes: an address that has used up its failures is refused before any lookup.
 *
 * G1  A secret that was valid from an address within the last hour passes, so a stranger behind the same NAT locks nobody out.
 * G2  Other secrets from one address are looked up one at a time, so never more of them than the limit.
 * G3  A secret that is no longer valid leaves the allowlist at once.
 */
import type { Limiter } from "../ports/limiter.ts";
import { type AnswerHeaders, limit, refuseWhenUsedUp } from "./limit.ts";

export class Guard {
  readonly #limiter: Limiter;
  /** The latest pending lookup of each address. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(limiter: Limiter) {
    this.#limiter = limiter;
  }

  /**
   * Gives the result of `look` for a secret from this address (`secret` is its hash). Undefined counts as a failure. Throws a
   * Problem (429) if the address has used up its failures.
   */
  async check<T>(
    answer: AnswerHeaders,
    address: string,
    secret: string,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { allowlist } = this.#limiter;
    const pair = pairOf(address, secret);
    if (await allowlist.has(pair)) {
      const found = await look();
      if (found !== undefined) allowlist.add(pair);
      else {
        allowlist.drop(pair);
        await this.failed(answer, address);
      }
      return found;
    }
    return this.#inTurn(address, async () => {
      await refuseWhenUsedUp(answer, this.#limiter, address, "failures");
      const found = await look();
      if (found !== undefined) allowlist.add(pair);
      else await this.failed(answer, address);
      return found;
    });
  }

  /** Throws a Problem (429) if this address has used up its failures and the secret is not on the allowlist. */
  async admit(answer: AnswerHeaders, address: string, secret: string): Promise<void> {
    if (await this.#limiter.allowlist.has(pairOf(address, secret))) return;
    await refuseWhenUsedUp(answer, this.#limiter, address, "failures");
  }

  /** Counts a failure; throws a Problem (429) if it is one too many. */
  async failed(answer: AnswerHeaders, address: string): Promise<void> {
    await limit(answer, this.#limiter, address, ["failures"]);
  }

  /** Puts a secret that was just issued to this address, or was valid, on the allowlist. */
  vouch(address: string, secret: string): void {
    this.#limiter.allowlist.add(pairOf(address, secret));
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
