/** Runs in a thread of its own, because what it does may never end: the thread is then killed from outside. */
import { parentPort } from "node:worker_threads";
import { judgeResult, warmUp } from "../../machines/validation/verdict.ts";
import type { Ask, Said } from "./killable-thread.ts";

const say = (said: Said) => parentPort?.postMessage(said);

parentPort?.on("message", (text: string) => {
  try {
    const { demands, result } = JSON.parse(text) as Ask;
    say({ judged: judgeResult(demands, result) });
  } catch (error) {
    say({ failed: error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : "something that is no error" });
  }
});
warmUp();
say("ready");
