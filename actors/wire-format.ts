/**
 * How envelopes and answers are written between processes, whatever bus carries them. A deadline is sent as the time left, and
 * an arrival as the time since, because the clocks of two machines differ.
 */

import { olderReply, readMessage, readRefusal } from "../machines/incoming.ts";
import { isFlag, isNumber, isObject, isOneOf, isRecord, isText, orAbsent, orNull } from "../machines/shape.ts";
import type { Millis } from "../machines/vocabulary.ts";
import type { CommandResult, Envelope, Origin } from "./message.ts";

/** Raised when old and new nodes cannot understand each other. */
const FORMAT = 1;
/** The form of replies, raised when it changes; see machines/replies.ts. A sender that gives none reads only the first. */
const WORDS = 2;

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
  /** Time since the request reached its gateway (ms). Older nodes neither send nor read this, `lost` or `after`. */
  readonly age?: number;
  readonly lost?: number;
  /** A message's id, see Envelope. */
  readonly after?: string;
  /** The newest form of replies that the sender reads. */
  readonly words?: number;
}

const ORIGINS: { readonly [O in Origin]: O } = { client: "client", actor: "actor", timer: "timer" };

const isWireEnvelope = isRecord<Omit<WireEnvelope, "to" | "command">>({
  v: isNumber,
  cluster: isText,
  id: isText,
  origin: isOneOf(Object.values(ORIGINS)),
  again: isFlag,
  fresh: isFlag,
  left: orNull(isNumber),
  age: orAbsent(isNumber),
  lost: orAbsent(isNumber),
  after: orAbsent(isText),
  words: orAbsent(isNumber),
});

/** Why an envelope is not taken: it comes from another platform, or from a version whose envelopes or commands are not known here. */
export type Unreadable = "another platform" | "another version" | "unknown command";

/** A decoded envelope. */
export type Unpacked =
  /** `older`: the sender reads replies only in the form before. */
  { readonly envelope: Envelope; readonly older: boolean } | { readonly wrong: Unreadable };

/** `cluster` identifies the platform, so that two that share a bus by mistake do not take each other's commands. */
export function packEnvelope(envelope: Envelope, cluster: string, now: Millis): string {
  const { to, command, commandId, origin, delivery, fresh, deadline, arrived, lost = 0, after } = envelope;
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
    ...(after === undefined ? {} : { after }),
    words: WORDS,
  };
  return JSON.stringify(wire);
}

/** Decodes an envelope of another node. Throws on what no node has written. */
export function unpackEnvelope(text: string, cluster: string, now: Millis): Unpacked {
  const wire: unknown = JSON.parse(text);
  if (!isObject(wire)) throw new Error("an envelope is an object");
  if (wire["cluster"] !== cluster) return { wrong: "another platform" };
  if (wire["v"] !== FORMAT) return { wrong: "another version" };
  const message = readMessage(wire["to"], wire["command"]);
  if (message === undefined) return { wrong: "unknown command" };
  // Not an error, which would be final: a message of a newer version waits for a node that reads it.
  if (!isWireEnvelope(wire)) return { wrong: "another version" };
  const { id: commandId, origin, again, fresh, left, age, lost = 0, after, words = 1 } = wire;
  const deadline = left === null ? Number.MAX_SAFE_INTEGER : now + left;
  const delivery = again ? "again" : "first";
  const arrived = age === undefined ? {} : { arrived: now - age };
  return {
    envelope: { ...message, commandId, origin, delivery, fresh, deadline, lost, after, ...arrived },
    older: words < WORDS,
  };
}

/** `older` is the envelope that it answers, if its sender reads replies only in the form before. */
export function packResult(answer: CommandResult, older?: Envelope): string {
  return JSON.stringify(answer.ok && older !== undefined ? { ok: true, value: olderReply(older, answer.value) } : answer);
}

/** Reads what another node has answered; undefined for what is no answer. Throws on bytes that are no JSON. */
export function unpackResult(text: string): CommandResult | undefined {
  const wire: unknown = JSON.parse(text);
  if (!isObject(wire)) return undefined;
  // What a reply must look like, its command says; the router reads it.
  if (wire["ok"] === true) return { ok: true, value: wire["value"] };
  const refusal = readRefusal(wire["refusal"]);
  return refusal === undefined ? undefined : { ok: false, refusal };
}
