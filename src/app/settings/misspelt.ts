/** Finds names in the environment that are nearly a setting's: an operator who mistypes ADMIN_TOKEN wants to know. */

/** Names with at least this many letters may differ in a few; short ones (PORT, HOST) only in case and `_`. */
const SLIPS: readonly { readonly letters: number; readonly slips: number }[] = [
  { letters: 12, slips: 2 },
  { letters: 6, slips: 1 },
];
/** A name with one word more or less is near if it shares this many words: RATE_LIMIT_REQUESTS_PER_SECOND. */
const COMMON_WORDS_MIN = 3;
/** A truncated name is near if it has this many letters: RATE_LIMIT_PER_SEC, RATE_LIMIT_TASKS. */
const BEGINNING_MIN = 12;
/** Names that other programs use, however near they are. */
const OTHERS = /^(PG|npm_|TEST_|NODE_OPTIONS$|NODE_PATH$)/;

export interface Misspelt {
  readonly name: string;
  readonly meant: string;
}

/** Finds names that are set, are not settings, and are near one. */
export function misspelt(
  environment: { readonly [name: string]: string | undefined },
  known: readonly string[],
): readonly Misspelt[] {
  const right = new Set(known);
  return Object.keys(environment).flatMap((name) => {
    if (right.has(name) || OTHERS.test(name)) return [];
    const own = name.toUpperCase();
    const meant = nearest(own, known) ?? (own.startsWith("NEXUS_") ? nearest(own.slice("NEXUS_".length), known) : undefined);
    // Windows ignores case: there it is the setting itself.
    if (meant === undefined || (meant === own && environment[meant] === environment[name])) return [];
    return [{ name, meant }];
  });
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const bare = letters(name);
  const same = known.find((one) => letters(one) === bare);
  if (same !== undefined) return same;
  const allowed = SLIPS.find((one) => bare.length >= one.letters)?.slips ?? 0;
  const [best] = known
    .map((one) => ({ one, slips: slipsBetween(bare, letters(one), allowed) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((a, b) => a.slips - b.slips);
  return (
    best?.one ??
    known.find((one) => isWordApart(name.split("_"), one.split("_"))) ??
    known.find((one) => bare.length >= BEGINNING_MIN && letters(one).startsWith(bare))
  );
}

function letters(name: string): string {
  return name.replaceAll(/[^A-Z0-9]/g, "");
}

function isWordApart(a: readonly string[], b: readonly string[]): boolean {
  const [less, more] = a.length < b.length ? [a, b] : [b, a];
  return less.length >= COMMON_WORDS_MIN && more.length - less.length <= 1 && less.every((word) => more.includes(word));
}

/** Edit distance with swaps (optimal string alignment); stops above `most`. */
function slipsBetween(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [older, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const ways = [(last[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1, changed];
      now.push(Math.min(...ways, swapped ? (older[column - 2] ?? 0) + 1 : changed));
    }
    [older, last] = [last, now];
  }
  return last[b.length] ?? most + 1;
}
