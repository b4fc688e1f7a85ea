/**
 * The contract for all who send commands: what each entity takes, and what it replies. A field that the receiver does not know,
 * or the reply of another command, does not compile (test/types/protocols.ts).
 */
import type { AccountProtocol } from "./account/protocol.ts";
import type { ActorKind, Address } from "./address.ts";
import type { BatchProtocol } from "./batch/protocol.ts";
import type { MatcherProtocol } from "./matcher/protocol.ts";
import type { TaskProtocol } from "./task/protocol.ts";

interface Declared {
  readonly task: TaskProtocol;
  readonly account: AccountProtocol;
  readonly batch: BatchProtocol;
  readonly matcher: MatcherProtocol;
}

/** One for each kind of actor. */
type Protocols = { readonly [K in ActorKind]: Declared[K] };

/** The commands that an entity takes; for several kinds, the commands that all of them take. */
export type CommandType<K extends ActorKind> = keyof Protocols[K] & string;

type Part<K extends ActorKind, T extends CommandType<K>, P extends "command" | "reply"> = Protocols[K][T] extends {
  readonly [name in P]: infer Content;
}
  ? Content
  : never;

/** A command of an entity; without a type, any of its commands. */
export type CommandOf<K extends ActorKind, T extends CommandType<K> = CommandType<K>> = {
  [N in T]: { readonly type: N } & Part<K, N, "command">;
}[T];

/** What an entity replies to a command. */
export type ReplyOf<K extends ActorKind, T extends CommandType<K>> = Part<K, T, "reply">;

/** A command of any actor, for code that only carries it; entities.ts passes each entity its own and nothing else. */
export type CarriedCommand = { [K in ActorKind]: CommandOf<K> }[ActorKind];

/** A message to another actor; durable with the sender's commit, processed exactly once by the receiver. */
export type Send<K extends ActorKind> = {
  [R in K]: {
    readonly type: "tell";
    readonly to: Address<R>;
    readonly command: CommandOf<R>;
    /** The receiver's id is new, so there is nothing to load. */
    readonly fresh?: boolean;
  };
}[K];
