/**
 * Reads of single rows that many ask for at once, as when a fleet's pulls end together: one query for all of them is far cheaper than
 * one for each.
 *
 * R1  A key is read by a query that begins after it was asked for: nobody gets a row from before.
 * R2  Whoever asks while fewer than QUERIES_MAX are under way waits for nobody. The others go together as soon as one has ended.
 * R3  A query that has not ended in time gives its turn to the next, so one that hangs holds up nobody else for longer.
 */
import { StoreUnavailable } from "../../../actors/ports/journal.ts";
import { inTime } from "./pool.ts";

/** Queries under way: the next ones gather meanwhile. One that is slow must not be waited for by all. */
const QUERIES_MAX = 2;
/** Keys of one query: some hundred rows are read within milliseconds. */
export const KEYS_MAX = 500;
/** Keys that wait. Requests are bounded by the doors, but those that were given up leave theirs here while the database hangs. */
export const WAITING_MAX = 20_000;

interface Wait<Row> {
  readonly found: Promise<Row | undefined>;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

function newWait<Row>(): Wait<Row> {
  let resolve: Wait<Row>["resolve"] = () => {};
  let reject: Wait<Row>["reject"] = () => {};
  const found = new Promise<Row | undefined>((...both) => {
    [resolve, reject] = both;
  });
  // Those who asked hear of it, if they still wait.
  found.catch(() => {});
  return { found, resolve, reject };
}

export class GroupedRead<Row> {
  readonly #read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;
  readonly #mostMs: number;
  readonly #waiting = new Map<string, Wait<Row>>();
  #queries = 0;

  /** `read` gives the rows of these keys, each once; no key may be one that the database refuses. A query may take `mostMs`. */
  constructor(read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>, mostMs: number) {
    this.#read = read;
    this.#mostMs = mostMs;
  }

  /** Gives the row of a key as it is now, undefined if there is none. Rejects as the query does, or with StoreUnavailable. */
  find(key: string): Promise<Row | undefined> {
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.found;
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(new StoreUnavailable("too many wait for the database"));
    const wait = newWait<Row>();
    this.#waiting.set(key, wait);
    this.#next();
    return wait.found;
  }

  #next(): void {
    if (this.#queries >= QUERIES_MAX || this.#waiting.size === 0) return;
    const group = new Map<string, Wait<Row>>();
    for (const [key, wait] of this.#waiting) {
      if (group.size >= KEYS_MAX) break;
      group.set(key, wait);
      this.#waiting.delete(key);
    }
    this.#queries += 1;
    void this.#query(group).finally(() => {
      this.#queries -= 1;
      this.#next();
    });
  }

  async #query(group: ReadonlyMap<string, Wait<Row>>): Promise<void> {
    try {
      const rows = await inTime(this.#read([...group.keys()]), this.#mostMs);
      for (const [key, { resolve }] of group) resolve(rows.get(key));
    } catch (error) {
      for (const { reject } of group.values()) reject(error);
    }
  }
}
