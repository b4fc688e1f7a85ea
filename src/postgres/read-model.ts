import { shardOf } from "../../actors/address.ts";
import type { ReadModel } from "../../gateway/ports.ts";
import { readAccount, readAccountByKey, readBidder, readStatement } from "./accounts.ts";
import { type Database, reaching } from "./pool.ts";
import { isOpening, listOpenTasks, listTasks, readHistory, readLedger, readLikelyPrice, readTask } from "./tasks.ts";

/** Serves the gateway's reads from the rows that commits write. */
export function postgresReadModel(database: Database, shards: number): ReadModel {
  return {
    ping: () => reaching(database`select 1`.then(() => {})),
    accountByKey: (keyHash) => reaching(readAccountByKey(database, keyHash)),
    account: (id) => reaching(readAccount(database, id)),
    bidder: (account, task) => reaching(readBidder(database, account, task)),
    task: (id) => reaching(readTask(database, id)),
    opening: (account, task) => reaching(isOpening(database, shardOf(account, shards), account, task)),
    tasks: (query) => reaching(listTasks(database, query)),
    open: (query) => reaching(listOpenTasks(database, query)),
    likelyPrice: (taskType) => reaching(readLikelyPrice(database, taskType)),
    history: (id) => reaching(readHistory(database, id)),
    ledger: (task) => reaching(readLedger(database, task)),
    statement: (account, limit, cursor) => reaching(readStatement(database, account, limit, cursor)),
  };
}
