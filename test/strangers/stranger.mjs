/** One who means ill: a free account and an address of its own, and a record of what it sent and what it was answered. */
import { randomUUID } from "node:crypto";
import { Client } from "../support/client.mjs";
import { Dice } from "../support/dice.mjs";
import { dial } from "../support/raw.mjs";

const WAIT_MAX_MS = 15_000;
const SOCKETS = 16;
/** What one of them keeps open at most. */
const CONNECTIONS_MAX = 200;
const ORDER = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5, pending_pool_hours: 1 };

/** @typedef {import("../support/client.mjs").Reply} Reply */
/** @typedef {import("../support/client.mjs").CallOptions} CallOptions */

export class Stranger {
  requests = 0;
  /** How often each status came; "none" for what was hung up on. @type {Map<string, number>} */
  answers = new Map();
  /** @type {Set<import("node:net").Socket>} */
  #sockets = new Set();
  /** @type {string | undefined} */
  key;
  account = "";
  /** Ids of tasks of honest people, as anybody sees them among the available ones. @type {readonly string[]} */
  prey = [];

  /**
   * @param {string} name
   * @param {number} number
   * @param {number} port
   * @param {{ readonly hook: string, readonly seed: number }} world where webhooks are never answered; what the dice begin with
   */
  constructor(name, number, port, { hook, seed }) {
    this.name = name;
    this.port = port;
    this.hook = hook;
    this.dice = new Dice(seed + number);
    // The whole of 127.0.0.0/8 is this machine, on Linux at least: a connection bound by address then sees twenty of them.
    this.from = process.platform === "linux" ? `127.0.${number + 1}.1` : "127.0.0.1";
    this.address = `198.51.100.${number + 1}`;
    this.client = new Client(port, SOCKETS, WAIT_MAX_MS, this.from);
    this.order = ORDER;
  }

  /** Sends, counts, and gives the answer if one came. @param {string} method @param {string} path @param {unknown} [body] @param {CallOptions} [options] @returns {Promise<Reply | undefined>} */
  async call(method, path, body, { headers = {}, ...options } = {}) {
    this.requests += 1;
    try {
      const all = { "X-Forwarded-For": this.address, ...headers };
      const reply = await this.client.call(method, path, body, { key: this.key, ...options, headers: all });
      this.count(String(reply.status));
      return reply;
    } catch {
      this.count("none");
      return undefined;
    }
  }

  /** @param {string} answer */
  count(answer) {
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }

  /** Several of a kind at once. @param {number} times @param {(index: number) => Promise<unknown>} one */
  async burst(times, one) {
    await Promise.all(Array.from({ length: times }, (_, index) => one(index)));
  }

  /** A new account takes the place of the one before, while the platform gives any. */
  async register() {
    const email = `${randomUUID()}@stranger.example`;
    const reply = await this.call("POST", "/auth/register", { email }, { key: undefined });
    if (reply?.status !== 201) return;
    this.key = reply.body.api_key;
    this.account = reply.body.account_id;
    await this.call("POST", "/credits/topup", { amount_credits: 10_000 });
  }

  /**
   * Opens a connection, says this much, and counts the answers that come back where somebody reads.
   * @param {string} bytes @param {{ readonly reads?: boolean }} [options]
   */
  async say(bytes, { reads = true } = {}) {
    if (this.#sockets.size >= CONNECTIONS_MAX) for (const socket of [...this.#sockets].slice(0, 20)) socket.destroy();
    this.requests += 1;
    const socket = await dial(this.port, this.from);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (socket.destroyed) {
      this.#sockets.delete(socket);
      this.count("none");
      return socket;
    }
    if (reads) {
      socket.on("data", (chunk) => {
        for (const [, status = ""] of chunk.toString("latin1").matchAll(/HTTP\/1\.1 (\d{3})/g)) this.count(status);
      });
    } else socket.pause();
    socket.write(bytes, "latin1");
    return socket;
  }

  /** The head of a request of this stranger. @param {string} method @param {string} path @param {string} [more] */
  head(method, path, more = "") {
    const key = this.key === undefined ? "" : `X-API-Key: ${this.key}\r\n`;
    return `${method} ${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${this.address}\r\n${key}${more}\r\n`;
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
    this.client.close();
  }
}
