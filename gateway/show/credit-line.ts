/** Why less than the rating's credit line can be used, told so that a person can act on it. */
import { GITHUB_AGE_MS_MIN, GITHUB_SCORE_MIN, type GitHubLack, type LineLimit } from "../../machines/market/credit-line.ts";
import { time } from "./task.ts";

const DAY_MS = 24 * 3_600_000;
const GITHUB_DAYS_MIN = GITHUB_AGE_MS_MIN / DAY_MS;

const GITHUB: { readonly [L in GitHubLack]: string } = {
  NOT_LINKED: `buy credits, or link a GitHub account that is ${GITHUB_DAYS_MIN} days old and has a score of ${GITHUB_SCORE_MIN} (GET /api/v1/oauth/github/authorize)`,
  AGE_UNKNOWN: "buy credits, or refresh your GitHub account, whose age is not known yet (POST /api/v1/oauth/github/refresh)",
  TOO_YOUNG: `buy credits, or wait until your GitHub account is ${GITHUB_DAYS_MIN} days old`,
  SCORE_TOO_LOW: `buy credits, or refresh your GitHub account once its score is ${GITHUB_SCORE_MIN} (POST /api/v1/oauth/github/refresh)`,
  VOUCHES_ELSEWHERE:
    "buy credits; your GitHub account vouches for the oldest of the accounts that it is linked to, which is another one",
};

/** Completes "you can use so many NC of your line:"; without a full stop. */
export function limitSentence(limit: LineLimit): string {
  switch (limit.limit) {
    case "NOT_VERIFIED":
      return GITHUB[limit.github];
    case "PURCHASE_TOO_YOUNG":
      return `your latest purchases count from ${time(limit.until)}`;
    case "COUNTED":
      return `it is ${limit.multiple} times the ${limit.counted} NC that you have paid in or earned from verified others (the first 5 tasks for each of them); buy credits or work for more of them`;
    case "PAID_IN":
      return `it is ${limit.multiple} times the ${limit.counted} NC that you have paid in; buy credits`;
    default:
      return limit satisfies never;
  }
}
