import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Secrets } from "../../../gateway/secrets.ts";
import { type AccountId, accountId, isUuid } from "../../../machines/vocabulary.ts";
import { makeNkey, type Nkey } from "../../adapters/nats/nkey.ts";
import { Databases } from "../../adapters/postgres/databases.ts";
import { readPlatform } from "../../adapters/postgres/migrate.ts";
import { postgresReadModel } from "../../adapters/postgres/read-model.ts";
import { firstUsers, fleetPermissions, serverConfig, USERS_FILE, withUser } from "../fleet/server-config.ts";
import { readConfig } from "../settings/config.ts";
import { withDatabases } from "./databases.ts";

interface ConfigOptions {
  readonly dir: string;
  readonly listen: string;
}

interface CredentialsOptions {
  readonly dir: string;
  readonly json?: boolean;
  readonly revoke?: boolean;
}

/** Seeds are for their owner alone. */
const SECRET_MODE = 0o600;
const ADDRESS = /^\S+:\d{1,5}$/;

/**
 * Writes the configuration of a nats-server with an account for the platform's own processes and one for fleets, and the seeds
 * of those who are no fleet. Throws an Error with a sentence, and writes nothing, if one of the files is there.
 */
export async function runFleetConfig({ dir, listen }: ConfigOptions): Promise<void> {
  if (!ADDRESS.test(listen)) throw new Error(`--listen ${listen} must be an address and a port, as in 127.0.0.1:4222.`);
  const { natsPrefix: prefix } = readConfig(process.env);
  const [inner, door, operator] = [makeNkey(), makeNkey(), makeNkey()];
  const keys = { door: door.publicKey, operator: operator.publicKey };
  const files: readonly (readonly [string, string, number])[] = [
    ["nats-server.conf", serverConfig(prefix, listen, inner.publicKey), 0o644],
    [USERS_FILE, firstUsers(prefix, keys), 0o644],
    ["inner.nk", `${inner.seed}\n`, SECRET_MODE],
    ["door.nk", `${door.seed}\n`, SECRET_MODE],
    ["operator.nk", `${operator.seed}\n`, SECRET_MODE],
  ];
  await mkdir(dir, { recursive: true });
  for (const [name] of files) {
    if (await exists(path.join(dir, name))) {
      throw new Error(
        `${path.join(dir, name)} is there already. Its keys are in use, so it is not replaced; give another folder with --dir.`,
      );
    }
  }
  for (const [name, text, mode] of files) await writeFile(path.join(dir, name), text, { mode, flag: "wx" });
  const at = (name: string) => path.join(dir, name);
  process.stdout.write(`Written to ${dir}:
  nats-server.conf, ${USERS_FILE}  the server's configuration: nats-server -c ${at("nats-server.conf")}
  inner.nk     for gateways and nodes: NATS_URL=nats://${listen} NATS_NKEY_FILE=${at("inner.nk")}
  door.nk      for gateways: FLEET_NATS_URL=nats://${listen} FLEET_NATS_NKEY_FILE=${at("door.nk")}
  operator.nk  for you: nats --nkey ${at("operator.nk")} --inbox-prefix _INBOX.operator micro info ${prefix.replaceAll(".", "-")}
\`nexus fleet credentials <account>\` adds a fleet.
`);
}

/**
 * Adds a user for the fleet of an account, given by its id or address, and prints its seed, once; or takes away the one that it
 * has. Throws an Error with a sentence if there is no such account, or no file of users in the folder.
 */
export async function runFleetCredentials(who: string, { dir, json = false, revoke = false }: CredentialsOptions): Promise<void> {
  const { natsPrefix: prefix } = readConfig(process.env);
  const file = path.join(dir, USERS_FILE);
  if (!(await exists(file)))
    throw new Error(`There is no ${file}. Write it with nexus fleet config, or name its folder with --dir.`);
  const account = await findAccount(who);
  const nkey = revoke ? null : makeNkey();
  await replace(file, (users) => {
    const changed = withUser(users, prefix, account, nkey?.publicKey ?? null);
    if (changed === undefined) throw new Error(`The account ${account} has no user in ${file}; there is nothing to revoke.`);
    return changed;
  });
  const reload = "Have the server read it: nats-server --signal reload";
  if (nkey === null) process.stdout.write(`The user of ${account} is gone from ${file}. ${reload}\n`);
  else
    process.stdout.write(
      json ? `${JSON.stringify(told(prefix, account, nkey))}\n` : sentences(prefix, account, nkey, `${file}. ${reload}`),
    );
}

async function findAccount(who: string): Promise<AccountId> {
  const found = await withDatabases("fleet", async (all) => {
    const { secret, shards } = await readPlatform(all);
    const asked = who.trim().toLowerCase();
    const id = isUuid(asked) ? accountId(asked) : new Secrets(secret).accountId(asked);
    return postgresReadModel(new Databases(all, shards)).account(id);
  });
  if (found === undefined) {
    throw new Error(`There is no account ${who}. Give its id, or the address that it was registered with.`);
  }
  return found.id;
}

/** What a client sets to ask as this fleet. */
function told(prefix: string, account: AccountId, { seed }: Nkey) {
  const { subscribe } = fleetPermissions(prefix, account);
  return {
    account,
    nkey_seed: seed,
    inbox_prefix: `_INBOX.${account}`,
    requests: `${prefix}.api.v1.${account}.<verb>`,
    push: subscribe[1],
  };
}

function sentences(prefix: string, account: AccountId, nkey: Nkey, where: string): string {
  const { requests, push, inbox_prefix: inbox, nkey_seed: seed } = told(prefix, account, nkey);
  return `The fleet of ${account} connects with this seed, which is shown once:
${seed}
It sets the prefix of its inboxes to ${inbox}, asks on ${requests}, and may listen on ${push}.
Its user is in ${where}
`;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Changes a file as a whole: whoever reads it sees the old text or the new one, and of two who change it at once one is refused. */
async function replace(file: string, change: (text: string) => string): Promise<void> {
  const next = `${file}.new`;
  const handle = await open(next, "wx", 0o644).catch(() => {
    throw new Error(`${next} is there: another command changes ${file} just now. If none does, delete it and try again.`);
  });
  try {
    await handle.writeFile(change(await readFile(file, "utf8")));
    await handle.sync();
    await handle.close();
    await rename(next, file);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(next, { force: true });
    throw error;
  }
}
