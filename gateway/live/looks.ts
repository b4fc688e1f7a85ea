/** Gives each of many its turn to look at the database, in the order in which they ask, a few at a time: others need its connections too. */
export class Looks<T> {
  readonly #atOnce: number;
  readonly #look: (one: T) => Promise<void>;
  readonly #waiting = new Set<T>();
  readonly #looking = new Set<T>();

  /** `look` is called by turns for who asks, at most `atOnce` at a time and never twice at a time for the same. It never rejects. */
  constructor(atOnce: number, look: (one: T) => Promise<void>) {
    this.#atOnce = atOnce;
    this.#look = look;
  }

  /** Asks for a turn, once: who waits for one already gets no second one. Who has its turn now gets another afterwards. */
  ask(one: T): void {
    this.#waiting.add(one);
    this.#next();
  }

  /** Takes back what it has asked for. */
  drop(one: T): void {
    this.#waiting.delete(one);
  }

  #next(): void {
    for (const one of this.#waiting) {
      if (this.#looking.size >= this.#atOnce) return;
      if (this.#looking.has(one)) continue;
      this.#waiting.delete(one);
      this.#looking.add(one);
      void this.#look(one).finally(() => {
        this.#looking.delete(one);
        this.#next();
      });
    }
  }
}
