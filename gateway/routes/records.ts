import Type from "typebox";
import { keyed } from "../operation.ts";
import { LedgerEntries } from "../schemas/account.ts";
import { IdParams } from "../schemas/common.ts";
import { HistoryEvent } from "../schemas/task.ts";
import { showHistory } from "../show/history.ts";
import { time } from "../show/task.ts";
import { findOwnTask } from "./find.ts";

const history = keyed(
  {
    id: "taskEvents",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks/{id}/events",
    summary: "A task's history",
    params: IdParams,
    answers: { 200: { about: "What happened, when, by whom", schema: Type.Object({ items: Type.Array(HistoryEvent) }) } },
  },
  async ({ account, params, services }) => {
    const { view, order } = await findOwnTask(services, params.id, account);
    const viewer = { account, requester: view.requester, preference: order.quality };
    const items = showHistory(await services.reads.history(view.id), viewer);
    return { status: 200, body: { items } };
  },
);

const ledger = keyed(
  {
    id: "taskLedger",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks/{id}/ledger",
    summary: "A task's entries in the ledger",
    description: "The transfers that you take part in, whole: each sums to 0. The fee is told to both parties.",
    params: IdParams,
    answers: { 200: { about: "The entries", schema: LedgerEntries } },
  },
  async ({ account, params, services }) => {
    const { view } = await findOwnTask(services, params.id, account);
    const rows = await services.reads.ledger(view.id);
    const mine = new Set(rows.filter(({ owner }) => owner === account).map(({ transfer }) => transfer));
    const items = rows
      .filter(({ transfer }) => mine.has(transfer))
      .map(({ transfer, reason, account: name, owner, amount, at }) => ({
        transfer,
        reason,
        account: name,
        owner,
        amount,
        at: time(at),
      }));
    const fee = rows.filter(({ account: name }) => name === "fees").reduce((sum, { amount }) => sum + amount, 0);
    return { status: 200, body: { items, fee } };
  },
);

export const taskRecordRoutes = [history, ledger];
