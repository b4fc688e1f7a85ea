import type { AnyMachineSnapshot } from "xstate";
import type { Effect, Tell } from "./effect.ts";
import type { Formats } from "./formats.ts";
import type { Posting } from "./money/postings.ts";
import type { Address, AnyCommand, CommandOf, CommandType, EntityKind, ReplyOf } from "./protocols.ts";
import type { Refusal } from "./refusal.ts";
import type { Logic } from "./statechart.ts";
import type { DeliveryOutcome } from "./task/events.ts";
import type { Demands, Verdict } from "./validation/verdict.ts";
import type { JsonValue, Millis } from "./vocabulary.ts";

/** Something that happened, as it is journaled. `type` names it; the rest of it is everything that replay needs. */
export interface AnyFact {
  readonly type: string;
}

/**
 * A call to the world outside, made without a fact: the timer that asked for it stands until a fact ends it. A crash in between
 * makes it once more.
 */
export interface OutboundCall {
  /** What kind of call it is; each has an adapter. */
  readonly kind: "webhook";
  readonly request: Delivery;
  /** The command that tells the entity what came of it. */
  readonly outcomeTo: (outcome: DeliveryOutcome) => AnyCommand;
  /** The timer behind it; set anew where it could not be made, or its outcome not be told. */
  readonly timer: string;
}

/** One attempt to bring a finished task's webhook to its receiver. */
export interface Delivery {
  readonly task: string;
  /** Whose webhook secret signs it. */
  readonly account: string;
  /** The same on every attempt (Standard Webhooks: webhook-id). */
  readonly message: string;
  readonly attempt: number;
  readonly url: string;
  readonly body: JsonValue;
}

/** What a command leads to: facts, of which an empty list leaves no trace, and the reply of that command. */
export interface Decision<F extends AnyFact, R> {
  readonly facts: readonly F[];
  readonly reply: R;
  /** Messages that carry the command's own content on, so that it need not be journaled twice. */
  readonly carry?: readonly Tell[];
  readonly calls?: readonly OutboundCall[];
  /** Answer only when the messages of this decision have been taken in (or the request's deadline has come). */
  readonly afterDelivery?: boolean;
}

export interface Evolution<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/** A fact as it came out of the journal, of whatever version it was written. */
export interface StoredFact {
  readonly seq: number;
  readonly type: string;
  readonly version: number;
  readonly body: unknown;
  readonly at: Millis;
}

/** What is judged: a worker's result, for which money waits, or what a requester tries out. */
export type Lane = "submission" | "example";

/** What must be worked out before a command can be decided (slow, random or of the world): whether a result is right. */
export interface Question {
  readonly demands: Demands;
  readonly result: JsonValue;
  /** Whose thread time it takes: whoever wrote the demands, see machines/task/decide.ts. */
  readonly account: string;
  readonly lane: Lane;
}

/** Why there is no judgement: the demands are wrong in this field, it cannot be brought to its end, or too many wait. */
export interface Unjudged {
  readonly unjudged: string;
  readonly because: "schema" | "rules" | "slow" | "busy";
}

/** A verdict, with what its schema costs by itself (validation/cost.ts) where that is known. */
export type Judged = Verdict & { readonly cost?: number };

export type Judgement = Judged | Unjudged;

/** How each command of an entity is decided, with what it may reply; see Entity.decide. */
export type Deciders<K extends EntityKind, S, F extends AnyFact> = {
  readonly [T in CommandType<K>]: (
    state: S,
    command: CommandOf<K, T>,
    at: Millis,
    arrived: Millis,
  ) => Decision<F, ReplyOf<K, T>> | Refusal;
};

/**
 * What a host drives: a decider whose evolve step is an XState machine. Pure; the clock's time comes in as `at`.
 * `K` says which commands it takes, `S` is the state, `F` the facts it journals, `V` the row that lists are served from.
 */
export interface Entity<K extends EntityKind, S, F extends AnyFact, V> {
  readonly kind: K;
  initial(id: string): S;
  /**
   * The question whose answer must be put into the command before it is decided, if it has one. Who has no right to ask for
   * it has none: then the command is refused without. `arrived`: see decide.
   */
  question(state: S, command: CommandOf<K>, arrived: Millis): Question | undefined;
  /** Puts the answer to its question into a command. */
  answered(command: CommandOf<K>, answer: Judgement): CommandOf<K>;
  /**
   * `arrived` is when the request came to the platform, which may be before `at`; deadlines go by it. Both in ms. A fact or a
   * message of a newer format than `formats` (left out: of the newest) is not written; a fact carries what evolve must know of it.
   */
  decide<T extends CommandType<K>>(
    state: S,
    command: CommandOf<K, T>,
    at: Millis,
    arrived: Millis,
    formats?: Formats,
  ): Decision<F, ReplyOf<K, T>> | Refusal;
  /** How long after its moment a timer is acted on (ms), so that what arrived before is decided first. */
  timerGraceMs(timer: string): Millis;
  /** The machine as XState runs it. */
  readonly logic: Logic;
  /** The step of one fact outside a host, for who only looks. */
  evolve(state: S, fact: F): Evolution<S>;
  /** Reads a stored fact of any version, which is the format it was written in; throws on one it never wrote. */
  upcast(stored: StoredFact): F;
  /** The reply that a command got, from the facts that it caused: for one that is asked again. Throws where they are not its. */
  recall<T extends CommandType<K>>(command: CommandOf<K, T>, facts: readonly F[], state: S): ReplyOf<K, T>;
  postings(id: string, fact: F): readonly Posting[];
  /** The row for lists, or undefined while there is nothing to show. */
  view(id: string, state: S): V | undefined;
  /** What a snapshot keeps, in a format of this entity; plain JSON. */
  persist(state: S, format: number): unknown;
  /** Reads a snapshot of any format. */
  restore(id: string, stored: unknown): S;
  /** Whether the actor may leave memory at once: nothing more is expected to come. */
  finished(state: S): boolean;
}

/** The entity with its types hidden, as a host of many kinds holds it. */
export interface AnyEntity
  extends Omit<Entity<EntityKind, AnyMachineSnapshot, AnyFact, unknown>, "question" | "answered" | "decide" | "recall"> {
  question(state: AnyMachineSnapshot, command: AnyCommand, arrived: Millis): Question | undefined;
  answered(command: AnyCommand, answer: Judgement): AnyCommand;
  decide(
    state: AnyMachineSnapshot,
    command: AnyCommand,
    at: Millis,
    arrived: Millis,
    formats?: Formats,
  ): Decision<AnyFact, unknown> | Refusal;
  recall(command: AnyCommand, facts: readonly AnyFact[], state: AnyMachineSnapshot): unknown;
}

/** `task:<uuid>`, the form in which an address is a key of maps and a word of logs. */
export function addressKey(address: Address): string {
  return `${address.kind}:${address.id}`;
}
