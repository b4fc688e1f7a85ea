/**
 * Commands that lead to facts which versions before cannot read. While a cluster is updated they are refused for now: a client
 * is told to try again, a message waits in the outbox. So no such fact is written before every member reads it. The same holds for
 * tasks with a type of rule that versions before do not know.
 */
import type { EntityKind } from "./address.ts";
import type { Formats } from "./formats.ts";
import type { CarriedCommand, CommandType } from "./protocols.ts";
import type { TaskSpec } from "./task/events.ts";
import type { Rule } from "./validation/rules.ts";

/** The format of its entity that a command needs; those that need none stand in no table. */
const NEEDED: { readonly [K in EntityKind]: { readonly [T in CommandType<K>]?: number } } = {
  task: {
    withdraw: 2,
    explain: 3,
    ...{ pass: 4, withdrawBid: 4, giveBack: 4, returnAnswered: 4, returnGranted: 4, extend: 4 },
  },
  account: { leaveQueue: 3, batchCancelled: 3, mayReturn: 4, excuse: 6 },
  batch: { pause: 2, resume: 2, cancel: 2, queueLeft: 2 },
};

const needed = (kind: EntityKind): ReadonlyMap<string, number> => new Map(Object.entries(NEEDED[kind]));
const TABLES = { task: needed("task"), account: needed("account"), batch: needed("batch") } as const;

/** Types of rules that not every version knows, with the format of an account from which on each does. */
const RULES_NEED: { readonly [T in Rule["type"]]?: number } = { grounded: 5 };

/** The task spec that enters the platform with a command; those that it is handed on with later need no look. */
function entering(command: CarriedCommand): TaskSpec | undefined {
  if (command.type === "hold") return command.order;
  return command.type === "startBatch" ? command.template : undefined;
}

/** Whether a command may be decided where the members of a cluster have agreed on these formats. */
export function isAgreed(kind: EntityKind, command: CarriedCommand, agreed: Formats): boolean {
  if (agreed[kind] < (TABLES[kind].get(command.type) ?? 0)) return false;
  return entering(command)?.rules.every(({ type }) => agreed.account >= (RULES_NEED[type] ?? 0)) ?? true;
}
