/** CREDIT_REQUIRES, CREDIT_LINE_MULTIPLE, PURCHASE_HOLD_HOURS: their defaults depend on whether anybody can prove who they are. */
import { expect, test } from "vitest";
import { readConfig } from "../../src/app/settings/config.ts";
import { creditTerms, marketRules } from "../../src/app/settings/rules.ts";

test.each([
  ["on a laptop", {}, "none"],
  ["in production", { NODE_ENV: "production" }, "identity"],
  ["with GitHub", { GITHUB_CLIENT_ID: "c", GITHUB_CLIENT_SECRET: "s" }, "identity"],
  ["with Stripe", { STRIPE_SECRET_KEY: "k", STRIPE_WEBHOOK_SECRET: "w" }, "identity"],
  ["with a name of GitHub's that is empty", { GITHUB_CLIENT_ID: " " }, "none"],
  ["where it is set", { NODE_ENV: "production", CREDIT_REQUIRES: "payment" }, "payment"],
  ["where it is set to less", { NODE_ENV: "production", CREDIT_REQUIRES: "none" }, "none"],
])("%s a credit line requires what can be asked for", (_about, environment, requires) => {
  expect(creditTerms(readConfig(environment))).toEqual({ requires, multiple: 10, holdMs: 0 });
  expect(marketRules(readConfig(environment)).credit.requires).toBe(requires);
});

test("the numbers have bounds", () => {
  expect(creditTerms(readConfig({ CREDIT_LINE_MULTIPLE: "3", PURCHASE_HOLD_HOURS: "72" }))).toEqual({
    requires: "none",
    multiple: 3,
    holdMs: 259_200_000,
  });
  for (const [name, least, most] of [
    ["CREDIT_LINE_MULTIPLE", 1, 1_000],
    ["PURCHASE_HOLD_HOURS", 0, 2_160],
  ] as const) {
    for (const value of [least, most]) expect(() => readConfig({ [name]: String(value) })).not.toThrow();
    for (const value of [least - 1, most + 1])
      expect(() => readConfig({ [name]: String(value) })).toThrow(`${name} ("${value}")`);
  }
  expect(() => readConfig({ CREDIT_REQUIRES: "mail" })).toThrow("must be one of none, identity, payment");
});
