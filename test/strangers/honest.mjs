/** Honest people: requesters who post at a steady pace, workers who bid, do the work and hand it in, all within the limits. */
import { randomUUID } from "node:crypto";
import { Client } from "../support/client.mjs";

/** For each of these there is a pair: a requester and a worker. */
const TYPES = ["json_extraction", "translation", "text_classification", "data_transformation"].flatMap((type) => [type, type]);
/** Tasks of one pair that are under way at the same time: one fewer than a new worker may have, as one may not be paid yet. */
const LANES = 2;
/** Between two looks at a task (ms). */
const LOOK_MS = 800;
/** How long a task collects bids: the platform's default, because strangers are online and do not answer (ms). */
const WINDOW_MS = 3_000;
const MAX_SECONDS = 30;
/** A task that is not settled after this is late, whoever is to blame (ms). */
const LATE_MS = WINDOW_MS + MAX_SECONDS * 1_000;
const RESULT = { name: "Ada" };
const ORDER = {
  input_data: "Ada Lovelace wrote the first program.",
  schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  example_output: { name: "Grace" },
  budget: 20,
  max_seconds: MAX_SECONDS,
  auto_retry: 0,
  // The lowest price wins, so that strangers who bid more can take no task away.
  quality_preference: "cheapest",
};
const PRICE = 5;

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @typedef {{ readonly key: string, readonly address: string }} Party */

export class Honest {
  /** @type {string[]} */
  wrong = [];
  settled = 0;
  /** From posted to settled (ms). @type {number[]} */
  lives = [];
  /** Each request (ms). @type {number[]} */
  requests = [];
  /** Tasks that are open. @type {Set<string>} */
  open = new Set();
  #parties = 0;

  /** @param {number} port */
  constructor(port) {
    this.client = new Client(port, 64, LATE_MS);
  }

  /** Joins everybody and gives what does the tasks, at an even pace over these seconds. @param {number} tasks @param {number} seconds */
  async prepare(tasks, seconds) {
    const pairs = await Promise.all(
      TYPES.map(async (type) => ({ type, requester: await this.#register(), worker: await this.#register() })),
    );
    const lanes = pairs.length * LANES;
    const gapMs = (seconds * 1_000 * lanes) / tasks;
    let left = tasks;
    return () =>
      Promise.all(
        Array.from({ length: lanes }, async (_, lane) => {
          const pair = pairs[lane % pairs.length];
          if (pair === undefined) throw new Error("there is a pair for each lane");
          await wait((gapMs * lane) / lanes);
          for (; left > 0; ) {
            left -= 1;
            const next = wait(gapMs);
            await this.#live(pair.type, pair.requester, pair.worker);
            await next;
          }
        }),
      );
  }

  /** @returns {Promise<Party>} */
  async #register() {
    this.#parties += 1;
    const address = `203.0.113.${this.#parties}`;
    const email = `${randomUUID()}@honest.example`;
    const { body } = await this.#call("POST", "/auth/register", { key: "", address }, { email });
    const party = { key: body.api_key, address };
    await this.#call("POST", "/credits/topup", party, { amount_credits: 100_000 });
    return party;
  }

  /** Anything but success is somebody else's doing. @param {string} method @param {string} path @param {Party} party @param {unknown} [body] */
  async #call(method, path, { key, address }, body) {
    const begun = performance.now();
    const headers = { "X-Forwarded-For": address };
    const reply = await this.client.call(method, path, body, { key: key === "" ? undefined : key, headers }).catch((error) => {
      throw new Error(`${method} ${path.replaceAll(/[0-9a-f-]{36}/g, "…")}: ${error.message}`);
    });
    this.requests.push(performance.now() - begun);
    if (reply.status >= 300)
      throw new Error(`${method} ${path.replaceAll(/[0-9a-f-]{36}/g, "…")}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  /** @param {string} id @param {Party} party @param {string} status */
  async #until(id, party, status) {
    const until = performance.now() + LATE_MS;
    for (;;) {
      const { body } = await this.#call("GET", `/tasks/${id}`, party);
      if (body.status === status) return body;
      if (["SETTLED", "EXPIRED", "CANCELLED", "TIMED_OUT", "FAILED"].includes(body.status) || performance.now() > until)
        throw new Error(`a task is ${body.status} (${body.error_code}) and not ${status}`);
      await wait(LOOK_MS);
    }
  }

  /** One task, from posted to settled. @param {string} task_type @param {Party} requester @param {Party} worker */
  async #live(task_type, requester, worker) {
    const begun = performance.now();
    let id = "";
    try {
      ({ id } = (await this.#call("POST", "/tasks", requester, { ...ORDER, task_type })).body);
      this.open.add(id);
      const bid = await this.#call("POST", `/tasks/${id}/bid`, worker, { bid_credits: PRICE });
      if (bid.body.status !== "AWARDED") await this.#until(id, worker, "AWARDED");
      const awarded = performance.now();
      const { body } = await this.#call("POST", `/tasks/${id}/submit`, worker, { result_data: RESULT });
      if (body.status !== "COMPLETED") throw new Error(`a good result was ${body.status} (${body.error_code})`);
      const workedMs = performance.now() - awarded;
      if (workedMs > MAX_SECONDS * 1_000) throw new Error(`handing in took ${Math.round(workedMs)} ms`);
      await this.#until(id, requester, "SETTLED");
      this.settled += 1;
      this.lives.push(performance.now() - begun);
    } catch (error) {
      this.wrong.push(`an honest task: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.open.delete(id);
  }

  close() {
    this.client.close();
  }
}
