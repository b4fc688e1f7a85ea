/** What the worker of an award may do besides working: give it back, and take more time. */
import { checkOutcome, idempotent, requestOf } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { problemOf } from "../http/problems.ts";
import { IdParams } from "../schemas/common.ts";
import { Extended, Extension, Release, Released } from "../schemas/work.ts";
import { showExtended, showReturned } from "../show/work.ts";

const release = keyed(
  {
    id: "releaseTask",
    suspended: "allowed",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/release",
    verb: { name: "work.release", params: { id: "task" } },
    summary: "Give an award back",
    description:
      "Before your first submission. Free in the first 10 s, for one award and a tenth of your last 100; else it counts as a failure. The answer says which. The task goes to other workers.",
    params: IdParams,
    body: Release,
    idempotent: true,
    answers: { 200: { about: "The task is no longer yours, and what that counts as", schema: Released } },
  },
  async function releaseTask({ account, params, body, sent, idempotencyKey, arrived, services }) {
    const id = params.id.toLowerCase();
    const asked = idempotent(services, account, `release ${id}`, idempotencyKey, sent);
    const command = { type: "giveBack", worker: account, reason: body.reason ?? null, ...requestOf(asked) } as const;
    const answer = await services.router.ask({ kind: "task", id }, command, { ...asked.options, arrived });
    if (!answer.ok) throw problemOf(answer.refusal);
    checkOutcome(answer.value.outcome, asked);
    return { status: 200, body: showReturned(answer.value) };
  },
);

const extend = keyed(
  {
    id: "extendTask",
    suspended: "allowed",
    tag: "Work",
    method: "post",
    path: "/api/v1/tasks/{id}/extend",
    verb: { name: "work.extend", params: { id: "task" } },
    summary: "Take more time for an award",
    description: "Within the task's max_extension_seconds, in all. Send an Idempotency-Key, so that a retry extends it once.",
    params: IdParams,
    body: Extension,
    idempotent: true,
    answers: { 200: { about: "Your new deadline", schema: Extended } },
  },
  async function extendTask({ account, params, body, sent, idempotencyKey, arrived, services }) {
    const id = params.id.toLowerCase();
    const asked = idempotent(services, account, `extend ${id}`, idempotencyKey, sent);
    const command = { type: "extend", worker: account, seconds: body.seconds, ...requestOf(asked) } as const;
    const answer = await services.router.ask({ kind: "task", id }, command, { ...asked.options, arrived });
    if (!answer.ok) throw problemOf(answer.refusal);
    checkOutcome(answer.value.outcome, asked);
    return { status: 200, body: showExtended(answer.value) };
  },
);

export const awardRoutes = [release, extend];
