import { shardOf } from "../../actors/address.ts";
import type { Bidder, ReadModel } from "../../gateway/ports.ts";
import type { AccountView } from "../../machines/account/view.ts";
import { readAccount, readAccountByKey, readMarked, readStatement } from "./accounts.ts";
import { browseCapabilities, readCapabilities, readCapability, readStandingPrices, readWorkload } from "./capabilities.ts";
import type { Databases } from "./databases.ts";
import { reaching } from "./pool.ts";
import {
  isOpening,
  listOpenTasks,
  listTasks,
  readDeliveries,
  readHistory,
  readLedger,
  readLikelyPrice,
  readTask,
  readTaskType,
} from "./tasks.ts";

/** Serves the gateway's reads from the rows that commits write: from one database where an id tells which, else from all. */
export function postgresReadModel(databases: Databases): ReadModel {
  const { shards } = databases;
  return {
    ping: () => reaching(Promise.any(databases.all.map((database) => reaching(database`select`.then(() => {}))))),
    accountByKey: (keyHash) => reaching(accountByKey(databases, keyHash)),
    account: (id) => reaching(readAccount(databases.of(id), id)),
    marked: (marks) => reaching(databases.each((database) => readMarked(database, marks)).then((found) => found.flat())),
    bidder: (account, task) => reaching(bidder(databases, account, task)),
    task: (id) => reaching(readTask(databases.of(id), id)),
    opening: (account, task) => reaching(isOpening(databases.of(account), shardOf(account, shards), account, task)),
    tasks: (query) => reaching(listTasks(databases, query)),
    open: (query) => reaching(listOpenTasks(databases, query)),
    likelyPrice: (taskType) => reaching(readLikelyPrice(databases, taskType)),
    history: (id, limit, cursor) => reaching(readHistory(databases.of(id), id, limit, cursor)),
    deliveries: (id, limit, cursor) => reaching(readDeliveries(databases.of(id), id, limit, cursor)),
    ledger: (task) => reaching(readLedger(databases, task)),
    capabilities: (account) => reaching(readCapabilities(databases.of(account), account)),
    capability: (id) => reaching(readCapability(databases, id)),
    browse: (query) => reaching(browseCapabilities(databases, query)),
    standingPrices: (taskType) => reaching(readStandingPrices(databases, taskType)),
    workload: (account, taskType, since) => reaching(readWorkload(databases.of(account), account, taskType, since)),
    statement: (account, limit, cursor) => reaching(readStatement(databases.of(account), account, limit, cursor)),
  };
}

/** A key says nothing of where its account is. One database that is away is no trouble for who is in another. */
async function accountByKey(databases: Databases, keyHash: string): Promise<AccountView | undefined> {
  const asked = databases.all.map((database) => readAccountByKey(database, keyHash));
  const found = asked.map(async (answer) => (await answer) ?? Promise.reject(new Error("not here")));
  return Promise.any(found).catch(async () => {
    // Nobody has it, or who has it did not answer, which rejects here.
    await Promise.all(asked);
    return undefined;
  });
}

async function bidder(databases: Databases, id: Parameters<ReadModel["bidder"]>[0], task: string): Promise<Bidder | undefined> {
  const [account, taskType] = await Promise.all([readAccount(databases.of(id), id), readTaskType(databases.of(task), task)]);
  return account === undefined || taskType === undefined ? undefined : { account, taskType };
}
