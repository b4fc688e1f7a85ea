/**
 * Clients of a platform in which processes die: each request is sent again until it is answered, and what was answered is
 * remembered. outcome.mjs holds it against how the tasks ended.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { FleetClient } from "./fleet-client.mjs";

export const RETRY_MS = 25;
/** Between two tasks of one requester, so that workers keep up with them. */
const POST_MS = 250;
/** How long a pull waits, and how long a fleet waits for any answer: longer than a gateway may take. */
const PULL_MS = 1_000;
const FLEET_WAIT_MS = 12_000;
/** What must come is waited for so long. */
export const END_MS = 60_000;
export const TYPES = ["json_extraction", "translation", "analysis"];
const ORDER = {
  input_data: "Ada Lovelace wrote the first program.",
  schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  example_output: { name: "Grace" },
  budget: 10,
  pending_pool_hours: 1,
  auto_retry: 1,
};

/** @typedef {import("./client.mjs").Reply} Reply */
/** @typedef {import("./client.mjs").Client} Client */
/**
 * How a worker asks, over HTTP or NATS.
 * @typedef {{ readonly key: string, readonly isFleet: boolean, readonly pull: (fields: object) => Promise<Reply>,
 *   readonly submit: (id: string, result: object) => Promise<Reply>, readonly close: () => Promise<void> }} Door
 */
/** @typedef {{ readonly requesters: readonly Promise<void>[], readonly workers: Promise<void>[] }} Working */

/** @param {number} ms */
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Run {
  constructor() {
    /** The ways in; each request takes one of them. @type {Client[]} */
    this.clients = [];
    /** The NATS of fleets, if there are any. @type {string | undefined} */
    this.fleetUrl = undefined;
    /** Requests that got no answer, or a 503. */
    this.retries = 0;
    /** Whether requesters post tasks, and whether workers work. */
    this.posting = true;
    this.open = true;
    this.answers = 0;
    /** Tasks that came as the answer to a pull, and those of them that fleets were told are COMPLETED. */
    this.pulled = 0;
    this.byFleets = 0;
    /** @type {string[]} */
    this.wrong = [];
    /** What clients were told, by task. @type {Map<string, { owner: string, worker?: string, cancelled?: boolean, completed?: boolean }>} */
    this.tasks = new Map();
    /** The id of each account, and what it was told to have paid in (NC), by key. @type {Map<string, string>} */
    this.accounts = new Map();
    /** @type {Map<string, number>} */
    this.toppedUp = new Map();
    /** @type {Set<string>} */
    this.heard = new Set();
  }

  /** Asks over HTTP, until there is an answer. */
  call(
    /** @type {string} */ method,
    /** @type {string} */ path,
    /** @type {unknown} */ body,
    /** @type {string | undefined} */ key,
  ) {
    return this.#persist(`${method} ${path}`, (idempotencyKey) =>
      this.#client().call(method, path, body, { key, idempotencyKey }),
    );
  }

  /**
   * Sends until there is an answer that is none of the platform's troubles, under one Idempotency-Key.
   * @param {string} what
   * @param {(idempotencyKey: string) => Promise<Reply>} send
   */
  async #persist(what, send) {
    const idempotencyKey = randomUUID();
    for (;;) {
      try {
        const reply = await send(idempotencyKey);
        if (reply.status < 500) {
          this.answers += 1;
          return reply;
        }
        if (reply.status !== 503 || reply.headers["retry-after"] === undefined)
          this.wrong.push(`${what}: ${JSON.stringify(reply.body)}`);
      } catch {
        // No answer: killed in between. The same request again finds out.
      }
      this.retries += 1;
      await wait(RETRY_MS);
    }
  }

  #client() {
    const client = this.clients[Math.floor(Math.random() * this.clients.length)];
    if (client === undefined) throw new Error("no way in at the moment");
    return client;
  }

  /** Gives the key of a new account. @returns {Promise<string>} */
  async register() {
    const { body } = await this.call("POST", "/auth/register", { email: `${randomUUID()}@crash.example` }, undefined);
    this.accounts.set(body.api_key, body.account_id);
    return body.api_key;
  }

  /** Adds credits, and remembers how many. */
  async topUp(/** @type {string} */ key, /** @type {number} */ amount) {
    const { status } = await this.call("POST", "/credits/topup", { amount_credits: amount }, key);
    if (status === 200) this.toppedUp.set(key, (this.toppedUp.get(key) ?? 0) + amount);
    else this.wrong.push(`top-up: ${status}`);
  }

  async requester(/** @type {string} */ callback) {
    const key = await this.register();
    for (let turn = 0; this.posting; turn += 1) {
      await this.topUp(key, 10);
      // One in ten is due so soon that some of them time out.
      const max_seconds = turn % 10 === 9 ? 1 : 10;
      const order = { ...ORDER, max_seconds, task_type: TYPES[turn % TYPES.length], callback_url: callback };
      const created = await this.call("POST", "/tasks", order, key);
      if (created.status !== 201) {
        if (created.body.code !== "INSUFFICIENT_CREDITS") this.wrong.push(`create: ${JSON.stringify(created.body)}`);
        continue;
      }
      /** @type {{ owner: string, cancelled?: boolean }} */
      const told = { owner: key };
      this.tasks.set(created.body.id, told);
      if (turn % 5 === 4) {
        const cancelled = await this.call("DELETE", `/tasks/${created.body.id}`, undefined, key);
        if (cancelled.status === 200) told.cancelled = true;
        else if (cancelled.body.code !== "TASK_NOT_CANCELLABLE") this.wrong.push(`cancel: ${JSON.stringify(cancelled.body)}`);
      }
      await wait(POST_MS);
    }
  }

  /** A worker that looks for tasks and bids on them. */
  async worker(/** @type {number} */ number) {
    const type = TYPES[number % TYPES.length];
    let door = await this.#overHttp();
    for (let turn = 0; this.open; turn += 1) {
      const { body: offered } = await this.call("GET", `/tasks/available?task_type=${type}&limit=5`, undefined, door.key);
      for (const { id } of Array.isArray(offered) ? offered : []) {
        const { body } = await this.call("POST", `/tasks/${id}/bid`, { bid_credits: 1 + (turn % 10) }, door.key);
        // Kills make even the best late three times in a row; the market goes on with somebody new.
        if (mayNotWork(body)) door = await this.#overHttp();
      }
      const { body: mine } = await this.call("GET", "/tasks?role=worker&status=AWARDED&limit=20", undefined, door.key);
      for (const task of mine.items ?? []) await this.#deliver(task, door, turn);
      await wait(RETRY_MS);
    }
  }

  /** A worker that waits for tasks instead of looking for them; of a fleet, if there is a NATS for fleets and it is to be one. */
  async puller(/** @type {number} */ number, isFleet = false) {
    const connect = () => (isFleet ? this.#overNats() : this.#overHttp());
    const pull = { task_types: [TYPES[number % TYPES.length]], max_tasks: 2, wait_ms: PULL_MS };
    let door = await connect();
    for (let turn = 0; this.open; turn += 1) {
      const { status, body } = await door.pull(pull);
      if (mayNotWork(body)) {
        await door.close();
        door = await connect();
      } else if (status !== 200) this.wrong.push(`pull: ${status} ${JSON.stringify(body)}`);
      for (const task of body.tasks ?? []) {
        if (task.input_data === null) this.wrong.push(`task ${task.id} was pulled by ${task.awarded_to} without its input`);
        this.pulled += 1;
        await this.#deliver(task, door, turn);
      }
    }
    await door.close();
  }

  /** @returns {Promise<Door>} */
  async #overHttp() {
    const key = await this.register();
    return {
      key,
      isFleet: false,
      pull: (fields) => this.call("POST", "/work/pull", fields, key),
      submit: (id, result_data) => this.call("POST", `/tasks/${id}/submit`, { result_data }, key),
      close: async () => {},
    };
  }

  /** @returns {Promise<Door>} */
  async #overNats() {
    const key = await this.register();
    const party = { account: this.accounts.get(key) ?? "", key };
    const client = await FleetClient.connect(this.fleetUrl ?? "", party, FLEET_WAIT_MS);
    /** @type {(verb: string, fields: object) => Promise<Reply>} */
    const ask = (verb, fields) => this.#persist(verb, (idempotencyKey) => client.ask(verb, fields, idempotencyKey));
    return {
      key,
      isFleet: true,
      pull: (fields) => ask("work.pull", fields),
      submit: (task, result_data) => ask("work.submit", { task, result_data }),
      close: () => client.close(),
    };
  }

  /** Submits a result, and remembers what it was told. */
  async #deliver(/** @type {any} */ { id, expires_at }, /** @type {Door} */ door, /** @type {number} */ turn) {
    // One in eight is wrong at first, which costs a try.
    if (turn % 8 === 7) await door.submit(id, {});
    const { status, body } = await door.submit(id, { name: "Ada" });
    // Whoever was told of an award has it until its time is over.
    if (status !== 200 && Date.now() < Date.parse(expires_at))
      this.wrong.push(`task ${id} was taken from its worker before ${expires_at}: ${status} ${JSON.stringify(body)}`);
    const told = this.tasks.get(id);
    if (status !== 200 || body.status !== "COMPLETED" || told === undefined) return;
    if (told.completed === true && told.worker !== door.key) this.wrong.push(`task ${id} was completed by two workers`);
    told.completed = true;
    told.worker = door.key;
    if (door.isFleet) this.byFleets += 1;
  }

  get completed() {
    return [...this.tasks.values()].filter(({ completed }) => completed === true).length;
  }
}

/** @param {{ readonly code?: string }} body */
function mayNotWork({ code }) {
  return code === "ACCOUNT_COOLING_DOWN" || code === "ACCOUNT_FROZEN";
}

/**
 * A receiver of the run's webhooks.
 * @param {Run} run
 * @returns {Promise<{ readonly url: string, readonly close: () => void }>}
 */
export async function receiveWebhooks(run) {
  const receiver = createServer((request, response) => {
    run.heard.add(String(request.headers["x-nexus-task-id"]));
    request.resume();
    response.writeHead(200).end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = receiver.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/hook`;
  const close = () => {
    receiver.close();
    receiver.closeAllConnections();
  };
  return { url, close };
}

/**
 * Sets this many clients to work, one in five as a worker. Every second of those pulls, unless the platform does not know pulls yet,
 * and of the pulling ones all but the first are workers of fleets, if there is a NATS for fleets.
 * @param {Run} run
 * @param {number} count
 * @param {string} callback
 * @returns {Working}
 */
export function startClients(run, count, callback, pulls = true) {
  const workers = Math.floor(count / 5);
  const work = (/** @type {number} */ number) =>
    number % 2 === 0 || !pulls ? run.worker(number) : run.puller(number, run.fleetUrl !== undefined && number > 1);
  return {
    requesters: Array.from({ length: count - workers }, () => run.requester(callback)),
    workers: Array.from({ length: workers }, (_, number) => work(number)),
  };
}
