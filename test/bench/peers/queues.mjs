/**
 * The peers as job queues, each as its own documentation says for much work: one process adds jobs, each by itself and durable when
 * that is answered; another has a worker that does nothing with them. What pg-boss is said to do for much work completes jobs a thousand
 * at a time; so it is here twice, the second time as all others are: each job fetched and completed by itself.
 */
import { load, versionOf } from "./installed.mjs";

/**
 * @typedef {object} Producer
 * @property {(payload: object) => Promise<unknown>} add resolves when the job is durable
 * @property {() => Promise<number>} left how many jobs are not completed
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} Queue
 * @property {string} name
 * @property {string} peer the name of its package
 * @property {string} settings what was set, in words
 * @property {"postgres" | "redis"} on what it stands on
 * @property {(url: string) => Promise<Producer>} produce makes what the queue needs in an empty store
 * @property {(url: string) => Promise<unknown>} work starts a worker
 */

const QUEUE = "empty";
/** Connections of a process; as many as are busy at once with 48 additions in flight on two cores, and no more waiting for locks. */
const CONNECTIONS = 20;
/** pg-boss: the least time between two looks for jobs (s), and jobs for each, so that no look finds more than it takes. */
const PG_BOSS_LOOK_S = 0.5;
const PG_BOSS_BATCH = 1_000;
/** How long a loop waits where there was no job (ms). */
const NOTHING_MS = 20;
/** Jobs at once; the number of the project's own benchmark. */
const GRAPHILE_CONCURRENCY = 24;
/** Jobs at once; "100 to 300" are its documentation's words for jobs that wait rather than compute. */
const BULLMQ_CONCURRENCY = 100;

/** @param {string} url */
async function startBoss(url) {
  const Boss = load("pg-boss");
  const boss = new Boss({ connectionString: url, max: CONNECTIONS });
  await boss.start();
  return boss;
}

/** @type {Queue} */
const pgBoss = {
  name: "pg-boss",
  peer: "pg-boss",
  settings: `${CONNECTIONS} connections, batchSize ${PG_BOSS_BATCH}, pollingIntervalSeconds ${PG_BOSS_LOOK_S}`,
  on: "postgres",
  async produce(url) {
    const boss = await startBoss(url);
    await boss.createQueue(QUEUE);
    return {
      add: (payload) => boss.send(QUEUE, payload),
      left: () => boss.getQueueSize(QUEUE, { before: "completed" }),
      close: () => {
        // A connection that it has not ended yet goes with the database.
        boss.on("error", () => {});
        return boss.stop({ graceful: false });
      },
    };
  },
  async work(url) {
    const boss = await startBoss(url);
    await boss.work(QUEUE, { batchSize: PG_BOSS_BATCH, pollingIntervalSeconds: PG_BOSS_LOOK_S }, async () => {});
  },
};

/** @type {Queue} */
const pgBossEach = {
  ...pgBoss,
  name: "pg-boss-each",
  settings: `${CONNECTIONS} connections, ${CONNECTIONS} loops of fetch() and complete(), one job at a time`,
  async work(url) {
    const boss = await startBoss(url);
    for (let lane = 0; lane < CONNECTIONS; lane += 1) void workEach(boss);
  },
};

/** Fetches and completes one job after the other, for as long as the process lives. @param {any} boss */
async function workEach(boss) {
  for (;;) {
    const [job] = await boss.fetch(QUEUE, { batchSize: 1 });
    if (job === undefined) await new Promise((resolve) => setTimeout(resolve, NOTHING_MS));
    else await boss.complete(QUEUE, job.id);
  }
}

/** @type {Queue} */
const graphileWorker = {
  name: "graphile-worker",
  peer: "graphile-worker",
  settings: `${CONNECTIONS} connections to add, concurrency ${GRAPHILE_CONCURRENCY} with a connection each`,
  on: "postgres",
  async produce(url) {
    const { makeWorkerUtils } = load("graphile-worker");
    const { Pool } = load("pg");
    const pool = new Pool({ connectionString: url, max: CONNECTIONS });
    // The server ends its connections when the database is dropped.
    pool.on("error", () => {});
    const utils = await makeWorkerUtils({ pgPool: pool });
    await utils.migrate();
    return {
      add: (payload) => utils.addJob(QUEUE, payload),
      left: async () => (await pool.query("select count(*)::int as left from graphile_worker.jobs")).rows[0].left,
      close: async () => {
        await utils.release();
        await pool.end();
      },
    };
  },
  async work(url) {
    const { Logger, run } = load("graphile-worker");
    await run({
      connectionString: url,
      concurrency: GRAPHILE_CONCURRENCY,
      maxPoolSize: GRAPHILE_CONCURRENCY + 1,
      noHandleSignals: true,
      logger: new Logger(() => () => {}),
      taskList: { [QUEUE]: async () => {} },
    });
  },
};

/** @type {Queue} */
const bullmq = {
  name: "bullmq",
  peer: "bullmq",
  settings: `concurrency ${BULLMQ_CONCURRENCY}, removeOnComplete`,
  on: "redis",
  async produce(url) {
    const { Queue } = load("bullmq");
    const queue = new Queue(QUEUE, { connection: { url }, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } });
    await queue.waitUntilReady();
    return {
      add: (payload) => queue.add(QUEUE, payload),
      left: () => queue.getJobCountByTypes("waiting", "active", "delayed", "prioritized"),
      close: () => queue.close(),
    };
  },
  async work(url) {
    const { Worker } = load("bullmq");
    const worker = new Worker(QUEUE, async () => {}, { connection: { url }, concurrency: BULLMQ_CONCURRENCY });
    await worker.waitUntilReady();
  },
};

/** @type {readonly Queue[]} */
export const QUEUES = [pgBoss, pgBossEach, graphileWorker, bullmq];

/** The name and version of a queue. @param {Queue} queue */
export function titleOf({ name, peer }) {
  return `${name} ${versionOf(peer)}`;
}
