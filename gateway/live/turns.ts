/** Which streams hear of a new task, where its workers have more than may be told. */

interface InTurn {
  /** The number of the last time it was told; 0 if it never was. */
  turn: number;
}

/** Counts when each stream was told. The same questions in the same order have the same answers. */
export class Turns<S extends InTurn> {
  #last = 0;

  /**
   * Chooses at most `most` of the streams of some workers, and puts them behind all others. One stream of each worker comes first,
   * then a second one of some, then a third; each time those that were told longest ago.
   */
  choose(workers: readonly (readonly S[])[], most: number): readonly S[] {
    const layers: S[][] = [];
    for (const streams of workers) {
      for (const [layer, stream] of longestAgoFirst(streams).entries()) {
        const same = layers[layer] ?? [];
        layers[layer] = same;
        same.push(stream);
      }
    }
    const chosen: S[] = [];
    for (const layer of layers) {
      if (chosen.length >= most) break;
      // Where each worker has one stream, and all are told, the order is the same to everybody.
      const inTurn = layers.length === 1 && layer.length <= most ? layer : longestAgoFirst(layer);
      chosen.push(...inTurn.slice(0, most - chosen.length));
    }
    for (const stream of chosen) {
      this.#last += 1;
      stream.turn = this.#last;
    }
    return chosen;
  }
}

function longestAgoFirst<S extends InTurn>(streams: readonly S[]): readonly S[] {
  return streams.length < 2 ? streams : streams.toSorted((a, b) => a.turn - b.turn);
}
