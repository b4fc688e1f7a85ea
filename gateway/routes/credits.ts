import Type from "typebox";
import { credits } from "../../machines/vocabulary.ts";
import { keyed } from "../operation.ts";
import { invalid, Problem, problemOf } from "../problems.ts";
import { repeatable, sameOutcome } from "../repeat.ts";
import { Balance, Statement, ToppedUp, TopUp } from "../schemas/account.ts";
import { PageQuery } from "../schemas/common.ts";
import { time } from "../show/task.ts";

const balance = keyed(
  {
    id: "balance",
    tag: "Credits",
    method: "get",
    path: "/api/v1/credits/balance",
    summary: "Balance and purchasing power",
    answers: { 200: { about: "The balances", schema: Balance } },
  },
  async ({ account, services }) => {
    const row = await services.reads.account(account);
    if (row === undefined) throw new Error("an account with a key has a row");
    const debt = Math.max(0, -row.available);
    return {
      status: 200,
      body: {
        credits_balance: row.available,
        credits_frozen: row.held,
        purchasing_power: Math.max(0, row.available),
        debt,
        credit_line: 0,
      },
    };
  },
);

const topup = keyed(
  {
    id: "topup",
    tag: "Credits",
    method: "post",
    path: "/api/v1/credits/topup",
    summary: "Add credits (simulated)",
    description: "For trying out; off in production.",
    body: TopUp,
    idempotent: true,
    answers: { 200: { about: "The balance after it", schema: ToppedUp } },
  },
  async ({ account, body, idempotencyKey, services }) => {
    if (!services.settings.allowSimulatedTopup) {
      throw new Problem(
        403,
        "TOPUP_DISABLED",
        "Simulated top-ups are off on this platform; ask its operator how to buy credits.",
      );
    }
    const repeat = repeatable(services, account, "topup", idempotencyKey, body);
    const command = { type: "topUp", topup: repeat.outcome, amount: credits(body.amount_credits) };
    const answer = await services.router.ask({ kind: "account", id: account }, command, repeat.options);
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 200, body: { credits_balance: sameOutcome(answer.value, "topup", repeat)["credits_balance"] } };
  },
);

const transactions = keyed(
  {
    id: "transactions",
    tag: "Credits",
    method: "get",
    path: "/api/v1/credits/transactions",
    summary: "Statement, newest first",
    query: Type.Object(PageQuery),
    answers: { 200: { about: "A page of it", schema: Statement } },
  },
  async ({ account, query, services }) => {
    const page = await services.reads.statement(account, query.limit ?? 50, query.cursor ?? null);
    if (page === undefined)
      throw invalid([{ field: "cursor", message: "is none that this platform gave; leave it out to begin anew" }]);
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

export const creditRoutes = [balance, topup, transactions];
