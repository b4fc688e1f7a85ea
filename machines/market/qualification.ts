/** What the market knows about a worker in one task type. Only this file calculates it. */
import type { AccountStatus, Millis } from "../vocabulary.ts";
import { quality } from "./auction.ts";
import { priorOf } from "./github.ts";
import { isDoubted } from "./honeypot.ts";
import { EMPTY_RECORD, type Record, skillScore, skillTier } from "./skill.ts";

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

/** Gives the skill in a task type by these records; a newcomer's if they have nothing of that type. */
export function skillIn(records: QualificationSource["records"], taskType: string): Skill {
  // Records from before ratings existed lack them.
  const record = { ...EMPTY_RECORD, ...(Object.hasOwn(records, taskType) ? records[taskType] : {}) };
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

/** Gives a worker's quality, 0..1, in a task type with this skill. */
export function qualityOf({ reputation, github }: Pick<QualificationSource, "reputation" | "github">, skill: Skill): number {
  return quality(skill.score, reputation, skill.finished, priorOf(github?.score ?? null));
}

/** Gives a worker's qualification in a task type. */
export function qualificationIn(taskType: string, status: AccountStatus, worker: QualificationSource): Qualification {
  const skill = skillIn(worker.records, taskType);
  const { cooldownUntil, marks } = worker;
  return { status, cooldownUntil, tier: countedTier(skill, worker), quality: qualityOf(worker, skill), marks };
}
