/** What the market knows about a worker in one task type. Only this file calculates it. */
import type { AccountStatus, Millis } from "../vocabulary.ts";
import { quality } from "./auction.ts";
import { priorOf } from "./github.ts";
import { EMPTY_RECORD, type Record, skillScore, skillTier } from "./skill.ts";

/** Read before a task decides, so that it is part of the command, as `standing`. */
export interface Qualification {
  readonly status: AccountStatus;
  readonly cooldownUntil: Millis | null;
  /** 1 Unrated to 5 Diamond, in this task's type. */
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
}

/** Gives the skill in a task type by these records; a newcomer's if they have nothing of that type. */
export function skillIn(records: QualificationSource["records"], taskType: string): Skill {
  // Records from before ratings existed lack them.
  const record = { ...EMPTY_RECORD, ...(Object.hasOwn(records, taskType) ? records[taskType] : {}) };
  const score = skillScore(record);
  return { score, tier: skillTier(score), finished: record.finished };
}

/** Gives the tier in each task type of these records. */
export function tiersIn(records: QualificationSource["records"]): { readonly [taskType: string]: number } {
  return Object.fromEntries(Object.keys(records).map((type) => [type, skillIn(records, type).tier]));
}

/** Gives a worker's quality, 0..1, in a task type with this skill. */
export function qualityOf({ reputation, github }: Pick<QualificationSource, "reputation" | "github">, skill: Skill): number {
  return quality(skill.score, reputation, skill.finished, priorOf(github?.score ?? null));
}

/** Gives a worker's qualification in a task type. */
export function qualificationIn(taskType: string, status: AccountStatus, worker: QualificationSource): Qualification {
  const skill = skillIn(worker.records, taskType);
  const { cooldownUntil, marks } = worker;
  return { status, cooldownUntil, tier: skill.tier, quality: qualityOf(worker, skill), marks };
}
