/**
 * Checks, once, what comes from another process or out of the database, because it may be of another version: a newer one has
 * commands and refusals that are unknown here, an older one has other forms of replies.
 */
import { isAccountCommand } from "./account/commands.ts";
import { ACCOUNT_REPLIES } from "./account/replies.ts";
import type { ActorKind, Address } from "./address.ts";
import { isBatchCommand } from "./batch/commands.ts";
import { BATCH_REPLIES } from "./batch/replies.ts";
import { isMatcherCommand } from "./matcher/commands.ts";
import { MATCHER_REPLIES } from "./matcher/replies.ts";
import type { CarriedCommand, CommandOf, CommandType, ReplyOf } from "./protocols.ts";
import { type Refusal, type RefusalReason, refuse } from "./refusal.ts";
import type { ReplyForm, ReplyForms } from "./replies.ts";
import { type Check, isObject, isRecord, isRefusalCode, isText } from "./shape.ts";
import { isTaskCommand } from "./task/commands.ts";
import { TASK_REPLIES } from "./task/replies.ts";

/** The commands of each entity, with their fields. */
const COMMANDS: { readonly [K in ActorKind]: Check<CommandOf<K>> } = {
  task: isTaskCommand,
  account: isAccountCommand,
  batch: isBatchCommand,
  matcher: isMatcherCommand,
};

/** The replies to every command that this version knows. */
const REPLIES: { readonly [K in ActorKind]: ReplyForms<K> } = {
  task: TASK_REPLIES,
  account: ACCOUNT_REPLIES,
  batch: BATCH_REPLIES,
  matcher: MATCHER_REPLIES,
};

const isKind = (value: unknown): value is ActorKind => typeof value === "string" && Object.hasOwn(REPLIES, value);
const isAddress = isRecord<Address<ActorKind>>({ kind: isKind, id: isText });

function formOf(kind: ActorKind, type: string): ReplyForm<unknown> | undefined {
  const forms: { readonly [type: string]: ReplyForm<unknown> } = REPLIES[kind];
  return Object.hasOwn(forms, type) ? forms[type] : undefined;
}

/** A command and its receiver. */
export interface Message {
  readonly to: Address<ActorKind>;
  readonly command: CarriedCommand;
}

/** Reads a command; undefined if this version does not know the entity or the command, or a field is not what it expects. */
export function readMessage(to: unknown, command: unknown): Message | undefined {
  if (!isAddress(to)) return undefined;
  const isKnown: (value: unknown) => value is CarriedCommand = COMMANDS[to.kind];
  return isKnown(command) ? { to, command } : undefined;
}

/** Reads a reply of any version in today's form; undefined if it is no reply to this command. */
export function readReply<K extends ActorKind, T extends CommandType<K>>(
  kind: K,
  type: T,
  value: unknown,
): ReplyOf<K, T> | undefined {
  return REPLIES[kind][type].read(value);
}

/** Gives a reply in the form before today's, for a gateway that does not know today's yet. */
export function olderReply({ to, command }: Message, value: unknown): unknown {
  return formOf(to.kind, command.type)?.older(value);
}

/** A reason of a newer version passes: the gateway falls back on the refusal's own sentence. */
const isReason = (value: unknown): value is RefusalReason => isObject(value) && isText(value["why"]);

/** Reads a refusal; one with an unknown code is not final. Undefined if it is no refusal. */
export function readRefusal(value: unknown): Refusal | undefined {
  if (!isObject(value)) return undefined;
  const { refused, detail, reason } = value;
  if (!isText(refused) || !isText(detail)) return undefined;
  if (!isRefusalCode(refused)) return refuse("UNAVAILABLE", detail);
  return isReason(reason) ? { refused, detail, reason } : { refused, detail };
}
