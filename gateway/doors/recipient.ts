/** Who waits for an answer: it has gone, or gets the answer whole. A door says which, once. */

/** As an operation sees it. */
export interface Recipient {
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
  /** Calls back once it is known whether the answer has left whole, at once if it is. Not before an answer was tried to be sent, or its recipient has gone. */
  whenAnswered(then: (isWhole: boolean) => void): void;
}

/** As its door has it. */
export class DoorRecipient implements Recipient {
  readonly #gone = new AbortController();
  readonly #waiting: ((isWhole: boolean) => void)[] = [];
  #isWhole: boolean | null = null;

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Whether anybody has asked what becomes of the answer. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  whenAnswered(then: (isWhole: boolean) => void): void {
    if (this.#isWhole === null) this.#waiting.push(then);
    else then(this.#isWhole);
  }

  /** The answer has left whole. Only what is said first counts. */
  answered(): void {
    this.#end(true);
  }

  /** Nobody gets the answer. */
  left(): void {
    this.#end(false);
  }

  #end(isWhole: boolean): void {
    if (this.#isWhole !== null) return;
    this.#isWhole = isWhole;
    if (!isWhole) this.#gone.abort();
    for (const then of this.#waiting.splice(0)) then(isWhole);
  }
}
