/**
 * Which member should own each shard: weighted rendezvous hashing. Every member computes the same result; a member that joins or
 * leaves moves only the shards that it wins or held.
 */

export interface Candidate {
  readonly id: string;
  /** Its weight relative to others; above 0. */
  readonly weight: number;
}

/** FNV-1a over a text, going on from the hash of what stands before it. */
function fnv(text: string, before = 0x811c9dc5): number {
  let value = before;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

/** A pseudo-random number in (0, 1) from a hash, by the finalizer of murmur3: similar names get unrelated ones. */
function draw(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (((value ^ (value >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}

/**
 * Gives who tells which member should own a shard; undefined if there is none. The smallest -ln(draw) / weight wins: among
 * exponential variables with these rates, each is the smallest with a probability proportional to its weight.
 */
export function placement(members: readonly Candidate[]): (shard: number) => string | undefined {
  const candidates = members.map(({ id, weight }) => ({ id, weight, hash: fnv(`${id}:`) }));
  return (shard) => {
    let best: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const { id, weight, hash } of candidates) {
      const score = -Math.log(draw(fnv(String(shard), hash))) / weight;
      if (score < least || (score === least && best !== undefined && id < best)) {
        best = id;
        least = score;
      }
    }
    return best;
  };
}
