/**
 * Which member should own each shard: weighted rendezvous hashing. Every member computes the same result; a member that joins or
 * leaves moves only the shards that it wins or held.
 */

export interface Candidate {
  readonly id: string;
  /** Its weight relative to others; above 0. */
  readonly weight: number;
}

/** FNV-1a with the finalizer of murmur3, so that similar names get unrelated hashes; 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** A pseudo-random number in (0, 1) for a member and a shard. */
function draw(id: string, shard: number): number {
  return (hash(`${id}:${shard}`) + 0.5) / 2 ** 32;
}

/**
 * Gives the member that should own a shard, or undefined if there is none. The smallest -ln(draw) / weight wins: among
 * exponential variables with these rates, each is the smallest with a probability proportional to its weight.
 */
export function ownerOf(shard: number, members: readonly Candidate[]): string | undefined {
  let best: Candidate | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const member of members) {
    const score = -Math.log(draw(member.id, shard)) / member.weight;
    if (score < least || (score === least && best !== undefined && member.id < best.id)) {
      best = member;
      least = score;
    }
  }
  return best?.id;
}
