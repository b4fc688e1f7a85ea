import Type from "typebox";
import { refuse } from "../../machines/refusal.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { TASK_STATUSES, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { exampleOf } from "../docs/example.ts";
import { idempotent, mismatch } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { Problem, problemOf, wrongCursor } from "../http/problems.ts";
import { IdParams, NextCursor, PageQuery, Uuid } from "../schemas/common.ts";
import { CreateTask, Task, Validation } from "../schemas/task.ts";
import type { Services } from "../services.ts";
import { isParty, showCreated, showTask } from "../show/task.ts";
import { dryRun } from "../task-spec/dry-run.ts";
import { checkDemands, isSameSpec, toTaskSpec } from "../task-spec/task-spec.ts";
import { findOwnTask, findTask } from "./find.ts";

const create = keyed(
  {
    id: "createTask",
    suspended: "checked",
    tag: "Tasks",
    method: "post",
    path: "/api/v1/tasks",
    verb: { name: "tasks.create" },
    summary: "Post a task",
    description:
      "The budget is held until the task ends. You pay the winning bid plus a fee of 5%, and never more than the budget.",
    body: CreateTask,
    idempotent: true,
    makesTask: true,
    answers: { 201: { about: "The task, open for bids", schema: Task } },
  },
  async function createTask({ account, body, idempotencyKey, services }) {
    const order = toTaskSpec(body, services.settings);
    const { refusal, errors } = await checkDemands(order, account, services);
    if (refusal !== null) throw new Problem(422, refusal.refused, refusal.detail, { errors });
    const { ids, secrets, router } = services;
    const id = idempotencyKey === null ? taskId(ids.next()) : secrets.taskId(account, idempotencyKey);
    const fresh = idempotencyKey === null;
    const options = fresh ? {} : { commandId: id, again: true };
    const answer = await router.ask({ kind: "account", id: account }, { type: "hold", task: id, order, fresh }, options);
    if (!answer.ok) throw problemOf(answer.refusal);
    const first = fresh ? order : await firstOrder(services, id, order);
    return { status: 201, body: showCreated(id, account, first, answer.value) };
  },
);

/** The spec that this key was first used with; throws a Problem (422) if it was a different one. */
async function firstOrder({ reads }: Services, id: TaskId, order: TaskSpec): Promise<TaskSpec> {
  const task = await reads.task(id);
  if (task !== undefined && !isSameSpec(task.order, order)) throw mismatch();
  return task?.order ?? order;
}

const validate = keyed(
  {
    id: "validateTask",
    suspended: "checked",
    tag: "Tasks",
    method: "post",
    path: "/api/v1/tasks/validate",
    summary: "Try a task without posting it",
    body: Type.Object({}, { description: "As POST /api/v1/tasks", examples: [exampleOf(CreateTask)] }),
    fields: CreateTask,
    answers: { 200: { about: "Why it would be refused, and the state of the market", schema: Validation } },
  },
  async function validateTask({ account, body, services }) {
    return { status: 200, body: await dryRun(services, account, body) };
  },
);

const list = keyed(
  {
    id: "listTasks",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks",
    summary: "Your tasks, newest first",
    query: Type.Object({
      role: Type.Optional(Type.Enum(["requester", "worker"], { description: "If omitted, both" })),
      status: Type.Optional(Type.Enum([...TASK_STATUSES])),
      ...PageQuery,
    }),
    answers: { 200: { about: "A page of tasks", schema: Type.Object({ items: Type.Array(Task), next_cursor: NextCursor }) } },
  },
  async function listTasks({ account, query, services }) {
    const { role = null, status = null, limit = 50, cursor = null } = query;
    const page = await services.reads.tasks({ account, role, status, limit, cursor });
    if (page === undefined) throw wrongCursor();
    return { status: 200, body: { items: page.items.map((task) => showTask(task, account)), next_cursor: page.next } };
  },
);

const get = keyed(
  {
    id: "getTask",
    tag: "Tasks",
    method: "get",
    path: "/api/v1/tasks/{id}",
    verb: { name: "tasks.get", params: { id: "task" } },
    summary: "A task and its result",
    params: IdParams,
    answers: { 200: { about: "The task", schema: Task } },
  },
  async function getTask({ account, params, services }) {
    const task = await findTask(services, params.id, account);
    const shown = showTask(task, account);
    if (isParty(task, account)) return { status: 200, body: shown };
    // Who had it and failed may know why.
    const award = await services.reads.lastAward(account, task.row.id);
    return { status: 200, body: { ...shown, error_code: award?.errorCode ?? null } };
  },
);

const cancel = keyed(
  {
    id: "cancelTask",
    suspended: "allowed",
    tag: "Tasks",
    method: "delete",
    path: "/api/v1/tasks/{id}",
    verb: { name: "tasks.cancel", params: { id: "task" } },
    summary: "Cancel a task before its award",
    params: IdParams,
    answers: { 200: { about: "The task, CANCELLED; its budget is released to you", schema: Task } },
  },
  async function cancelTask({ account, params, services }) {
    const { row } = await findTask(services, params.id, account);
    const answer = await services.router.ask({ kind: "task", id: row.id }, { type: "cancel", requester: account });
    // Cancelling a cancelled task changes nothing, which is what the caller wants.
    if (!answer.ok && row.status !== "CANCELLED") throw problemOf(answer.refusal);
    if (!answer.ok && row.requester !== account)
      throw problemOf(refuse("NOT_YOUR_TASK", "Only the requester of a task can cancel it."));
    return { status: 200, body: showTask(await findTask(services, params.id, account), account) };
  },
);

const rate = keyed(
  {
    id: "rateTask",
    tag: "Tasks",
    method: "post",
    path: "/api/v1/tasks/{id}/rating",
    summary: "Rate the work on a settled task",
    description: "Once, by its requester; it counts towards the worker's skill.",
    params: IdParams,
    body: Type.Object({ rating: Type.Integer({ minimum: 1, maximum: 5 }) }),
    idempotent: true,
    answers: {
      200: { about: "The rating is stored", schema: Type.Object({ id: Uuid("The task's id"), rating: Type.Integer() }) },
    },
  },
  async function rateTask({ account, params, body, sent, idempotencyKey, services }) {
    const { row } = await findOwnTask(services, params.id, account);
    const { options } = idempotent(services, account, `rate ${row.id}`, idempotencyKey, sent);
    const command = { type: "rate", requester: account, stars: body.rating } as const;
    const answer = await services.router.ask({ kind: "task", id: row.id }, command, options);
    if (!answer.ok) throw problemOf(answer.refusal);
    const { rating } = answer.value;
    if (rating !== body.rating) throw mismatch();
    return { status: 200, body: { id: row.id, rating } };
  },
);

export const taskRoutes = [create, validate, list, get, cancel, rate];
