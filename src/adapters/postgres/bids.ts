/** The rows of bids, for their workers. */
import { StoreUnavailable } from "../../../actors/ports/journal.ts";
import type { BidQuery, Page } from "../../../gateway/ports/read-model.ts";
import { BID_OUTCOMES, type BidRow } from "../../../machines/task/bid-rows.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";
import { fieldsOf } from "./columns.ts";
import { byAge, type Cursor, NEWEST, pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { joinRows, jsonBytes, readPage } from "./page.ts";
import { type Database, isUndefinedTable } from "./pool.ts";
import { BID } from "./tables.ts";

/** How often it is looked for while the schema is one of before (ms). */
const LOOK_MS = 5_000;

/**
 * The table, which is not there while a cluster is updated and `nexus migrate` has not been run. Bids of that time get their rows
 * when something becomes of them later.
 */
export class BidsTable {
  readonly #database: Database;
  #isThere = false;
  #lookAt = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether rows can be written; rejects with the database's error. */
  async isThere(): Promise<boolean> {
    const now = performance.now();
    if (this.#isThere || now < this.#lookAt) return this.#isThere;
    const [row] = await this.#database<{ there: boolean }[]>`select to_regclass('bids') is not null as there`;
    this.#isThere = row?.there === true;
    this.#lookAt = now + LOOK_MS;
    return this.#isThere;
  }
}

const positionOf = ({ placedAt: at, id }: BidRow): Cursor => ({ at, id });

/**
 * Lists a worker's bids, the newest first; undefined for an invalid cursor. Rejects with StoreUnavailable while there is no table. The index is by status, so as many of each are looked at
 * as the page may need, and no more, however many there are.
 */
export async function listBids(databases: Databases, query: BidQuery): Promise<Page<BidRow> | undefined> {
  try {
    return await readBids(databases, query);
  } catch (error) {
    if (isUndefinedTable(error)) throw new StoreUnavailable("the schema has no bids yet", { cause: error });
    throw error;
  }
}

async function readBids(databases: Databases, query: BidQuery): Promise<Page<BidRow> | undefined> {
  const { worker, status, limit, cursor } = query;
  const first = cursor === null ? NEWEST : parseCursor(cursor);
  if (first === undefined) return undefined;
  const statuses = status === null ? [...BID_OUTCOMES] : [status];
  const read = async (after: Cursor | null, count: number) => {
    const { at, id } = after ?? first;
    const found = await databases.each(
      (database) => database<BidRow[]>`
        select b.* from unnest(${statuses}::text[]) wanted(status) cross join lateral (
          select ${database.unsafe(fieldsOf(BID))} from bids
          where worker = ${worker} and status = wanted.status and (placed_at, id) < (${at}, ${id})
          order by placed_at desc, id desc limit ${count}) b
        order by b."placedAt" desc, b.id desc limit ${count}`,
    );
    return joinRows(found, count, positionOf, (a, b) => byAge(b, a));
  };
  const { rows, next } = await readPage<BidRow, Cursor>({ limit, after: null, read, positionOf, bytesOf: jsonBytes });
  return { items: rows, next: next === null ? null : pageCursor(next) };
}

/** Whether this worker has ever bid on a task, in any of its rounds. */
export async function hasBid(database: Database, worker: AccountId, task: string): Promise<boolean> {
  const rows = await database`
    select from journal where entity = ${task} and kind = 'task' and type = 'BidPlaced' and body->'bid'->>'worker' = ${worker} limit 1`;
  return rows.length > 0;
}
