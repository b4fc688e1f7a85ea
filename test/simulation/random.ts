/** Dice that fall the same for the same seed (sfc32). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number, least ≤ x ≤ most. */
  int(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.int(0, from.length - 1)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }

  /** Picks a name by its weight. */
  weighted<T extends string>(weights: { readonly [N in T]: number }): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries[0] as [T, number])[0];
  }

  /** How long something takes (ms): mostly little, now and then much. */
  delay(usual: number, worst: number): number {
    return this.chance(0.95) ? this.int(0, usual) : this.int(usual, worst);
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
