/** How a worker can wait for tasks: with a pull over HTTP or over NATS, or with a stream and a posted price. */
import { request } from "node:http";
import { connect, headers } from "nats";

/** @typedef {import("../support/client.mjs").Client} Client */
/** @typedef {{ readonly id: string, readonly key: string }} Party */
/** @typedef {{ readonly id: string, readonly at: number }} Won a task, and when its worker knew of the award (ms of the epoch) */
/** @typedef {{ readonly won: Promise<Won>, readonly end: () => void }} Wait */
/** @typedef {{ readonly name: string, readonly prepare: (worker: Party) => Promise<void>, readonly wait: (worker: Party) => Wait, readonly close: () => Promise<void> }} Way */

const PULL = { max_tasks: 1, wait_ms: 30_000 };
const NATS_PULL_MS = 5_000;
const PATIENCE_MS = 60_000;

const now = () => performance.timeOrigin + performance.now();

/**
 * @param {Promise<Won>} won
 * @returns {Promise<Won>}
 */
function inTime(won) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no task within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    won.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @param {Client} client @param {string} taskType @returns {Way} */
export function pullOverHttp(client, taskType) {
  const pull = async (/** @type {Party} */ { key }) => {
    for (;;) {
      const { status, body } = await client.call("POST", "/work/pull", { task_types: [taskType], ...PULL }, { key });
      const at = now();
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
      const [task] = body.tasks;
      if (task !== undefined) return { id: task.id, at };
    }
  };
  return {
    name: "pull over HTTP",
    prepare: async () => {},
    wait: (worker) => ({ won: inTime(pull(worker)), end: () => {} }),
    close: async () => {},
  };
}

/** @param {string} url @param {string} taskType @returns {Promise<Way>} */
export async function pullOverNats(url, taskType) {
  const connection = await connect({ servers: url.replace("nats://", "") });
  const pull = async (/** @type {Party} */ { id, key }) => {
    for (;;) {
      const sent = headers();
      sent.set("X-API-Key", key);
      const body = JSON.stringify({ task_types: [taskType], ...PULL, wait_ms: NATS_PULL_MS });
      const answer = await connection.request(`nexus.api.v1.${id}.work.pull`, body, { timeout: PATIENCE_MS, headers: sent });
      const at = now();
      const error = answer.headers?.get("Nats-Service-Error");
      if (error) throw new Error(error);
      const [task] = /** @type {{ tasks: { id: string }[] }} */ (answer.json()).tasks;
      if (task !== undefined) return { id: task.id, at };
    }
  };
  return {
    name: "work.pull over NATS",
    prepare: async () => {},
    wait: (worker) => ({ won: inTime(pull(worker)), end: () => {} }),
    close: () => connection.close(),
  };
}

/** @param {Client} client @param {string} taskType @returns {Way} */
export function streamWithPrice(client, taskType) {
  return {
    name: "stream, posted price",
    prepare: async ({ key }) => {
      const { status, body } = await client.call("POST", "/capabilities", { task_type: taskType, price: 10 }, { key });
      if (status >= 300) throw new Error(JSON.stringify(body));
    },
    wait: ({ key }) => {
      /** @type {(won: Won) => void} */
      let resolve = () => {};
      /** @type {(error: Error) => void} */
      let reject = () => {};
      /** @type {Promise<Won>} */
      const won = new Promise((...both) => {
        [resolve, reject] = both;
      });
      const path = `/api/v1/events/stream?topics=task.awarded&task_type=${taskType}`;
      const asking = request({ host: "127.0.0.1", port: client.port, path, headers: { "X-API-Key": key } }, (incoming) => {
        if (incoming.statusCode !== 200) reject(new Error(`the stream was answered ${incoming.statusCode}`));
        let text = "";
        incoming.on("error", () => {});
        incoming.on("data", (chunk) => {
          text += chunk;
          const at = now();
          const blocks = text.split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            const data = block.split("\n").find((line) => line.startsWith("data: "));
            if (data !== undefined) resolve({ id: JSON.parse(data.slice(6)).task.id, at });
          }
        });
      });
      // It is destroyed at its end.
      asking.on("error", () => {});
      asking.end();
      return { won: inTime(won), end: () => asking.destroy() };
    },
    close: async () => {},
  };
}
