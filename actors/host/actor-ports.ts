/** What an actor needs of its host. */
import type { OutboundCall } from "../../machines/entity.ts";
import type { Formats } from "../../machines/formats.ts";
import type { Address } from "../../machines/protocols.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Journal, OutboxMessage, TimerChange } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { Validator } from "../ports/validator.ts";
import type { Actor } from "./actor.ts";
import type { Committer } from "./commit.ts";
import type { Inspect } from "./live.ts";

/** What one decision lets out once it is committed. */
export interface Release {
  readonly address: Address;
  readonly messages: readonly OutboxMessage[];
  readonly fresh: ReadonlySet<string>;
  readonly timers: readonly TimerChange[];
  readonly calls: readonly OutboundCall[];
  /** The row as the commit left it; undefined where nothing was committed. */
  readonly view?: unknown;
}

export interface ActorPorts {
  readonly journal: Journal;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly validator: Validator;
  readonly inspect: Inspect | undefined;
  /** Whether this node is sure now that nobody else owns the actor. */
  readonly leased: () => boolean;
  /** What every member of the cluster reads, so what may be written. */
  readonly formats: () => Formats;
  /** Lets the effects of a commit out; the promise is done when its messages have been taken in. */
  readonly release: (release: Release) => Promise<void>;
  /** Called whenever the actor has come to rest. */
  readonly rested: (actor: Actor) => void;
}
