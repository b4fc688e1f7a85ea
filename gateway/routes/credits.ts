import Type from "typebox";
import { type AccountRow, creditOf, shownCounterparties } from "../../machines/account/row.ts";
import { type CreditRecord, nextRating, type Rating, successPercent, suspensionAt } from "../../machines/market/rating.ts";
import { credits } from "../../machines/vocabulary.ts";
import { checkOutcome, idempotent } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { Problem, problemOf, wrongCursor } from "../http/problems.ts";
import { Balance, CreditInfo, Repaid, Repay, Statement, ToppedUp, TopUp } from "../schemas/account.ts";
import { PageQuery } from "../schemas/common.ts";
import { limitSentence } from "../show/credit-line.ts";
import { time, timeOrNull } from "../show/task.ts";

function simulationOff(instead: string): Problem {
  return new Problem(403, "TOPUP_DISABLED", `Simulated payments are off on this platform. ${instead}`);
}

const balance = keyed(
  {
    id: "getBalance",
    tag: "Credits",
    method: "get",
    path: "/api/v1/credits/balance",
    summary: "Balance and purchasing power",
    answers: { 200: { about: "The balances", schema: Balance } },
  },
  async function getBalance({ account, services }) {
    const row = await services.reads.account(account);
    if (row === undefined) throw new Error("an account with a key has a row");
    const { usable } = creditOf(row, services.settings.credit, services.clock.now());
    return {
      status: 200,
      body: {
        credits_balance: row.available,
        credits_frozen: row.held,
        purchasing_power: Math.max(0, row.available + usable.line),
        debt: debtOf(row),
        credit_line: usable.line,
        credit_line_limit: usable.limit === null ? null : limitSentence(usable.limit),
      },
    };
  },
);

const topup = keyed(
  {
    id: "topUpCredits",
    suspended: "allowed",
    tag: "Credits",
    method: "post",
    path: "/api/v1/credits/topup",
    summary: "Add credits (simulated)",
    description: "For development; off in production.",
    body: TopUp,
    idempotent: true,
    answers: { 200: { about: "The balance afterwards", schema: ToppedUp } },
  },
  async function topUpCredits({ account, body, sent, idempotencyKey, services }) {
    if (!services.settings.allowSimulatedTopup) throw simulationOff("Ask its operator how to buy credits.");
    const keyed = idempotent(services, account, "topup", idempotencyKey, sent);
    const command = { type: "topUp", topup: keyed.outcome, amount: credits(body.amount_credits) } as const;
    const answer = await services.router.ask({ kind: "account", id: account }, command, keyed.options);
    if (!answer.ok) throw problemOf(answer.refusal);
    checkOutcome(answer.value.topup, keyed);
    return { status: 200, body: { credits_balance: answer.value.available } };
  },
);

const creditInfo = keyed(
  {
    id: "getCreditInfo",
    tag: "Credits",
    method: "get",
    path: "/api/v1/credits/credit-info",
    summary: "Credit rating, credit line and debt",
    description: "Debt is how far the balance is below 0. Top-ups, purchases and earnings repay it as they come in.",
    answers: { 200: { about: "Your rating, and what the next one requires", schema: CreditInfo } },
  },
  async function getCreditInfo({ account, services }) {
    const row = await services.reads.account(account);
    if (row === undefined) throw new Error("an account with a key has a row");
    const { record, rating, usable } = creditOf(row, services.settings.credit, services.clock.now());
    return {
      status: 200,
      body: {
        rating: rating.name,
        stars: rating.stars,
        credit_line: usable.line,
        rating_credit_line: rating.line,
        credit_line_limit: usable.limit === null ? null : limitSentence(usable.limit),
        debt: debtOf(row),
        debt_since: timeOrNull(row.debtSince),
        suspension_at: row.debtSince === null ? null : time(suspensionAt(row.debtSince)),
        is_suspended: row.status === "SUSPENDED",
        github_login: row.github?.login ?? null,
        github_score: row.github?.score ?? null,
        success_percent: Math.round(10 * successPercent(record)) / 10,
        next: whatIsNext(record, rating, shownCounterparties(row)),
      },
    };
  },
);

/** The debt (NC). */
function debtOf({ available }: AccountRow): number {
  return Math.max(0, -available);
}

/** `shown`: the counterparties that the account is shown, which may be more than those that count. */
function whatIsNext(record: CreditRecord, rating: Rating, shown: number) {
  const next = nextRating(rating);
  if (next === undefined) return null;
  const { tasks, counterparties, honeypots, success } = next.requires;
  const percent = successPercent(record);
  const all = [
    { what: "tasks", have: record.settled, need: tasks, met: record.settled >= tasks },
    {
      ...{ what: "counterparties", have: Math.min(shown, counterparties - 1), need: counterparties },
      met: record.counterparties >= counterparties,
    },
    { what: "honeypots", have: record.honeypots, need: honeypots, met: record.honeypots >= honeypots },
    { what: "success_percent", have: Math.round(10 * percent) / 10, need: success, met: success === 0 || percent > success },
  ];
  const requires = all.filter(({ met }) => !met).map(({ what, have, need }) => ({ what, have, need }));
  return { rating: next.name, credit_line: next.line, requires };
}

const repay = keyed(
  {
    id: "repayDebt",
    suspended: "allowed",
    tag: "Credits",
    method: "post",
    path: "/api/v1/credits/repay",
    summary: "Repay debt",
    description: "Simulated, like POST /credits/topup; if that is off, buy credits: a purchase repays debt first.",
    body: Repay,
    idempotent: true,
    answers: { 200: { about: "The balance and the remaining debt", schema: Repaid } },
  },
  async function repayDebt({ account, body, sent, idempotencyKey, services }) {
    if (!services.settings.allowSimulatedTopup) throw simulationOff("Buy credits instead; a purchase repays debt first.");
    const keyed = idempotent(services, account, "repay", idempotencyKey, sent);
    const command = { type: "repay", repayment: keyed.outcome, amount: credits(body.amount_credits) } as const;
    const answer = await services.router.ask({ kind: "account", id: account }, command, keyed.options);
    if (!answer.ok) throw problemOf(answer.refusal);
    const { repayment, available, debt } = answer.value;
    checkOutcome(repayment, keyed);
    return { status: 200, body: { credits_balance: available, debt } };
  },
);

const transactions = keyed(
  {
    id: "listTransactions",
    tag: "Credits",
    method: "get",
    path: "/api/v1/credits/transactions",
    summary: "Statement, newest first",
    query: Type.Object(PageQuery),
    answers: { 200: { about: "A page of the statement", schema: Statement } },
  },
  async function listTransactions({ account, query, services }) {
    const page = await services.reads.statement(account, query.limit ?? 50, query.cursor ?? null);
    if (page === undefined) throw wrongCursor();
    const items = page.items.map(({ transfer, reason, task, available, held, at }) => ({
      id: transfer,
      reason,
      task_id: task,
      available,
      held,
      at: time(at),
    }));
    return { status: 200, body: { items, next_cursor: page.next } };
  },
);

export const creditRoutes = [balance, creditInfo, topup, repay, transactions];
