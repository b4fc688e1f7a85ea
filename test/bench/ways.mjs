/** The two ways to a platform, for benches that go both: the same operations over HTTP and over NATS. */
import { connect, headers } from "nats";
import { Client } from "../support/client.mjs";

/** @typedef {import("./paid-life.mjs").Account} Account */
/**
 * A success gives the body; anything else rejects.
 * @typedef {{ readonly name: string, readonly create: (by: Account, order: object) => Promise<any>,
 *   readonly pull: (by: Account, body: object) => Promise<{ readonly tasks: readonly any[] }>,
 *   readonly submit: (by: Account, task: string, result: unknown) => Promise<any>, readonly close: () => Promise<void> }} Way
 */

/** Longer than any wait of a pull (ms). */
const ANSWER_MS = 45_000;

/** Over HTTP, at these ports in turn. @param {readonly number[]} ports @param {number} sockets at each @returns {Way} */
export function overHttp(ports, sockets) {
  const clients = ports.map((port) => new Client(port, sockets));
  let turn = 0;
  /** @param {string} path @param {Account} by @param {unknown} body */
  const call = async (path, { key }, body) => {
    turn += 1;
    const client = /** @type {Client} */ (clients[turn % clients.length]);
    const { status, body: answer } = await client.call("POST", path, body, { key });
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    name: "HTTP",
    create: (by, order) => call("/tasks", by, order),
    pull: (by, body) => call("/work/pull", by, body),
    submit: (by, task, result) => call(`/tasks/${task}/submit`, by, { result_data: result }),
    close: async () => {
      for (const client of clients) client.close();
    },
  };
}

/** Over NATS, with so many connections. @param {string} url @param {number} connections @param {string} prefix @returns {Promise<Way>} */
export async function overNats(url, connections, prefix) {
  const all = await Promise.all(Array.from({ length: connections }, () => connect({ servers: url })));
  let turn = 0;
  /** @param {string} verb @param {Account} by @param {unknown} body */
  const ask = async (verb, { id, key }, body) => {
    turn += 1;
    const connection = /** @type {import("nats").NatsConnection} */ (all[turn % all.length]);
    const sent = headers();
    sent.set("X-API-Key", key);
    const options = { headers: sent, timeout: ANSWER_MS };
    const answer = await connection.request(`${prefix}.api.v1.${id}.${verb}`, JSON.stringify(body), options);
    const code = answer.headers?.get("Nats-Service-Error-Code") ?? "";
    if (code !== "") throw new Error(`${verb}: ${code} ${answer.string()}`);
    return answer.json();
  };
  return {
    name: "NATS",
    create: (by, order) => ask("tasks.create", by, order),
    pull: (by, body) => ask("work.pull", by, body),
    submit: (by, task, result) => ask("work.submit", by, { task, result_data: result }),
    close: async () => {
      await Promise.all(all.map((connection) => connection.close()));
    },
  };
}
