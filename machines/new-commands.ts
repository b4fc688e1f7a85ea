/**
 * Commands that lead to facts which versions before cannot read. While a cluster is updated they are refused for now: a client
 * is told to try again, a message waits in the outbox. So no such fact is written before every member reads it.
 */
import type { EntityKind } from "./address.ts";
import type { Formats } from "./formats.ts";
import type { CommandType } from "./protocols.ts";

/** The format of its entity that a command needs; those that need none stand in no table. */
const NEEDED: { readonly [K in EntityKind]: { readonly [T in CommandType<K>]?: number } } = {
  task: {
    withdraw: 2,
    explain: 3,
    ...{ pass: 4, withdrawBid: 4, giveBack: 4, returnAnswered: 4, returnGranted: 4, extend: 4 },
  },
  account: { leaveQueue: 3, batchCancelled: 3, mayReturn: 4 },
  batch: { pause: 2, resume: 2, cancel: 2, queueLeft: 2 },
};

const needed = (kind: EntityKind): ReadonlyMap<string, number> => new Map(Object.entries(NEEDED[kind]));
const TABLES = { task: needed("task"), account: needed("account"), batch: needed("batch") } as const;

/** Whether a command may be decided where the members of a cluster have agreed on these formats. */
export function isAgreed(kind: EntityKind, type: string, agreed: Formats): boolean {
  return agreed[kind] >= (TABLES[kind].get(type) ?? 0);
}
