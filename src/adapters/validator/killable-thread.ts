/** A thread that judges one result at a time, with a bound on its memory, and that can be killed while it does. */
import { Worker } from "node:worker_threads";
import type { Judged } from "../../../machines/entity.ts";
import type { Demands, DemandsProblem } from "../../../machines/validation/verdict.ts";
import type { JsonValue } from "../../../machines/vocabulary.ts";

/** What a thread is asked; as JSON, which costs the loop a third of what cloning many small values does. */
export interface Ask {
  readonly demands: Demands;
  readonly result: JsonValue;
}

/** What it says: first that it has started, then one of these for each ask. `failed` is a bug, in a few words. */
export type Said = "ready" | { readonly judged: Judged | DemandsProblem } | { readonly failed: string };

export interface ThreadEvents {
  /** It can take an ask. */
  readonly free: (thread: KillableThread) => void;
  /** It has ended, once; nothing is heard of what it was asked. */
  readonly ended: (thread: KillableThread) => void;
}

/** Whether a thread takes work of any account, or is kept for those that have used little. */
export type ThreadKind = "any" | "kept";

const YOUNG_MB = 16;
const STACK_MB = 4;

/** Starting (until it says that it is ready) -> idle <-> busy with one ask -> ended. */
export class KillableThread {
  readonly kind: ThreadKind;
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  #answer: ((said: Exclude<Said, "ready">) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** `file` is the compiled thread.ts, `heapMb` bounds its old objects (MB). */
  constructor(file: URL, kind: ThreadKind, heapMb: number, events: ThreadEvents) {
    this.kind = kind;
    this.#events = events;
    this.#worker = new Worker(file, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB, stackSizeMb: STACK_MB },
    });
    this.#worker.unref();
    this.#worker.on("message", (said: Said) => this.#said(said));
    this.#worker.on("error", () => this.end());
    this.#worker.on("messageerror", () => this.end());
    this.#worker.on("exit", () => this.end());
  }

  /** Asks it, and kills it when no answer came within `deadlineMs`. Throws, and has not asked, what is no JSON. */
  run({ demands, result }: Ask, deadlineMs: number, answer: (said: Exclude<Said, "ready">) => void): void {
    const ask: Ask = { demands, result };
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
    // It may be in the middle of its start, and then this rejects; it ends all the same.
    this.#worker.terminate().catch(() => {});
    this.#events.ended(this);
  }

  #said(said: Said): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const answer = this.#answer;
    this.#answer = undefined;
    if (said !== "ready") answer?.(said);
    this.#events.free(this);
  }
}
