/** Default number of shards of a new database; fixed from then on. */
export const SHARDS_DEFAULT = 128;

/** Gives the shard, 0..shards-1, of an entity's id, by a stable hash (FNV-1a, 32 bits). */
export function shardOf(id: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shards;
}
