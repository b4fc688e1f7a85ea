import { KillableThread } from "./killable-thread.ts";

/**
 * Checks that validator threads can start on this machine; `heapMb` limits their old generation (MB). Rejects with a sentence for
 * the operator.
 */
export function checkThread(file: URL, heapMb: number): Promise<void> {
  return new Promise((resolve, reject) => {
    new KillableThread(file, "any", heapMb, {
      free: (thread) => {
        resolve();
        thread.end();
      },
      ended: () =>
        reject(new Error("The validator threads do not start: build again (npm run build), or give the process more memory.")),
    });
  });
}
