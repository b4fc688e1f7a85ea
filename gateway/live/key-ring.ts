import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { ReadModel, StoredAccount } from "../ports/read-model.ts";
import type { Signals } from "../ports/signals.ts";

const KEYS_MAX = 50_000;
/** How long after a key was replaced a lookup that began before may still put it into a cache (ms). */
const LOOKUP_MS = 500;

/** Whose a key is. */
export interface KeyHolder {
  readonly account: AccountId;
  /** The account as it was read just now; absent if the key was known. */
  readonly read?: StoredAccount;
}

/**
 * Finds the account of an API key through a cache of key hashes. A rotated key is dropped before the rotation is answered, and
 * the result of a lookup that was pending meanwhile is not cached: it may have read the old row.
 */
export class KeyRing {
  readonly #reads: Pick<ReadModel, "accountByKey">;
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #known: LRUCache<string, AccountId>;
  #drops = 0;

  /** `ttlMs` is how long a key is cached: for ever (0) if no other gateway can have rotated it. */
  constructor(reads: Pick<ReadModel, "accountByKey">, signals: Signals, clock: Clock, ttlMs: number) {
    this.#reads = reads;
    this.#signals = signals;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#known = new LRUCache({ max: KEYS_MAX, ttl: ttlMs });
  }

  /** Takes an API key's hash; gives its account, or undefined if no account has this key. Rejects with StoreUnavailable. */
  async find(hash: string): Promise<KeyHolder | undefined> {
    const known = this.#known.get(hash);
    if (known !== undefined) return { account: known };
    const drops = this.#drops;
    const read = await this.#reads.accountByKey(hash);
    if (read === undefined) return undefined;
    const { id: account } = read.row;
    if (drops === this.#drops) this.#known.set(hash, account);
    return { account, read };
  }

  /** Forgets a key that is no longer valid; resolves when no gateway accepts it any more, even if it missed the signal. */
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
