/** Where a command goes. */

/** The kinds of entities. */
export type EntityKind = "task" | "account" | "batch";

/** The kinds of actors: entities, and matchers, which store nothing. */
export type ActorKind = EntityKind | "matcher";

/** The address of one actor: its kind and its id. That of an entity is a UUID, that of a matcher names its queue. */
export interface Address<K extends ActorKind = EntityKind> {
  readonly kind: K;
  readonly id: string;
}

/** Whether an address is an entity's, and no matcher's. */
export function isEntityAddress(address: Address<ActorKind>): address is Address {
  return address.kind !== "matcher";
}

/** Gives `task:<uuid>`: an address as a key of maps and in logs. */
export function addressKey(address: Address<ActorKind>): string {
  return `${address.kind}:${address.id}`;
}
