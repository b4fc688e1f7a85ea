/** What workers do with their bids besides placing them: list them, take one back, and say that there will be none. */
import Type from "typebox";
import { qualificationIn } from "../../machines/market/qualification.ts";
import { BID_OUTCOMES } from "../../machines/task/bid-rows.ts";
import { idempotent } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { problemOf, wrongCursor } from "../http/problems.ts";
import { IdParams, NextCursor, PageQuery } from "../schemas/common.ts";
import { BidWithdrawn, OwnBid, Passed } from "../schemas/work.ts";
import { showOwnBid } from "../show/work.ts";
import { TASK_UNKNOWN } from "./find.ts";

const list = keyed(
  {
    id: "listBids",
    tag: "Work",
    method: "get",
    path: "/api/v1/bids",
    summary: "Your bids and what became of them, newest first",
    description:
      "At your posted price as well, once it competes with others for a task. Where somebody else wins at once, your price was compared and is no bid.",
    query: Type.Object({ status: Type.Optional(Type.Enum([...BID_OUTCOMES])), ...PageQuery }),
    answers: { 200: { about: "A page of bids", schema: Type.Object({ items: Type.Array(OwnBid), next_cursor: NextCursor }) } },
  },
  async function listBids({ account, query, services }) {
    const { status = null, limit = 50, cursor = null } = query;
    const page = await services.reads.bids({ worker: account, status, limit, cursor });
    if (page === undefined) throw wrongCursor();
    const won = page.items.filter((bid) => bid.status === "WON");
    const awards = await services.reads.awards(account, won);
    return { status: 200, body: { items: page.items.map((bid) => showOwnBid(bid, awards.get(bid.id))), next_cursor: page.next } };
  },
);

const withdraw = keyed(
  {
    id: "withdrawBid",
    suspended: "allowed",
    tag: "Work",
    method: "delete",
    path: "/api/v1/tasks/{id}/bid",
    summary: "Take a bid back before the award",
    description: "Once in a round: you may bid again, and that bid stays.",
    params: IdParams,
    answers: { 200: { about: "The bid is withdrawn", schema: BidWithdrawn } },
  },
  async function withdrawBid({ account, params, services }) {
    const id = params.id.toLowerCase();
    const answer = await services.router.ask({ kind: "task", id }, { type: "withdrawBid", worker: account });
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 200, body: { bid_id: answer.value.bid, status: answer.value.status } };
  },
);

const pass = keyed(
  {
    id: "passTask",
    suspended: "checked",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/pass",
    summary: "Say that you will not bid on a task",
    description:
      "Then nobody waits for you, and it is not offered to you until it reopens. For who could bid. You may still change your mind and bid; that bid stays.",
    params: IdParams,
    idempotent: true,
    answers: { 200: { about: "You have passed", schema: Passed } },
  },
  async function passTask({ account, params, idempotencyKey, services }) {
    const id = params.id.toLowerCase();
    const bidder = await services.reads.bidder(account, id);
    if (bidder === undefined) throw problemOf(TASK_UNKNOWN);
    const { options } = idempotent(services, account, `pass ${id}`, idempotencyKey, {});
    const standing = qualificationIn(bidder.taskType, bidder.account.status, bidder.account);
    const answer = await services.router.ask({ kind: "task", id }, { type: "pass", worker: account, standing }, options);
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 200, body: answer.value };
  },
);

export const bidRoutes = [list, withdraw, pass];
