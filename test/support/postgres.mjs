/** A PostgreSQL for tests and benches: from the environment, at the default port, or a private one. Only databases made here are used. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import postgres from "postgres";

/** @typedef {{ readonly url: string, readonly stop: () => Promise<void> }} Server */
/** @typedef {{ readonly url: string, readonly drop: () => Promise<void> }} Database */

/** @param {string} url */
function connect(url) {
  return postgres(url, { max: 1, connect_timeout: 3, onnotice: () => {} });
}

/**
 * Whether databases may be made at this server.
 * @param {string} url
 */
async function allows(url) {
  const sql = connect(url);
  try {
    const [row] = await sql`select rolcreatedb or rolsuper as allowed from pg_roles where rolname = current_user`;
    return row?.["allowed"] === true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Finds a server or starts one. Throws with a sentence that says what is missing.
 * @returns {Promise<Server>}
 */
export async function findServer() {
  const named = process.env["TEST_POSTGRES_URL"] ?? process.env["DATABASE_URL"];
  if (named !== undefined && named !== "") {
    if (await allows(named)) return { url: named, stop: async () => {} };
    throw new Error(
      "The PostgreSQL of TEST_POSTGRES_URL or DATABASE_URL cannot be reached, or its role may not create databases.",
    );
  }
  for (const user of new Set(["postgres", userInfo().username])) {
    const url = `postgres://${user}@127.0.0.1:5432/postgres`;
    if (await allows(url)) return { url, stop: async () => {} };
  }
  return startPrivate();
}

/** @returns {Promise<Server>} */
async function startPrivate() {
  const built = new URL("../../dist/src/adapters/postgres/embedded.js", import.meta.url);
  const { EmbeddedServer } = await import(built.href);
  const folder = await mkdtemp(path.join(tmpdir(), "nexus-test-"));
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  try {
    const server = await EmbeddedServer.open(folder, silent);
    const stop = async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    };
    return { url: server.url, stop };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No PostgreSQL at 127.0.0.1:5432, and the private one does not start: ${why} Install PostgreSQL 14 or later, or set TEST_POSTGRES_URL.`,
    );
  }
}

/**
 * Makes a new, empty database.
 * @param {string} serverUrl
 * @param {string} [encoding]
 * @returns {Promise<Database>}
 */
export async function makeDatabase(serverUrl, encoding = "UTF8") {
  const name = `nexus_test_${randomBytes(6).toString("hex")}`;
  const sql = connect(serverUrl);
  await sql.unsafe(`create database ${name} encoding '${encoding}' lc_collate 'C' lc_ctype 'C' template template0`);
  await sql.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = async () => {
    const admin = connect(serverUrl);
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end();
  };
  return { url: url.href, drop };
}
