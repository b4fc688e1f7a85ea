/**
 * The full life of tasks over HTTP: created, bid on, awarded, submitted, settled. One worker for each task type, so that a window
 * closes as soon as that worker has answered.
 */
/** @typedef {import("../support/client.mjs").Client} Client */
/** @typedef {{ readonly id: string, readonly key: string }} Account */

/**
 * What is measured: how often each operation was called, and how long each call took (ms).
 * @typedef {Map<string, number[]>} Times
 */

export const TYPES = [
  "json_extraction",
  "translation",
  "text_classification",
  "text_generation",
  "data_transformation",
  "analysis",
];
const SCHEMA = {
  type: "object",
  properties: { company: { type: "string" }, revenue: { type: "string" }, growth: { type: "string" } },
  required: ["company", "revenue"],
  additionalProperties: false,
};
export const RESULT = { company: "Apple Inc", revenue: "$81.8 billion", growth: "5%" };
const TEXT = "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year. ".repeat(4);
const REQUESTERS = 4;
const LOOK_MS = 50;

/** A task as it is posted; its type is that of one of the workers. */
export const TASK = { input_data: TEXT, schema: SCHEMA, example_output: RESULT, budget: 20, task_type: TYPES[0] };

/**
 * Calls an operation and notes how long it took. Throws on any error.
 * @param {Client} client
 * @param {Times} times
 * @param {string} name
 * @param {string} method
 * @param {string} path
 * @param {string} key
 * @param {unknown} [body]
 */
async function timed(client, times, name, method, path, key, body) {
  const started = performance.now();
  const reply = await client.call(method, path, body, { key });
  const list = times.get(name) ?? [];
  times.set(name, list);
  list.push(performance.now() - started);
  if (reply.status >= 300) throw new Error(`${name}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** @param {Client} client @param {string} name @returns {Promise<Account>} */
async function register(client, name) {
  const { body } = await client.call("POST", "/auth/register", { email: `${name}@bench.example` });
  return { id: body.account_id, key: body.api_key };
}

/**
 * Registers requesters with credits, and a worker for each task type, who is seen.
 * @param {Client} client
 * @returns {Promise<{ readonly requesters: readonly Account[], readonly workers: readonly Account[] }>}
 */
export async function openMarket(client) {
  const named = (/** @type {string} */ role, /** @type {number} */ count) =>
    Promise.all(Array.from({ length: count }, (_, index) => register(client, `${role}${index}`)));
  const [requesters, workers] = [await named("requester", REQUESTERS), await named("worker", TYPES.length)];
  for (const { key } of requesters) await client.call("POST", "/credits/topup", { amount_credits: 1_000_000_000 }, { key });
  for (const [index, { key }] of workers.entries()) {
    await client.call("GET", `/tasks/available?task_type=${TYPES[index]}`, undefined, { key });
  }
  return { requesters, workers };
}

/** How many tasks these workers have done and been paid for. @param {Client} client @param {readonly Account[]} workers */
export async function doneBy(client, workers) {
  const counts = await Promise.all(workers.map(({ key }) => client.call("GET", "/account/reputation", undefined, { key })));
  return counts.reduce((sum, { body }) => sum + body.tasks_completed, 0);
}

/**
 * Looks for tasks of a worker's type and does them, `lanes` at a time, until `done`.
 * @param {Client} client
 * @param {Times} times
 * @param {{ readonly key: string, readonly type: string | undefined, readonly lanes: number, readonly done: () => boolean }} worker
 */
async function work(client, times, { key, type, lanes, done }) {
  let seen = new Set();
  while (!done()) {
    const open = await timed(client, times, "available", "GET", `/tasks/available?task_type=${type}&limit=50`, key);
    const mine = open.filter((/** @type {any} */ task) => !seen.has(task.id));
    seen = new Set(open.map((/** @type {any} */ task) => task.id));
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let task = mine.pop(); task !== undefined; task = mine.pop()) {
          const bid = await timed(client, times, "bid", "POST", `/tasks/${task.id}/bid`, key, { bid_credits: 12 });
          if (bid.status !== "AWARDED") throw new Error(`the window did not close: ${JSON.stringify(bid)}`);
          await timed(client, times, "submit", "POST", `/tasks/${task.id}/submit`, key, { result_data: RESULT });
        }
      }),
    );
  }
}

/**
 * Has so many tasks live: `inFlight` are being posted at once, while the workers work.
 * @param {Client} client
 * @param {Awaited<ReturnType<typeof openMarket>>} market
 * @param {{ readonly tasks: number, readonly inFlight: number }} load
 * @param {Times} [times] where to note what was called
 * @returns {Promise<number>} how long it took until all were settled (s)
 */
export async function live(client, { requesters, workers }, { tasks, inFlight }, times = new Map()) {
  const before = await doneBy(client, workers);
  let [created, settled] = [0, 0];
  const started = performance.now();
  const creating = Array.from({ length: inFlight }, async (_, index) => {
    const key = requesters[index % requesters.length]?.key ?? "";
    while (created < tasks) {
      const body = { ...TASK, task_type: TYPES[created++ % TYPES.length] };
      await timed(client, times, "create", "POST", "/tasks", key, body);
    }
  });
  const lanes = Math.max(2, Math.ceil(inFlight / TYPES.length));
  const done = () => settled >= tasks;
  const working = workers.map(({ key }, index) => work(client, times, { key, type: TYPES[index], lanes, done }));
  const watching = (async () => {
    while (!done()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      settled = (await doneBy(client, workers)) - before;
    }
  })();
  await Promise.all([...creating, ...working, watching]);
  return (performance.now() - started) / 1_000;
}
