import type { CommandResult, Envelope } from "../message.ts";
import type { Routes } from "./routes.ts";

/** Sends an envelope to the owner of the actor and gives the answer. Never throws. */
export interface Transport {
  request(envelope: Envelope): Promise<CommandResult>;
}

/** The node of this process, which receives commands. */
export interface Receiver extends Transport {
  owns(shard: number): boolean;
}

/** A transport between processes. Commands for shards of this process do not leave it. */
export interface ClusterTransport extends Transport, Routes {
  /** Sets the receiver of commands. `look` is called when shards have changed owners elsewhere. */
  attach(receiver: Receiver, look: () => void): void;
}
