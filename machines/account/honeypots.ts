/**
 * Honeypots as a worker's account counts them.
 *
 * H1  Until one is due, up to a day after it was done, the account shows it as it would show any other task: nothing that a worker
 *     can read confirms one when it is done. Not even the numbers of its facts, so it leaves no fact of its own before.
 * H2  The house that posts them is no counterparty. Until then it is shown as one, and counts for no rating.
 * H3  What was paid stays paid. One that passed its schema with another answer than the known one is then taken out of what was
 *     settled in the skill, and stays in what is finished.
 */
import { withoutSuccess } from "../market/evidence.ts";
import { type SettledHoneypot, type UntoldHoneypot, withOutcome } from "../market/honeypot.ts";
import { EMPTY_RECORD } from "../market/skill.ts";
import type { Millis } from "../vocabulary.ts";
import type { AccountFact, AccountFactType } from "./events.ts";
import type { AccountContext } from "./state.ts";

/** More than a busy worker is ever given in a day. Beyond that the one that is due first is counted sooner. */
export const UNTOLD_MAX = 200;

type Of<T extends AccountFactType> = Extract<AccountFact, { type: T }>;
type Change = Partial<AccountContext>;

/** Keeps how a honeypot was done until it is due; changes nothing after other tasks. */
export function withUntold(
  { untold, tally }: Pick<AccountContext, "untold" | "tally">,
  { task, taskType, honeypot }: Of<"Earned" | "Failed">,
  settled: UntoldHoneypot["settled"],
): Pick<AccountContext, "untold" | "tally"> {
  if (honeypot === undefined) return { untold, tally };
  const { passed, due } = honeypot;
  const { honeypotsUntold = 0 } = tally;
  return {
    untold: [...untold, { task, taskType, passed, due, settled }].sort((a, b) => a.due - b.due),
    tally: settled === null ? tally : { ...tally, honeypotsUntold: honeypotsUntold + 1 },
  };
}

/** Counts one. A version from before these were kept has told it at once, and nothing of it was kept. */
export function afterHoneypot({ tally, untold, records }: AccountContext, { task, passed }: Of<"HoneypotJudged">): Change {
  const { honeypotsPassed, honeypotsFailed, honeypotsLately = [], honeypotsUntold = 0 } = tally;
  const found = untold.find((one) => one.task === task);
  const settled = found?.settled ?? null;
  const counted = passed ? { honeypotsPassed: honeypotsPassed + 1 } : { honeypotsFailed: honeypotsFailed + 1 };
  const lately = { honeypotsLately: withOutcome(honeypotsLately, passed) };
  return {
    tally: { ...tally, ...counted, ...lately, honeypotsUntold: honeypotsUntold - (settled === null ? 0 : 1) },
    untold: untold.filter((one) => one !== found),
    ...(found === undefined || settled === null || passed ? {} : { records: unsettled(records, found.taskType, settled) }),
  };
}

/** As if a honeypot that failed had been none: it is counted no more, or never will be. */
export function withoutHoneypot({ tally, untold }: AccountContext, task: string): Pick<AccountContext, "tally" | "untold"> {
  const left = untold.filter((one) => one.task !== task);
  if (left.length < untold.length) return { tally, untold: left };
  const { honeypotsFailed, honeypotsLately = [] } = tally;
  const last = honeypotsLately.lastIndexOf(false);
  return {
    tally: {
      ...tally,
      honeypotsFailed: honeypotsFailed - 1,
      honeypotsLately: honeypotsLately.filter((_, at) => at !== last),
    },
    untold,
  };
}

/** Takes a settled task out of what was settled in a type; it was finished all the same. */
function unsettled(
  records: AccountContext["records"],
  taskType: string,
  { requester, firstTry, timeShare }: SettledHoneypot,
): AccountContext["records"] {
  const record = { ...EMPTY_RECORD, ...records[taskType] };
  const less = {
    settled: record.settled - 1,
    firstTry: record.firstTry - firstTry,
    timeShare: Math.max(0, record.timeShare - timeShare),
    latest: withoutSuccess(record.latest ?? "", requester),
  };
  return { ...records, [taskType]: { ...record, ...less } };
}

/** The facts that count what is due at this time (ms). */
export function countDue({ untold }: Pick<AccountContext, "untold">, at: Millis): readonly Of<"HoneypotJudged">[] {
  return untold.filter(({ due }) => due <= at).map((one) => judged(one, at));
}

/** The fact that makes room for one more, if it is needed. */
export function makeRoom({ untold }: Pick<AccountContext, "untold">, at: Millis): readonly Of<"HoneypotJudged">[] {
  return untold.slice(0, Math.max(0, untold.length + 1 - UNTOLD_MAX)).map((one) => judged(one, at));
}

function judged({ task, passed }: UntoldHoneypot, at: Millis): Of<"HoneypotJudged"> {
  return { type: "HoneypotJudged", task, passed, at };
}
