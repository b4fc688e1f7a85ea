import { share, whole } from "./values.ts";

/** How many honeypots are posted. Outside production none is, unless that is set: they mint credits, and nobody expects them there. */
export function honeypots(production: boolean) {
  return {
    honeypotRate: {
      name: "HONEYPOT_RATE",
      fallback: 0.01,
      unit: "share",
      about:
        "Share of settled tasks that set off a honeypot, a task of the same type whose answer is known. Above 1 / (the mean price of one), about 0.07, a farm of accounts can gain by them.",
      read: share,
    },
    honeypotBudgetPerDay: {
      name: "HONEYPOT_BUDGET_PER_DAY",
      fallback: production ? 500 : 0,
      unit: "NC",
      about:
        "What all honeypots together may mint in a day (UTC), over all gateways; 0 posts none, and then nobody reaches Gold.",
      read: whole(0, 1_000_000_000),
    },
    honeypotDelaySeconds: {
      name: "HONEYPOT_DELAY_SECONDS",
      fallback: 600,
      unit: "s",
      about: "How long after the settlement that sets it off a honeypot is posted at most; the time is drawn.",
      read: whole(0, 86_400),
    },
  };
}
