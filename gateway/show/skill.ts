import { EMPTY_RECORD, type Record, skillScore, skillTier } from "../../machines/market/skill.ts";

/** The skill tier of a worker in each task type in which it has worked. */
export function tiersOf(records: { readonly [taskType: string]: Record }): { readonly [taskType: string]: number } {
  return Object.fromEntries(
    Object.entries(records).map(([type, record]) => [type, skillTier(skillScore({ ...EMPTY_RECORD, ...record }))]),
  );
}
