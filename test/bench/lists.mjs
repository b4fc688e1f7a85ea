/**
 * How long lists take over HTTP where there is much: a million open tasks, a million that have ended, all of one requester and one
 * worker, and a million capabilities, in a private database that is filled in about two minutes. Each list is asked for one after
 * the other, first some times without counting.
 *
 *   npm run bench:lists -- [rows of each kind] [requests of each list]
 */
import postgres from "postgres";
import { Client } from "../support/client.mjs";
import { AWARDED, CLOSED_TYPE, ENDED_SINCE, fill, OPEN_SINCE, TYPES } from "../support/many-rows.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const REQUESTS = Number(process.argv[3] ?? 200);
const WARM_UP = 20;
/** Below every other id: a cursor to all rows of a moment. */
const LEAST = "00000000-0000-4000-8000-000000000000";

/** @typedef {{ readonly id: string, readonly key: string }} Party */

/** @param {...(string | number)} parts */
const cursor = (...parts) => Buffer.from(parts.join(".")).toString("base64url");

/**
 * @param {Client} client
 * @param {string} name
 * @returns {Promise<Party>}
 */
async function register(client, name) {
  const { body } = await client.call("POST", "/auth/register", { email: `${name}@bench.example` });
  return { id: body.account_id, key: body.api_key };
}

/** @param {number[]} times @param {number} share */
const quantile = (times, share) => [...times].sort((a, b) => a - b)[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0;

/**
 * @param {Client} client
 * @param {Party} party
 * @param {string} about
 * @param {string} path
 */
async function measure(client, party, about, path) {
  const times = [];
  let last = "";
  for (let n = 0; n < WARM_UP + REQUESTS; n += 1) {
    const started = performance.now();
    const { status, body, headers } = await client.call("GET", path, undefined, { key: party.key });
    if (n >= WARM_UP) times.push(performance.now() - started);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    const items = body.items ?? body;
    last = `${items.length}${headers["link"] === undefined && (body.next_cursor ?? null) === null ? ", the last page" : ""}`;
  }
  const [middle, most] = [quantile(times, 0.5), quantile(times, 0.99)];
  console.log(
    `${middle.toFixed(1).padStart(7)} ${most.toFixed(1).padStart(7)}  ${about.padEnd(34)} ${path.slice(0, 90)} (${last})`,
  );
  return most;
}

/** Every list, for whom, and what it is: [who, about, path]. */
function* lists() {
  for (const sort of ["", "sort=age&", "sort=budget&"]) {
    const path = `/tasks/available?${sort}`;
    yield ["stranger", "all types", `${path}limit=50`];
    yield ["stranger", "200 of all types", `${path}limit=200`];
    yield ["stranger", "one type", `${path}task_type=${TYPES[0]}`];
    yield ["stranger", "nothing to take in the type", `${path}task_type=${CLOSED_TYPE}`];
    yield ["stranger", "none that pays enough", `${path}min_budget=1000`];
    yield ["worker", "the oldest are one's own", `${path}limit=50`];
  }
  yield ["stranger", "far down, by age", `/tasks/available?cursor=${cursor(OPEN_SINCE + ROWS / 2, LEAST)}`];
  yield ["stranger", "at the end, by age", `/tasks/available?cursor=${cursor(OPEN_SINCE + ROWS, LEAST)}`];
  yield ["stranger", "far down, by budget", `/tasks/available?cursor=${cursor("b20", OPEN_SINCE + ROWS / 2, LEAST)}`];
  yield ["stranger", "at the end, by budget", `/tasks/available?cursor=${cursor("b4", OPEN_SINCE, LEAST)}`];
  for (const role of ["", "role=requester&", "role=worker&"]) {
    for (const status of ["", "SETTLED", "EXPIRED", "CANCELLED", "AWARDED", "FAILED", "PENDING_POOL"]) {
      const who = role.includes("worker") ? "worker" : "requester";
      yield [who, `${who}'s ${status.toLowerCase()}`, `/tasks?${role}${status === "" ? "" : `status=${status}`}`];
    }
  }
  yield ["requester", "far down", `/tasks?cursor=${cursor(ENDED_SINCE + AWARDED + ROWS / 2, LEAST)}`];
  for (const sort of ["score", "price", "tasks"]) {
    for (const filter of [
      "",
      `task_type=${TYPES[0]}`,
      "tag=some",
      "tag=rare",
      "min_tier=5",
      "max_price=1",
      "available=true",
      "available=false",
    ]) {
      yield ["stranger", `capabilities, ${filter === "" ? "all" : filter}`, `/capabilities/browse?sort=${sort}&${filter}`];
    }
  }
}

const server = await findServer();
const database = await makeDatabase(server.url);
const platform = await startProcess({ DATABASE_URL: database.url, LOG_LEVEL: "info" });
const client = new Client(platform.port, 1);
const sql = postgres(database.url, { max: 1, onnotice: () => {} });
try {
  const [requester, worker, stranger] = [
    await register(client, "requester"),
    await register(client, "worker"),
    await register(client, "stranger"),
  ];
  const filling = performance.now();
  await fill(
    sql,
    { open: ROWS, own: ROWS / 10, ended: ROWS, capabilities: ROWS },
    { requester: requester.id, worker: worker.id },
  );
  console.log(
    `${ROWS} open tasks, ${ROWS} ended, ${ROWS} capabilities, in ${((performance.now() - filling) / 1_000).toFixed(0)} s`,
  );
  console.log(" p50 ms  p99 ms");
  /** @type {Record<string, Party>} */
  const parties = { requester, worker, stranger };
  let most = 0;
  for (const [who = "", about = "", path = ""] of lists())
    most = Math.max(most, await measure(client, parties[who] ?? stranger, about, path));
  console.log(`the highest p99 is ${most.toFixed(1)} ms`);
} finally {
  client.close();
  await platform.kill("SIGTERM");
  await sql.end();
  await database.drop();
  await server.stop();
}
