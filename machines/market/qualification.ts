/** What the market knows about a worker in one task type. Only this file calculates it. */
import type { AccountStatus, Millis } from "../vocabulary.ts";
import { quality } from "./auction.ts";
import { priorOf } from "./github.ts";
import { isDoubted } from "./honeypot.ts";
import { EMPTY_RECORD, provenBy, type Record, seenScore, skillScore, skillTier } from "./skill.ts";

/** Read before a task decides, so that it is part of the command, as `standing`. */
export interface Qualification {
  readonly status: AccountStatus;
  readonly cooldownUntil: Millis | null;
  /** 1 Unrated to 5 Diamond, in this task's type, as far as it counts: see E4 in eligibility.ts. */
  readonly tier: number;
  /** 0..1, see auction.ts. */
  readonly quality: number;
  /** The worker's marks; see identity.ts. Older gateways leave them out. */
  readonly marks?: readonly string[];
  /** Whether its failures say something about a task (task/fault.ts); only the worker's account says so, with its yes to an award. */
  readonly proven?: true;
}

export interface Skill {
  /** 0..100. */
  readonly score: number;
  /** 1 Unrated to 5 Diamond. */
  readonly tier: number;
  /** Awards that have ended. */
  readonly finished: number;
}

/** What a qualification is calculated from; an account's state and its row both have it. */
export interface QualificationSource {
  readonly cooldownUntil: Millis | null;
  readonly marks: readonly string[];
  readonly reputation: number;
  readonly records: { readonly [taskType: string]: Record };
  readonly github: { readonly score: number } | null;
  /** How its latest honeypots were done; see honeypot.ts. */
  readonly tally: { readonly honeypotsLately?: readonly boolean[] };
}

function recordIn(records: QualificationSource["records"], taskType: string): Record {
  return (Object.hasOwn(records, taskType) ? records[taskType] : undefined) ?? EMPTY_RECORD;
}

/** Gives the skill in a task type by these records; a newcomer's if they have nothing of that type. */
export function skillIn(records: QualificationSource["records"], taskType: string): Skill {
  const record = recordIn(records, taskType);
  const score = skillScore(record);
  return { score, tier: skillTier(score), finished: record.finished };
}

/** The tier that counts where a task asks for one: of a worker that is doubted, Unrated (E4 in eligibility.ts). */
function countedTier({ tier }: Skill, { tally }: Pick<QualificationSource, "tally">): number {
  return isDoubted(tally.honeypotsLately ?? []) ? 1 : tier;
}

/** Gives the tier that counts for a worker in each task type of its records. */
export function tiersIn(worker: Pick<QualificationSource, "records" | "tally">): { readonly [taskType: string]: number } {
  const { records } = worker;
  return Object.fromEntries(Object.keys(records).map((type) => [type, countedTier(skillIn(records, type), worker)]));
}

/**
 * Gives a worker's quality, 0..1, in a task type. It weighs what was seen by how much evidence there is, so it takes the shares as they
 * were seen: by their lower bounds, the same doubt would count twice, and a newcomer would fall with its first good tasks.
 */
export function qualityIn(
  taskType: string,
  { reputation, github, records }: Pick<QualificationSource, "reputation" | "github" | "records">,
): number {
  const record = recordIn(records, taskType);
  return quality(seenScore(record), reputation, provenBy(record).tasks, priorOf(github?.score ?? null));
}

/** Gives a worker's qualification in a task type. */
export function qualificationIn(taskType: string, status: AccountStatus, worker: QualificationSource): Qualification {
  const skill = skillIn(worker.records, taskType);
  const { cooldownUntil, marks } = worker;
  return { status, cooldownUntil, tier: countedTier(skill, worker), quality: qualityIn(taskType, worker), marks };
}
