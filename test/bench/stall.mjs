/**
 * How long hostile requests hold the event loop of the platform: each kind is sent a number of times, one by one.
 *
 *   npm run bench:stall -- [times]
 */
import { fileURLToPath } from "node:url";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const TIMES = Number(process.argv[2] ?? 20);
const ORDER = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5 };

/** @param {(level: number) => object} make @param {number} levels */
const nest = (make, levels) =>
  Array.from({ length: levels }).reduce((/** @type {object} */ inner, _, level) => ({ ...make(level), inner }), {});

/** @param {string} combine */
function bomb(combine) {
  /** @type {Record<string, object>} */
  const defs = { d0: { type: "string" } };
  for (let level = 1; level < 24; level += 1) {
    const below = { $ref: `#/$defs/d${level - 1}` };
    defs[`d${level}`] = { [combine]: [below, below] };
  }
  return { $defs: defs, type: "object", properties: { a: { $ref: "#/$defs/d23" } } };
}

/** A schema just below the bounds: as many properties as 32 KB hold. */
const WIDE = {
  type: "object",
  properties: Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`property${index}`, { type: "string" }])),
};
/** Just below what is judged at once. */
const LIGHT = {
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: 28 }, (_, index) => [`p${index}`, { anyOf: [{ type: "string", format: "date-time" }] }]),
  ),
};
const CHAIN = Array.from({ length: 11 }).reduce((/** @type {object} */ inner) => ({ anyOf: [inner, inner] }), { type: "string" });

/** @type {Record<string, () => unknown>} */
const KINDS = {
  "an honest task": () => ORDER,
  "256 KB of spaces": () => " ".repeat(262_000),
  "256 KB of lists": () => "[".repeat(131_000) + "]".repeat(131_000),
  "256 KB of objects": () => `${'{"a":'.repeat(43_000)}1${"}".repeat(43_000)}`,
  "256 KB of keys": () => JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]))),
  "10 MB": () => " ".repeat(10_000_000),
  "a bomb of anyOf": () => ({ ...ORDER, schema: bomb("anyOf") }),
  "a bomb of allOf": () => ({ ...ORDER, schema: bomb("allOf") }),
  "a wide schema": () => ({ ...ORDER, schema: { ...WIDE, title: String(Math.random()) } }),
  "a schema at the bound of what is judged at once": () => ({ ...ORDER, schema: { ...LIGHT, title: String(Math.random()) } }),
  "a tree of anyOf": () => ({ ...ORDER, schema: { properties: { a: CHAIN }, title: String(Math.random()) } }),
  "50 rules with patterns": () => ({
    ...ORDER,
    rules: Array.from({ length: 50 }, (_, index) => ({
      type: "regex",
      field: "a",
      pattern: `^((a{1,30}){1,30}|b${index}){1,5}$`,
    })),
  }),
  "patterns of many repetitions": () => ({
    ...ORDER,
    schema: {
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, { pattern: `(x{1000}|${index})` }])),
    },
  }),
  "patterns just below their bound": () => ({
    ...ORDER,
    schema: { pattern: "x{990}".repeat(10), title: String(Math.random()) },
  }),
  "an example of 200 KB": () => ({ ...ORDER, example_output: { a: Array.from({ length: 60_000 }, (_, index) => index) } }),
  "a deep example": () => ({ ...ORDER, example_output: nest((level) => ({ level }), 50) }),
};

const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const preload = fileURLToPath(new URL("./loop-delay.mjs", import.meta.url));
const platform = await startProcess({ DATABASE_URL: url, NODE_OPTIONS: `--import ${preload}` });
const client = new Client(platform.port);
const { body: account } = await client.call("POST", "/auth/register", { email: "stall@bench.example" });
await client.call("POST", "/credits/topup", { amount_credits: 100_000 }, { key: account.api_key });

async function heldMs() {
  const before = platform.log().length;
  process.kill(platform.pid, "SIGUSR2");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const match = /"loopHeldMs":([-\d.]+)/.exec(platform.log().slice(before));
    if (match !== null) return Number(match[1]);
  }
}

for (let times = 0; times < 50; times += 1) await client.call("POST", "/tasks", ORDER, { key: account.api_key });
for (const [name, make] of Object.entries(KINDS)) {
  await heldMs();
  /** @type {Set<number>} */
  const statuses = new Set();
  for (let times = 0; times < TIMES; times += 1) {
    const { status } = await client.call("POST", "/tasks", make(), { key: account.api_key });
    statuses.add(status);
  }
  console.log(`${(await heldMs()).toFixed(1).padStart(8)} ms at most   ${name}   (${[...statuses].join(", ")})`);
}
client.close();
await platform.kill("SIGTERM");
await drop();
await server.stop();
