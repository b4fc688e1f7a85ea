/** A task told in sentences: where it is, why, and what comes next. */
import type { Ineligibility } from "../../../machines/ineligibility.ts";
import type { Unmatched } from "../../../machines/market/unmatched.ts";
import { hasEnded, takesBids } from "../../../machines/task/tags.ts";
import { BOUNDS, type Millis } from "../../../machines/vocabulary.ts";
import { ineligibilityPhrase, type Tally, tally } from "./reasons.ts";
import { surroundingSentences } from "./surroundings.ts";
import type { TaskReport, Workers } from "./task-report.ts";
import { listed, moment, plural } from "./words.ts";

type Told = Omit<TaskReport, "sentences">;

export function taskSentences(report: Told, now: Millis): readonly string[] {
  const { task, spec, surroundings } = report;
  const batch = spec.batch === undefined ? "" : ` It is item ${spec.batch.item} of batch ${spec.batch.id}.`;
  const honeypot = spec.isHoneypot ? " Its answer is known (a honeypot)." : "";
  return [
    `Task ${task.id} (${task.taskType}, ${task.budget} NC, tier ${Math.max(1, task.minSkill)} or more) is ${task.status}; account ${task.requester} posted it ${moment(task.createdAt, now)}.${batch}${honeypot}`,
    ...statusSentences(report, now),
    ...(takesBids(task.status) ? [...unmatchedSentences(report, now), ...offerSentences(report)] : []),
    ...(report.workers === null ? [] : workerSentences(report.workers)),
    ...failureSentences(report),
    ...webhookSentences(report, now),
    moneySentence(report),
    ...surroundingSentences(surroundings, now),
  ];
}

function statusSentences(report: Told, now: Millis): readonly string[] {
  const { task, award, bids, spec, ended } = report;
  const until = task.expiresAt === null ? "" : moment(task.expiresAt, now);
  const worker = award?.worker ?? "nobody";
  switch (task.status) {
    case "CREATED":
      return ["It is paid for and about to be offered to workers."];
    case "ROUTING": {
      const so =
        bids.length === 0
          ? "has none yet"
          : `has ${bids.length}, the lowest ${Math.min(...bids.map(({ credits }) => credits))} NC`;
      return [`It collects bids until ${until}, and ${so}; then the best one wins (${spec.quality}).`];
    }
    case "PENDING_POOL":
      return [
        `Nobody bid in time, so it waits in the pool until ${until}: the next bid wins it at once; without one it expires.`,
      ];
    case "AWARDED":
      return [
        `It was awarded to ${worker} for ${award?.credits} NC ${moment(award?.at ?? now, now)}, who has not begun and has until ${until}.`,
      ];
    case "EXECUTING":
      return [`Worker ${worker} is working on it for ${award?.credits} NC and has until ${until}.`];
    case "REJECTED":
      return [
        `The last result of worker ${worker} was wrong (${task.errorCode}); it may send ${plural(task.retriesLeft + 1, "more result")} of ${BOUNDS.submissionsPerAward} until ${until}.`,
      ];
    case "FAILED":
    case "TIMED_OUT":
      return ["Its award has ended without a result; it goes to other workers or expires within the same commit."];
    case "COMPLETED":
      return [`The result of worker ${worker} was accepted; its requester's account must settle it, which is a message away.`];
    case "SETTLED":
      return [`Worker ${worker} did it, and was paid; it changes no more.`];
    case "EXPIRED":
      return [`It expired ${moment(ended?.at ?? task.updatedAt, now)}: ${whyExpired(report)}.`];
    case "CANCELLED":
      return [`Its requester cancelled it ${moment(ended?.at ?? task.updatedAt, now)}.`];
    default:
      return task.status satisfies never;
  }
}

function whyExpired({ task, ended, spec }: Told): string {
  if (ended?.type === "Expired" && ended.reason !== undefined) return `an operator ended it: "${ended.reason}"`;
  if (task.errorCode === null) return `nobody bid within its ${plural(spec.poolHours, "hour")} in the pool`;
  return `its last award failed (${task.errorCode}) and no automatic retry was left`;
}

function offerSentences({ offers }: Told): readonly string[] {
  const { workers, asked, declined } = offers;
  const asking =
    workers === 0
      ? []
      : [
          `It knows ${plural(workers, "worker")} that had a posted price and were online when it was posted, and has asked ${asked} in this round.`,
        ];
  const known = declined.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  const { mayNot } = tally(known);
  const untold = declined.length - known.length;
  const parts = [
    ...mayNot.map(({ count, sentence }) => `${count}: ${sentence}`),
    ...(untold === 0 ? [] : [`${untold}: no reason was noted`]),
  ];
  const latest = declined.at(-1);
  const last = latest === undefined ? "" : ` The last was ${latest.worker}${whyLast(latest.reason)}.`;
  const told = declined.length === 0 ? [] : [`${plural(declined.length, "offer")} declined (${parts.join("; ")}).${last}`];
  return [...asking, ...told];
}

const UNMATCHED_PHRASES: { readonly [U in Unmatched]: string } = {
  NOBODY_PRESENT: "nobody was online for its type",
  ALL_TOO_DEAR: "all who were online wanted more than its budget",
  SKILL_TOO_LOW: "nobody who was online had the tier",
  NONE_ELIGIBLE: "nobody who was online could take it, for reasons of their own",
};

function unmatchedSentences({ task, unmatched }: Told, now: Millis): readonly string[] {
  if (task.status !== "PENDING_POOL") return [];
  if (unmatched === null) return ["Its matcher has not said why nobody takes it."];
  const { why, present, at } = unmatched;
  return [`Its matcher said ${moment(at, now)}, with ${plural(present, "worker")} online, that ${UNMATCHED_PHRASES[why]}.`];
}

const whyLast = (reason: Ineligibility | undefined) => (reason === undefined ? "" : ` (${ineligibilityPhrase(reason)})`);

function workerSentences({ capable, judged, offers, bids, atTheirPrice }: Workers): readonly string[] {
  if (capable === 0) return ["No worker has a capability for its type; others may bid too, if they are active and of the tier."];
  const some = judged < capable ? ` Only ${judged} of them were looked at.` : "";
  const who = atTheirPrice.length === 0 ? "" : ` They are ${listed(atTheirPrice)}.`;
  return [
    `${plural(capable, "worker")} ${capable === 1 ? "has" : "have"} a capability for its type.${some}`,
    `At their posted prices ${allow(offers)}.${who}`,
    `By bidding ${allow(bids)}.`,
  ];
}

function allow({ may, mayNot }: Tally): string {
  const ineligible = mayNot.map(({ count, sentence }) => `${count} may not (${sentence})`);
  return [may === 0 ? "nobody may take it" : `${may} may take it`, ...ineligible].join(", ");
}

function failureSentences({ failures, task, spec }: Told): readonly string[] {
  if (failures.length === 0) return [];
  const who = failures.map(({ worker, code }) => `${worker} (${code})`);
  return [
    `${plural(failures.length, "award")} ended without a result: ${listed(who)}. ${task.autoRetriesLeft} of ${spec.autoRetry} automatic retries are left.`,
  ];
}

function webhookSentences({ webhook, task, surroundings }: Told, now: Millis): readonly string[] {
  if (webhook === null) return [];
  if (!hasEnded(task.status)) return ["Its requester wants a webhook when it ends."];
  const last = webhook.attempts.at(-1);
  if (last === undefined) return ["Its webhook is due, and no attempt has an outcome yet."];
  const { outcome, attempt } = last;
  const how = outcome.result === "failed" ? `failed (${outcome.error})` : `${outcome.result}, with HTTP ${outcome.status}`;
  const next = surroundings.timers.find(({ name }) => name === "webhook");
  const then = next === undefined ? "no more follows by itself" : `the next is due ${moment(next.at, now)}`;
  return [
    `Attempt ${attempt} at its webhook ${moment(last.at, now)}: ${how}; ${then}. There were ${webhook.attempts.length} in all.`,
  ];
}

function moneySentence({ held, task }: Told): string {
  if (held > 0) return `${held} NC are held for it on its requester's account.`;
  return hasEnded(task.status)
    ? "Nothing is held for it any more."
    : "Nothing is held for it, though it has not ended: run `nexus audit`.";
}
