import type { Address, AnyCommand } from "../machines/protocols.ts";
import { type Refusal, type RefusalCode, refuse } from "../machines/refusal.ts";
import type { Millis } from "../machines/vocabulary.ts";

/** Who sends: a client through a gateway, another actor through its outbox, or a timer of the actor itself. */
export type Origin = "client" | "actor" | "timer";

/** A command on its way to an actor. */
export interface Envelope {
  readonly to: Address;
  readonly command: AnyCommand;
  /** A UUID; the same one whenever the same command is sent again. */
  readonly commandId: string;
  readonly origin: Origin;
  /** `again` when it may have arrived before: then the journal is asked. A live first attempt cannot be a duplicate. */
  readonly delivery: "first" | "again";
  /** Whether the receiver cannot exist yet, see Tell. */
  readonly fresh?: boolean;
  /** When the sender stops waiting for the answer (ms). */
  readonly deadline: Millis;
  /** When the request behind it came to a gateway (ms); without it, a host takes the time at which it gets the command. */
  readonly arrived?: Millis;
  /** Attempts before this one that nobody answered: each may have ended a node. */
  readonly lost?: number;
}

/** The reply to a command, or why there is none. Between hosts and transports the reply is carried only, so it is unknown. */
export type CommandResult<R = unknown> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly refusal: Refusal };

/** Told by a node that does not own the shard, and by a transport that finds nobody who does. */
export const NOT_OWNER = refuse("NOT_OWNER", "No node owns this account or task at the moment; try again shortly.");

/** Told when the journal could not be asked or written. */
export const UNREACHABLE = refuse(
  "UNAVAILABLE",
  "The journal cannot be reached at the moment, nothing was changed; try again shortly.",
);
/** Told of an actor whose facts or snapshot this node's code cannot read. */
export const UNREADABLE = refuse(
  "UNAVAILABLE",
  "The node that serves this cannot read it, because a newer version wrote it; nothing was changed. The operator must update that node; try again then.",
);
/** Told of a command of another version. */
export const NOT_KNOWN = refuse(
  "UNAVAILABLE",
  "A node of another version sent this, and this one does not know what it asks; the operator must update it.",
);
/** Told of a bug. */
export const BROKEN = refuse(
  "INTERNAL",
  "Something failed inside; it is logged, and nothing was changed. Tell the operator if it goes on.",
);
/** Told when another writer was first, again and again. */
export const CONTENDED = refuse(
  "CONTENDED",
  "Another process keeps writing to the same database. Try again; if it goes on, the operator must stop one of them.",
);

const TRANSIENT: ReadonlySet<RefusalCode> = new Set(["UNAVAILABLE", "OVERLOADED", "CONTENDED", "NOT_OWNER"]);

/** Refusals that say nothing about the command, so that it may be sent again as it is. */
export function isTransient(answer: CommandResult): boolean {
  if (answer.ok) return false;
  return TRANSIENT.has(answer.refusal.refused);
}
