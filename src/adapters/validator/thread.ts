/** Runs in its own thread, because a judgement may never end: the thread is then killed from outside. */
import { parentPort } from "node:worker_threads";
import { judgeResult, measureDemands, warmUp } from "../../../machines/validation/verdict.ts";
import type { Ask, ThreadMessage } from "./killable-thread.ts";

const say = (said: ThreadMessage) => parentPort?.postMessage(said);

parentPort?.on("message", (text: string) => {
  try {
    const { demands, result, input } = JSON.parse(text) as Ask;
    const judged = judgeResult(demands, result, input);
    // Measured above, so the result is cached.
    const measured = measureDemands(demands);
    say({ judged: "problem" in judged || "problem" in measured ? judged : { ...judged, cost: measured.cost } });
  } catch (error) {
    say({ failed: error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : "not an Error" });
  }
});
warmUp();
say("ready");
