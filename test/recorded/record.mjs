/**
 * Records a database as a released version leaves it, and what that version answers about it, as a fixture for
 * recorded.test.ts:
 *
 *   node test/recorded/record.mjs <a built checkout of that version> <name>     writes test/fixtures/<name>.json.gz
 *
 * The version lives through a day of a market, is killed in the middle of a burst, and its rows are read as they are then. A
 * copy of them is started once more, under a clock that says the same time, and asked for all that it shows.
 */
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { ADMIN_TOKEN, askAll, SETTINGS, settled, shiftedTo } from "./questions.mjs";

const [checkout = "", name = ""] = process.argv.slice(2);
const STRIPE = { STRIPE_SECRET_KEY: "sk_test_recorded", STRIPE_WEBHOOK_SECRET: "whsec_recorded" };
const ENTRY = path.join(checkout, "bin", "nexus.js");
const SCHEMA = {
  type: "object",
  properties: { name: { type: "string", minLength: 1 }, year: { type: "integer" } },
  required: ["name"],
};
const TASK = {
  input_data: "Ada Lovelace wrote the first program in 1843.",
  schema: SCHEMA,
  example_output: { name: "Grace", year: 1952 },
  budget: 20,
  max_seconds: 300,
  pending_pool_hours: 12,
  auto_retry: 1,
};
const GOOD = { name: "Ada", year: 1843 };
const BAD = { year: "1843" };
/** Settled tasks of one pair, so that both have a snapshot. */
const SETTLED = 70;
const BURST = 24;

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @typedef {{ email: string, id: string, key: string }} Person */

class Market {
  /** @param {number} port */
  constructor(port) {
    this.client = new Client(port);
  }

  /** @param {string} method @param {string} where @param {unknown} [body] @param {Person | null} [by] @param {object} [options] */
  async call(method, where, body, by = null, options = {}) {
    const reply = await this.client.call(method, where, body, { ...(by === null ? {} : { key: by.key }), ...options });
    if (reply.status >= 400) throw new Error(`${method} ${where}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  /** @param {string} name @param {number} [credits] @returns {Promise<Person>} */
  async register(name, credits = 0) {
    const email = `${name}@example.com`;
    const { account_id: id, api_key: key } = await this.call("POST", "/auth/register", { email, source: "recorded" });
    const person = { email, id, key };
    if (credits > 0) await this.call("POST", "/credits/topup", { amount_credits: credits }, person);
    return person;
  }

  /** @param {Person} by @param {object} [changes] @param {object} [options] @returns {Promise<string>} */
  async post(by, changes = {}, options = {}) {
    const { id } = await this.call("POST", "/tasks", { ...TASK, ...changes }, by, options);
    return id;
  }

  /** @param {Person} by @param {string} task @param {number} credits */
  async bid(by, task, credits) {
    return this.call("POST", `/tasks/${task}/bid`, { bid_credits: credits }, by);
  }

  /** @param {Person} by @param {string} task @param {unknown} [result] */
  async submit(by, task, result = GOOD) {
    return this.call("POST", `/tasks/${task}/submit`, { result_data: result }, by);
  }

  /** Waits until a task has this status. @param {Person} by @param {string} task @param {string} status */
  async until(by, task, status) {
    for (let waited = 0; waited < 30_000; waited += 50) {
      const shown = await this.call("GET", `/tasks/${task}`, undefined, by);
      if (shown.status === status) return;
      await wait(50);
    }
    throw new Error(`task ${task} did not become ${status}`);
  }

  /** Posts a task and has it awarded. @param {Person} by @param {Person} to @param {object} [changes] */
  async award(by, to, changes = {}) {
    const task = await this.post(by, changes);
    await this.bid(to, task, 9);
    await this.until(by, task, "AWARDED");
    return task;
  }

  /** @param {string} where @param {object} body */
  operate(where, body) {
    return this.call("POST", `/admin${where}`, body, null, { headers: { "X-Admin-Token": ADMIN_TOKEN } });
  }

  /** Sends an event as Stripe signs it. @param {string} type @param {object} object */
  stripe(type, object) {
    const payload = JSON.stringify({ id: `evt_${Math.random()}`, object: "event", type, data: { object } });
    const at = Math.floor(Date.now() / 1_000);
    const signature = createHmac("sha256", STRIPE.STRIPE_WEBHOOK_SECRET).update(`${at}.${payload}`).digest("hex");
    return this.call("POST", "/credits/stripe/webhook", payload, null, {
      headers: { "Stripe-Signature": `t=${at},v1=${signature}` },
    });
  }
}

/** What is not ours: a receiver of webhooks that takes what comes to /good, and Stripe, asked whose a payment is. */
async function startWorld() {
  /** @type {{ account: string }} */
  const payer = { account: "" };
  const server = createServer((request, response) => {
    request.resume();
    const url = request.url ?? "";
    if (url.startsWith("/v1/payment_intents/")) {
      const intent = { id: url.split("/").at(-1), object: "payment_intent", metadata: { nexus_account: payer.account } };
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(intent));
    } else response.writeHead(url === "/good" ? 200 : 500).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  return { url, payer, close: () => server.close() };
}

/** Accounts and tasks that have come to their ends, and what stays of them. @param {Market} market @param {string} world */
async function past(market, world) {
  const ada = await market.register("ada", 5_000);
  const bob = await market.register("bob");
  const cyd = await market.register("cyd");
  const tasks = [];
  const bills = [];
  for (let n = 0; n < SETTLED; n += 1) bills.push(market.award(ada, n % 3 === 0 ? cyd : bob, { input_data: `Text ${n}` }));
  for (const [n, task] of (await Promise.all(bills)).entries()) {
    await market.submit(n % 3 === 0 ? cyd : bob, task);
    tasks.push(task);
  }
  const rules = [{ type: "enum", field: "name", values: ["Ada", "Grace"] }];
  const rated = await market.award(ada, bob, { callback_url: `${world}/good`, rules });
  await market.call("POST", `/tasks/${rated}/start`, {}, bob);
  await market.submit(bob, rated, { name: "Bob" });
  await market.submit(bob, rated);
  await market.until(ada, rated, "SETTLED");
  await market.call("POST", `/tasks/${rated}/rating`, { rating: 4 }, ada);
  const unheard = await market.award(ada, bob, { callback_url: `${world}/bad` });
  await market.submit(bob, unheard);
  const cancelled = await market.post(ada, { callback_url: `${world}/bad` });
  await market.call("DELETE", `/tasks/${cancelled}`, undefined, ada);
  const expired = await market.award(ada, cyd, { auto_retry: 0, max_seconds: 1 });
  const reopened = await market.award(ada, cyd, { max_seconds: 1 });
  await market.until(ada, expired, "EXPIRED");
  await market.until(ada, reopened, "PENDING_POOL");
  return { people: { ada, bob, cyd }, tasks: [tasks[0] ?? "", tasks[1] ?? "", rated, unheard, cancelled, expired, reopened] };
}

/** Accounts in trouble of every kind. @param {Market} market @param {Person} ada @param {{ account: string }} payer */
async function troubled(market, ada, payer) {
  const [eve, fay, gil, hal] = [
    await market.register("eve"),
    await market.register("fay", 40),
    await market.register("gil"),
    await market.register("hal", 500),
  ];
  await market.operate(`/accounts/${eve.id}/adjust`, { amount_credits: -200, reason: "paid twice by mistake" });
  await market.operate(`/accounts/${fay.id}/freeze`, { reason: "under review" });
  const failed = await Promise.all([1, 2, 3].map(() => market.award(ada, gil, { auto_retry: 0 })));
  for (const task of failed) for (let tries = 0; tries < 3; tries += 1) await market.submit(gil, task, BAD);
  payer.account = hal.id;
  const paid = { payment_intent: "pi_1", amount_total: 500, payment_status: "paid", customer: "cus_1" };
  const metadata = { nexus_account: hal.id };
  await market.stripe("checkout.session.completed", { id: "cs_1", object: "checkout.session", metadata, ...paid });
  const dispute = {
    id: "dp_1",
    object: "dispute",
    payment_intent: "pi_1",
    charge: "ch_1",
    amount: 300,
    status: "needs_response",
  };
  await market.stripe("charge.dispute.created", dispute);
  const { api_key: key } = await market.call("POST", "/auth/rotate-key", {}, hal);
  return { people: { eve, fay, gil, hal: { ...hal, key } }, tasks: failed };
}

/** Offers, batches, honeypots. @param {Market} market @param {Person} hal */
async function market(market, hal) {
  const [dan, ivy] = [await market.register("dan"), await market.register("ivy")];
  const offer = { task_type: "translation", description: "From any language", tags: ["fast"], price: 7, max_concurrent: 2 };
  const { id: capability } = await market.call("POST", "/capabilities", offer, dan);
  const { id: off } = await market.call("POST", "/capabilities", { task_type: "analysis" }, ivy);
  await market.call("PATCH", `/capabilities/${off}/availability`, { available: false }, ivy);
  // Whoever looks at what is available is there.
  await market.call("GET", "/tasks/available?task_type=translation", undefined, dan);
  const offered = await market.post(hal, { task_type: "translation" });
  const items = Array.from({ length: 6 }, (_, n) => ({ input_data: `Item ${n}` }));
  const { input_data: _, ...template } = TASK;
  const batch = async (/** @type {number} */ budget, /** @type {number} */ max_concurrent) =>
    (await market.call("POST", "/tasks/batch", { template: { ...template, budget }, items, max_concurrent }, hal)).batch_id;
  const running = await batch(15, 2);
  const poor = await batch(150, 4);
  return { people: { dan, ivy }, tasks: [offered], batches: [running, poor], capabilities: [capability, off] };
}

/** Tasks on which work is under way when the process dies. @param {Market} market @param {{ [name: string]: Person }} people */
async function present(market, { ada, bob, cyd }) {
  if (ada === undefined || bob === undefined || cyd === undefined) throw new Error("they were registered");
  const awarded = await market.award(ada, bob);
  const executing = await market.award(ada, bob);
  await market.call("POST", `/tasks/${executing}/start`, {}, bob);
  const rejected = await market.award(ada, cyd);
  await market.submit(cyd, rejected, BAD);
  const pool = await market.post(ada, { min_skill_rating: 3 });
  await market.until(ada, pool, "PENDING_POOL");
  return [awarded, executing, rejected, pool];
}

/** Two tasks whose bids are being collected; one of them under a key. @param {Market} market @param {{ [name: string]: Person }} people */
async function routing(market, { ada, bob }) {
  if (ada === undefined || bob === undefined) throw new Error("they were registered");
  const keyed = "4d9a8a52-1f5e-4f3b-9c0a-6a1f3f0c7b11";
  const tasks = [await market.post(ada), await market.post(ada, {}, { idempotencyKey: keyed })];
  await market.bid(bob, tasks[0] ?? "", 11);
  return { tasks, keyed };
}

/** Posts many tasks at once until one is on its way, and kills the process then. @param {Market} market @param {Person} by @param {postgres.Sql} sql @param {() => Promise<unknown>} kill */
async function burst(market, by, sql, kill) {
  const posts = Array.from({ length: BURST }, () => market.post(by, { budget: 5 }).catch(() => {}));
  for (let looked = 0; looked < 500 && (await pendingOf(sql)).length === 0; looked += 1);
  await kill();
  await Promise.all(posts);
  return (await pendingOf(sql)).map(({ type }) => type);
}

/** All rows of a database. @param {postgres.Sql} sql */
async function rowsOf(sql) {
  const tables = await sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
  /** @type {Record<string, unknown[]>} */
  const rows = {};
  for (const { name: table } of tables) {
    const found = await sql.unsafe(`select row_to_json(t)::text as row from "${table}" t`);
    rows[table] = found.map(({ row }) => JSON.parse(row));
  }
  return rows;
}

/** Messages that their receivers have not taken in. @param {postgres.Sql} sql */
async function pendingOf(sql) {
  return sql`select command->>'type' as type from outbox o where not exists (select from journal j where j.entity = o.receiver and j.cause = o.id)`;
}

async function schemaOf() {
  const folder = path.join(checkout, "dist", "src", "postgres", "migrations");
  const files = ["0001-market", "0002-cluster", "0003-guide"];
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(path.join(folder, `${file}.js`)).href)));
  return files.map((file, n) => ({ name: file, sql: modules[n].sql }));
}

const server = await findServer();
const world = await startWorld();
const { url, drop } = await makeDatabase(server.url);
const settings = { ...SETTINGS, ...STRIPE, STRIPE_API_BASE: world.url, DATABASE_URL: url };
const start = (/** @type {Record<string, string>} */ more = {}) =>
  startProcess({ ...settings, ...more }, "start", undefined, ENTRY);

let platform = await start({ ROUTING_WINDOW_MS: "100" });
process.once("exit", () => platform.kill("SIGKILL"));
const life = new Market(platform.port);
const first = await past(life, world.url);
const { ada } = first.people;
const second = await troubled(life, ada, world.payer);
const third = await market(life, second.people.hal);
const people = { ...first.people, ...second.people, ...third.people };
const fourth = await present(life, people);
for (let n = 0; n < 12; n += 1) await life.award(ada, people.bob, { budget: 10 });
// Who stops in order saves what it has folded.
await platform.kill("SIGTERM");
platform = await start({ ROUTING_WINDOW_MS: "600000" });
const fifth = await routing(new Market(platform.port), people);
const sql = postgres(url, { max: 1 });
let pending = [];
for (let tries = 0; tries < 10 && pending.length === 0; tries += 1) {
  pending = await burst(new Market(platform.port), ada, sql, () => platform.kill("SIGKILL"));
  if (pending.length === 0) platform = await start({ ROUTING_WINDOW_MS: "600000" });
}
console.log("pending messages:", pending.join(" "));
const at = Date.now();
const rows = await rowsOf(sql);
const subjects = {
  people,
  tasks: [...first.tasks, ...second.tasks, ...third.tasks, ...fourth, ...fifth.tasks],
  batches: third.batches,
  capabilities: third.capabilities,
};
await sql.end();
platform = await start({ ...shiftedTo(at), ROUTING_WINDOW_MS: "600000" });
const client = new Client(platform.port);
await settled(url);
const answers = await askAll(client, subjects);
await platform.kill("SIGKILL");
const commit = execFileSync("git", ["-C", checkout, "rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const recorded = { commit, at, schema: await schemaOf(), rows, subjects, keyed: fifth.keyed, task: TASK, answers };
const bytes = gzipSync(JSON.stringify(recorded), { level: 9 });
writeFileSync(new URL(`../fixtures/${name}.json.gz`, import.meta.url), bytes);
console.log(
  `${bytes.length} bytes, ${answers.length} answers, ${Object.entries(rows).map(([table, all]) => `${table} ${all.length}`)}`,
);
client.close();
world.close();
await drop();
await server.stop();
process.exit(0);
