/** An account told in sentences, the most telling ones first. */
import type { AccountFact } from "../../../machines/account/events.ts";
import { suspensionAt } from "../../../machines/market/rating.ts";
import { REPUTATION } from "../../../machines/market/reputation.ts";
import { tierName } from "../../../machines/market/skill.ts";
import type { Millis } from "../../../machines/vocabulary.ts";
import type { AccountReport, TypeOfWork } from "./account-report.ts";
import type { Tally } from "./reasons.ts";
import { surroundingSentences } from "./surroundings.ts";
import { listed, moment, plural } from "./words.ts";

type Told = Omit<AccountReport, "sentences">;

export function accountSentences(report: Told, now: Millis): readonly string[] {
  const { account, kin, openTasks, surroundings } = report;
  const { tally } = account;
  return [
    `Account ${account.id} (${account.email}) is ${account.status}; it was registered ${moment(account.createdAt, now)}.`,
    ...ineligibleSentences(report, now),
    ...moneySentences(report, now),
    `As a worker it was paid for ${plural(tally.earned, "task")}, failed ${tally.failed} and ran out of time for ${tally.timedOut}; its reputation is ${account.reputation}.`,
    kin.length === 0
      ? "It shares its identity with no other account."
      : `It is of one identity with ${plural(kin.length, "account")}, whose tasks it may not take: ${listed(kin)}.`,
    `${plural(openTasks.total, "task")} of all types ${openTasks.total === 1 ? "takes" : "take"} bids now.`,
    ...(openTasks.judged < openTasks.total ? [`Only the ${openTasks.judged} oldest were looked at.`] : []),
    ...report.work.flatMap(workSentences),
    ...declinedSentences(report, now),
    "Whether it is online only the gateways know: tasks are proposed to workers that wait in a pull, have a stream open, or polled for the type within the last 10 s.",
    ...surroundingSentences(surroundings, now),
  ];
}

function latest<T extends AccountFact["type"]>(report: Told, type: T): Extract<AccountFact, { readonly type: T }> | undefined {
  return report.history.find((fact): fact is Extract<AccountFact, { readonly type: T }> => fact.type === type);
}

function ineligibleSentences(report: Told, now: Millis): readonly string[] {
  const { account } = report;
  switch (account.status) {
    case "ACTIVE":
      return ["Its state keeps it from no work."];
    case "FROZEN": {
      const fact = latest(report, "Frozen");
      const how =
        fact?.reason === undefined
          ? `by its reputation, which went below ${REPUTATION.frozenBelow}`
          : `by an operator: "${fact.reason}"`;
      return [
        `It has been frozen since ${fact === undefined ? "an unknown time" : moment(fact.at, now)}, ${how}.`,
        `It gets no work until an operator releases it: POST /api/v1/admin/accounts/${account.id}/unfreeze.`,
      ];
    }
    case "SUSPENDED": {
      const fact = latest(report, "Suspended");
      const since = fact === undefined ? "" : ` since ${moment(fact.at, now)}`;
      return [`It has been suspended${since} for its debt, and gets no work until that is paid.`];
    }
    case "COOLING": {
      const { cooldownUntil } = account;
      const until = cooldownUntil === null ? "a timer ends that" : moment(cooldownUntil, now);
      return [
        `It is cooling down until ${until}, after ${REPUTATION.failuresBeforeCooldown} failures in a row, and gets no work.`,
      ];
    }
    default:
      return account.status satisfies never;
  }
}

function moneySentences({ account }: Told, now: Millis): readonly string[] {
  const held = `${account.held} NC are held for tasks that it posted.`;
  if (account.debtSince === null) return [`It has ${account.available} NC and owes nothing; ${held}`];
  const due = suspensionAt(account.debtSince);
  const over =
    account.status === "SUSPENDED" ? "" : ` Unpaid, it is suspended ${moment(due, now)}; until then debt keeps it from no work.`;
  return [`It has owed ${-account.available} NC since ${moment(account.debtSince, now)}; ${held}${over}`];
}

function workSentences({ taskType, open, skill, capability, bids, offers }: TypeOfWork): readonly string[] {
  const tier = `tier ${skill.tier} (${tierName(skill.tier)})`;
  const head = `${taskType}: ${plural(open, "open task")}, its skill is ${tier}.`;
  const byBid = `${taskType}: by bidding ${allows(bids)}.`;
  if (capability === null) {
    return [head, byBid, `${taskType}: it has no capability for this type, so it is offered nothing and must bid.`];
  }
  const { price, available, slots, kept } = capability;
  const own = [
    price === null ? "without a price, so it is offered nothing" : `at ${price} NC`,
    available ? "available" : "set to unavailable, so it is offered nothing",
    `${kept.length} of ${plural(slots, "slot")} reserved${kept.length === 0 ? "" : ` (for ${listed(kept)})`}`,
  ];
  return [
    head,
    `${taskType}: its capability is ${own.join(", ")}.`,
    byBid,
    `${taskType}: at its posted price ${allows(offers)}.`,
  ];
}

/** Says how many of the open tasks it may take, and for each reason how many it may not. */
function allows({ may, mayNot }: Tally): string {
  const ineligible = mayNot.map(({ count, sentence }) => `${count} not (${sentence})`);
  return [`it may take ${may}`, ...ineligible].join(", ");
}

function declinedSentences({ declined }: Told, now: Millis): readonly string[] {
  return declined.map(
    ({ why, count, last }) =>
      `It declined ${plural(count, "offer")} for ${why ?? "a reason that was not noted"}, the last ${moment(last, now)}.`,
  );
}
