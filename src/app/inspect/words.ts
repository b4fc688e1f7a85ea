/** Times and numbers as operators read them. */
import type { Millis } from "../../../machines/vocabulary.ts";

const UNITS = [
  { ms: 24 * 3_600_000, name: "d" },
  { ms: 3_600_000, name: "h" },
  { ms: 60_000, name: "min" },
  { ms: 1_000, name: "s" },
] as const;

/** A length of time (ms) in its largest unit, rounded down. */
export function lasting(ms: Millis): string {
  const unit = UNITS.find((one) => ms >= one.ms);
  return unit === undefined ? `${Math.max(0, Math.floor(ms))} ms` : `${Math.floor(ms / unit.ms)} ${unit.name}`;
}

/** A moment, and how far it is from now. */
export function moment(at: Millis, now: Millis): string {
  const far = at <= now ? `${lasting(now - at)} ago` : `in ${lasting(at - now)}`;
  return `${new Date(at).toISOString()} (${far})`;
}

/** "1 task", "2 tasks". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}

/** The first few of many, and how many more there are. */
export function listed(names: readonly string[], shown = 5): string {
  const more = names.length - shown;
  return more <= 0 ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${more} more`;
}
