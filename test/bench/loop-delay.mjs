/** Preloaded into a platform: on SIGUSR2 it writes the longest time that the event loop was held since the last signal. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on("SIGUSR2", () => {
  process.stderr.write(`{"loopHeldMs":${(delay.max / 1e6 - RESOLUTION_MS).toFixed(1)}}\n`);
  delay.reset();
});
