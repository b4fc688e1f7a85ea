/**
 * The output gate of one actor: what a decision lets out waits here until every commit that it stands on is through. In
 * order, so that what is at its head is always a commit; what commits nothing waits only for those before it.
 */

/** `P` is what was decided on, and is given back when what came of it is thrown away. */
export interface Gated<P> {
  readonly parcel: P;
  readonly commits: boolean;
  readonly open: () => void;
  /** What came of it no longer matters: something that it stood on has failed, or the actor was given up. */
  thrown: boolean;
}

export class Gate<P> {
  readonly #waiting: Gated<P>[] = [];

  /** Whether nothing waits: every commit is through. */
  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Opens as soon as the commits before it are through: at once, when there are none. */
  pass(parcel: P, open: () => void): void {
    if (this.empty) open();
    else this.#waiting.push({ parcel, commits: false, open, thrown: false });
  }

  /** Opens when its own commit is through, of which committed() or throwFrom() tells. */
  commit(parcel: P, open: () => void): Gated<P> {
    const gated = { parcel, commits: true, open, thrown: false };
    this.#waiting.push(gated);
    return gated;
  }

  /** The oldest commit is through: it opens, and what only waited for it. */
  committed(): void {
    this.#waiting.shift()?.open();
    while (this.#waiting[0]?.commits === false) this.#waiting.shift()?.open();
  }

  /** Throws away what waits from this commit on, or all of it; gives what that was decided on, in order. */
  throwFrom(gated?: Gated<P>): readonly P[] {
    return this.#waiting.splice(gated === undefined ? 0 : this.#waiting.indexOf(gated)).map((one) => {
      one.thrown = true;
      return one.parcel;
    });
  }
}
