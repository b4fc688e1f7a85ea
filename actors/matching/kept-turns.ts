import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import { MATCHING } from "./vocabulary.ts";

interface Kept {
  readonly since: Millis;
  readonly endedAt: Millis;
}

/**
 * The turns of workers whose pull ended with nothing: who asks again soon goes on waiting from when it began, or whoever waits in
 * short pulls would be behind all others after each of them. Each is used once, so a second pull at the same time begins anew.
 */
export class KeptTurns {
  readonly #kept = new Map<AccountId, Kept>();

  /** A pull of this worker, which has waited since `since` (ms), ends with nothing at `endedAt` (ms). */
  keep(worker: AccountId, since: Millis, endedAt: Millis): void {
    this.#kept.delete(worker);
    this.#kept.set(worker, { since, endedAt });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MATCHING.waitersMax && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Gives since when (ms) a worker whose pull begins at `now` (ms) has waited; undefined if it has not. */
  take(worker: AccountId, now: Millis): Millis | undefined {
    const kept = this.#kept.get(worker);
    this.#kept.delete(worker);
    return kept !== undefined && now - kept.endedAt <= MATCHING.turnKeptMs ? kept.since : undefined;
  }
}
