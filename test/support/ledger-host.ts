/** Hosts on a real database and one account that posts tasks at them, without processes, HTTP or other actors. */

import { Host } from "../../actors/host/host.ts";
import type { CommandResult } from "../../actors/message.ts";
import { ENTITIES } from "../../machines/entities.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import { type AccountId, accountId, credits, taskId } from "../../machines/vocabulary.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import type { Database } from "../../src/adapters/postgres/pool.ts";
import { systemClock as clock } from "../../src/adapters/system/clock.ts";
import { randomIds as ids } from "../../src/adapters/system/ids.ts";
import { judgeAtOnce, order, SILENT } from "./world.ts";

const SHARDS = 128;
const ASKED_MS = 20_000;
/** What the account is given, and what each of its tasks holds (NC). */
export const GRANT = 100;
export const BUDGET = 5;

/** `writers` are the commits that may be under way at once. */
export function hostOn(database: Database, writers = 2): Host {
  return new Host({
    entities: ENTITIES,
    journal: new PostgresJournal(database, database, SHARDS),
    validator: { judge: judgeAtOnce },
    calls: { make: async () => ({ id: ids.next(), ms: 0, result: "delivered", status: 200 }) },
    clock,
    ids,
    log: SILENT,
    writers,
    besideFactsMin: 1,
  });
}

/** Registers an account, with GRANT. */
export async function registerAt(host: Host): Promise<AccountId> {
  const owner = accountId(ids.next());
  const email = `${owner}@test.example`;
  await ask(host, owner, {
    type: "register",
    account: owner,
    email,
    source: null,
    keyHash: "h",
    grant: credits(GRANT),
    marks: [],
  });
  return owner;
}

/** Posts a task of BUDGET whose bids are collected for longer than a test takes. */
export function postAt(host: Host, owner: AccountId, inputData = "a text"): Promise<CommandResult> {
  const what = order({ inputData, budget: credits(BUDGET), windowMs: 60_000 });
  return ask(host, owner, { type: "hold", task: taskId(ids.next()), order: what, fresh: true });
}

function ask(host: Host, owner: AccountId, command: CarriedCommand): Promise<CommandResult> {
  return host.request({
    to: { kind: "account", id: owner },
    command,
    commandId: ids.next(),
    origin: "client",
    delivery: "first",
    deadline: clock.now() + ASKED_MS,
  });
}
