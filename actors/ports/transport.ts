import type { CommandResult, Envelope } from "../message.ts";

/** Carries an envelope to whoever owns the actor and brings the answer back. Never throws. */
export interface Transport {
  request(envelope: Envelope): Promise<CommandResult>;
}
