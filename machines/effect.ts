import type { EntityKind } from "./address.ts";
import type { CommandOf, Send } from "./protocols.ts";
import type { Forget, Remind } from "./timer.ts";

/** A message to another actor of any kind. */
export type Tell = Send<EntityKind>;

/** What a fact leads to once it is committed. Not repeated on replay. */
export type Effect = Tell | Remind | Forget;

// Actions make their messages with these: in an object that a callback returns, the compiler lets a field pass that the receiver
// does not know, so a misspelt optional one would be lost; in an argument it does not.

export function tellTask(id: string, command: CommandOf<"task">): Tell {
  return { type: "tell", to: { kind: "task", id }, command };
}

export function tellAccount(id: string, command: CommandOf<"account">): Tell {
  return { type: "tell", to: { kind: "account", id }, command };
}

export function tellBatch(id: string, command: CommandOf<"batch">): Tell {
  return { type: "tell", to: { kind: "batch", id }, command };
}
