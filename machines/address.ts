/** Where a command goes. */

/** The kinds of entities. */
export type EntityKind = "task" | "account" | "batch";

/** The address of one actor: its kind and its id (a UUID). */
export interface Address<K extends EntityKind = EntityKind> {
  readonly kind: K;
  readonly id: string;
}

/** Gives `task:<uuid>`: an address as a key of maps and in logs. */
export function addressKey(address: Address): string {
  return `${address.kind}:${address.id}`;
}
