/**
 * How many times listenings were asked for, at all gateways, as far as this one has heard. So what was asked last is known without
 * comparing the clocks of two gateways.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";

/** Accounts that are remembered; beyond it those of which nothing was heard for longest are forgotten. */
export const ACCOUNTS_MAX = 50_000;

export class AskedTimes {
  readonly #clock: Pick<Clock, "now">;
  readonly #keepMs: Millis;
  /** By account: how many times, and when this was last heard of (ms), the longest ago first. */
  readonly #all = new Map<AccountId, { readonly times: number; readonly at: Millis }>();

  /** An account is remembered for `keepMs` after it was last heard of. */
  constructor(clock: Pick<Clock, "now">, keepMs: Millis) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#all.size;
  }

  /** It was asked for so many times. */
  note(account: AccountId, times: number): void {
    const at = this.#clock.now();
    const before = this.of(account) ?? 0;
    this.#all.delete(account);
    this.#all.set(account, { times: Math.max(times, before), at });
    for (const [oldest, one] of this.#all) {
      if (this.#all.size <= ACCOUNTS_MAX && one.at > at - this.#keepMs) return;
      this.#all.delete(oldest);
    }
  }

  /** How many times; null if nothing was heard of it. */
  of(account: AccountId): number | null {
    const one = this.#all.get(account);
    return one === undefined || one.at <= this.#clock.now() - this.#keepMs ? null : one.times;
  }
}
