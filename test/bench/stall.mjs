/**
 * What hostile requests cost: how long each kind holds the event loop when it is sent a number of times, one by one, and the
 * memory before and after all of them; then what other tenants feel while one account attacks at its full limit.
 *
 *   npm run bench:stall -- [--times 10] [--seconds 5]
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Client } from "../support/client.mjs";
import { COSTLY_KINDS, costly } from "../support/costly.mjs";
import { Dice } from "../support/dice.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { startWatched } from "./held.mjs";
import { ORDER, REQUESTS } from "./hostile-requests.mjs";
import { besides } from "./neighbours.mjs";

const { values } = parseArgs({
  options: { times: { type: "string", default: "10" }, seconds: { type: "string", default: "5" } },
});
const TIMES = Number(values.times);
const AIM_MS = 50;
const REST_MS = 200;
const dice = new Dice(2);

/** Posts what is dear, has a new worker win it, and hands in a result. @param {Client} client @param {import("../support/client.mjs").CallOptions} options @param {string} kind */
async function handIn(client, options, kind) {
  const { order, results } = costly(dice, kind);
  const posted = await client.call("POST", "/tasks", { ...ORDER, ...order }, options);
  if (posted.status !== 201) return `refused ${posted.status}`;
  const { body: worker } = await client.call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` });
  const path = `/tasks/${posted.body.id}`;
  let bid = await client.call("POST", `${path}/bid`, {}, { key: worker.api_key });
  while (bid.body.status !== "AWARDED") bid = await client.call("GET", path, undefined, { key: worker.api_key });
  const submitted = await client.call("POST", `${path}/submit`, { result_data: dice.pick(results) }, { key: worker.api_key });
  return submitted.status === 200 ? submitted.body.status : String(submitted.status);
}

/** @param {string} databaseUrl */
async function kinds(databaseUrl) {
  const platform = await startWatched({ DATABASE_URL: databaseUrl, ROUTING_WINDOW_MS: "0" });
  const client = new Client(platform.port);
  const { body: account } = await client.call("POST", "/auth/register", { email: "stall@bench.example" });
  const options = { key: account.api_key };
  await client.call("POST", "/credits/topup", { amount_credits: 100_000 }, options);
  for (let times = 0; times < 50; times += 1) await client.call("POST", "/tasks", ORDER, options);
  const before = await platform.held();
  let worst = 0;
  /** @type {[string, () => Promise<string>][]} */
  const asks = Object.entries(REQUESTS).map(([name, make]) => [
    name,
    async () => {
      const { path = "/tasks", body } = make();
      return String((await client.call("POST", path, body, options)).status);
    },
  ]);
  /** @type {[string, () => Promise<string>][]} */
  const results = COSTLY_KINDS.map((kind) => [`handed in: ${kind}`, () => handIn(client, options, kind)]);
  // What the machine itself holds up: figures below are worth no more than this one is small.
  /** @type {[string, () => Promise<string>]} */
  const rest = ["no request at all", () => new Promise((resolve) => setTimeout(() => resolve("rest"), REST_MS))];
  for (const [name, ask] of [rest, ...asks, ...results]) {
    /** @type {Map<string, number>} */
    const answers = new Map();
    for (let times = 0; times < TIMES; times += 1) {
      const answer = await ask().catch(() => "none");
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
    const { loopHeldMs } = await platform.held();
    worst = Math.max(worst, loopHeldMs);
    const told = [...answers].map(([status, times]) => `${status}: ${times}`);
    console.log(
      `${loopHeldMs.toFixed(1).padStart(8)} ms at most ${loopHeldMs > AIM_MS ? "!" : " "} ${name}   (${told.join(", ")})`,
    );
  }
  const after = await platform.held();
  console.log(`the longest hold ${worst.toFixed(1)} ms (aim ${AIM_MS})`);
  for (const [name, { rssMb, heapMb, externalMb }] of Object.entries({ before, after }))
    console.log(`memory ${name.padEnd(6)} ${rssMb} MB resident, ${heapMb} MB heap, ${externalMb} MB outside it`);
  client.close();
  await platform.kill("SIGTERM");
}

const server = await findServer();
if (TIMES > 0) {
  const { url, drop } = await makeDatabase(server.url);
  await kinds(url);
  await drop();
}
if (Number(values.seconds) > 0) {
  const { url, drop } = await makeDatabase(server.url);
  // No limit is switched off here: the attacker does what the limits let it do.
  const settings = { DATABASE_URL: url, TRUST_PROXY: "1", ALLOW_PRIVATE_CALLBACKS: "true", ROUTING_WINDOW_MS: "0" };
  const platform = await startWatched(settings, {});
  await besides(platform, Number(values.seconds));
  await platform.kill("SIGTERM");
  await drop();
}
await server.stop();
