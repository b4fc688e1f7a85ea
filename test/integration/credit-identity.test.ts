/** Credit lines where one can prove who one is: what friends without a name get, and what GitHub and a purchase open. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLIENT_ID, CLIENT_SECRET, GitHubServer } from "../support/github.ts";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { SECRET_KEY, StripeServer, WEBHOOK_SECRET } from "../support/stripe.ts";

const DAY_MS = 24 * 3_600_000;

const [github, stripe] = [new GitHubServer(), new StripeServer()];
let market: Market;
beforeAll(async () => {
  const url = await github.start();
  market = await Market.start({
    ...{ GITHUB_BASE_URL: url, GITHUB_API_URL: url, GITHUB_CLIENT_ID: CLIENT_ID, GITHUB_CLIENT_SECRET: CLIENT_SECRET },
    ...{ STRIPE_API_BASE: await stripe.start(), STRIPE_SECRET_KEY: SECRET_KEY, STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  github.stop();
  stripe.stop();
  expect(wrong).toEqual([]);
});

const info = (party: Party) => market.ok("GET", "/credits/credit-info", undefined, party);

/** Links a GitHub account of this age, with a score of at least 45. */
async function link(party: Party, id: number, days: number): Promise<void> {
  const { authorize_url: url } = await market.ok("GET", "/oauth/github/authorize", undefined, party);
  const created_at = new Date(Date.now() - days * DAY_MS).toISOString();
  const counts = { public_repos: 50, public_gists: 0, followers: 500, contributions: 0 };
  await market.ok("POST", "/oauth/github/link", github.allow(url, { id, login: `octo${id}`, created_at, ...counts }), party);
}

async function buy(party: Party, amount: number): Promise<void> {
  await market.ok("POST", "/credits/stripe/create-session", { amount_credits: amount }, party);
  const session = stripe.sessions.at(-1);
  if (session === undefined) throw new Error("there must be a session");
  expect(await stripe.send(market, "checkout.session.completed", stripe.paid(session))).toBe(200);
}

async function work(requester: Party, worker: Party): Promise<void> {
  const id = await market.awarded(requester, worker, { budget: 5 }, { bid_credits: 4 });
  await market.submit(id, worker, GOOD);
  await market.until(id, requester, "SETTLED");
}

/** Four registrations and ten deals among them: Silver. */
async function silver(): Promise<readonly [Party, ...Party[]]> {
  const [worker, ...friends] = await Promise.all([1, 2, 3, 4].map(() => market.register()));
  if (worker === undefined) throw new Error("four must be registered");
  for (let n = 0; n < 10; n += 1) await work(friends[n % 3] as Party, worker);
  await eventually(async () => ((await info(worker)).rating === "Silver" ? true : undefined), "the rating");
  return [worker, ...friends];
}

test("ten deals among friends give Silver and no line; a sentence says what opens it, wherever credits are missing", async () => {
  const [worker] = await silver();
  const told = await info(worker);
  expect(told).toMatchObject({ rating: "Silver", credit_line: 0, rating_credit_line: 5_000 });
  expect(told.credit_line_limit).toMatch(/link a GitHub account that is 180 days old and has a score of 35/);
  const { credits_balance, purchasing_power, credit_line, credit_line_limit } = await market.balance(worker);
  expect([purchasing_power, credit_line, credit_line_limit]).toEqual([credits_balance, 0, told.credit_line_limit]);
  const order = { ...ORDER, budget: 500 };
  const refused = await market.call("POST", "/tasks", order, worker);
  expect([refused.status, refused.body.code]).toEqual([402, "INSUFFICIENT_CREDITS"]);
  expect(refused.body.detail).toMatch(/Of your rating's credit line of 5000 NC you can use 0 NC: buy credits, or link/);
  const { errors } = await market.ok("POST", "/tasks/validate", order, worker);
  expect(errors).toContainEqual(
    expect.objectContaining({ field: "budget", message: expect.stringMatching(/; buy credits, or link/) }),
  );

  // One GitHub account, a day too young, then one that is old enough: the friends were nobody, so nothing counts yet.
  await link(worker, 1, 179);
  expect((await info(worker)).credit_line_limit).toMatch(/wait until your GitHub account is 180 days old/);
  await link(worker, 1, 181);
  expect(await info(worker)).toMatchObject({ credit_line: 0, credit_line_limit: expect.stringMatching(/10 times the 0 NC/) });
  await buy(worker, 60);
  expect(await info(worker)).toMatchObject({ credit_line: 600, credit_line_limit: expect.stringMatching(/10 times the 60 NC/) });
  await market.post(worker, { budget: 500 });
  expect((await market.balance(worker)).credits_balance).toBe(50 + 10 * 4 + 60 - 500);
}, 60_000);

test("work for who is verified counts, five times for each", async () => {
  const [worker, friend] = await silver();
  await link(worker, 10, 400);
  await link(friend as Party, 11, 400);
  await buy(friend as Party, 100);
  for (let n = 0; n < 6; n += 1) await work(friend as Party, worker);
  const line = await eventually(async () => {
    const { credits_balance, credit_line } = await market.balance(worker);
    return credits_balance === 50 + 16 * 4 ? credit_line : undefined;
  }, "all to be paid");
  expect(line).toBe(10 * 5 * 4);
}, 60_000);

test("one GitHub account opens the line of the oldest of the accounts that are linked to it", async () => {
  const [worker] = await silver();
  const older = await market.register();
  const [younger, other] = [await market.register(), worker];
  await link(younger, 20, 400);
  await link(other, 20, 400);
  const lack = async (party: Party) => (await info(party)).credit_line_limit;
  // The worker was registered first; the line that Silver gives it needs evidence now, and no GitHub account.
  expect(await lack(other)).toMatch(/10 times the 0 NC/);
  await link(older, 21, 400);
  await link(other, 21, 400);
  expect(await lack(other)).toMatch(/10 times the 0 NC/);
  await eventually(async () => {
    const [{ count } = { count: 0 }] = await market.database<{ count: number }[]>`
      select count(*)::int as count from accounts where id in (${older.id}, ${younger.id}) and (tally->'evidence'->>'elsewhere')::boolean`;
    return count === 2 ? true : undefined;
  }, "the younger ones to stand back");
}, 60_000);
