/** Dice that fall the same for the same seed (mulberry32), for what is run as a command and in tests alike. */
export class Dice {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed | 0;
    // Seeds that are neighbours begin alike.
    this.unit();
    this.unit();
  }

  /** 0 <= x < 1. */
  unit() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, least <= x <= most. @param {number} least @param {number} most */
  int(least, most) {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  /** As likely between 1 and 10 as between 100 and 1,000. @param {number} most */
  size(most) {
    return Math.max(1, Math.round(most ** this.unit()));
  }

  /** @param {number} probability */
  chance(probability) {
    return this.unit() < probability;
  }

  /** @template T @param {readonly T[]} from @returns {T} */
  pick(from) {
    const one = from[this.int(0, from.length - 1)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }
}
