/**
 * The output gate of one actor: results and effects of a decision wait here until every commit that they depend on is done. It
 * is a queue, and its head is always a commit; decisions that commit nothing wait only for earlier ones.
 */

/** `P` is the pending command; it is given back if its decision is discarded. */
export interface Gated<P> {
  readonly pending: P;
  readonly commits: boolean;
  readonly open: () => void;
  /** The decision is void: something that it depended on has failed, or the actor was abandoned. */
  discarded: boolean;
}

export class Gate<P> {
  readonly #waiting: Gated<P>[] = [];

  /** Whether nothing waits: every commit is done. */
  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Opens when the commits before it are done: at once if there are none. */
  pass(pending: P, open: () => void): void {
    if (this.empty) open();
    else this.#waiting.push({ pending, commits: false, open, discarded: false });
  }

  /** Opens when its own commit is done, see committed() and discardFrom(). */
  commit(pending: P, open: () => void): Gated<P> {
    const gated = { pending, commits: true, open, discarded: false };
    this.#waiting.push(gated);
    return gated;
  }

  /** The oldest commit is done: opens it, and everything that waited only for it. */
  committed(): void {
    this.#waiting.shift()?.open();
    while (this.#waiting[0]?.commits === false) this.#waiting.shift()?.open();
  }

  /** Discards everything from this commit on, or all; gives the pending commands, in order. */
  discardFrom(gated?: Gated<P>): readonly P[] {
    return this.#waiting.splice(gated === undefined ? 0 : this.#waiting.indexOf(gated)).map((one) => {
      one.discarded = true;
      return one.pending;
    });
  }
}
