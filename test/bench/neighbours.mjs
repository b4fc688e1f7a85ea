/**
 * What other tenants feel while one account attacks at the full rate that the default limits allow: whole lives of tasks and
 * plain reads, against the same in the same run with nobody attacking.
 */
import { randomUUID } from "node:crypto";
import { KINDS } from "../strangers/run.mjs";
import { Stranger } from "../strangers/stranger.mjs";
import { Client } from "../support/client.mjs";

/** As many as are busy on two cores without filling them; each stays within its own limits. */
const TENANTS = 24;
/** Between two tasks of one tenant: under 60 a minute. */
const LIFE_MS = 1_100;
const READ_MS = 400;
const LOOK_MS = 60;
/** What one attack leaves behind is let settle before the next (ms). */
const REST_MS = 1_000;
const TASK = {
  input_data: "Ada wrote it.",
  schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  example_output: { name: "Grace" },
  budget: 20,
};

/** The worst of what one account, or one address, can do. @type {Record<string, string>} */
const ATTACKS = {
  "dear schemas and examples": "schemas and examples that are dear",
  "dear tasks": "tasks that are dear, a minute's worth at once",
  "dear results": "results that are dear",
  "patterns that go back": "patterns that go back",
  "giant enums": "giant enums, new each time",
  "big bodies": "bodies that are too large",
  "unread answers": "answers that nobody reads, one behind the other",
  "unread pages": "pages and documents that nobody reads",
  streams: "streams to the bound, never read",
  connections: "a flood of connections",
  "wrong keys": "wrong API keys",
  registrations: "registrations",
  "lists of big tasks": "pages of big tasks",
  "batches of a thousand": "batches of a thousand",
};

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @typedef {{ lives: number[], reads: number[], failed: number }} Felt */

class Neighbours {
  /** @type {Felt} */
  felt = { lives: [], reads: [], failed: 0 };
  open = true;

  /** @param {Client} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {number} number */
  async register(number) {
    const headers = { "X-Forwarded-For": `203.0.113.${number + 1}` };
    const { body } = await this.client.call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` }, { headers });
    await this.client.call("POST", "/credits/topup", { amount_credits: 100_000 }, { key: body.api_key, headers });
    return { key: body.api_key, headers };
  }

  /** Lives task after task, and reads beside it. @param {number} number */
  async live(number) {
    const [requester, worker] = [await this.register(2 * number), await this.register(2 * number + 1)];
    await wait((LIFE_MS * number) / TENANTS);
    const reading = (async () => {
      for (; this.open; await wait(READ_MS))
        await this.#timed(this.felt.reads, () => this.#ask("GET", "/credits/balance", undefined, requester));
    })();
    while (this.open) {
      const next = wait(LIFE_MS);
      await this.#timed(this.felt.lives, () => this.#life(requester, worker));
      await next;
    }
    await reading;
  }

  /** @param {number[]} into @param {() => Promise<unknown>} one */
  async #timed(into, one) {
    const begun = performance.now();
    const { felt } = this;
    try {
      await one();
      into.push(performance.now() - begun);
    } catch {
      felt.failed += 1;
    }
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {{ key: string, headers: Record<string, string> }} party */
  async #ask(method, path, body, party) {
    const reply = await this.client.call(method, path, body, party);
    if (reply.status >= 300) throw new Error(`${reply.status}`);
    return reply.body;
  }

  /** @param {{ key: string, headers: Record<string, string> }} requester @param {{ key: string, headers: Record<string, string> }} worker */
  async #life(requester, worker) {
    const { id } = await this.#ask("POST", "/tasks", TASK, requester);
    let { status } = await this.#ask("POST", `/tasks/${id}/bid`, { bid_credits: 5 }, worker);
    for (; status !== "AWARDED"; { status } = await this.#ask("GET", `/tasks/${id}`, undefined, worker)) await wait(LOOK_MS);
    await this.#ask("POST", `/tasks/${id}/submit`, { result_data: { name: "Ada" } }, worker);
    for (; status !== "SETTLED"; { status } = await this.#ask("GET", `/tasks/${id}`, undefined, requester)) await wait(LOOK_MS);
  }

  /** What is felt while `event` lasts. @param {() => Promise<unknown>} event */
  async during(event) {
    this.felt = { lives: [], reads: [], failed: 0 };
    await event();
    return this.felt;
  }
}

/** @param {readonly number[]} list @param {number} share */
const at = (list, share) => {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
};

/** @param {string} name @param {Felt} felt @param {Felt} calm @param {string} more */
function row(name, felt, calm, more) {
  const ms = (/** @type {number} */ one) => one.toFixed(0).padStart(5);
  const ratio = (/** @type {number[]} */ list, /** @type {number[]} */ before) =>
    `x${(at(list, 0.99) / at(before, 0.99)).toFixed(1)}`.padStart(6);
  const part = (/** @type {number[]} */ list, /** @type {number[]} */ before) =>
    `${ms(at(list, 0.5))} ${ms(at(list, 0.99))} ${ratio(list, before)}`;
  console.log(
    `${name.padEnd(28)} ${part(felt.lives, calm.lives)}    ${part(felt.reads, calm.reads)} ${String(felt.failed).padStart(6)}   ${more}`,
  );
}

/**
 * Runs every attack for some seconds and prints a table.
 * @param {{ readonly port: number, readonly held: () => Promise<import("./held.mjs").Held> }} platform with default limits, behind one trusted proxy
 * @param {number} seconds
 */
export async function besides(platform, seconds) {
  const client = new Client(platform.port, 128);
  const neighbours = new Neighbours(client);
  const living = Array.from({ length: TENANTS }, (_, number) => neighbours.live(number));
  await wait(2_000);
  console.log(`${"one account attacks with".padEnd(28)} create to settle, ms     reads, ms`);
  console.log(`${"".padEnd(28)}   p50   p99  ratio      p50   p99  ratio failed   attacker's answers; loop held, memory`);
  await platform.held();
  const calm = await neighbours.during(() => wait(2 * seconds * 1_000));
  const quiet = await platform.held();
  row("nothing", calm, calm, `${quiet.loopHeldMs} ms, ${quiet.rssMb} MB`);
  for (const [number, [name, kind]] of Object.entries(ATTACKS).entries()) {
    const stranger = new Stranger(kind, number, platform.port, { hook: "http://127.0.0.1:9/", seed: number });
    await stranger.register();
    let open = true;
    const attack = (async () => {
      while (open) {
        const next = wait(KINDS[kind]?.everyMs ?? 1_000);
        await KINDS[kind]?.turn(stranger);
        await next;
      }
    })();
    const felt = await neighbours.during(() => wait(seconds * 1_000));
    const { loopHeldMs, rssMb } = await platform.held();
    const answers = [...stranger.answers].sort().map(([status, times]) => `${status}: ${times}`);
    row(name, felt, calm, `${answers.join(" ")}; ${loopHeldMs} ms, ${rssMb} MB`);
    open = false;
    stranger.close();
    await attack;
    await wait(REST_MS);
  }
  neighbours.open = false;
  await Promise.all(living);
  client.close();
}
