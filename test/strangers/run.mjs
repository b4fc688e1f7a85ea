/**
 * More than twenty strangers, each with a free account and an address of its own, each doing one hostile thing at its limits,
 * while honest requesters and workers do tasks under the limits that every platform has. All of the honest tasks must
 * settle in time, and what is left of the platform must be sound.
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { startProcess } from "../support/platform.mjs";
import { DOOR } from "./door.mjs";
import { Honest } from "./honest.mjs";
import { JUDGING } from "./judging.mjs";
import { MARKET } from "./market.mjs";
import { Stranger } from "./stranger.mjs";

export const KINDS = { ...JUDGING, ...DOOR, ...MARKET };
/** How long the last tasks may take after their time, before the round is given up (ms). */
const END_MS = 60_000;
/** A stop lets requests finish; nobody may keep it longer (ms). */
const STOP_MS = 30_000;

/**
 * @typedef {{ readonly seconds: number, readonly tasks: number, readonly databaseUrl: string, readonly seed: number,
 *   readonly print?: (line: string) => void }} StrangersOptions
 * @typedef {{ readonly name: string, readonly requests: number, readonly answers: Readonly<Record<string, number>> }} StrangerReport
 * @typedef {{ readonly p50: number, readonly p99: number, readonly count: number }} Times
 * @typedef {{ readonly settled: number, readonly lives: Times, readonly calls: Times, readonly strangers: readonly StrangerReport[],
 *   readonly memoryMb: { readonly before: number, readonly after: number }, readonly wrong: readonly string[] }} StrangersReport
 */

/** @param {number[]} list @returns {Times} */
function times(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), count: sorted.length };
}

/** @param {number} pid */
function rssMb(pid) {
  return Math.round(Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1024);
}

/** A receiver that takes connections and says nothing. */
async function deafReceiver() {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/hook`, close };
}

/** @param {Stranger} stranger @param {import("./judging.mjs").Kind} kind @param {() => boolean} isOpen */
async function act(stranger, kind, isOpen) {
  while (isOpen()) {
    const next = new Promise((resolve) => setTimeout(resolve, kind.everyMs));
    await kind.turn(stranger);
    await next;
  }
}

/**
 * Runs it on an empty database.
 * @param {StrangersOptions} options
 * @returns {Promise<StrangersReport>}
 */
export async function strangers({ seconds, tasks, databaseUrl, seed, print = () => {} }) {
  const receiver = await deafReceiver();
  const settings = {
    DATABASE_URL: databaseUrl,
    TRUST_PROXY: "1",
    ALLOW_PRIVATE_CALLBACKS: "true",
  };
  // No limit is switched off: what holds strangers is what everybody has.
  const platform = await startProcess(settings, "start", {});
  const honest = new Honest(platform.port);
  const world = { hook: receiver.url, seed };
  const crowd = Object.entries(KINDS).map(([name, kind], number) => ({
    kind,
    stranger: new Stranger(name, number, platform.port, world),
  }));
  /** @type {string[]} */
  const wrong = [];
  let open = true;
  try {
    await Promise.all(crowd.map(({ stranger }) => stranger.register()));
    const work = await honest.prepare(tasks, seconds);
    const before = rssMb(platform.pid);
    const acting = crowd.map(({ stranger, kind }) => act(stranger, kind, () => open));
    const showing = setInterval(() => {
      for (const { stranger } of crowd) stranger.prey = [...honest.open];
      print(`${honest.settled} of ${tasks} honest tasks settled, ${rssMb(platform.pid)} MB`);
    }, 1_000);
    const given = setTimeout(() => wrong.push("the honest tasks did not come to an end"), seconds * 1_000 + END_MS);
    await Promise.race([
      work(),
      platform.exited,
      new Promise((resolve) => setTimeout(resolve, seconds * 1_000 + END_MS).unref()),
    ]);
    clearTimeout(given);
    clearInterval(showing);
    open = false;
    const after = rssMb(platform.pid);
    await Promise.all(acting);
    wrong.push(...(await endOf(platform, honest)));
    const answered = crowd.map(({ stranger: { name, requests, answers } }) => ({
      name,
      requests,
      answers: Object.fromEntries(answers),
    }));
    for (const { name, answers } of answered) if ("500" in answers) wrong.push(`${name}: ${answers["500"]} answers of 500`);
    if (honest.settled !== tasks) wrong.push(`${honest.settled} of ${tasks} honest tasks settled`);
    const memoryMb = { before, after };
    const all = [...wrong, ...honest.wrong];
    return {
      settled: honest.settled,
      lives: times(honest.lives),
      calls: times(honest.requests),
      strangers: answered,
      memoryMb,
      wrong: all,
    };
  } finally {
    open = false;
    for (const { stranger } of crowd) stranger.close();
    honest.close();
    await platform.kill("SIGKILL");
    receiver.close();
  }
}

/** Whether the platform still lives, is well, and stops when it is told to. @param {Awaited<ReturnType<typeof startProcess>>} platform @param {Honest} honest */
async function endOf(platform, honest) {
  const health = await honest.client.call("GET", "//health").then(({ status }) => status, String);
  const late = new Promise((resolve) => setTimeout(() => resolve("nothing"), STOP_MS).unref());
  const code = await Promise.race([platform.kill("SIGTERM"), late]);
  return [
    ...(health === 200 ? [] : [`/health says ${health}`]),
    ...(code === 0 ? [] : [`the platform ended with ${code} when it was told to stop:\n${platform.log().slice(-2_000)}`]),
    ...platform.alarms.map((line) => `logged: ${line}`),
  ];
}
