import Type from "typebox";
import { refuse } from "../../machines/refusal.ts";
import { idempotent } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { problemOf, wrongCursor } from "../http/problems.ts";
import { IdParams, NextCursor, RECORDS, RecordQuery } from "../schemas/common.ts";
import { Delivery } from "../schemas/work.ts";
import { time, timeOrNull } from "../show/task.ts";
import { findOwnTask } from "./find.ts";

const log = keyed(
  {
    id: "listDeliveries",
    tag: "Webhooks",
    method: "get",
    path: "/api/v1/tasks/{id}/deliveries",
    summary: "Delivery attempts of a task's webhook",
    params: IdParams,
    query: RecordQuery,
    answers: {
      200: {
        about: "The attempts, in order; empty before the task ends",
        schema: Type.Object({ items: Type.Array(Delivery), next_cursor: NextCursor }),
      },
    },
  },
  async function listDeliveries({ account, params, query, services }) {
    const { row } = await findOwnTask(services, params.id, account);
    if (row.requester !== account) throw problemOf(refuse("NOT_YOUR_TASK", "Only the requester of a task sees its webhook."));
    const page = await services.reads.deliveries(row.id, query.limit ?? RECORDS, query.cursor ?? null);
    if (page === undefined) throw wrongCursor();
    const items = page.items.flatMap(({ fact }) => {
      if (fact.type !== "WebhookAttempted") return [];
      const { attempt, outcome, next, at } = fact;
      const error = outcome.result === "failed" ? outcome.error : null;
      const { id, result, status, ms } = outcome;
      return [
        { delivery_id: id, attempt, result, status, error, duration_ms: ms, at: time(at), next_attempt_at: timeOrNull(next) },
      ];
    });
    return { status: 200, body: { items, next_cursor: page.next } };
  },
);

const resend = keyed(
  {
    id: "resendWebhook",
    tag: "Webhooks",
    method: "post",
    path: "/api/v1/tasks/{id}/deliveries",
    summary: "Send a task's webhook again",
    params: IdParams,
    idempotent: true,
    answers: {
      202: { about: "The delivery is queued", schema: Type.Object({ id: Type.String(), status: Type.Literal("QUEUED") }) },
    },
  },
  async function resendWebhook({ account, params, idempotencyKey, services }) {
    const { row } = await findOwnTask(services, params.id, account);
    const { options } = idempotent(services, account, `resend ${row.id}`, idempotencyKey, {});
    const answer = await services.router.ask(
      { kind: "task", id: row.id },
      { type: "webhook.resend", requester: account },
      options,
    );
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 202, body: answer.value };
  },
);

export const deliveryRoutes = [log, resend];
