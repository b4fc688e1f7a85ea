/**
 * How soon a worker who waits knows of its next task: for each way in which a task can come, and for each way of waiting, the time
 * from the cause to the moment at which the worker has read of its award. The cause is the answer to the request that made the task
 * free (posted, given back, failed, submitted), the moment at which an award timed out (3 s after its deadline, because a result that came in time
 * may still be judged), or the worker's own request where the task was there first. An award that is known before that answer counts as 0.
 *
 *   npm run bench:next -- [rounds]
 *
 * One platform with its default settings, but without rate limits; the server, the database and this client share the machine. For
 * comparison each way of waiting begins with how long a request takes that commits (a top-up): the longest of the causes, the next item of a
 * batch, leads through nine commits.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";
import { pullOverHttp, pullOverNats, streamWithPrice } from "./waiting.mjs";

/** @typedef {import("./waiting.mjs").Party} Party */
/** @typedef {import("./waiting.mjs").Way} Way */
/** @typedef {import("./waiting.mjs").Wait} Wait */

const ROUNDS = Number(process.argv[2] ?? 50);
if (!(Number.isInteger(ROUNDS) && ROUNDS > 0)) throw new Error("rounds is a whole number above 0");
const TASK_TYPE = "json_extraction";
const AIM_MS = 50;
const LOOK_MS = 5;
const TIMED_OUT_AT_ONCE = 10;
const WARM_UP = 5;
const OFFERED_MS = 100;
const TEMPLATE = {
  task_type: TASK_TYPE,
  schema: { type: "object", properties: { company: { type: "string" } }, required: ["company"], additionalProperties: false },
  example_output: { company: "Initech" },
  budget: 20,
};
const ITEM = { input_data: "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year." };
const ORDER = { ...TEMPLATE, ...ITEM };
const [GOOD, BAD] = [{ company: "Apple Inc" }, { company: 7 }];

const server = await findServer();
const database = await makeDatabase(server.url);
const nats = await startPrivate("nats");
const platform = await startProcess({ DATABASE_URL: database.url, FLEET_NATS_URL: nats.url });
const client = new Client(platform.port);
const requester = await register();
await call("POST", "/credits/topup", { amount_credits: 1_000_000_000 }, requester);

/** @returns {Promise<Party>} */
async function register() {
  const { status, body } = await client.call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` });
  if (status >= 300) throw new Error(JSON.stringify(body));
  return { id: body.account_id, key: body.api_key };
}

/** @param {string} method @param {string} path @param {unknown} body @param {Party} party */
async function call(method, path, body, { key }) {
  const reply = await client.call(method, path, body, { key });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

const now = () => performance.timeOrigin + performance.now();
const post = async (more = {}) => (await call("POST", "/tasks", { ...ORDER, ...more }, requester)).id;
/** @param {string} id @param {Party} worker @param {unknown} [result] */
const submit = (id, worker, result = GOOD) => call("POST", `/tasks/${id}/submit`, { result_data: result }, worker);

/** @param {() => Promise<boolean>} isSo */
async function until(isSo) {
  while (!(await isSo())) await sleep(LOOK_MS);
}

/** Waits until so many workers are online. @param {number} workers */
const online = (workers) =>
  until(async () => (await call("POST", "/tasks/validate", ORDER, requester)).workers_online === workers);
/** @param {string} id @param {string} status */
const has = (id, status) => until(async () => (await call("GET", `/tasks/${id}`, undefined, requester)).status === status);

/** Gives a new worker a task, and nobody waits after that. */
async function awarded(more = {}) {
  const worker = await register();
  const id = await post(more);
  const { tasks } = await call("POST", "/work/pull", { task_types: [TASK_TYPE], wait_ms: 30_000 }, worker);
  if (tasks[0]?.id !== id) throw new Error("another task was there");
  await online(0);
  return { worker, id };
}

/**
 * A worker waits and knows of a task that `cause` frees, which gives when it did (ms of the epoch). Gives the ms between.
 * @param {Way} way
 * @param {Party} worker
 * @param {() => Promise<number>} cause
 */
async function whileWaiting(way, worker, cause) {
  const wait = way.wait(worker);
  await online(1);
  const [at, won] = await Promise.all([cause(), wait.won]);
  wait.end();
  await online(0);
  await submit(won.id, worker);
  await has(won.id, "SETTLED");
  return Math.max(0, won.at - at);
}

/** @param {() => Promise<unknown>} request @returns {() => Promise<number>} when it was answered */
const answered = (request) => async () => {
  await request();
  return now();
};

/** @param {Way} way @param {Party} worker */
function posted(way, worker) {
  return whileWaiting(way, worker, answered(post));
}

async function topUp() {
  const began = now();
  await call("POST", "/credits/topup", { amount_credits: 1 }, requester);
  return now() - began;
}

/** @type {{ readonly name: string, readonly round: (way: Way, worker: Party) => Promise<number> }[]} */
const CAUSES = [
  { name: "posted", round: posted },
  {
    name: "item of a batch",
    round: (way, worker) =>
      whileWaiting(
        way,
        worker,
        answered(() => call("POST", "/tasks/batch", { template: TEMPLATE, items: [ITEM] }, requester)),
      ),
  },
  {
    name: "next item, other paid",
    round: async (way, worker) => {
      const other = await register();
      await call("POST", "/tasks/batch", { template: TEMPLATE, items: [ITEM, ITEM], max_concurrent: 1 }, requester);
      const { tasks } = await call("POST", "/work/pull", { task_types: [TASK_TYPE], wait_ms: 30_000 }, other);
      await online(0);
      return whileWaiting(
        way,
        worker,
        answered(() => submit(tasks[0].id, other)),
      );
    },
  },
  {
    name: "given back",
    round: async (way, worker) => {
      const { worker: other, id } = await awarded();
      return whileWaiting(
        way,
        worker,
        answered(() => call("POST", `/tasks/${id}/release`, {}, other)),
      );
    },
  },
  {
    name: "failed",
    round: async (way, worker) => {
      const { worker: other, id } = await awarded();
      for (let tries = 0; tries < 2; tries += 1) await submit(id, other, BAD);
      return whileWaiting(
        way,
        worker,
        answered(() => submit(id, other, BAD)),
      );
    },
  },
];

/** When the award of a task timed out (ms of the epoch). @param {string} id */
async function timedOutAt(id) {
  const { items } = await call("GET", `/tasks/${id}/events`, undefined, requester);
  return Date.parse(items.find((/** @type {{ event: string }} */ { event }) => event === "AwardTimedOut").at);
}

/**
 * Awards that time out take seconds, so several workers wait for as many of them.
 * @param {Way} way
 * @param {number} count
 */
async function whenTimedOut(way, count) {
  const workers = await Promise.all(Array.from({ length: count }, register));
  for (const worker of workers) await way.prepare(worker);
  for (let n = 0; n < count; n += 1) await awarded({ max_seconds: 10 });
  const waits = workers.map((worker) => way.wait(worker));
  const all = await Promise.all(
    waits.map(async ({ won, end }, n) => {
      const got = await won;
      end();
      await submit(got.id, workers[n] ?? requester);
      return got;
    }),
  );
  const times = await Promise.all(all.map(async ({ id, at }) => Math.max(0, at - (await timedOutAt(id)))));
  await online(0);
  return times;
}

/** The worker comes when the task is in the pool. @param {Way} way @param {Party} worker @returns {Promise<readonly number[]>} */
async function fromPool(way, worker) {
  const ids = await Promise.all(Array.from({ length: ROUNDS }, () => post()));
  for (const id of ids) await has(id, "PENDING_POOL");
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = now();
    const wait = way.wait(worker);
    const won = await wait.won;
    times.push(won.at - began);
    wait.end();
    await online(0);
    await submit(won.id, worker);
    await has(won.id, "SETTLED");
  }
  return times;
}

/**
 * A worker has all that it may, and waits; then one of its awards ends, as `finish` says.
 * @param {Way} way
 * @param {(id: string, worker: Party) => Promise<unknown>} finish
 */
async function whenFreed(way, finish) {
  const worker = await register();
  const ids = await Promise.all([post(), post(), post()]);
  const { tasks } = await call("POST", "/work/pull", { task_types: [TASK_TYPE], max_tasks: 3, wait_ms: 30_000 }, worker);
  if (tasks.length !== ids.length) throw new Error(`${tasks.length} tasks where three were posted`);
  await way.prepare(worker);
  const wait = way.wait(worker);
  await online(1);
  const next = await post();
  // Until then it is offered to the worker, in vain.
  await sleep(OFFERED_MS);
  const [first, ...rest] = ids;
  await finish(first ?? "", worker);
  const at = now();
  const won = await wait.won;
  wait.end();
  await online(0);
  if (won.id !== next) throw new Error("another task was there");
  for (const id of [...rest, won.id]) await submit(id, worker);
  // One that was given back is open again.
  await client.call("DELETE", `/tasks/${first}`, undefined, { key: requester.key });
  return Math.max(0, won.at - at);
}

/** @type {{ readonly name: string, readonly finish: (id: string, worker: Party) => Promise<unknown> }[]} */
const FREED = [
  { name: "place freed: paid", finish: (id, worker) => submit(id, worker) },
  { name: "place freed: given back", finish: (id, worker) => call("POST", `/tasks/${id}/release`, {}, worker) },
];

/** @param {Way} way @param {string} name @param {readonly number[]} times */
function print(way, name, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (/** @type {number} */ part) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  const above = times.filter((ms) => ms > AIM_MS).length;
  const figures = [`p50 ${at(0.5)}`, `p99 ${at(0.99)}`, `max ${at(1)} ms`, above === 0 ? "" : `${above} above ${AIM_MS} ms`];
  console.log([way.name.padEnd(22), name.padEnd(26), ...figures.map((one) => one.padEnd(12))].join(" ").trimEnd());
}

/** @param {number} count @param {() => Promise<number>} round */
async function rounds(count, round) {
  const times = [];
  for (let n = 0; n < count; n += 1) times.push(await round());
  return times;
}

const ways = [pullOverHttp(client, TASK_TYPE), await pullOverNats(nats.url, TASK_TYPE), streamWithPrice(client, TASK_TYPE)];
try {
  for (const way of ways) {
    const worker = await register();
    await way.prepare(worker);
    await rounds(WARM_UP, () => posted(way, worker));
    print(way, "(a request that commits)", await rounds(ROUNDS, topUp));
    for (const { name, round } of CAUSES) print(way, name, await rounds(ROUNDS, () => round(way, worker)));
    const timedOut = [];
    while (timedOut.length < ROUNDS)
      timedOut.push(...(await whenTimedOut(way, Math.min(TIMED_OUT_AT_ONCE, ROUNDS - timedOut.length))));
    print(way, "timed out", timedOut);
    print(way, "there, in the pool", await fromPool(way, worker));
    for (const { name, finish } of FREED) print(way, name, await rounds(ROUNDS, () => whenFreed(way, finish)));
  }
} finally {
  for (const way of ways) await way.close();
  client.close();
  await platform.kill("SIGTERM");
  await nats.stop();
  await database.drop();
  await server.stop();
}
