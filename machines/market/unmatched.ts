/** Why nobody takes a task that is in the pool: nobody is online, or all want more than the budget, or none has the skill, or other. */
export const UNMATCHED = ["NOBODY_PRESENT", "ALL_TOO_DEAR", "SKILL_TOO_LOW", "NONE_ELIGIBLE"] as const;
export type Unmatched = (typeof UNMATCHED)[number];
