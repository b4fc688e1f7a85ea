/**
 * What other tenants feel while accounts send judgements that run to their deadline, at the full rate of the default limits:
 * whole lives of tasks, whose results are judged in threads too, against the same in the same run with nobody attacking.
 *
 *   npm run bench:judge -- [--seconds 10] [--tenants 8]
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Client } from "../support/client.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { startWatched } from "./held.mjs";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, tenants: { type: "string", default: "8" } },
});
const SECONDS = Number(values.seconds);
const TENANTS = Number(values.tenants);
/** Requests of one API key in a second, by default. */
const RATE = 10;
const LIFE_MS = 250;
const LOOK_MS = 10;
/** What an attack leaves behind is let settle before the next (ms). */
const REST_MS = 3_000;

/** Nothing that a linear engine takes, and cheap. */
const HONEST = {
  input_data: "Ada wrote it.",
  schema: { type: "object", properties: { mail: { type: "string", pattern: "^(?!\\.)[\\w.]+@[\\w.]+$" } }, required: ["mail"] },
  example_output: { mail: "grace@example.com" },
  budget: 20,
};
/** By its example cheap; with the result, without end. */
const TRAP = {
  ...HONEST,
  schema: { type: "object", properties: { a: { pattern: "^(?=(a+)+$)a*$" } } },
  example_output: { a: "a" },
};
const SPRUNG = { a: `${"a".repeat(60)}!` };

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @param {readonly number[]} list @param {number} share */
const at = (list, share) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))] ?? 0;

/** @param {Client} client */
async function register(client) {
  const { body } = await client.call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` });
  await client.call("POST", "/credits/topup", { amount_credits: 100_000 }, { key: body.api_key });
  return /** @type {string} */ (body.api_key);
}

/** A task of `requester` that `worker` has won. @param {Client} client @param {object} order @param {string} requester @param {string} worker */
async function awarded(client, order, requester, worker) {
  const posted = await client.call("POST", "/tasks", order, { key: requester });
  if (posted.status !== 201) throw new Error(`a task was answered ${posted.status}: ${JSON.stringify(posted.body)}`);
  const path = `/tasks/${posted.body.id}`;
  let { status } = (await client.call("POST", `${path}/bid`, { bid_credits: 5 }, { key: worker })).body;
  for (; status !== "AWARDED"; { status } = (await client.call("GET", path, undefined, { key: worker })).body)
    await wait(LOOK_MS);
  return path;
}

/** @param {Client} client @param {string} requester @param {string} worker */
async function life(client, requester, worker) {
  const path = await awarded(client, HONEST, requester, worker);
  const { status } = await client.call("POST", `${path}/submit`, { result_data: { mail: "ada@example.com" } }, { key: worker });
  if (status !== 200) throw new Error(`a result was answered ${status}`);
  for (let told = ""; told !== "SETTLED"; ) {
    told = (await client.call("GET", path, undefined, { key: requester })).body.status;
    if (told !== "SETTLED") await wait(LOOK_MS);
  }
}

/** Asks at the full rate of one account until it is called off. @param {(turn: number) => Promise<import("../support/client.mjs").Reply>} ask */
function atFullRate(ask) {
  /** @type {Map<number, number>} */
  const answers = new Map();
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    ask(turn).then(
      ({ status }) => answers.set(status, (answers.get(status) ?? 0) + 1),
      () => {},
    );
  }, 1_000 / RATE);
  return { answers, stop: () => clearInterval(timer) };
}

/** One account tries orders out whose example never ends. @param {Client} client */
async function examples(client) {
  const key = await register(client);
  return [atFullRate(() => client.call("POST", "/tasks/validate", { ...TRAP, example_output: SPRUNG }, { key }))];
}

/** One account's tasks are answered by its own workers, each at its own full rate. @param {Client} client @param {number} workers */
async function submissions(client, workers) {
  const requester = await register(client);
  const won = await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = await register(client);
      return { worker, path: await awarded(client, { ...TRAP, max_seconds: 300 }, requester, worker) };
    }),
  );
  return won.map(({ worker, path }) =>
    atFullRate(() => client.call("POST", `${path}/submit`, { result_data: SPRUNG }, { key: worker })),
  );
}

/** @type {Record<string, (client: Client) => Promise<ReturnType<typeof atFullRate>[]>>} */
const ATTACKS = {
  nothing: async () => [],
  "one account, examples": examples,
  "one account, its own 3 workers": (client) => submissions(client, 3),
  "ten accounts, examples": async (client) => (await Promise.all(Array.from({ length: 10 }, () => examples(client)))).flat(),
  "nothing, again": async () => [],
};

const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const platform = await startWatched({ DATABASE_URL: url, ROUTING_WINDOW_MS: "0", CONNECTIONS_PER_ADDRESS: "0" });
const client = new Client(platform.port, 512);
/** @type {number[]} */
let lives = [];
let failed = 0;
let open = true;
const tenants = Array.from({ length: TENANTS }, async (_, number) => {
  const [requester, worker] = [await register(client), await register(client)];
  await wait((LIFE_MS * number) / TENANTS);
  while (open) {
    const next = wait(LIFE_MS);
    const begun = performance.now();
    await life(client, requester, worker).then(
      () => lives.push(performance.now() - begun),
      () => {
        failed += 1;
      },
    );
    await next;
  }
});
await wait(3_000);
console.log(`${"who sends judgements without end".padEnd(32)} create to settle, ms`);
console.log(`${"".padEnd(32)}   p50   p99   ratio  lives failed   loop held   attacker's answers`);
let calm = 0;
for (const [name, attack] of Object.entries(ATTACKS)) {
  const begun = await attack(client);
  await platform.held();
  lives = [];
  failed = 0;
  await wait(SECONDS * 1_000);
  const { loopHeldMs } = await platform.held();
  const [p50, p99] = [at(lives, 0.5), at(lives, 0.99)];
  if (calm === 0) calm = p99;
  /** @type {Map<number, number>} */
  const answers = new Map();
  for (const { stop, answers: some } of begun) {
    stop();
    for (const [status, times] of some) answers.set(status, (answers.get(status) ?? 0) + times);
  }
  const told = [...answers].map(([status, times]) => `${status}: ${times}`).join(" ");
  console.log(
    `${name.padEnd(32)} ${p50.toFixed(0).padStart(5)} ${p99.toFixed(0).padStart(5)}  ${`x${(p99 / calm).toFixed(1)}`.padStart(6)} ${String(lives.length).padStart(6)} ${String(failed).padStart(6)} ${`${loopHeldMs} ms`.padStart(11)}   ${told}`,
  );
  await wait(REST_MS);
}
open = false;
await Promise.all(tenants);
client.close();
await platform.kill("SIGTERM");
await drop();
await server.stop();
