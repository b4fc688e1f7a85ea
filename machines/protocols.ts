/**
 * The contract for all who send commands: what each entity takes, and what it replies. A field that the receiver does not know,
 * or the reply of another command, does not compile (test/types/protocols.ts).
 */
import type { AccountProtocol } from "./account/protocol.ts";
import type { Address, EntityKind } from "./address.ts";
import type { BatchProtocol } from "./batch/protocol.ts";
import type { TaskProtocol } from "./task/protocol.ts";

interface Declared {
  readonly task: TaskProtocol;
  readonly account: AccountProtocol;
  readonly batch: BatchProtocol;
}

/** One for each kind of entity. */
type Protocols = { readonly [K in EntityKind]: Declared[K] };

/** The commands that an entity takes; for several kinds, the commands that all of them take. */
export type CommandType<K extends EntityKind> = keyof Protocols[K] & string;

type Part<K extends EntityKind, T extends CommandType<K>, P extends "command" | "reply"> = Protocols[K][T] extends {
  readonly [name in P]: infer Content;
}
  ? Content
  : never;

/** A command of an entity; without a type, any of its commands. */
export type CommandOf<K extends EntityKind, T extends CommandType<K> = CommandType<K>> = {
  [N in T]: { readonly type: N } & Part<K, N, "command">;
}[T];

/** What an entity replies to a command. */
export type ReplyOf<K extends EntityKind, T extends CommandType<K>> = Part<K, T, "reply">;

/** A command of any entity, for code that only carries it; entities.ts passes each entity its own and nothing else. */
export type CarriedCommand = { [K in EntityKind]: CommandOf<K> }[EntityKind];

/** A message to another actor; durable with the sender's commit, processed exactly once by the receiver. */
export type Send<K extends EntityKind> = {
  [R in K]: {
    readonly type: "tell";
    readonly to: Address<R>;
    readonly command: CommandOf<R>;
    /** The receiver's id is new, so there is nothing to load. */
    readonly fresh?: boolean;
  };
}[K];
