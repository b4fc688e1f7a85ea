/** The full life of tasks whose workers pull them: created, awarded, submitted, settled; over whichever way. */
import { doneBy, RESULT, TASK, TYPES } from "./paid-life.mjs";

/** @typedef {import("./ways.mjs").Way} Way */
/** @typedef {import("./paid-life.mjs").Account} Account */
/** @typedef {import("../support/client.mjs").Client} Client */

const MOST = 50;
const WAIT_MS = 1_000;
const LOOK_MS = 50;
/** Pulls of a worker at a time: while it submits what one has got, the other waits. */
const PULLS = 2;

/**
 * Has so many tasks live: `inFlight` are being posted at once, while the workers pull and submit.
 * @param {Way} way
 * @param {Client} client to look how far it is
 * @param {{ readonly requesters: readonly Account[], readonly workers: readonly Account[] }} market
 * @param {{ readonly tasks: number, readonly inFlight: number }} load
 * @returns {Promise<number>} how long it took until all were settled (s)
 */
export async function livePulled(way, client, { requesters, workers }, { tasks, inFlight }) {
  const before = await doneBy(client, workers);
  let [created, settled] = [0, 0];
  const done = () => settled >= tasks;
  const started = performance.now();
  const creating = Array.from({ length: inFlight }, async (_, index) => {
    const by = /** @type {Account} */ (requesters[index % requesters.length]);
    while (created < tasks) await way.create(by, { ...TASK, task_type: TYPES[created++ % TYPES.length] });
  });
  const working = workers.flatMap((by, index) =>
    Array.from({ length: PULLS }, async () => {
      while (!done()) {
        const body = { task_types: [TYPES[index % TYPES.length]], max_tasks: MOST, wait_ms: WAIT_MS };
        const { tasks: got } = await way.pull(by, body);
        await Promise.all(got.map(({ id }) => way.submit(by, id, RESULT)));
      }
    }),
  );
  const watching = (async () => {
    while (!done()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      settled = (await doneBy(client, workers)) - before;
    }
  })();
  await Promise.all([...creating, ...working, watching]);
  return (performance.now() - started) / 1_000;
}
