/** A platform whose event loop and memory are watched from outside. */
import { fileURLToPath } from "node:url";
import { startProcess } from "../support/platform.mjs";

const PRELOAD = fileURLToPath(new URL("./loop-delay.mjs", import.meta.url));
const LOOK_MS = 10;

/** @typedef {{ readonly loopHeldMs: number, readonly rssMb: number, readonly heapMb: number, readonly externalMb: number }} Held */

/**
 * Starts one; `limits` as in startProcess.
 * @param {Record<string, string>} settings
 * @param {Record<string, string>} [limits]
 */
export async function startWatched(settings, limits) {
  const platform = await startProcess({ ...settings, NODE_OPTIONS: `--import ${PRELOAD}` }, "start", limits);
  let looks = 0;
  /** What was since the last time this was asked. @returns {Promise<Held>} */
  const held = async () => {
    looks += 1;
    process.kill(platform.pid, "SIGUSR2");
    for (;;) {
      const line = new RegExp(`\\{"look":${looks},.*\\}`).exec(platform.log());
      if (line !== null) return JSON.parse(line[0]);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  return { ...platform, held };
}
