/**
 * One process works on a database at a time, or one cluster: its nodes share the lock. It is an advisory lock of a session, so it ends with the process, however
 * that ends. It is a courtesy: what makes a second writer harmless is the journal's key.
 */
import { type Database, isAway, openPool } from "./pool.ts";

const CLAIM_LOCK = 7_245_002;
const RETRY_MS = 250;

export class DatabaseLock {
  readonly #database: Database;
  readonly #lost: () => void;
  readonly #shared: boolean;
  #held = false;
  #closed = false;

  private constructor(url: string, shared: boolean, lost: () => void) {
    this.#lost = lost;
    this.#shared = shared;
    this.#database = openPool(url, { max: 1, name: "lock", keep: true, onclose: () => void this.#again() });
  }

  /**
   * Locks the database behind `url`, alone or shared with others that share it, waiting at most `ms` for a process that is on its way out. Gives undefined when
   * another one holds it. `lost` is called when, after a lost connection, another process was quicker.
   */
  static async acquire(url: string, shared: boolean, ms: number, lost: () => void): Promise<DatabaseLock | undefined> {
    const lock = new DatabaseLock(url, shared, lost);
    const until = Date.now() + ms;
    for (;;) {
      if (await lock.#lock()) {
        lock.#held = true;
        return lock;
      }
      if (Date.now() >= until) {
        await lock.release();
        return undefined;
      }
      await wait(RETRY_MS);
    }
  }

  async release(): Promise<void> {
    this.#closed = true;
    await this.#database.end({ timeout: 1 });
  }

  async #lock(): Promise<boolean> {
    const [row] = this.#shared
      ? await this.#database<{ locked: boolean }[]>`select pg_try_advisory_lock_shared(${CLAIM_LOCK}) as locked`
      : await this.#database<{ locked: boolean }[]>`select pg_try_advisory_lock(${CLAIM_LOCK}) as locked`;
    return row?.locked === true;
  }

  /** The session is gone, and the lock with it; takes it again as soon as the database is back. */
  async #again(): Promise<void> {
    if (!this.#held || this.#closed) return;
    this.#held = false;
    while (!this.#closed) {
      await wait(RETRY_MS);
      try {
        if (await this.#lock()) this.#held = true;
        else this.#lost();
        return;
      } catch (error) {
        if (!isAway(error)) throw error;
      }
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
