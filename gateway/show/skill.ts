import { EMPTY_RECORD, type Record, skillScore, skillTier } from "../../machines/market/skill.ts";

/** The tier of a worker in each task type in which it has done something. */
export function tiersOf(records: { readonly [taskType: string]: Record }): { readonly [taskType: string]: number } {
  return Object.fromEntries(
    Object.entries(records).map(([type, record]) => [type, skillTier(skillScore({ ...EMPTY_RECORD, ...record }))]),
  );
}
