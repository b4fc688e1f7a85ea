/** Runs in a thread of its own, because what it does may never end: the thread is then killed from outside. */
import { parentPort } from "node:worker_threads";
import type { Question } from "../../machines/entity.ts";
import { warmUp } from "../../machines/validation/schema.ts";
import { judgeResult } from "../../machines/validation/verdict.ts";

parentPort?.on("message", ({ demands, result }: Question) => {
  parentPort?.postMessage(judgeResult(demands, result));
});
warmUp();
parentPort?.postMessage("ready");
