/**
 * Whether answers' times tell what they must not: asking for a recovery code, and failing to use one, with an address that is
 * known and one that is not; a key that is nearly right and one that is not at all.
 *
 *   npm run bench:timing -- [requests of each kind]
 *
 * For each pair it prints the two medians and z of a rank-sum test (Mann-Whitney): within -3..3 the two cannot be told apart.
 */
import { randomBytes } from "node:crypto";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const [count = 400] = process.argv.slice(2).map(Number);
const AT_ONCE = 16;

const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const platform = await startProcess({ DATABASE_URL: url });
const client = new Client(platform.port);

/** @type {{ email: string, key: string }[]} */
const known = [];
for (let n = 0; n < count; n += 1) {
  const email = `known-${n}@bench.example`;
  const { body } = await client.call("POST", "/auth/register", { email });
  known.push({ email, key: body.api_key });
}

/** @typedef {(n: number) => Promise<unknown>} Ask */

/** @param {string} key */
const look = (key) => client.call("GET", "/credits/balance", undefined, { key });
/** @param {string} email */
const recover = (email) => client.call("POST", "/auth/recover", { email });
/** @param {string} email */
const verify = (email) => client.call("POST", "/auth/verify-recover", { email, code: "000000" });
const one = (/** @type {number} */ n) => known[n % known.length] ?? { email: "", key: "" };

/** @type {[string, Ask, Ask, number][]} */
const PAIRS = [
  ["recover: known / unknown address", (n) => recover(one(n).email), (n) => recover(`unknown-${n}@bench.example`), 1],
  ["verify: known / unknown address", (n) => verify(one(n).email), (n) => verify(`unknown-${n}@bench.example`), AT_ONCE],
  ["key: one digit off / random", (n) => look(nearly(one(n).key)), () => look(randomBytes(32).toString("hex")), 1],
];

/** @param {string} key */
function nearly(key) {
  return `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
}

/** How long it takes (ms). @param {Promise<unknown>} work */
async function timed(work) {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** z of the rank sum of `a` among both. @param {readonly number[]} a @param {readonly number[]} b */
function rankSum(a, b) {
  const all = [...a.map((value) => ({ value, first: true })), ...b.map((value) => ({ value, first: false }))];
  all.sort((x, y) => x.value - y.value);
  const sum = all.reduce((total, { first }, index) => total + (first ? index + 1 : 0), 0);
  const mean = (a.length * (all.length + 1)) / 2;
  return (sum - mean) / Math.sqrt((a.length * b.length * (all.length + 1)) / 12);
}

for (const [name, first, second, atOnce] of PAIRS) {
  /** @type {number[]} */
  const a = [];
  /** @type {number[]} */
  const b = [];
  for (let n = 0; n < count; n += atOnce) {
    // In turn and in either order, so that whatever else the machine does falls on both.
    const turn = Array.from({ length: atOnce }, (_, index) => n + index);
    const ways = /** @type {[Ask, number[]][]} */ ([
      [first, a],
      [second, b],
    ]);
    if (Math.random() < 0.5) ways.reverse();
    // What is asked at once is answered at once: one sample, not many.
    for (const [ask, into] of ways) into.push(median(await Promise.all(turn.map((index) => timed(ask(index))))));
  }
  const z = rankSum(a.slice(1), b.slice(1));
  console.log(`${name.padEnd(36)} ${median(a).toFixed(2)} / ${median(b).toFixed(2)} ms  z ${z.toFixed(2)}`);
}

client.close();
await platform.kill("SIGTERM");
await drop();
await server.stop();
