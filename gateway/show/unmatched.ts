/** Why a task waits in the pool, told to its requester, with what it can do about it. */
import type { Unmatched } from "../../machines/market/unmatched.ts";

export const UNMATCHED_SENTENCES: { readonly [U in Unmatched]: string } = {
  NOBODY_PRESENT: "No worker of this task type is online; the task waits for one.",
  ALL_TOO_DEAR: "The workers who are online ask for more than the budget; wait for others, or cancel it and offer more.",
  SKILL_TOO_LOW: "Nobody who is online has the skill tier that the task wants; wait, or cancel it and ask for a lower one.",
  NONE_ELIGIBLE:
    "No worker who is online may take this task: they failed it before, may take no work now, want more time or a better score of a requester, or are accounts of yours.",
};
