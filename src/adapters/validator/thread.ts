/** Runs in a thread of its own, because what it does may never end: the thread is then killed from outside. */
import { parentPort } from "node:worker_threads";
import { judgeResult, measureDemands, warmUp } from "../../../machines/validation/verdict.ts";
import type { Ask, Said } from "./killable-thread.ts";

const say = (said: Said) => parentPort?.postMessage(said);

parentPort?.on("message", (text: string) => {
  try {
    const { demands, result } = JSON.parse(text) as Ask;
    const judged = judgeResult(demands, result);
    // It has just been measured, and is known.
    const measured = measureDemands(demands);
    say({ judged: "problem" in judged || "problem" in measured ? judged : { ...judged, cost: measured.cost } });
  } catch (error) {
    say({ failed: error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : "something that is no error" });
  }
});
warmUp();
say("ready");
