/**
 * What an append to the journal costs: CPU of this process and of Postgres, and time, for commits of 1 to 500 entries, by accounts
 * without capabilities and with as many as one may have, of which each entry changes one. With another checkout (built), it is
 * measured beside this one, in turns, each with a database of its own.
 *
 *   npm run bench:append -- [another checkout]
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const SIZES = [1, 10, 100, 500];
const CAPABILITIES = [0, 50];
const ROUNDS = 6;
const ENTRIES_A_ROUND = 2_000;
const COMMITS_A_ROUND_MAX = 200;
const SHARDS = 128;
const ACCOUNTS = 64;
/** Of the kernel, in a second; the unit in /proc. */
const TICKS = 100;

/** @typedef {import("../../actors/ports/journal.ts").Batch} Batch */
/** @typedef {import("../../actors/ports/journal.ts").Entry} Entry */

const TEXT = 'Apple Inc reported Q3 revenue of $81.8 billion, up "5%" year over year.\n'.repeat(4);
const RESULT = { company: "Apple Inc", revenue: "$81.8 billion", growth: "5%", ratios: [0.05, 1.25, 12] };
const TAKEN = { tasksDone: 12, failed: 1, byType: { analysis: { done: 3, failed: 0 } } };

/**
 * A made-up task's entry: the first fact carries all that was asked for, the next one little.
 * @returns {Entry}
 */
function taskEntry() {
  const [id, requester, worker] = [randomUUID(), randomUUID(), randomUUID()];
  const at = 1_800_000_000_000;
  return {
    address: { kind: "task", id },
    after: 0,
    facts: [
      {
        type: "Opened",
        version: 2,
        at,
        body: { type: "Opened", requester, order: { inputData: TEXT, schema: RESULT, budget: 20 } },
      },
      { type: "Bid", version: 1, at, body: { type: "Bid", bid: randomUUID(), worker, credits: 12, quality: 0.71, score: 31.2 } },
    ],
    cause: randomUUID(),
    postings: [[], []],
    messages: [],
    timers: [{ name: "window", at }],
    parts: [],
    row: {
      id,
      status: "ROUTING",
      requester,
      marks: [`email:${requester}`],
      worker,
      taskType: "analysis",
      budget: 20,
      minSkill: 1,
      closedTo: [worker],
      awardedPrice: 12,
      result: RESULT,
      errorCode: null,
      retriesLeft: 3,
      autoRetriesLeft: 0,
      expiresAt: at,
      createdAt: at,
      updatedAt: at,
    },
    snapshot: undefined,
  };
}

/**
 * The row of a capability, after its owner has finished so many tasks of its type.
 * @param {string} id
 * @param {number} finished
 */
function capabilityRow(id, finished) {
  return {
    id,
    taskType: `type_${id}`,
    description: "reads reports",
    tags: ["finance", "english"],
    price: 12,
    concurrency: 4,
    available: true,
    active: true,
    createdAt: 1_800_000_000_000,
    score: 51.25,
    tier: 3,
    quality: 0.61,
    finished,
  };
}

/**
 * An account's entry: money moves, and its row and those of these capabilities change.
 * @param {string} id
 * @param {number} after
 * @param {readonly ReturnType<typeof capabilityRow>[]} parts
 * @returns {Entry}
 */
function accountEntry(id, after, parts) {
  const at = 1_800_000_000_000 + after;
  const task = randomUUID();
  /** @type {Entry["address"]} */
  const from = { kind: "account", id };
  const transfer = randomUUID();
  return {
    address: from,
    after,
    facts: [{ type: "Held", version: 1, at, body: { type: "Held", task, credits: 20, taskType: "analysis" } }],
    cause: randomUUID(),
    postings: [
      // The brands of machines/ are not for plain data.
      /** @type {any} */ ([
        { transfer, leg: 0, account: "available", owner: id, amount: -20, task, reason: "HOLD" },
        { transfer, leg: 1, account: "held", owner: id, amount: 20, task, reason: "HOLD" },
      ]),
    ],
    messages: [
      {
        id: randomUUID(),
        from,
        seq: after + 1,
        leg: 0,
        to: { kind: "task", id: task },
        // As long as one that is sent, and not taken in by anybody.
        command: /** @type {any} */ ({ type: "open", order: RESULT }),
      },
    ],
    timers: [],
    parts,
    row: {
      id,
      email: `${id}@bench.example`,
      marks: [`email:${id}`],
      status: "ACTIVE",
      keyHash: id,
      available: 1_000_000 - after,
      held: after,
      reputation: 50,
      cooldownUntil: null,
      counterparties: 4,
      debtSince: null,
      tally: TAKEN,
      records: { analysis: TAKEN },
      customer: null,
      github: null,
      createdAt: at,
      updatedAt: at,
    },
    snapshot: undefined,
  };
}

/**
 * A build of the platform that appends to a database of its own.
 * @param {string} name
 * @param {string} checkout
 * @param {string} serverUrl
 * @param {number} capabilities of each account
 */
async function openWriter(name, checkout, serverUrl, capabilities) {
  const folder = ["src/adapters/postgres", "src/postgres"]
    .map((where) => path.resolve(checkout, "dist", where))
    .find((where) => existsSync(path.join(where, "append.js")));
  if (folder === undefined) throw new Error(`${checkout} is not built; run npm run build there`);
  const [{ Appender }, { openPool }, { migrate }] = await Promise.all(
    ["append.js", "pool.js", "migrate.js"].map((file) => import(path.join(folder, file))),
  );
  const database = await makeDatabase(serverUrl);
  const pool = openPool(database.url, { max: 1, name: "bench", keep: true });
  await migrate([pool]);
  const appender = new Appender(pool, SHARDS, null);
  const [row] = await pool`select pg_backend_pid() as pid`;
  const pid = Number(row["pid"]);
  const accounts = Array.from({ length: ACCOUNTS }, () => ({
    id: randomUUID(),
    after: 0,
    rows: Array.from({ length: capabilities }, () => capabilityRow(randomUUID(), 0)),
  }));
  // Older checkouts write all capabilities of an account that does anything.
  const writesAll = !existsSync(path.resolve(checkout, "dist/actors/host/parts.js"));
  let made = 0;
  /** @type {readonly string[]} */
  let undelivered = [];

  /**
   * @param {number} count
   * @returns {Batch}
   */
  const batchOf = (count) => {
    const chosen = Array.from({ length: count }, () => {
      made += 1;
      const account = accounts[made % (2 * ACCOUNTS)];
      if (account === undefined) return taskEntry();
      account.after += 1;
      const changed = account.rows.length === 0 ? -1 : account.after % account.rows.length;
      account.rows = account.rows.map((row, n) => (n === changed ? capabilityRow(row.id, account.after) : row));
      const parts = account.rows.filter((_, n) => n === changed || account.after === 1);
      const entry = accountEntry(account.id, account.after - 1, parts);
      return writesAll ? { ...entry, row: { .../** @type {object} */ (entry.row), capabilities: account.rows } } : entry;
    });
    const delivered = undelivered;
    undelivered = chosen.flatMap(({ messages }) => messages.map(({ id }) => id));
    // Older checkouts call the row a view.
    const entries = chosen.map((entry) => ({ ...entry, view: entry.row }));
    return { id: randomUUID(), entries, delivered, dead: [] };
  };

  return {
    name,
    batchOf,
    /** @param {Batch} batch */
    append: async (batch) => {
      const conflicts = await appender.append(batch);
      if (conflicts.size > 0) throw new Error(`${name}: conflicts in a journal that nobody else writes`);
    },
    /** CPU time of the server's process so far (ms); 0 where there is no /proc, or another machine has it. */
    serverMs: () => {
      const stat = `/proc/${pid}/stat`;
      if (!existsSync(stat)) return 0;
      const fields = readFileSync(stat, "utf8").split(") ")[1]?.split(" ") ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
    },
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openWriter>>} Writer */

/**
 * @param {Writer} writer
 * @param {number} size
 * @param {number} commits
 */
async function round(writer, size, commits) {
  const batches = Array.from({ length: commits }, () => writer.batchOf(size));
  const [cpu, server, started] = [process.cpuUsage(), writer.serverMs(), performance.now()];
  for (const batch of batches) await writer.append(batch);
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { nodeMs: (user + system) / 1_000, serverMs: writer.serverMs() - server, wallMs };
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** @param {readonly Writer[]} writers */
async function measure(writers) {
  console.log("entries  build    node CPU us/entry  Postgres CPU us/entry  us/commit  entries/s");
  for (const size of SIZES) {
    const commits = Math.min(COMMITS_A_ROUND_MAX, Math.ceil(ENTRIES_A_ROUND / size));
    for (const writer of writers) await round(writer, size, Math.ceil(commits / 2));
    /** @type {Map<Writer, Awaited<ReturnType<typeof round>>[]>} */
    const measured = new Map(writers.map((writer) => [writer, []]));
    for (let n = 0; n < ROUNDS; n += 1) {
      for (const writer of n % 2 === 0 ? writers : writers.toReversed()) {
        measured.get(writer)?.push(await round(writer, size, commits));
      }
    }
    const lines = [...measured].map(([{ name }, rounds]) => {
      const of = (/** @type {"nodeMs" | "serverMs" | "wallMs"} */ what) => median(rounds.map((one) => one[what])) / commits;
      return { name, node: (of("nodeMs") * 1_000) / size, server: (of("serverMs") * 1_000) / size, wall: of("wallMs") * 1_000 };
    });
    for (const { name, node, server: database, wall } of lines) {
      const rate = (size * 1_000_000) / wall;
      console.log(
        `${String(size).padStart(7)}  ${name.padEnd(7)} ${node.toFixed(1).padStart(18)} ${database.toFixed(1).padStart(22)} ${wall.toFixed(0).padStart(10)} ${rate.toFixed(0).padStart(10)}`,
      );
    }
    const [mine, theirs] = lines;
    if (mine !== undefined && theirs !== undefined) {
      const share = (/** @type {number} */ a, /** @type {number} */ b) => (b === 0 ? "?" : (a / b).toFixed(2));
      console.log(
        `         ratio   ${share(mine.node, theirs.node).padStart(18)} ${share(mine.server, theirs.server).padStart(22)} ${share(mine.wall, theirs.wall).padStart(10)}`,
      );
    }
  }
}

const server = await findServer();
const root = path.resolve(import.meta.dirname, "../..");
const other = process.argv[2];
try {
  for (const capabilities of CAPABILITIES) {
    console.log(`${capabilities} capabilities for each account`);
    /** @type {Writer[]} */
    const writers = [];
    try {
      writers.push(await openWriter("this", root, server.url, capabilities));
      if (other !== undefined) writers.push(await openWriter("other", other, server.url, capabilities));
      await measure(writers);
    } finally {
      for (const { close } of writers) await close();
    }
  }
} finally {
  await server.stop();
}
