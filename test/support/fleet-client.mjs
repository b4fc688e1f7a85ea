/** A worker's connection to the NATS of fleets, in benches and tests whose programs run without a compiler. */
import { connect, headers } from "nats";

const RECONNECT_MS = 100;

/** @typedef {import("./client.mjs").Reply} Reply */

export class FleetClient {
  /**
   * @param {import("nats").NatsConnection} connection
   * @param {{ readonly account: string, readonly key: string }} party
   * @param {number} patienceMs
   */
  constructor(connection, party, patienceMs) {
    this.connection = connection;
    this.party = party;
    this.patienceMs = patienceMs;
    this.isUp = true;
    /** Gives up each request that waits for its answer. @type {Set<() => void>} */
    this.waiting = new Set();
    void this.#watch();
  }

  /** Answers that are sent while the connection is away are lost, so nobody waits for them any longer. */
  async #watch() {
    for await (const { type } of this.connection.status()) {
      if (type === "reconnect") this.isUp = true;
      if (type !== "disconnect") continue;
      this.isUp = false;
      for (const giveUp of this.waiting) giveUp();
    }
  }

  /**
   * Connects as a client in the field does: it reconnects for as long as the server is away.
   * @param {string} url nats://host:port
   * @param {{ readonly account: string, readonly key: string }} party
   * @param {number} patienceMs how long an answer is waited for
   */
  static async connect(url, party, patienceMs) {
    const connection = await connect({
      servers: url.replace("nats://", ""),
      inboxPrefix: `_INBOX.${party.account}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      waitOnFirstConnect: true,
    });
    return new FleetClient(connection, party, patienceMs);
  }

  /**
   * Asks a verb; the answer is as over HTTP. Rejects when none comes, and at once while the server is away.
   * @param {string} verb
   * @param {unknown} fields
   * @param {string} idempotencyKey
   * @returns {Promise<Reply>}
   */
  async ask(verb, fields, idempotencyKey) {
    if (!this.isUp) throw new Error("the server is away");
    const sent = headers();
    sent.set("X-API-Key", this.party.key);
    sent.set("Idempotency-Key", idempotencyKey);
    const subject = `nexus.api.v1.${this.party.account}.${verb}`;
    const answer = await this.#whileConnected(
      this.connection.request(subject, JSON.stringify(fields), { timeout: this.patienceMs, headers: sent }),
    );
    const told = answer.headers;
    const retryAfter = told?.get("Retry-After") ?? "";
    return {
      status: Number(told?.get("Nats-Service-Error-Code") || 200),
      headers: retryAfter === "" ? {} : { "retry-after": retryAfter },
      body: answer.json(),
    };
  }

  /** @template T @param {Promise<T>} answer @returns {Promise<T>} */
  #whileConnected(answer) {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error("the connection was lost"));
      this.waiting.add(giveUp);
      answer.then(resolve, reject).finally(() => this.waiting.delete(giveUp));
    });
  }

  close() {
    return this.connection.close();
  }
}
