import { KillableThread } from "./killable-thread.ts";

/**
 * Makes sure that threads that judge results can start here; `heapMb` bounds their old objects (MB). Rejects with a sentence
 * for the operator.
 */
export function checkThread(file: URL, heapMb: number): Promise<void> {
  return new Promise((resolve, reject) => {
    new KillableThread(file, "any", heapMb, {
      free: (thread) => {
        resolve();
        thread.end();
      },
      ended: () =>
        reject(
          new Error("The threads that judge results do not start: build this again (npm run build), or give it more memory."),
        ),
    });
  });
}
