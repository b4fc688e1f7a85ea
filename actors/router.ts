import type { ActorKind, Address } from "../machines/address.ts";
import { readReply } from "../machines/incoming.ts";
import type { CarriedCommand, CommandOf, CommandType, ReplyOf } from "../machines/protocols.ts";
import { refuse } from "../machines/refusal.ts";
import type { Millis } from "../machines/vocabulary.ts";
import { LIMITS } from "./limits.ts";
import type { CommandResult, Envelope, Origin } from "./message.ts";
import type { Clock } from "./ports/clock.ts";
import type { Ids } from "./ports/ids.ts";
import type { Transport } from "./ports/transport.ts";

export interface AskOptions {
  /** The command's id, a UUID; a new one if absent. Give it if the command may come again, and set `again` then. */
  readonly commandId?: string;
  readonly again?: boolean;
  /** When the request arrived (ms), if a deadline of the actor depends on it; now if absent. */
  readonly arrived?: Millis;
  /** Who asks; a client if absent. */
  readonly origin?: Exclude<Origin, "timer">;
  /** How long it may take (ms); as long as every call of this router if absent. */
  readonly ms?: Millis;
}

const LATE = refuse(
  "UNAVAILABLE",
  "No answer in time, so it is not known whether this was done. Send it again under the same id, or look at what it should have changed.",
  { why: "OUTCOME_UNKNOWN" },
);

const UNREADABLE = refuse(
  "UNAVAILABLE",
  "A node of another version did this and answered in words that are not known here. Ask the operator to update all of them; sent again under the same id, it is not done twice.",
  { why: "REPLY_UNKNOWN" },
);

/** Sends commands to actors, wherever they are, and waits for the results: those of clients, and what one actor asks another. */
export class Router {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #deadlineMs: number;

  /** `deadlineMs` limits each call that says no other time; after that it is refused with UNAVAILABLE. */
  constructor(transport: Transport, clock: Clock, ids: Ids, deadlineMs: number) {
    this.#transport = transport;
    this.#clock = clock;
    this.#ids = ids;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Asks an actor. Until the deadline, tries again if nobody owns it (NOT_OWNER), if others write to it at the same time
   * (CONTENDED), or if there is no answer for a while; always with the same command id, so that it is done once. UNAVAILABLE
   * after the deadline means that the outcome is unknown; the same call with the same command id finds out. Gives the reply in
   * today's form, whatever the version of the actor's node.
   */
  async ask<K extends ActorKind, T extends CommandType<K>>(
    to: Address<K>,
    command: { readonly type: T } & CommandOf<K, T> & CarriedCommand,
    options: AskOptions = {},
  ): Promise<CommandResult<ReplyOf<K, T>>> {
    const answer = await this.#ask(to, command, options);
    if (!answer.ok) return answer;
    const value = readReply(to.kind, command.type, answer.value);
    return value === undefined ? { ok: false, refusal: UNREADABLE } : { ok: true, value };
  }

  /** Asks once, for what is a hint or is asked again anyway: undefined if it is refused or there is no answer within `ms`. */
  async tryAsk<K extends ActorKind, T extends CommandType<K>>(
    to: Address<K>,
    command: { readonly type: T } & CommandOf<K, T> & CarriedCommand,
    ms: Millis,
  ): Promise<ReplyOf<K, T> | undefined> {
    const now = this.#clock.now();
    const envelope: Envelope = {
      to,
      command,
      commandId: this.#ids.next(),
      origin: "client",
      delivery: "first",
      deadline: now + ms,
      arrived: now,
    };
    const answer = await this.#attempt(envelope, ms);
    return answer?.ok === true ? readReply(to.kind, command.type, answer.value) : undefined;
  }

  async #ask(to: Address<ActorKind>, command: CarriedCommand, options: AskOptions): Promise<CommandResult> {
    const now = this.#clock.now();
    const { arrived = now, origin = "client", ms = this.#deadlineMs } = options;
    const deadline = now + ms;
    let lost = 0;
    const commandId = options.commandId ?? this.#ids.next();
    let delivery: "first" | "again" = options.again === true ? "again" : "first";
    for (let wait: number = LIMITS.retryMinMs; ; wait = Math.min(wait * 2, LIMITS.askRetryMaxMs)) {
      const answer = await this.#attempt({ to, command, commandId, origin, delivery, deadline, arrived, lost });
      const left = deadline - this.#clock.now();
      if (answer !== undefined && !isPassing(answer)) return answer;
      if (left <= wait) return answer ?? { ok: false, refusal: LATE };
      delivery = "again";
      if (answer === undefined) lost += 1;
      // Who let the time of an attempt pass has waited already.
      if (answer !== undefined) await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
    }
  }

  /** One attempt; undefined when its time passed without an answer. */
  #attempt(envelope: Envelope, most: Millis = LIMITS.attemptMs): Promise<CommandResult | undefined> {
    return new Promise((resolve) => {
      const ms = Math.max(0, Math.min(most, envelope.deadline - this.#clock.now()));
      const cancel = this.#clock.after(ms, () => resolve(undefined));
      const answered = (answer: CommandResult) => {
        cancel();
        resolve(answer);
      };
      // A transport does not reject; if one does, nothing is known of what became of the command.
      this.#transport.request(envelope).then(answered, () => answered({ ok: false, refusal: LATE }));
    });
  }
}

/** Whether the same command may succeed a moment later. */
function isPassing(answer: CommandResult): boolean {
  return !answer.ok && (answer.refusal.refused === "NOT_OWNER" || answer.refusal.refused === "CONTENDED");
}
