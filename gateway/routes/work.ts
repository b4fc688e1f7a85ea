import Type from "typebox";
import type { AccountRow } from "../../machines/account/row.ts";
import { mayWork } from "../../machines/eligibility.ts";
import { qualificationIn, tiersIn } from "../../machines/market/qualification.ts";
import { refuse } from "../../machines/refusal.ts";
import type { NotJudged } from "../../machines/task/protocol.ts";
import { type AccountId, BOUNDS, type Credits, credits, taskId } from "../../machines/vocabulary.ts";
import { checkOutcome, idempotent } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { invalid, type Problem, problemOf, wrongCursor } from "../http/problems.ts";
import { tooLarge } from "../http/size.ts";
import type { Bidder } from "../ports/read-model.ts";
import { IdParams, PageQuery } from "../schemas/common.ts";
import { Task } from "../schemas/task.ts";
import { Bid, BidPlaced, Started, Submission, SubmissionVerdict } from "../schemas/work.ts";
import type { Services } from "../services.ts";
import { mayBid, showTask } from "../show/task.ts";
import { showBid, showSubmission } from "../show/work.ts";
import { checkTaskType } from "../task-spec/task-type.ts";
import { TASK_UNKNOWN } from "./find.ts";

/** The row of an account that has a key. */
async function accountRow({ reads }: Services, account: AccountId): Promise<AccountRow> {
  const row = await reads.account(account);
  if (row === undefined) throw new Error("an account with a key has a row");
  return row;
}

const available = keyed(
  {
    id: "listAvailableTasks",
    tag: "Work",
    method: "get",
    path: "/api/v1/tasks/available",
    acts: true,
    summary: "Open tasks that you can take",
    description:
      "Without `sort`, the best paid first, and among them on the first page some of the newest, whatever they pay. A page can be short, or even empty, and still have a next one: each looks at a bounded number of tasks. Follow the Link to see every task once. Asking also shows that you are online for the types that you ask for, so that bidding on a task can end early.",
    query: Type.Object({
      task_type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "If omitted, all types" })),
      mine: Type.Optional(
        Type.Boolean({ default: false, description: "Only the types that you have registered a capability for" }),
      ),
      min_budget: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: BOUNDS.budgetMax,
          description: "Only tasks with a budget of at least this (NC)",
        }),
      ),
      sort: Type.Optional(Type.Enum(["age", "budget"], { description: "The oldest first, or the best paid first" })),
      ...PageQuery,
      cursor: Type.Optional(Type.String({ maxLength: 200, description: "As in the Link header of the previous page" })),
    }),
    answers: {
      200: { about: "The tasks; if there are more, the header Link has the next page (rel=next)", schema: Type.Array(Task) },
    },
  },
  async function listAvailableTasks({ account, query, services }) {
    const { settings, presence, reads } = services;
    const { task_type, mine = false, min_budget = null, sort = null, limit = 50, cursor = null } = query;
    checkTaskType(settings, task_type);
    const row = await accountRow(services, account);
    if (!mayWork(row.status)) return { status: 200, body: [] };
    const asked = task_type === undefined ? settings.taskTypes : [task_type];
    const registered = mine ? (await reads.capabilities(account)).map(({ taskType }) => taskType) : asked;
    const taskTypes = asked.filter((type) => registered.includes(type));
    presence.polled(row, taskTypes);
    const page = await reads.open({
      worker: account,
      marks: row.marks,
      taskTypes,
      tiers: tiersIn(row),
      minBudget: min_budget,
      sort,
      limit,
      cursor,
    });
    if (page === undefined) throw wrongCursor();
    return {
      status: 200,
      body: page.items.filter((task) => mayBid(task, row)).map((task) => showTask(task, account)),
      // RFC 8288.
      ...(page.next === null
        ? {}
        : {
            headers: {
              Link: `<${nextOf({ task_type, mine: query.mine, min_budget, sort, limit, cursor: page.next })}>; rel="next"`,
            },
          }),
    };
  },
);

/** The address of the next page: what was asked for, from a cursor on. */
function nextOf(query: { readonly [name: string]: string | number | boolean | null | undefined }): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value != null) given.set(name, String(value));
  return `/api/v1/tasks/available?${given}`;
}

const bid = keyed(
  {
    id: "placeBid",
    suspended: "checked",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/bid",
    verb: { name: "work.bid", params: { id: "task" } },
    summary: "Bid on a task",
    params: IdParams,
    body: Bid,
    idempotent: true,
    answers: { 200: { about: "Your bid", schema: BidPlaced } },
  },
  async function placeBid({ account, params, body, sent, idempotencyKey, services }) {
    const id = params.id.toLowerCase();
    const bidder = await services.reads.bidder(account, id);
    if (bidder === undefined) throw problemOf(TASK_UNKNOWN);
    const { taskType } = bidder;
    const keyed = idempotent(services, account, `bid ${id}`, idempotencyKey, sent);
    const command = {
      type: "bid",
      bid: keyed.outcome,
      worker: account,
      credits: body.bid_credits === undefined ? await postedPrice(services, account, taskType) : credits(body.bid_credits),
      standing: qualificationIn(taskType, bidder.account.status, bidder.account),
      online: await othersOnline(services, id, bidder),
      ...(keyed.options.commandId === undefined ? {} : { request: keyed.options.commandId }),
    } as const;
    const answer = await services.router.ask({ kind: "task", id }, command, keyed.options);
    if (!answer.ok) throw problemOf(answer.refusal);
    checkOutcome(answer.value.bid, keyed);
    return { status: 200, body: showBid(answer.value) };
  },
);

/** Who else is online and has not answered the task yet; null if they are too many to wait for, or it is not known. */
async function othersOnline({ queues, clock }: Services, id: string, { account, taskType }: Bidder) {
  const question = { task: taskId(id), worker: account.id, budget: 0, minSkill: 0, at: clock.now() };
  return (await queues.look(taskType, question))?.unanswered ?? null;
}

/** The price of a bid without one: the worker's posted price for the type; if there is none, null, which means the budget. */
async function postedPrice({ reads }: Services, worker: AccountId, taskType: string): Promise<Credits | null> {
  const row = (await reads.capabilities(worker)).find((capability) => capability.taskType === taskType);
  return row === undefined || row.price === null ? null : credits(row.price);
}

const start = keyed(
  {
    id: "startTask",
    suspended: "allowed",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/start",
    verb: { name: "work.start", params: { id: "task" } },
    summary: "Report that you have started",
    description: "Optional: the first submission implies it. Your time runs from the award either way.",
    params: IdParams,
    idempotent: true,
    answers: { 200: { about: "The task is EXECUTING", schema: Started } },
  },
  async function startTask({ account, params, idempotencyKey, arrived, services }) {
    const id = params.id.toLowerCase();
    const { options } = idempotent(services, account, `start ${id}`, idempotencyKey, {});
    const command = { type: "start", worker: account } as const;
    const answer = await services.router.ask({ kind: "task", id }, command, { ...options, arrived });
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 200, body: answer.value };
  },
);

const submit = keyed(
  {
    id: "submitResult",
    suspended: "allowed",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/submit",
    verb: { name: "work.submit", params: { id: "task" } },
    summary: "Submit a result",
    description: "It is validated at once. A wrong result may be corrected twice, then the task goes to other workers.",
    params: IdParams,
    body: Submission,
    idempotent: true,
    answers: { 200: { about: "The verdict", schema: SubmissionVerdict } },
  },
  async function submitResult({ account, params, body, sent, idempotencyKey, arrived, services }) {
    const id = params.id.toLowerCase();
    const large = tooLarge("result_data", body.result_data, BOUNDS.resultBytes);
    if (large.length > 0) throw invalid(large);
    const keyed = idempotent(services, account, `submit ${id}`, idempotencyKey, sent);
    const command = { type: "submit", submission: keyed.outcome, worker: account, result: body.result_data } as const;
    const answer = await services.router.ask({ kind: "task", id }, command, { ...keyed.options, arrived });
    if (!answer.ok) throw problemOf(answer.refusal);
    checkOutcome(answer.value.submission, keyed);
    if ("unjudged" in answer.value) throw unjudged(answer.value);
    if (answer.value.status === "COMPLETED") services.honeypots.accepted(taskId(id), account);
    return { status: 200, body: showSubmission(answer.value) };
  },
);

/** Judging was killed at its deadline; the second time that has ended the task. */
function unjudged({ ends, unjudged: why }: NotJudged): Problem {
  const ended = "The task has ended, because checking its results takes too long; that costs you nothing.";
  return problemOf(refuse("VALIDATION_TOO_EXPENSIVE", ends ? ended : why));
}

export const workRoutes = [available, bid, start, submit];
