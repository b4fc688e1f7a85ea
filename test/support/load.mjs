/**
 * Clients of a platform in which processes die: each request is sent again until it is answered, what was answered is
 * remembered, and at the end all of it must be true, every task ended, every webhook heard.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import postgres from "postgres";
import { Client } from "./client.mjs";

export const RETRY_MS = 25;
/** Between two tasks of one requester, so that workers keep up with them. */
const POST_MS = 250;
const AT_ONCE = 50;
/** How long a pull waits. */
const PULL_MS = 1_000;
export const END_MS = 60_000;
const TERMINAL = new Set(["SETTLED", "EXPIRED", "CANCELLED"]);
const TYPES = ["json_extraction", "translation", "analysis"];
const ORDER = {
  input_data: "Ada Lovelace wrote the first program.",
  schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  example_output: { name: "Grace" },
  budget: 10,
  pending_pool_hours: 1,
  auto_retry: 1,
};

/** @param {number} ms */
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Run {
  constructor() {
    /** The ways in; each request takes one of them. @type {Client[]} */
    this.clients = [];
    /** Requests that got no answer, or a 503. */
    this.retries = 0;
    this.open = true;
    this.answers = 0;
    /** Tasks that came as the answer to a pull. */
    this.pulled = 0;
    /** @type {string[]} */
    this.wrong = [];
    /** What clients were told, by task. @type {Map<string, { owner: string, worker?: string, cancelled?: boolean, completed?: boolean }>} */
    this.tasks = new Map();
    /** @type {Map<string, number>} */
    this.toppedUp = new Map();
    /** @type {Set<string>} */
    this.heard = new Set();
  }

  /** Sends until there is an answer that is none of the platform's troubles, under one Idempotency-Key. */
  async call(
    /** @type {string} */ method,
    /** @type {string} */ path,
    /** @type {unknown} */ body,
    /** @type {string | undefined} */ key,
  ) {
    const idempotencyKey = randomUUID();
    for (;;) {
      try {
        const reply = await this.#client().call(method, path, body, { key, idempotencyKey });
        if (reply.status < 500) {
          this.answers += 1;
          return reply;
        }
        if (reply.status !== 503 || reply.headers["retry-after"] === undefined)
          this.wrong.push(`${method} ${path}: ${JSON.stringify(reply.body)}`);
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
    return body.api_key;
  }

  async requester(/** @type {string} */ callback) {
    const key = await this.register();
    let paid = 0;
    for (let turn = 0; this.open; turn += 1) {
      const { status } = await this.call("POST", "/credits/topup", { amount_credits: 10 }, key);
      if (status === 200) paid += 10;
      this.toppedUp.set(key, paid);
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

  async worker(/** @type {number} */ number) {
    const type = TYPES[number % TYPES.length];
    let key = await this.register();
    for (let turn = 0; this.open; turn += 1) {
      const { body: offered } = await this.call("GET", `/tasks/available?task_type=${type}&limit=5`, undefined, key);
      for (const { id } of Array.isArray(offered) ? offered : []) {
        const { body } = await this.call("POST", `/tasks/${id}/bid`, { bid_credits: 1 + (turn % 10) }, key);
        // Kills make even the best late three times in a row; the market goes on with somebody new.
        if (body.code === "ACCOUNT_COOLING_DOWN" || body.code === "ACCOUNT_FROZEN") key = await this.register();
      }
      const { body: mine } = await this.call("GET", "/tasks?role=worker&status=AWARDED&limit=20", undefined, key);
      for (const { id } of mine.items ?? []) await this.#deliver(id, key, turn);
      await wait(RETRY_MS);
    }
  }

  /** A worker that waits for tasks instead of looking for them. */
  async puller(/** @type {number} */ number) {
    const pull = { task_types: [TYPES[number % TYPES.length]], max_tasks: 2, wait_ms: PULL_MS };
    let key = await this.register();
    for (let turn = 0; this.open; turn += 1) {
      const { status, body } = await this.call("POST", "/work/pull", pull, key);
      if (body.code === "ACCOUNT_COOLING_DOWN" || body.code === "ACCOUNT_FROZEN") key = await this.register();
      else if (status !== 200) this.wrong.push(`pull: ${status} ${JSON.stringify(body)}`);
      for (const { id, awarded_to, input_data } of body.tasks ?? []) {
        if (input_data === null) this.wrong.push(`task ${id} was pulled by ${awarded_to} without its input`);
        this.pulled += 1;
        await this.#deliver(id, key, turn);
      }
    }
  }

  /** Submits a result, and remembers what it was told. */
  async #deliver(/** @type {string} */ id, /** @type {string} */ key, /** @type {number} */ turn) {
    // One in eight is wrong at first, which costs a try.
    if (turn % 8 === 7) await this.call("POST", `/tasks/${id}/submit`, { result_data: {} }, key);
    const { status, body } = await this.call("POST", `/tasks/${id}/submit`, { result_data: { name: "Ada" } }, key);
    const told = this.tasks.get(id);
    if (status !== 200 || body.status !== "COMPLETED" || told === undefined) return;
    if (told.completed === true && told.worker !== key) this.wrong.push(`task ${id} was completed by two workers`);
    told.completed = true;
    told.worker = key;
  }

  get completed() {
    return [...this.tasks.values()].filter(({ completed }) => completed === true).length;
  }

  /** Holds the task against all that clients were told of it. */
  check(/** @type {string} */ id, /** @type {{ status: string, result_data: unknown }} */ task) {
    const told = this.tasks.get(id);
    if (told?.cancelled === true && task.status !== "CANCELLED")
      this.wrong.push(`task ${id} was cancelled and is ${task.status}`);
    if (told?.completed === true && !["COMPLETED", "SETTLED"].includes(task.status)) {
      this.wrong.push(`task ${id} was completed and is ${task.status}`);
    }
    if (task.status === "SETTLED" && JSON.stringify(task.result_data) !== '{"name":"Ada"}')
      this.wrong.push(`task ${id} lost its result`);
  }

  async checkAll() {
    /** @type {Record<string, number>} */
    const statuses = {};
    for (const [id, { owner }] of this.tasks) {
      const { status, body } = await this.call("GET", `/tasks/${id}`, undefined, owner);
      if (status !== 200) this.wrong.push(`task ${id} was created and is gone: ${status}`);
      else this.check(id, body);
      statuses[body.status] = (statuses[body.status] ?? 0) + 1;
    }
    return statuses;
  }
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
 * Sets this many clients to work, one in five as a worker; every second of those pulls.
 * @param {Run} run
 * @param {number} count
 * @param {string} callback
 */
export function startClients(run, count, callback) {
  const workers = Math.floor(count / 5);
  return [
    ...Array.from({ length: workers }, (_, number) => (number % 2 === 0 ? run.worker(number) : run.puller(number))),
    ...Array.from({ length: count - workers }, () => run.requester(callback)),
  ];
}

/** @param {Run} run @param {string} id @param {string} status */
async function cancel(run, id, status) {
  const told = run.tasks.get(id);
  if (told === undefined) run.wrong.push(`task ${id} is there, and nobody was told`);
  else if (status === "PENDING_POOL" || status === "ROUTING") {
    const { status: answer } = await run.call("DELETE", `/tasks/${id}`, undefined, told.owner);
    if (answer === 200) told.cancelled = true;
  }
}

/**
 * Cancels what still waits for a worker, and waits until every task has ended and every webhook has arrived.
 * @param {Run} run
 * @param {readonly string[]} databaseUrls
 */
export async function finish(run, databaseUrls) {
  const pools = databaseUrls.map((url) => postgres(url, { max: 1 }));
  const stillOpen = async () => {
    const found = pools.map((sql) => sql`select id, status from tasks where status not in ('SETTLED', 'EXPIRED', 'CANCELLED')`);
    return (await Promise.all(found)).flat();
  };
  let open = Number.POSITIVE_INFINITY;
  let unheard = Number.POSITIVE_INFINITY;
  // A long run leaves many; what counts is that they keep becoming fewer.
  let until = Date.now() + END_MS;
  while (Date.now() < until && (open > 0 || unheard > 0)) {
    const left = open + unheard;
    const rows = await stillOpen();
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      await Promise.all(rows.slice(from, from + AT_ONCE).map(({ id, status }) => cancel(run, id, status)));
    }
    open = rows.length;
    unheard = [...run.tasks.keys()].filter((id) => !run.heard.has(id)).length;
    if (open + unheard < left) until = Date.now() + END_MS;
    await wait(100);
  }
  await Promise.all(pools.map((sql) => sql.end()));
  if (open > 0) run.wrong.push(`${open} tasks did not end, and none more within ${END_MS} ms`);
  if (unheard > 0) run.wrong.push(`${unheard} webhooks did not arrive, and none more within ${END_MS} ms`);
  const statuses = await run.checkAll();
  for (const status of Object.keys(statuses))
    if (!TERMINAL.has(status)) run.wrong.push(`${statuses[status]} tasks are ${status}`);
  return statuses;
}
