/** Operators' actions, behind their token; each action is logged before it is carried out. */
import Type from "typebox";
import type { AccountRow } from "../../machines/account/row.ts";
import type { Address, EntityKind } from "../../machines/address.ts";
import type { CarriedCommand, CommandOf, CommandType } from "../../machines/protocols.ts";
import { refuse } from "../../machines/refusal.ts";
import { accountId, credits } from "../../machines/vocabulary.ts";
import { checkOutcome, idempotent } from "../http/idempotency.ts";
import { operated } from "../http/operation.ts";
import { invalid, Problem, problemOf } from "../http/problems.ts";
import { AccountQuery, Action, ActionPage, Adjust, AdminAccount, AdminTask, Reason } from "../schemas/admin.ts";
import { IdParams, PageQuery } from "../schemas/common.ts";
import type { Services } from "../services.ts";
import { showHistory } from "../show/history.ts";
import { showTask, time, timeOrNull } from "../show/task.ts";
import { TASK_UNKNOWN } from "./find.ts";
import { logged } from "./operators-log.ts";

/** More events than a task has; large ones end the page early. */
const HISTORY_MAX = 2_000;
const ACCOUNT_UNKNOWN = refuse("ACCOUNT_UNKNOWN", "There is no account with this id or email.");

function show(row: AccountRow) {
  return {
    id: row.id,
    email: row.email,
    status: row.status,
    credits_balance: row.available,
    credits_frozen: row.held,
    reputation: row.reputation,
    debt_since: timeOrNull(row.debtSince),
    cooldown_until: timeOrNull(row.cooldownUntil),
    github_login: row.github?.login ?? null,
    created_at: time(row.createdAt),
  };
}

async function find({ reads }: Services, id: string): Promise<AccountRow> {
  const row = await reads.account(accountId(id.toLowerCase()));
  if (row === undefined) throw problemOf(ACCOUNT_UNKNOWN);
  return row;
}

/** Logs an action, has an actor carry it out, and logs the outcome; gives the reply. Throws the Problem of a refusal. */
async function act<K extends EntityKind, T extends CommandType<K>>(
  services: Services,
  to: Address<K>,
  command: { readonly type: T } & CommandOf<K, T> & CarriedCommand,
  detail: object,
  commandId?: string,
) {
  return logged(services, { action: `${to.kind}.${command.type}`, target: to.id, detail }, async () => {
    const answer = await services.router.ask(to, command, commandId === undefined ? {} : { commandId, again: true });
    if (!answer.ok) throw problemOf(answer.refusal);
    return answer.value;
  });
}

const accounts = operated(
  {
    id: "adminFindAccount",
    tag: "Operators",
    method: "get",
    path: "/api/v1/admin/accounts",
    summary: "Find an account by id or email",
    query: AccountQuery,
    answers: { 200: { about: "The account", schema: AdminAccount } },
  },
  async function adminFindAccount({ query, services }) {
    if ((query.id === undefined) === (query.email === undefined)) {
      throw invalid([{ field: "id", message: "give either this or email" }]);
    }
    const id = query.id ?? services.secrets.accountId(query.email ?? "");
    return { status: 200, body: show(await find(services, id)) };
  },
);

function accountAction(id: string, name: "freeze" | "unfreeze", path: string, summary: string) {
  return operated(
    {
      id,
      tag: "Operators",
      method: "post",
      path: `/api/v1/admin/accounts/{id}/${path}`,
      summary,
      params: IdParams,
      body: Reason,
      answers: { 200: { about: "The account afterwards", schema: AdminAccount } },
    },
    async function freezeOrRelease({ params, body, services }) {
      const { id } = await find(services, params.id);
      await act(services, { kind: "account", id }, { type: name, ...body }, body);
      services.signals.send({ type: "account", account: id });
      return { status: 200, body: show(await find(services, id)) };
    },
  );
}

const adjust = operated(
  {
    id: "adminAdjustAccount",
    tag: "Operators",
    method: "post",
    path: "/api/v1/admin/accounts/{id}/adjust",
    summary: "Give or take credits, with a reason",
    description: "Creates a new transfer; nothing is ever changed or deleted. Taking credits may leave the account in debt.",
    params: IdParams,
    body: Adjust,
    idempotent: true,
    answers: { 200: { about: "The account afterwards", schema: AdminAccount } },
  },
  async function adminAdjustAccount({ params, body, sent, idempotencyKey, services }) {
    const { id } = await find(services, params.id);
    if (body.amount_credits === 0) throw invalid([{ field: "amount_credits", message: "must not be 0" }]);
    const keyed = idempotent(services, id, "adjust", idempotencyKey, sent);
    const command = {
      type: "adjust",
      adjustment: keyed.outcome,
      amount: credits(body.amount_credits),
      reason: body.reason,
    } as const;
    const reply = await act(services, { kind: "account", id }, command, body, keyed.options.commandId);
    checkOutcome(reply.adjustment, keyed);
    return { status: 200, body: show(await find(services, id)) };
  },
);

const inspect = operated(
  {
    id: "adminInspectTask",
    tag: "Operators",
    method: "get",
    path: "/api/v1/admin/tasks/{id}",
    summary: "A task with its history and ledger entries",
    params: IdParams,
    answers: { 200: { about: "The task", schema: AdminTask } },
  },
  async function adminInspectTask({ params, services }) {
    const { reads } = services;
    const task = await reads.task(params.id.toLowerCase());
    if (task === undefined) throw problemOf(TASK_UNKNOWN);
    const { id, requester } = task.row;
    const { quality: preference, budget } = task.order;
    const viewer = { account: requester, requester, party: true, preference, budget, operator: true };
    const [history, ledger] = await Promise.all([reads.history(id, HISTORY_MAX, null), reads.ledger(id)]);
    if (history === undefined) throw new Error("a history without a cursor begins at its beginning");
    const entries = ledger.map(({ transfer, reason, account, owner, amount, at }) => ({
      transfer,
      reason,
      account,
      owner,
      amount,
      at: time(at),
    }));
    return { status: 200, body: { task: showTask(task, requester), events: showHistory(history, viewer), ledger: entries } };
  },
);

function taskAction(id: string, path: string, command: "expire" | "webhook.resend", summary: string) {
  return operated(
    {
      id,
      tag: "Operators",
      method: "post",
      path: `/api/v1/admin/tasks/{id}/${path}`,
      summary,
      params: IdParams,
      body: Reason,
      answers: { 200: { about: "Done", schema: Action } },
    },
    async function expireOrResend({ params, body, services }) {
      const task = await services.reads.task(params.id.toLowerCase());
      if (task === undefined) throw problemOf(TASK_UNKNOWN);
      const { id, requester } = task.row;
      const to = { kind: "task", id } as const;
      if (command === "expire") await act(services, to, { type: command, ...body }, body);
      else await act(services, to, { type: command, requester }, body);
      return { status: 200, body: { id, status: "DONE" } };
    },
  );
}

const log = operated(
  {
    id: "adminListActions",
    tag: "Operators",
    method: "get",
    path: "/api/v1/admin/log",
    summary: "Log of operators' actions, newest first",
    query: Type.Object(PageQuery),
    answers: { 200: { about: "A page of actions", schema: ActionPage } },
  },
  async function adminListActions({ query, services }) {
    const page = await services.operators.list(query.limit ?? 50, query.cursor ?? null);
    if (page === undefined) throw new Problem(422, "VALIDATION_ERROR", "cursor: invalid; omit it to start at the first page");
    const items = page.items.map(({ at, ...action }) => ({ ...action, at: time(at) }));
    return { status: 200, body: { items, next_cursor: page.next } };
  },
);

export const adminRoutes = [
  accounts,
  accountAction("adminFreezeAccount", "freeze", "freeze", "Freeze an account: it can only read and be paid"),
  accountAction("adminReleaseAccount", "unfreeze", "release", "Release a frozen account"),
  adjust,
  inspect,
  taskAction("adminExpireTask", "expire", "expire", "End a task and release its budget"),
  taskAction("adminResendWebhook", "resend", "webhook.resend", "Send a task's webhook again"),
  log,
];
