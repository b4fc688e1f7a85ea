/** Ends its process once that has used more than its processor time: a mutant may never end, and a busy machine is no reason. */
import { workerData } from "node:worker_threads";

const EVERY_MS = 100;
/** @type {{ readonly until: Float64Array }} */
const { until } = workerData;

/** Processor time that this process has used (ms). */
function usedMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

setInterval(() => {
  if (usedMs() > (until[0] ?? 0)) process.kill(process.pid, "SIGKILL");
}, EVERY_MS);
