import type { Address, AnyCommand } from "../machines/effect.ts";
import { refuse } from "../machines/refusal.ts";
import { LIMITS } from "./limits.ts";
import { type Answer, isTransient } from "./message.ts";
import type { Clock, Ids, Transport } from "./ports.ts";

export interface AskOptions {
  /** A UUID that names the command; made anew when left out. Give one that may come again, and say `again`. */
  readonly commandId?: string;
  readonly again?: boolean;
}

/** Sends commands of clients to actors and waits for their answers. */
export class Router {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #deadlineMs: number;

  /** `deadlineMs` bounds each call; what comes later is answered with UNAVAILABLE. */
  constructor(transport: Transport, clock: Clock, ids: Ids, deadlineMs: number) {
    this.#transport = transport;
    this.#clock = clock;
    this.#ids = ids;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Asks an actor. Sends again on CONTENDED while the deadline allows. UNAVAILABLE after the deadline means that the
   * outcome is unknown: the same call with the same Idempotency-Key finds out.
   */
  async ask(to: Address, command: AnyCommand, options: AskOptions = {}): Promise<Answer> {
    const deadline = this.#clock.now() + this.#deadlineMs;
    const commandId = options.commandId ?? this.#ids.next();
    let delivery: "first" | "again" = options.again === true ? "again" : "first";
    for (let wait: number = LIMITS.retryMinMs; ; wait = Math.min(wait * 2, LIMITS.retryMaxMs)) {
      const answer = await this.#within(
        deadline,
        this.#transport.request({ to, command, commandId, origin: "client", delivery, deadline }),
      );
      const contended = isTransient(answer) && !answer.ok && answer.refusal.refused === "CONTENDED";
      if (!contended || this.#clock.now() + wait >= deadline) return answer;
      delivery = "again";
      await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
    }
  }

  #within(deadline: number, asked: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve) => {
      const callOff = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
        const detail =
          "No answer in time, so it is not known whether this was done. Send it again with the same Idempotency-Key, or look at what it should have changed.";
        resolve({ ok: false, refusal: refuse("UNAVAILABLE", detail) });
      });
      void asked.then((answer) => {
        callOff();
        resolve(answer);
      });
    });
  }
}
