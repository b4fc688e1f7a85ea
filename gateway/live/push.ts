/**
 * A stream's events as pushes to a fleet: each is one JSON document, what a server-sent event has as its data with `id` and `after`.
 *
 * U1  The bus may lose what was sent: a fleet sees by `after` that something is missing, and asks again from its last id.
 * U2  An award or an end waits while it cannot be sent. A new task does not: by then it is old. Nor is the worker online meanwhile.
 * U3  What is longer than the bus passes goes without its long fields, which `left_out` names. Nothing is dropped for its length.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { PushLine } from "../ports/fleet.ts";
import type { Ending, SentEvent, Sink } from "./stream.ts";

/** How soon what could not be sent is tried again (ms). */
const AGAIN_MS = 250;
/** The fields of a task that may be long; all others together have less than 2 KB. */
export const LONG_FIELDS = [
  "input_data",
  "input_data_preview",
  "validation_schema",
  "validation_rules",
  "example_output",
  "result_data",
  "callback_url",
] as const;

/** Told to a fleet whose pushes end before their time, as the type of a last event, with the reason. */
const ENDED = "listen.ended";
const REASONS: { readonly [E in Ending]: string | null } = {
  key: "KEY_REPLACED",
  account: "ACCOUNT_RESTRICTED",
  gateway: "GATEWAY_STOPS",
  over: null,
};

export class PushSink implements Sink {
  readonly #line: PushLine;
  readonly #clock: Pick<Clock, "after">;
  #open = true;
  /** What a last event says. */
  #last = { id: 0, after: 0 };
  readonly #closed: (() => void)[] = [];
  /** Ends the pause before the next try. */
  #wake: () => void = () => {};

  constructor(line: PushLine, clock: Pick<Clock, "after">) {
    this.#line = line;
    this.#clock = clock;
  }

  get open(): boolean {
    return this.#open;
  }

  get reachable(): boolean {
    return this.#line.isUp();
  }

  begin(id: number): void {
    this.#last = { id, after: id };
  }

  // A fleet is told of that when it asks again.
  moveTo(): void {}
  comment(): void {}

  async send(event: SentEvent): Promise<void> {
    while (this.#open && !this.#sent(event)) await this.#pause();
  }

  async sendNow(event: SentEvent): Promise<boolean> {
    return this.#open && this.#sent(event);
  }

  // Each is a message of its own: nothing is saved by keeping it back.
  gather(event: SentEvent): boolean {
    return this.#open && this.#sent(event);
  }

  get gathered(): number {
    return 0;
  }

  flush(): boolean {
    return false;
  }

  end(why: Ending): void {
    const reason = REASONS[why];
    if (this.#open && reason !== null) this.#line.push(JSON.stringify({ ...this.#last, type: ENDED, reason }));
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#wake();
    for (const closed of this.#closed) closed();
  }

  onClose(closed: () => void): void {
    this.#closed.push(closed);
  }

  /** Whether it could be sent now. */
  #sent({ data, id, after }: SentEvent): boolean {
    // The data is an object with at least a type.
    const text = `{"id":${id},"after":${after},${data.slice(1)}`;
    const outcome = this.#line.push(text);
    if (outcome === "later" || (outcome === "too long" && this.#line.push(shortened(text)) !== "sent")) return false;
    this.#last = { id, after: Math.max(id, after) };
    return true;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(AGAIN_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** The event without the long fields of its task. */
function shortened(text: string): string {
  const { task, ...event }: { readonly task: object } = JSON.parse(text);
  const long = new Set<string>(LONG_FIELDS);
  const short = Object.fromEntries(Object.entries(task).filter(([field]) => !long.has(field)));
  return JSON.stringify({ ...event, task: short, left_out: LONG_FIELDS.filter((field) => Object.hasOwn(task, field)) });
}
