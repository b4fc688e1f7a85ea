import { shardOf } from "../../../actors/address.ts";
import type { Bidder, ReadModel, StoredAccount } from "../../../gateway/ports/read-model.ts";
import { readAccount, readMarked, readStatement, readStoredAccounts } from "./accounts.ts";
import { readAwards, readLastAward, readReputationChanges } from "./awards.ts";
import { hasBid, listBids } from "./bids.ts";
import { browseCapabilities, readCapabilities, readCapability, readWorkload } from "./capabilities.ts";
import type { Databases } from "./databases.ts";
import { GroupedRead } from "./grouped.ts";
import { readFactBefore, readNews, readWatched } from "./news.ts";
import { listOpenTasks } from "./open-list.ts";
import { type Database, inTime, reaching } from "./pool.ts";
import {
  isOpening,
  listTasks,
  readDeliveries,
  readHistory,
  readLedger,
  readLikelyPrice,
  readPulled,
  readReachable,
  readTask,
  readTaskType,
} from "./tasks.ts";

/** Timeout of a read, waiting for a connection included (ms); the client is then told to try again. */
const READ_MS_MAX = 10_000;

/**
 * Serves the gateway's reads from the rows that commits write: from one database if an id tells which, otherwise from all.
 * Each read rejects with StoreUnavailable after `mostMs`.
 */
export function postgresReadModel(databases: Databases, mostMs = READ_MS_MAX): ReadModel {
  const { shards } = databases;
  const read = <T>(work: Promise<T>): Promise<T> => reaching(inTime(work, mostMs));
  const accountsOf = (database: Database, by: "id" | "keyHash") =>
    new GroupedRead<StoredAccount>((asked) => readStoredAccounts(database, by, asked), mostMs);
  const byKey = databases.all.map((database) => accountsOf(database, "keyHash"));
  const byId = new Map(databases.all.map((database) => [database, accountsOf(database, "id")]));
  return {
    ping: () => read(Promise.any(databases.all.map((database) => reaching(database`select`.then(() => {}))))),
    accountByKey: (keyHash) => read(accountByKey(byKey, keyHash)),
    account: (id) => read(readAccount(databases.of(id), id)),
    storedAccount: (id) => read(byId.get(databases.of(id))?.find(id) ?? Promise.resolve(undefined)),
    marked: (marks) => read(databases.each((database) => readMarked(database, marks)).then((found) => found.flat())),
    bidder: (account, task) => read(bidder(databases, account, task)),
    task: (id) => read(readTask(databases.of(id), id)),
    tasksOf: (ids) => read(readReachable(databases, ids)),
    accountNews: (query) => read(readNews(databases.of(query.account), query)),
    factBefore: (account, at) => read(readFactBefore(databases.of(account), account, at)),
    watched: (accounts) => read(readWatched(databases, accounts)),
    opening: (account, task) => read(isOpening(databases.of(account), shardOf(account, shards), account, task)),
    tasks: (query) => read(listTasks(databases, query)),
    bids: (query) => read(listBids(databases, query)),
    awards: (worker, won) => read(readAwards(databases, worker, won)),
    lastAward: (worker, task) => read(readLastAward(databases, worker, task)),
    reputationChanges: (account) => read(readReputationChanges(databases.of(account), account)),
    hasBid: (worker, task) => read(hasBid(databases.of(task), worker, task)),
    open: (query) => read(listOpenTasks(databases, query)),
    pulled: (worker, key) => read(readPulled(databases, worker, key)),
    likelyPrice: (taskType) => read(readLikelyPrice(databases, taskType)),
    history: (id, limit, cursor) => read(readHistory(databases.of(id), id, limit, cursor)),
    deliveries: (id, limit, cursor) => read(readDeliveries(databases.of(id), id, limit, cursor)),
    ledger: (task) => read(readLedger(databases, task)),
    capabilities: (account) => read(readCapabilities(databases.of(account), account)),
    capability: (id) => read(readCapability(databases, id)),
    browse: (query) => read(browseCapabilities(databases, query)),
    workload: (account, taskType, since) => read(readWorkload(databases.of(account), account, taskType, since)),
    statement: (account, limit, cursor) => read(readStatement(databases.of(account), account, limit, cursor)),
  };
}

/** A key does not tell the account's database. One that is unreachable does not affect accounts in the others. */
async function accountByKey(
  databases: readonly GroupedRead<StoredAccount>[],
  keyHash: string,
): Promise<StoredAccount | undefined> {
  const asked = databases.map((database) => database.find(keyHash));
  const found = asked.map(async (answer) => (await answer) ?? Promise.reject(new Error("not here")));
  return Promise.any(found).catch(async () => {
    // No database has it, or one did not answer, which rejects here.
    await Promise.all(asked);
    return undefined;
  });
}

async function bidder(databases: Databases, id: Parameters<ReadModel["bidder"]>[0], task: string): Promise<Bidder | undefined> {
  const [account, taskType] = await Promise.all([readAccount(databases.of(id), id), readTaskType(databases.of(task), task)]);
  return account === undefined || taskType === undefined ? undefined : { account, taskType };
}
