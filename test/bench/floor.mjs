/** The least that it could cost that workers wait: bare processes that pass pulls on as a platform does, and do nothing else. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROCESS = fileURLToPath(new URL("./floor-process.mjs", import.meta.url));

/** @param {string} part @param {readonly string[]} urls */
async function start(part, urls) {
  const child = spawn(process.execPath, [PROCESS, part, ...urls], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { child, pid: child.pid ?? 0, port: Number(JSON.parse(String(line)).port) };
}

/** Two doors and a matcher. @param {string} inner the URL of the NATS between them @param {string} fleets of that of fleets */
export async function startFloor(inner, fleets) {
  const matcher = await start("matcher", [inner]);
  const doors = await Promise.all([0, 1].map(() => start("door", [inner, fleets])));
  const all = [matcher, ...doors];
  return {
    pids: all.map(({ pid }) => pid),
    ports: doors.map(({ port }) => port),
    stop: async () => {
      const ended = all.map(({ child }) => once(child, "exit"));
      for (const { child } of all) child.kill();
      await Promise.all(ended);
    },
  };
}
