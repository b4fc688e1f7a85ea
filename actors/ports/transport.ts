import type { CommandResult, Envelope } from "../message.ts";
import type { Routes } from "./routes.ts";

/** Carries an envelope to whoever owns the actor and brings the answer back. Never throws. */
export interface Transport {
  request(envelope: Envelope): Promise<CommandResult>;
}

/** A node of this process, to which commands are brought. */
export interface Receiver extends Transport {
  owns(shard: number): boolean;
}

/** One that reaches other processes. What is for a shard of this process does not leave it. */
export interface ClusterTransport extends Transport, Routes {
  /** Says where commands for shards that are served go. `look` is called when owners have changed elsewhere. */
  attach(receiver: Receiver, look: () => void): void;
}
