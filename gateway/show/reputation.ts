/** What has changed a worker's reputation, in the words of the API. */
import { pointsOf, REPUTATION } from "../../machines/market/reputation.ts";
import type { ExcuseReason } from "../../machines/task/events.ts";
import type { ReputationFact } from "../ports/read-model.ts";
import { time } from "./task.ts";

export const EXCUSES: { readonly [R in ExcuseReason]: string } = {
  UNSOLVED: "Nobody solved the task, though proven workers tried; it was not your fault.",
  TOO_EXPENSIVE: "Checking the results of this task takes too long; it was not your fault.",
};

export function showReputationChange(fact: ReputationFact) {
  const at = time(fact.at);
  switch (fact.type) {
    case "Earned":
      return { at, event: "DELIVERED", task_id: fact.task, change: pointsOf("DELIVERED"), detail: null } as const;
    case "Failed":
      return { at, event: fact.outcome, task_id: fact.task, change: pointsOf(fact.outcome), detail: null } as const;
    case "Excused": {
      const change = -pointsOf(fact.outcome);
      return { at, event: "PENALTY_TAKEN_BACK", task_id: fact.task, change, detail: EXCUSES[fact.reason] } as const;
    }
    case "CooldownStarted":
      return { at, event: "COOLDOWN_STARTED", task_id: null, change: 0, detail: `Until ${time(fact.until)}.` } as const;
    case "CooldownEnded":
      return { at, event: "COOLDOWN_ENDED", task_id: null, change: 0, detail: null } as const;
    case "Frozen": {
      const detail = fact.reason === undefined ? `Your reputation went below ${REPUTATION.frozenBelow}.` : "By an operator.";
      return { at, event: "FROZEN", task_id: null, change: 0, detail } as const;
    }
    case "Unfrozen":
      return { at, event: "UNFROZEN", task_id: null, change: 0, detail: null } as const;
    default:
      return fact satisfies never;
  }
}
