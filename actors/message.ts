import type { ActorKind, Address } from "../machines/address.ts";
import type { CarriedCommand } from "../machines/protocols.ts";
import { type Refusal, type RefusalCode, refuse } from "../machines/refusal.ts";
import type { Millis } from "../machines/vocabulary.ts";

/** Who sends: a client through a gateway, another actor through its outbox, or a timer of the actor itself. */
export type Origin = "client" | "actor" | "timer";

/** A command on its way to an actor. */
export interface Envelope {
  readonly to: Address<ActorKind>;
  readonly command: CarriedCommand;
  /** A UUID; the same one whenever the same command is sent again. */
  readonly commandId: string;
  readonly origin: Origin;
  /** What its facts are noted to be caused by, if it goes on with an earlier command: that one's id. */
  readonly cause?: string;
  /** `again` if it may have arrived before; then the journal is searched for it. A first attempt cannot be a duplicate. */
  readonly delivery: "first" | "again";
  /** Whether the receiver cannot exist yet, see Tell. */
  readonly fresh?: boolean;
  /** When the sender stops waiting for the answer (ms). */
  readonly deadline: Millis;
  /** When the request reached a gateway (ms); if absent, the host uses the time at which it gets the command. */
  readonly arrived?: Millis;
  /** The id of the message before it to the same receiver, if that was still in flight; it must be processed first. */
  readonly after?: string | undefined;
  /** Earlier attempts that were never answered: each may have crashed a node. */
  readonly lost?: number;
}

/** The reply to a command, or the refusal. Hosts and transports only carry the reply, so its type is unknown. */
export type CommandResult<R = unknown> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly refusal: Refusal };

/** From a node that does not own the shard, or a transport that finds no owner. */
export const NOT_OWNER = refuse("NOT_OWNER", "No node owns this account or task at the moment; try again shortly.");

/** The journal could not be read or written. */
export const UNREACHABLE = refuse(
  "UNAVAILABLE",
  "The journal cannot be reached at the moment, nothing was changed; try again shortly.",
);
/** The actor's facts or its snapshot are of a format that this node's code does not know. */
export const UNREADABLE = refuse(
  "UNAVAILABLE",
  "The node that serves this cannot read it, because a newer version wrote it; nothing was changed. The operator must update that node; try again then.",
);
/** A bug, or damage to what is stored. Not final as BROKEN is: a message waits for a node that reads it. */
export const READ_FAILED = refuse(
  "UNAVAILABLE",
  "Something failed inside when this was read; it is logged, and nothing was changed. Tell the operator if it goes on.",
);
/** The command is of another version. */
export const NOT_KNOWN = refuse(
  "UNAVAILABLE",
  "A node of another version sent this, and this one does not know what it asks; the operator must update it.",
);
/** Some member of the cluster could not read what the command would lead to. */
export const NOT_AGREED = refuse(
  "UNAVAILABLE",
  "The platform is being updated, and its older nodes do not know this yet; nothing was changed. Try again when they are updated.",
);
/** A message has overtaken the one before it. */
export const TOO_EARLY = refuse(
  "UNAVAILABLE",
  "An earlier message to the same receiver has not arrived yet; send this one after it.",
);
export const MAILBOX_FULL = refuse("OVERLOADED", "Too much is waiting for the same account or task; try again shortly.", {
  why: "MAILBOX_FULL",
});
/** There is a bug. */
export const BROKEN = refuse(
  "INTERNAL",
  "Something failed inside; it is logged, and nothing was changed. Tell the operator if it goes on.",
);
/** Another writer was first, again and again. */
export const CONTENDED = refuse(
  "CONTENDED",
  "Another process keeps writing to the same database. Try again; if it goes on, the operator must stop one of them.",
);

/** What a timer's command gives while another actor is asked first: nothing is decided yet, so the timer stays set. */
export const UNDECIDED: CommandResult = { ok: true, value: null };

const TRANSIENT: ReadonlySet<RefusalCode> = new Set(["UNAVAILABLE", "OVERLOADED", "CONTENDED", "NOT_OWNER"]);

/** Whether a refusal says nothing about the command itself, so that the same command may be sent again. */
export function isTransient(answer: CommandResult): boolean {
  if (answer.ok) return false;
  return TRANSIENT.has(answer.refusal.refused);
}
