/**
 * Preloaded into a platform: on SIGUSR2 it writes the longest time that the event loop was held since the last signal (ms), and
 * the memory that is in use once what is not needed has been collected (MB).
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const RESOLUTION_MS = 1;
const MB = 1024 * 1024;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
setFlagsFromString("--expose-gc");
/** @type {() => void} */
const collect = runInNewContext("gc");
delay.enable();
let look = 0;
process.on("SIGUSR2", () => {
  look += 1;
  const loopHeldMs = Number((delay.max / 1e6 - RESOLUTION_MS).toFixed(1));
  // The collection below holds the loop too, and is nobody's fault.
  delay.disable();
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  const rounded = { rssMb: Math.round(rss / MB), heapMb: Math.round(heapUsed / MB), externalMb: Math.round(external / MB) };
  process.stderr.write(`${JSON.stringify({ look, loopHeldMs, ...rounded })}\n`);
  delay.reset();
  delay.enable();
});
