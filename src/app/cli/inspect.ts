import { Secrets } from "../../../gateway/secrets.ts";
import { accountId, isUuid, taskId } from "../../../machines/vocabulary.ts";
import { Databases } from "../../adapters/postgres/databases.ts";
import { readPlatform } from "../../adapters/postgres/migrate.ts";
import { inspectAccount } from "../inspect/account.ts";
import { inspectTask } from "../inspect/task.ts";
import { readConfig } from "../settings/config.ts";
import { marketRules } from "../settings/rules.ts";
import { withDatabases } from "./databases.ts";

interface Options {
  readonly json?: boolean;
}

/**
 * Prints what an account may take, or why it gets no work; `who` is its id or its address. Throws an Error with a sentence
 * where there is none.
 */
export async function runInspectAccount(who: string, { json = false }: Options): Promise<void> {
  const report = await withDatabases("inspect", async (all) => {
    const { secret, shards } = await readPlatform(all);
    const asked = who.trim().toLowerCase();
    const id = isUuid(asked) ? accountId(asked) : new Secrets(secret).accountId(asked);
    return inspectAccount(new Databases(all, shards), id, Date.now(), marketRules(readConfig(process.env)));
  });
  if (report === undefined) {
    throw new Error(`There is no account ${who}. Give its id, or the address that it was registered with.`);
  }
  print(report, json);
}

/** Prints where a task is, and why. Throws an Error with a sentence where there is none. */
export async function runInspectTask(asked: string, { json = false }: Options): Promise<void> {
  const id = asked.trim().toLowerCase();
  const report = isUuid(id)
    ? await withDatabases("inspect", async (all) => {
        const { shards } = await readPlatform(all);
        return inspectTask(new Databases(all, shards), taskId(id), Date.now(), marketRules(readConfig(process.env)));
      })
    : undefined;
  if (report === undefined) throw new Error(`There is no task ${asked}. Give the id that POST /api/v1/tasks answered with.`);
  print(report, json);
}

function print(report: { readonly sentences: readonly string[] }, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${report.sentences.join("\n")}\n`);
}
