/**
 * One process, or one cluster whose nodes share the lock, works on a database at a time. It is an advisory lock of a session,
 * so it ends with the process, however that ends. It is a courtesy: a second writer is harmless because of the journal's key.
 */
import { type Database, openPool } from "./pool.ts";

const DATABASE_LOCK = 7_245_002;
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
   * Locks the database at `url`, exclusively or shared, and waits at most `ms` for a process that is shutting down. Gives
   * undefined if another process holds the lock. `lost` is called if another process took it while the connection was lost.
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
      ? await this.#database<{ locked: boolean }[]>`select pg_try_advisory_lock_shared(${DATABASE_LOCK}) as locked`
      : await this.#database<{ locked: boolean }[]>`select pg_try_advisory_lock(${DATABASE_LOCK}) as locked`;
    return row?.locked === true;
  }

  /** The session has ended, and the lock with it; takes it again as soon as the database is back. */
  async #again(): Promise<void> {
    if (!this.#held || this.#closed) return;
    this.#held = false;
    while (!this.#closed) {
      await wait(RETRY_MS);
      try {
        if (await this.#lock()) this.#held = true;
        else this.#lost();
        return;
      } catch {
        // Whatever the database says (a role that may not log in for a moment, say), the lock is still wanted.
      }
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
