/** What an actor needs from its host. */

import type { Address } from "../../machines/address.ts";
import type { Announcement } from "../../machines/announcement.ts";
import type { Ask, OutboundCall } from "../../machines/entity.ts";
import type { Formats } from "../../machines/formats.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { CommandResult } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Journal, OutboxMessage, TimerChange } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { Validator } from "../ports/validator.ts";
import type { Committer } from "./commit.ts";
import type { Inspect } from "./live.ts";

/** What leaves when a decision is committed. */
export interface Release {
  readonly address: Address;
  readonly messages: readonly OutboxMessage[];
  readonly fresh: ReadonlySet<string>;
  readonly timers: readonly TimerChange[];
  readonly calls: readonly OutboundCall[];
  readonly announcements: readonly Announcement[];
  /** The accounts whose event streams have more to tell. */
  readonly wakes: readonly AccountId[];
}

/** An actor that may be evicted. */
export interface IdleActor {
  readonly address: Address;
  /** Whether it may be evicted at once. */
  readonly finished: boolean;
}

export interface ActorPorts {
  readonly journal: Journal;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly validator: Validator;
  readonly inspect: Inspect | undefined;
  /** Whether this node is certain now that nobody else owns the actor. */
  readonly leased: () => boolean;
  /** The formats that every member of the cluster reads, and so the ones to write. */
  readonly formats: () => Formats;
  /** Releases the effects of a commit. Resolves when its messages have been delivered. */
  readonly release: (release: Release) => Promise<void>;
  /** Asks another actor for this one, because of this command, and gives what comes of the reply. Never rejects. */
  readonly ask: (asker: Address, ask: Ask, commandId: string) => Promise<CommandResult>;
  /** Called whenever the actor becomes idle. */
  readonly idle: (actor: IdleActor) => void;
}
