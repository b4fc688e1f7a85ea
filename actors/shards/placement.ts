/**
 * Which member each shard belongs to: rendezvous hashing with weights. Every member works it out alone and comes to the
 * same; a member that joins or leaves moves only the shards that it wins or held.
 */

export interface Candidate {
  readonly id: string;
  /** Its share of the shards against the others'; above 0. */
  readonly weight: number;
}

/** FNV-1a with a finalizer (murmur3's), so that names that differ in one letter come out far apart; 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** A draw in (0, 1) for a member and a shard. */
function draw(id: string, shard: number): number {
  return (hash(`${id}:${shard}`) + 0.5) / 2 ** 32;
}

/**
 * Gives the member that a shard belongs to, or undefined when there is none. The least of -ln(draw) / weight wins: of
 * exponential variables with these rates, each is the least with the probability of its share.
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
