/** What the market knows of a worker in one task type, worked out in this one place. */
import type { AccountStatus, Millis } from "../vocabulary.ts";
import { quality } from "./auction.ts";
import { priorOf } from "./github.ts";
import { EMPTY_RECORD, type Record, skillScore, skillTier } from "./skill.ts";

/** Looked up before a task's decision, so that it is part of the command. */
export interface WorkerStanding {
  readonly status: AccountStatus;
  readonly cooldownUntil: Millis | null;
  /** 1 Unrated to 5 Diamond, in this task's type. */
  readonly tier: number;
  /** 0..1, see auction.ts. */
  readonly quality: number;
  /** What the worker is known by; see identity.ts. Gateways of before do not say. */
  readonly marks?: readonly string[];
}

export interface Skill {
  /** 0..100. */
  readonly score: number;
  /** 1 Unrated to 5 Diamond. */
  readonly tier: number;
  /** Awards that ended. */
  readonly finished: number;
}

/** What of an account a standing is made from; both its state and its row have it. */
export interface StandingSource {
  readonly cooldownUntil: Millis | null;
  readonly marks: readonly string[];
  readonly reputation: number;
  readonly records: { readonly [taskType: string]: Record };
  readonly github: { readonly score: number } | null;
}

/** Gives the skill that these records show in a task type; that of a newcomer where they have nothing of it. */
export function skillIn(records: StandingSource["records"], taskType: string): Skill {
  // Records that were written before there were ratings lack them.
  const record = { ...EMPTY_RECORD, ...(Object.hasOwn(records, taskType) ? records[taskType] : {}) };
  const score = skillScore(record);
  return { score, tier: skillTier(score), finished: record.finished };
}

/** Gives the tier of each task type of which these records have something. */
export function tiersIn(records: StandingSource["records"]): { readonly [taskType: string]: number } {
  return Object.fromEntries(Object.keys(records).map((type) => [type, skillIn(records, type).tier]));
}

/** Gives a worker's quality, 0..1, in a task type in which it has this skill. */
export function qualityOf({ reputation, github }: Pick<StandingSource, "reputation" | "github">, skill: Skill): number {
  return quality(skill.score, reputation, skill.finished, priorOf(github?.score ?? null));
}

/** Gives a worker's standing in a task type. */
export function standingIn(taskType: string, status: AccountStatus, worker: StandingSource): WorkerStanding {
  const skill = skillIn(worker.records, taskType);
  const { cooldownUntil, marks } = worker;
  return { status, cooldownUntil, tier: skill.tier, quality: qualityOf(worker, skill), marks };
}
