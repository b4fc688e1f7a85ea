/** Which streams hear of a new task, where its workers have more than may be told. */

/** Remembers when each stream was last told. The same questions in the same order have the same answers. */
export class Turns<S extends object> {
  /** By number: a stream that was never told is before all others. */
  readonly #told = new WeakMap<S, number>();
  #last = 0;

  /**
   * Chooses at most `most` of the streams of some workers, and puts them behind all others. One stream of each worker comes first,
   * then a second one of some, then a third; each time those that were told longest ago.
   */
  choose(workers: readonly (readonly S[])[], most: number): readonly S[] {
    const layers: S[][] = [];
    for (const streams of workers) {
      for (const [layer, stream] of this.#inTurn(streams).entries()) {
        const same = layers[layer] ?? [];
        layers[layer] = same;
        same.push(stream);
      }
    }
    const chosen: S[] = [];
    for (const layer of layers) {
      if (chosen.length >= most) break;
      chosen.push(...this.#inTurn(layer).slice(0, most - chosen.length));
    }
    for (const stream of chosen) {
      this.#last += 1;
      this.#told.set(stream, this.#last);
    }
    return chosen;
  }

  #inTurn(streams: readonly S[]): readonly S[] {
    if (streams.length < 2) return streams;
    return streams.toSorted((a, b) => (this.#told.get(a) ?? 0) - (this.#told.get(b) ?? 0));
  }
}
