import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { ReadModel } from "../ports/read-model.ts";
import type { Signals } from "../ports/signals.ts";

const KEYS_MAX = 50_000;
/** A look-up that began before a key was replaced may put it into a cache for so long after that (ms). */
const LOOKUP_MS = 500;

/**
 * Finds the account of an API key, through a cache of key hashes. A key that is rotated away is dropped before the
 * rotation is answered, and a lookup that was under way meanwhile is not kept: it may have read the old row.
 */
export class KeyRing {
  readonly #reads: ReadModel;
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #known: LRUCache<string, AccountId>;
  #drops = 0;

  /** `ttlMs` is how long a key is believed in without a look: for ever (0) where no other gateway can have rotated it. */
  constructor(reads: ReadModel, signals: Signals, clock: Clock, ttlMs: number) {
    this.#reads = reads;
    this.#signals = signals;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#known = new LRUCache({ max: KEYS_MAX, ttl: ttlMs });
  }

  /** Takes an API key's hash; gives the account's id, or undefined when no account has this key. Rejects with StoreUnavailable. */
  async find(hash: string): Promise<AccountId | undefined> {
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    const drops = this.#drops;
    const account = await this.#reads.accountByKey(hash);
    if (account === undefined) return undefined;
    if (drops === this.#drops) this.#known.set(hash, account.id);
    return account.id;
  }

  /** Forgets a key that is valid no longer; done when no gateway believes in it any more, even if it did not hear of it. */
  async drop(hash: string): Promise<void> {
    this.forget(hash);
    this.#signals.send({ type: "key", hash });
    if (this.#ttlMs === 0) return;
    await new Promise<void>((resolve) => this.#clock.after(this.#ttlMs + LOOKUP_MS, resolve));
  }

  /** Forgets a key that another gateway has dropped. */
  forget(hash: string): void {
    this.#drops += 1;
    this.#known.delete(hash);
  }
}
