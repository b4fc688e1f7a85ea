/** What a payment is worth, whatever is told of it, however often and in whatever order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyUpdate, netAmount, type Payment, type PaymentUpdate } from "../../machines/account/payments.ts";

const told = (news: readonly PaymentUpdate[]) =>
  news.reduce<Payment | undefined>((payment, one) => applyUpdate(payment, one, 5), undefined);

const STORY: readonly PaymentUpdate[] = [
  { type: "paid", amount: 1_000 },
  { type: "refunded", total: 100 },
  { type: "refunded", total: 250 },
  { type: "disputed", dispute: "a", amount: 300, state: "open" },
  { type: "disputed", dispute: "a", amount: 300, state: "won" },
  { type: "disputed", dispute: "b", amount: 200, state: "open" },
  { type: "disputed", dispute: "b", amount: 200, state: "lost" },
];

test("is the same for every order and every repetition of what is told", () => {
  const mixed = fc
    .tuple(fc.shuffledSubarray([...STORY], { minLength: STORY.length }), fc.array(fc.constantFrom(...STORY), { maxLength: 10 }))
    .map(([all, again]) => [...all, ...again]);
  fc.assert(fc.property(mixed, (news) => netAmount(told(news)) === 1_000 - 250 - 200));
});

test("is never below 0, and what changes nothing is known by that", () => {
  expect(netAmount(told([{ type: "refunded", total: 5 }]))).toBe(0);
  expect(netAmount(undefined)).toBe(0);
  const payment = told(STORY);
  for (const news of STORY) expect(applyUpdate(payment, news, 9)).toBe(payment);
});

test("while a dispute is open its amount is away", () => {
  expect(netAmount(told(STORY.slice(0, 4)))).toBe(1_000 - 250 - 300);
});
