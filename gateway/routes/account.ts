import { shownCounterparties } from "../../machines/account/row.ts";
import { isDoubted } from "../../machines/market/honeypot.ts";
import { skillIn } from "../../machines/market/qualification.ts";
import { keyed } from "../http/operation.ts";
import { Reputation } from "../schemas/account.ts";
import { showReputationChange } from "../show/reputation.ts";
import { timeOrNull } from "../show/task.ts";

const reputation = keyed(
  {
    id: "getReputation",
    tag: "Account",
    method: "get",
    path: "/api/v1/account/reputation",
    summary: "Reputation, counts and skills",
    answers: { 200: { about: "The account's record in the market", schema: Reputation } },
  },
  async function getReputation({ account, services }) {
    const [row, changes] = await Promise.all([services.reads.account(account), services.reads.reputationChanges(account)]);
    if (row === undefined) throw new Error("an account with a key has a row");
    const { tally } = row;
    return {
      status: 200,
      body: {
        reputation: row.reputation,
        task_count: tally.earned + tally.failed + tally.timedOut,
        tasks_completed: tally.earned,
        tasks_failed: tally.failed,
        tasks_timed_out: tally.timedOut,
        tasks_created: tally.created,
        tasks_paid: tally.paid,
        first_try: tally.firstTry,
        counterparties: shownCounterparties(row),
        is_doubted: isDoubted(tally.honeypotsLately ?? []),
        is_frozen: row.status === "FROZEN",
        cooldown_until: timeOrNull(row.cooldownUntil),
        skills: Object.keys(row.records).map((taskType) => {
          const { score, tier, finished } = skillIn(row.records, taskType);
          return { task_type: taskType, score: Math.round(score * 10) / 10, tier, tasks: finished };
        }),
        recent_changes: changes.map(showReputationChange),
      },
    };
  },
);

export const accountRoutes = [reputation];
