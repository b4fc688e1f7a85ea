/**
 * Encodes envelopes and answers. A deadline is sent as the time left, and an arrival as the time since, because the clocks of
 * two machines differ.
 */
import type { CommandResult, Envelope, Origin } from "../../../actors/message.ts";
import type { Millis } from "../../../machines/vocabulary.ts";

/** Raised when old and new nodes cannot understand each other. */
const FORMAT = 1;

interface WireEnvelope {
  readonly v: number;
  readonly cluster: string;
  readonly to: Envelope["to"];
  readonly command: Envelope["command"];
  readonly id: string;
  readonly origin: Origin;
  readonly again: boolean;
  readonly fresh: boolean;
  /** ms; null: no deadline. */
  readonly left: number | null;
  /** ms since the request came to its gateway; nodes of before neither send nor read it, nor `lost`. */
  readonly age?: number;
  readonly lost?: number;
}

/** A decoded envelope, or why it cannot be accepted. */
export type Unpacked = { readonly envelope: Envelope } | { readonly wrong: string };

/** `cluster` identifies the platform, so that two that share a NATS server by mistake do not take each other's commands. */
export function packEnvelope(envelope: Envelope, cluster: string, now: Millis): string {
  const { to, command, commandId, origin, delivery, fresh, deadline, arrived, lost = 0 } = envelope;
  const left = deadline === Number.MAX_SAFE_INTEGER ? null : Math.max(0, deadline - now);
  const wire: WireEnvelope = {
    v: FORMAT,
    cluster,
    to,
    command,
    id: commandId,
    origin,
    again: delivery === "again",
    fresh: fresh === true,
    left,
    ...(arrived === undefined ? {} : { age: Math.max(0, now - arrived) }),
    ...(lost === 0 ? {} : { lost }),
  };
  return JSON.stringify(wire);
}

/** Decodes an envelope of another node of this cluster. Throws if the bytes are not JSON. */
export function unpackEnvelope(text: string, cluster: string, now: Millis): Unpacked {
  // Written by packEnvelope of a node that the same NATS account admits; which cluster and format it was is checked here.
  const wire = JSON.parse(text) as WireEnvelope;
  if (wire.cluster !== cluster) {
    return {
      wrong: "Two platforms share a NATS server under the same subjects; the operator must set NATS_PREFIX of one of them.",
    };
  }
  if (wire.v !== FORMAT) return { wrong: "A node runs an incompatible version; the operator must update it." };
  const { to, command, id: commandId, origin, again, fresh, left, age, lost = 0 } = wire;
  const deadline = left === null ? Number.MAX_SAFE_INTEGER : now + left;
  const delivery = again ? "again" : "first";
  const arrived = age === undefined ? {} : { arrived: now - age };
  return { envelope: { to, command, commandId, origin, delivery, fresh, deadline, lost, ...arrived } };
}

export function packResult(answer: CommandResult): string {
  return JSON.stringify(answer);
}

export function unpackResult(text: string): CommandResult {
  return JSON.parse(text) as CommandResult;
}
