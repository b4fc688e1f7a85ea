/**
 * The contract between the rooms, one for all who send: what each entity can be asked and told, and what it replies. A field
 * that the receiver does not know, or a reply of another command, is an error of the compiler (test/types/protocols.ts).
 */
import type { AccountProtocol } from "./account/protocol.ts";
import type { BatchProtocol } from "./batch/protocol.ts";
import type { TaskProtocol } from "./task/protocol.ts";
import type { Millis } from "./vocabulary.ts";

interface Protocols {
  readonly task: TaskProtocol;
  readonly account: AccountProtocol;
  readonly batch: BatchProtocol;
}

/** A timer of the actor's own fell due; `due` is its moment (ms). */
export interface TimerFired {
  readonly command: { readonly name: string; readonly due: Millis };
  readonly reply: null;
}

/** Which machine an actor runs. */
export type EntityKind = keyof Protocols;

/** The address of one actor: its kind and its id (a UUID). */
export interface Address<K extends EntityKind = EntityKind> {
  readonly kind: K;
  readonly id: string;
}

/** The commands that an entity takes; of an address whose kind is not known, those that every entity takes. */
export type CommandType<K extends EntityKind> = keyof Protocols[K] & string;

type Part<K extends EntityKind, T extends CommandType<K>, P extends "command" | "reply"> = Protocols[K][T] extends {
  readonly [name in P]: infer Content;
}
  ? Content
  : never;

/** A command of an entity; all that it takes where no type is given. */
export type CommandOf<K extends EntityKind, T extends CommandType<K> = CommandType<K>> = {
  [N in T]: { readonly type: N } & Part<K, N, "command">;
}[T];

/** What an entity replies to a command. */
export type ReplyOf<K extends EntityKind, T extends CommandType<K>> = Part<K, T, "reply">;

/** A command of whatever entity, for who carries it only. */
export type AnyCommand = { [K in EntityKind]: CommandOf<K> }[EntityKind];

/** A message to another actor; durable in the sender's commit, taken in exactly once by the receiver. */
export type Send<K extends EntityKind> = {
  [R in K]: {
    readonly type: "tell";
    readonly to: Address<R>;
    readonly command: CommandOf<R>;
    /** The receiver's id was made just now, so nothing can be known of it yet and there is nothing to load. */
    readonly fresh?: boolean;
  };
}[K];
