/**
 * What the latest tasks of a worker prove: the share that went well, as of how many independent ones.
 *
 * Kept are the last 200, two characters each: how it ended, and a number of 10 bits for whose it was. Two requesters that share a number
 * count as one, which only makes the evidence less. Of a requester whose tasks are many, each beyond the tenth counts a quarter,
 * so that nobody proves much to himself, and a market with one requester can still tell its workers apart.
 */
import { hashOf } from "./hash.ts";

/** How a task ended for its worker: failed or timed out, settled, or settled with the first submission. */
export const ENDINGS = ["failed", "settled", "first"] as const;
export type Ending = (typeof ENDINGS)[number];

/** The latest tasks that count. */
export const LATEST_MAX = 200;
/** How many tasks of one requester count in full, and how much each further one counts. */
const FULL_TASKS = 10;
const FURTHER_WEIGHT = 1 / 4;

/** The digits of a number to the base of 64. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CHARACTERS = 2;
const REQUESTERS = 1_024;
/** Of tasks from before their requester was kept; they count in full. */
const NOBODY = 0;

/** What a record says of all tasks, and of the latest; absent if it is from before they were kept. */
export interface Outcomes {
  readonly finished: number;
  readonly settled: number;
  readonly firstTry: number;
  readonly latest?: string;
}

export interface Evidence {
  /** How many independent tasks it is worth. */
  readonly tasks: number;
  /** Shares of all that ended, 0..1. */
  readonly settled: number;
  readonly first: number;
}

/** Adds a task to the latest ones; `requester` is its requester's identity, if known. */
export function withTask(latest: string, ending: Ending, requester: string | undefined): string {
  return `${latest}${written(ending, numberOf(requester))}`.slice(-CHARACTERS * LATEST_MAX);
}

/**
 * Gives the latest tasks with one of this requester's as failed, which was settled: the last one, and none where it is no longer
 * among them.
 */
export function withoutSuccess(latest: string, requester: string): string {
  const whose = numberOf(requester);
  for (let at = latest.length - CHARACTERS; at >= 0; at -= CHARACTERS) {
    const number = readAt(latest, at);
    if (number % REQUESTERS !== whose || endingOf(number) === "failed") continue;
    return `${latest.slice(0, at)}${written("failed", whose)}${latest.slice(at + CHARACTERS)}`;
  }
  return latest;
}

function numberOf(requester: string | undefined): number {
  return requester === undefined ? NOBODY : 1 + (hashOf(requester) % (REQUESTERS - 1));
}

function written(ending: Ending, whose: number): string {
  const number = ENDINGS.indexOf(ending) * REQUESTERS + whose;
  return `${DIGITS.charAt(number >>> 6)}${DIGITS.charAt(number & 63)}`;
}

function readAt(latest: string, at: number): number {
  return 64 * DIGITS.indexOf(latest.charAt(at)) + DIGITS.indexOf(latest.charAt(at + 1));
}

function endingOf(number: number): Ending | undefined {
  return ENDINGS[Math.floor(number / REQUESTERS)];
}

/** Takes a failed task out of the latest ones again, if it is still among them. */
export function withoutFailedTask(latest: string, requester: string | undefined): string {
  for (const digits of [withTask("", "failed", requester), withTask("", "failed", undefined)]) {
    for (let at = latest.length - CHARACTERS; at >= 0; at -= CHARACTERS) {
      if (latest.startsWith(digits, at)) return latest.slice(0, at) + latest.slice(at + CHARACTERS);
    }
  }
  return latest;
}

/** Counts of tasks; for one requester or for all. */
interface Count {
  tasks: number;
  settled: number;
  first: number;
}

function add(count: Count, { tasks, settled, first }: Count): void {
  count.tasks += tasks;
  count.settled += settled;
  count.first += first;
}

/** The tasks of one requester as fewer ones, which ended in the same way. */
function weighed({ tasks, settled, first }: Count): Count {
  const worth = Math.min(tasks, FULL_TASKS) + FURTHER_WEIGHT * Math.max(0, tasks - FULL_TASKS);
  return { tasks: worth, settled: (worth * settled) / tasks, first: (worth * first) / tasks };
}

function byRequester(latest: string): ReadonlyMap<number, Count> {
  const counts = new Map<number, Count>();
  for (let at = 0; at < latest.length; at += CHARACTERS) {
    const number = readAt(latest, at);
    const ending = endingOf(number);
    const whose = number % REQUESTERS;
    const count = counts.get(whose) ?? { tasks: 0, settled: 0, first: 0 };
    counts.set(whose, count);
    add(count, { tasks: 1, settled: ending === "failed" ? 0 : 1, first: ending === "first" ? 1 : 0 });
  }
  return counts;
}

/** Tasks from before the latest were kept, as far as there is room for them: they ended as those of the record's totals did. */
function earlier({ finished, settled, firstTry }: Outcomes, kept: Count): Count {
  const before = Math.max(0, finished - kept.tasks);
  const tasks = Math.min(before, LATEST_MAX - kept.tasks);
  const share = (count: number) => (before === 0 ? 0 : Math.min(1, Math.max(0, count / before)));
  return { tasks, settled: tasks * share(settled - kept.settled), first: tasks * share(firstTry - kept.first) };
}

/**
 * Gives what the latest tasks prove. Of the share of all tasks and that of weighed ones the lower counts: neither do many good tasks
 * of one requester hide what others got, nor good ones of many hide what one got.
 */
export function evidenceOf(record: Outcomes): Evidence {
  const all: Count = { tasks: 0, settled: 0, first: 0 };
  const worth: Count = { tasks: 0, settled: 0, first: 0 };
  for (const [whose, count] of byRequester(record.latest ?? "")) {
    add(all, count);
    add(worth, whose === NOBODY ? count : weighed(count));
  }
  const before = earlier(record, all);
  add(all, before);
  add(worth, before);
  if (all.tasks === 0) return { tasks: 0, settled: 0, first: 0 };
  return {
    tasks: worth.tasks,
    settled: Math.min(all.settled / all.tasks, worth.settled / worth.tasks),
    first: Math.min(all.first / all.tasks, worth.first / worth.tasks),
  };
}
