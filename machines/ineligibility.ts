/** The reasons that eligibility.ts gives. */
import type { Millis, TaskStatus } from "./vocabulary.ts";

/** Why a worker may not bid on a task. */
export type BidIneligibility =
  | { readonly why: "OWN_TASK" }
  /** Another account of the requester. */
  | { readonly why: "ONE_IDENTITY" }
  | { readonly why: "TASK_NOT_OPEN"; readonly status: TaskStatus }
  | { readonly why: "FROZEN" }
  | { readonly why: "SUSPENDED" }
  | { readonly why: "COOLING"; readonly until: Millis | null }
  | { readonly why: "FAILED_BEFORE" }
  | { readonly why: "ALREADY_BID" }
  | { readonly why: "OVER_BUDGET"; readonly price: number; readonly budget: number }
  /** The tier as far as it counts (E4 in eligibility.ts). */
  | { readonly why: "TIER_TOO_LOW"; readonly tier: number; readonly wanted: number };

/** Why a worker may not take a task, by a bid or at its posted price. */
export type Ineligibility =
  | BidIneligibility
  /** As many bids as a round collects are there, and this one beats none of them. */
  | { readonly why: "BIDS_FULL"; readonly most: number }
  /** It has said that it will not bid in this round. */
  | { readonly why: "PASSED" }
  /** There is none for the task's type. */
  | { readonly why: "NO_CAPABILITY" }
  /** Its owner has set it to unavailable. */
  | { readonly why: "CAPABILITY_AWAY" }
  /** It has no posted price, so its owner bids on each task. */
  | { readonly why: "NO_POSTED_PRICE" }
  /** It has reserved a slot for this task already. */
  | { readonly why: "SLOT_RESERVED" }
  /** The task leaves less time (s), or its requester's score is lower, than the worker takes unseen. */
  | { readonly why: "TOO_LITTLE_TIME"; readonly seconds: number; readonly wanted: number }
  | { readonly why: "REQUESTER_SCORE_TOO_LOW"; readonly score: number; readonly wanted: number }
  | { readonly why: "NO_SLOT"; readonly slots: number }
  /** It has as many awards as its tier allows at a time. */
  | { readonly why: "AWARDS_FULL"; readonly tier: number; readonly most: number }
  /** The pull that it was proposed for has got all the tasks that it asked for. */
  | { readonly why: "PULL_FULL"; readonly most: number };

export type WhyNot = Ineligibility["why"];
