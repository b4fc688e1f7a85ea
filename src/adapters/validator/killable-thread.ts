/** A thread that judges one result at a time, with limited memory, and can be killed meanwhile. */
import { Worker } from "node:worker_threads";
import type { Judged } from "../../../machines/validation/judgement.ts";
import type { Demands, DemandsProblem } from "../../../machines/validation/verdict.ts";
import type { JsonValue } from "../../../machines/vocabulary.ts";

/** A request to a thread, sent as JSON: that costs the event loop a third of a structured clone. */
export interface Ask {
  readonly demands: Demands;
  readonly result: JsonValue;
  readonly input?: string;
}

/** A message of a thread: `ready` once it has started, then one for each request. `failed` is a bug, in a few words. */
export type ThreadMessage = "ready" | { readonly judged: Judged | DemandsProblem } | { readonly failed: string };

export interface ThreadEvents {
  /** It can take a request. */
  readonly free: (thread: KillableThread) => void;
  /** It has ended, once; there is no answer to its request. */
  readonly ended: (thread: KillableThread) => void;
}

/** Whether a thread takes work of any account, or is reserved for those that are not heavy. */
export type ThreadKind = "any" | "kept";

const YOUNG_MB = 16;
const STACK_MB = 4;

/** Starting (until it is ready) -> idle <-> busy with one request -> ended. */
export class KillableThread {
  readonly kind: ThreadKind;
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  #answer: ((said: Exclude<ThreadMessage, "ready">) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** `file` is the compiled thread.ts, `heapMb` limits its old generation (MB). */
  constructor(file: URL, kind: ThreadKind, heapMb: number, events: ThreadEvents) {
    this.kind = kind;
    this.#events = events;
    this.#worker = new Worker(file, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB, stackSizeMb: STACK_MB },
    });
    this.#worker.unref();
    this.#worker.on("message", (said: ThreadMessage) => this.#said(said));
    this.#worker.on("error", () => this.end());
    this.#worker.on("messageerror", () => this.end());
    this.#worker.on("exit", () => this.end());
  }

  /** Sends a request, and kills the thread if there is no answer within `deadlineMs`. Throws, and sends nothing, if it is not JSON. */
  run({ demands, result, input }: Ask, deadlineMs: number, answer: (said: Exclude<ThreadMessage, "ready">) => void): void {
    const ask: Ask = { demands, result, ...(input === undefined ? {} : { input }) };
    const text = JSON.stringify(ask);
    this.#answer = answer;
    this.#timer = setTimeout(() => this.end(), deadlineMs);
    this.#worker.postMessage(text);
  }

  /** Kills it. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    // This rejects if the thread is still starting; it ends all the same.
    this.#worker.terminate().catch(() => {});
    this.#events.ended(this);
  }

  #said(said: ThreadMessage): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const answer = this.#answer;
    this.#answer = undefined;
    if (said !== "ready") answer?.(said);
    this.#events.free(this);
  }
}
