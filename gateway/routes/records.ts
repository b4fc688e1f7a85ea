import Type from "typebox";
import { cursorAt, offsetOf } from "../http/offset.ts";
import { keyed } from "../http/operation.ts";
import { wrongCursor } from "../http/problems.ts";
import { LedgerEntries } from "../schemas/account.ts";
import { IdParams, NextCursor, RECORDS, RecordQuery } from "../schemas/common.ts";
import { HistoryEvent } from "../schemas/task.ts";
import { showHistory } from "../show/history.ts";
import { isParty, time } from "../show/task.ts";
import { findKnownTask, findOwnTask } from "./find.ts";

const history = keyed(
  {
    id: "listTaskEvents",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks/{id}/events",
    summary: "A task's history",
    description:
      "Its requester sees all of it, its worker what concerns the work. Who has bid on it, or had it and failed, sees its own part: its bids, its awards, the errors of its results, and what that cost.",
    params: IdParams,
    query: RecordQuery,
    answers: {
      200: {
        about: "What happened, when and by whom, in order",
        schema: Type.Object({ items: Type.Array(HistoryEvent), next_cursor: NextCursor }),
      },
    },
  },
  async function listTaskEvents({ account, params, query, services }) {
    const task = await findKnownTask(services, params.id, account);
    const { row, order } = task;
    const party = isParty(task, account);
    const viewer = { account, requester: row.requester, party, preference: order.quality, budget: order.budget };
    const page = await services.reads.history(row.id, query.limit ?? RECORDS, query.cursor ?? null);
    if (page === undefined) throw wrongCursor();
    return { status: 200, body: { items: showHistory(page, viewer), next_cursor: page.next } };
  },
);

const ledger = keyed(
  {
    id: "getTaskLedger",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks/{id}/ledger",
    summary: "A task's ledger entries",
    description: "The transfers that you take part in, with all their entries: each sums to 0. Both parties see the fee.",
    params: IdParams,
    query: RecordQuery,
    answers: { 200: { about: "The entries", schema: LedgerEntries } },
  },
  async function getTaskLedger({ account, params, query, services }) {
    const { row } = await findOwnTask(services, params.id, account);
    const from = offsetOf(query.cursor);
    // A task has a dozen entries at most: its hold, how that ended, and the payout.
    const rows = await services.reads.ledger(row.id);
    const mine = new Set(rows.filter(({ owner }) => owner === account).map(({ transfer }) => transfer));
    const legs = rows.filter(({ transfer }) => mine.has(transfer));
    const to = from + (query.limit ?? RECORDS);
    const items = legs.slice(from, to).map(({ transfer, reason, account: name, owner, amount, at }) => ({
      transfer,
      reason,
      account: name,
      owner,
      amount,
      at: time(at),
    }));
    const fee = rows.filter(({ account: name }) => name === "fees").reduce((sum, { amount }) => sum + amount, 0);
    return { status: 200, body: { items, fee, next_cursor: cursorAt(to < legs.length ? to : null) } };
  },
);

export const taskRecordRoutes = [history, ledger];
