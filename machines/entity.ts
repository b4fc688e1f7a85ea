import type { AnyMachineSnapshot } from "xstate";
import type { Address, EntityKind } from "./address.ts";
import type { Announcement } from "./announcement.ts";
import type { Delivery, DeliveryOutcome } from "./delivery.ts";
import type { Tell } from "./effect.ts";
import type { AnyFact, StoredFact } from "./fact.ts";
import type { MarketRules } from "./market/settings.ts";
import type { Posting } from "./money/postings.ts";
import type { CarriedCommand, CommandOf, CommandType, ReplyOf } from "./protocols.ts";
import type { Refusal } from "./refusal.ts";
import type { Evolution, Logic } from "./statechart.ts";
import type { Judgement, Question } from "./validation/judgement.ts";
import type { AccountId, Millis } from "./vocabulary.ts";

/**
 * A call to the outside. It needs no fact: the timer that led to it stays set until its outcome is a fact, so that after a
 * crash the call is made again.
 */
export interface OutboundCall {
  /** The kind of call; each kind has an adapter. */
  readonly kind: "webhook";
  readonly request: Delivery;
  /** The command that tells the entity the outcome. */
  readonly outcomeTo: (outcome: DeliveryOutcome) => CarriedCommand;
  /** The timer behind it; set again if the call could not be made, or its outcome not be delivered. */
  readonly timer: string;
}

/** A row of which an entity has several, such as an account its capabilities. The id is unique among all rows of its kind. */
export interface Part {
  readonly id: string;
}

/**
 * A question to a worker's account. It leaves no trace: if it is lost, or the asker's node dies, it was not asked. The caller of
 * the command waits for what comes of it.
 */
export interface Ask {
  readonly to: Address<"account">;
  readonly command: CommandOf<"account", "offer" | "mayReturn">;
  /** How long the reply may take (ms). */
  readonly ms: Millis;
  /**
   * The command that brings the reply to the asker, who checks it, because it comes from another process; undefined if none came in
   * time. Its result is what the caller gets.
   */
  readonly answered: (reply: unknown) => CarriedCommand;
  /** The caller does not wait, but gets the reply of the decision. */
  readonly apart?: true;
  /** The timer that led to it, if one did. Unless a commit has unset it then, it fires again soon after the reply. */
  readonly timer?: string;
}

/** What a command leads to: facts, possibly none, and its reply. */
export interface Decision<F extends AnyFact, R> {
  readonly facts: readonly F[];
  readonly reply: R;
  /** Messages with the command's own content, which then need not be journaled twice. */
  readonly carry?: readonly Tell[];
  readonly calls?: readonly OutboundCall[];
  /** Asked once the facts are committed; unless it is asked apart, what comes of it takes the place of `reply`. */
  readonly ask?: Ask;
  /** Reply only when the receivers have committed the messages of this decision, or when the request's deadline is near. */
  readonly afterDelivery?: boolean;
}

/** The decider of each command of an entity; see Entity.decide. `More` is what those of this entity need besides. */
export type Deciders<K extends EntityKind, S, F extends AnyFact, More extends readonly unknown[] = []> = {
  readonly [T in CommandType<K>]: (
    state: S,
    command: CommandOf<K, T>,
    at: Millis,
    arrived: Millis,
    ...more: More
  ) => Decision<F, ReplyOf<K, T>> | Refusal;
};

/**
 * What a host drives: a decider whose evolve step is an XState machine. Pure; the clock's time comes in as `at`.
 * `K` says which commands it takes, `S` is the state, `F` the facts it journals, `V` the row that lists are served from.
 */
export interface Entity<K extends EntityKind, S, F extends AnyFact, V> {
  readonly kind: K;
  readonly initial: (id: string) => S;
  /**
   * The question that must be answered before the command is decided, if there is one. There is none for a caller without the
   * right to ask: the command is refused without an answer. `arrived`: see decide.
   */
  readonly question: (state: S, command: CommandOf<K>, arrived: Millis) => Question | undefined;
  /** Puts the answer to the question into the command. */
  readonly answered: (command: CommandOf<K>, answer: Judgement) => CommandOf<K>;
  /**
   * `arrived` is when the request reached the platform, which may be before `at`; deadlines depend on it. Both in ms. `rules`
   * are the default ones if absent; `format` is the entity's in which facts may be written, today's if absent.
   */
  readonly decide: <T extends CommandType<K>>(
    state: S,
    command: CommandOf<K, T>,
    at: Millis,
    arrived: Millis,
    rules?: MarketRules,
    format?: number,
  ) => Decision<F, ReplyOf<K, T>> | Refusal;
  /** How long after its time a timer fires (ms), so that what arrived before is decided first. */
  readonly timerGraceMs: (timer: string) => Millis;
  /** The statechart as XState runs it. */
  readonly logic: Logic;
  /** Applies one fact outside a host, for code that only reads. */
  readonly evolve: (state: S, fact: F) => Evolution<S>;
  /** Reads a stored fact of any format; throws on an unknown one. */
  readonly upcast: (stored: StoredFact) => F;
  /**
   * Rebuilds the reply to a command from the facts that it caused, for a command that comes again. Throws if they are another
   * command's.
   */
  readonly recall: <T extends CommandType<K>>(command: CommandOf<K, T>, facts: readonly F[], state: S) => ReplyOf<K, T>;
  readonly postings: (id: string, fact: F) => readonly Posting[];
  /** What others are told once these facts, which led to `state`, are committed. */
  readonly announce: (state: S, facts: readonly F[]) => readonly Announcement[];
  /** The accounts whose event streams have more to tell once these facts, which led to `state`, are committed. */
  readonly wakes: (state: S, facts: readonly F[]) => readonly AccountId[];
  /** The row for lists; undefined while there is nothing to show. */
  readonly row: (id: string, state: S) => V | undefined;
  /**
   * The rows beside it of which there are several, as they are in the state to which these facts lead from `before`. A commit writes
   * those that have changed; one that is missing stays as it was.
   */
  readonly parts: (state: S, before: S, facts: readonly F[]) => readonly Part[];
  /** The state to store, in a format of this entity; plain JSON. */
  readonly persist: (state: S, format: number) => unknown;
  /** Reads a snapshot of any format. */
  readonly restore: (id: string, stored: unknown) => S;
  /** Whether the actor may be evicted at once, because no more commands are expected. */
  readonly finished: (state: S) => boolean;
}

/** An entity without its types, as a host of several kinds holds it; entities.ts makes it. */
export interface AnyEntity {
  readonly kind: EntityKind;
  readonly logic: Logic;
  readonly question: (state: AnyMachineSnapshot, command: CarriedCommand, arrived: Millis) => Question | undefined;
  readonly answered: (command: CarriedCommand, answer: Judgement) => CarriedCommand;
  readonly decide: (
    state: AnyMachineSnapshot,
    command: CarriedCommand,
    at: Millis,
    arrived: Millis,
    format?: number,
  ) => Decision<AnyFact, unknown> | Refusal;
  readonly recall: (command: CarriedCommand, facts: readonly AnyFact[], state: AnyMachineSnapshot) => unknown;
  readonly upcast: (stored: StoredFact) => AnyFact;
  readonly postings: (id: string, fact: AnyFact) => readonly Posting[];
  readonly timerGraceMs: (timer: string) => Millis;
  readonly announce: (state: AnyMachineSnapshot, facts: readonly AnyFact[]) => readonly Announcement[];
  readonly wakes: (state: AnyMachineSnapshot, facts: readonly AnyFact[]) => readonly AccountId[];
  readonly row: (id: string, state: AnyMachineSnapshot) => unknown;
  readonly parts: (state: AnyMachineSnapshot, before: AnyMachineSnapshot, facts: readonly AnyFact[]) => readonly Part[];
  readonly persist: (state: AnyMachineSnapshot, format: number) => unknown;
  readonly restore: (id: string, stored: unknown) => AnyMachineSnapshot;
  readonly finished: (state: AnyMachineSnapshot) => boolean;
}
