import { existsSync, readFileSync } from "node:fs";

/** Of a tick of the kernel's clock, which is the same on every Linux (ms). */
const TICK_MS = 10;

/** The CPU time of a process so far (ms); 0 where the system does not say. @param {number} pid */
export function cpuMs(pid) {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return 0;
  // After the name in brackets; the 12th and 13th are ticks in and for the process (proc(5)).
  const fields = readFileSync(path, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
