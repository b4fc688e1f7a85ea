/** Lists that stay in order, and going through several of them at once. */

/** Items in a block of a list; adding and removing moves no more than these. */
const BLOCK_MAX = 128;
/** Lists that are merged at first; more are only if these do not suffice. */
const LISTS_AT_FIRST = 8;

/** Gives a number below 0 if `a` comes first. 0 only for the same item. */
export type Order<T> = (a: T, b: T) => number;

/** The first index in `items` at which `isThere`; `isThere` holds for all after it. */
export function firstIndex<T>(items: readonly T[], isThere: (item: T) => boolean): number {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const item = items[middle];
    if (item !== undefined && isThere(item)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * Items in a total order that does not change while they are in the list, in blocks, so that 50,000 items cost hardly more than
 * 100. Not to be changed while it is gone through.
 */
export class SortedList<T> {
  readonly #order: Order<T>;
  readonly #blocks: T[][] = [];
  #size = 0;

  constructor(order: Order<T>) {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#blocks[0]?.[0];
  }

  get last(): T | undefined {
    return this.#blocks.at(-1)?.at(-1);
  }

  /** The index of the block in which an item is or would be. */
  #blockOf(item: T): number {
    const index = firstIndex(this.#blocks, (block) => this.#order(block[block.length - 1] ?? item, item) >= 0);
    return Math.min(index, Math.max(0, this.#blocks.length - 1));
  }

  add(item: T): void {
    this.#size += 1;
    const index = this.#blockOf(item);
    const block = this.#blocks[index];
    if (block === undefined) {
      this.#blocks.push([item]);
      return;
    }
    block.splice(
      firstIndex(block, (other) => this.#order(other, item) > 0),
      0,
      item,
    );
    if (block.length > BLOCK_MAX) this.#blocks.splice(index + 1, 0, block.splice(BLOCK_MAX / 2));
  }

  /** Whether it was there. */
  remove(item: T): boolean {
    const index = this.#blockOf(item);
    const block = this.#blocks[index] ?? [];
    const at = firstIndex(block, (other) => this.#order(other, item) >= 0);
    const found = block[at];
    if (found === undefined || this.#order(found, item) !== 0) return false;
    block.splice(at, 1);
    if (block.length === 0) this.#blocks.splice(index, 1);
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const block of this.#blocks) yield* block;
  }
}

/** Of many lists those whose first items come first, in order, and no more than `width`. */
export class Heads<T> {
  readonly #order: Order<T>;
  readonly #width: number;
  readonly best: { readonly head: T; readonly list: SortedList<T> }[] = [];
  /** Whether no list was left out. */
  all = true;

  constructor(order: Order<T>, width: number) {
    this.#order = order;
    this.#width = width;
  }

  /** The last of them, once there are enough: a list that begins after it need not be offered, only `leftOut`. */
  get last(): T | undefined {
    return this.best[this.#width - 1]?.head;
  }

  leftOut(): void {
    this.all = false;
  }

  offer(list: SortedList<T>): void {
    const head = list.first;
    if (head === undefined) return;
    const { last } = this;
    if (last !== undefined) {
      this.all = false;
      if (this.#order(last, head) <= 0) return;
      this.best.pop();
    }
    this.best.splice(
      firstIndex(this.best, (other) => this.#order(other.head, head) > 0),
      0,
      { head, list },
    );
  }
}

/** Goes through lists that are each in order, in order. */
function* merge<T>(lists: readonly SortedList<T>[], order: Order<T>): Generator<T> {
  // The next one is at the end, where it is taken cheaply.
  const heads: { item: T; rest: Generator<T> }[] = [];
  const put = (rest: Generator<T>) => {
    const next = rest.next();
    if (next.done === true) return;
    const item = next.value;
    heads.splice(
      firstIndex(heads, (other) => order(other.item, item) < 0),
      0,
      { item, rest },
    );
  };
  for (const list of lists) put(list[Symbol.iterator]());
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    yield head.item;
    put(head.rest);
  }
}

/**
 * Goes through all items of lists that are each in order, in order. `choose` gives the best so many of the lists: whoever needs
 * few items pays for few lists.
 */
export function* inOrder<T>(choose: (width: number) => Heads<T>, order: Order<T>): Generator<T> {
  let given = 0;
  for (let width = LISTS_AT_FIRST; ; width *= LISTS_AT_FIRST) {
    const { best, all } = choose(width);
    // What comes after the last of these heads may have to come after an item of a list that is not among them.
    const bound = all ? undefined : best.at(-1)?.head;
    let count = 0;
    const merged = merge(
      best.map(({ list }) => list),
      order,
    );
    for (const item of merged) {
      if (bound !== undefined && order(item, bound) > 0) break;
      count += 1;
      if (count <= given) continue;
      given = count;
      yield item;
    }
    if (all) return;
  }
}
