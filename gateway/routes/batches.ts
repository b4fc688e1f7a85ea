import type { BatchMade } from "../../machines/batch/protocol.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { checkOutcome, type IdempotentRequest, idempotent } from "../http/idempotency.ts";
import { offsetOf } from "../http/offset.ts";
import { keyed } from "../http/operation.ts";
import { Problem, problemOf, within } from "../http/problems.ts";
import { BatchCreated, BatchParams, BatchProgress, BatchQuery, CreateBatch } from "../schemas/batch.ts";
import { RECORDS } from "../schemas/common.ts";
import type { Services } from "../services.ts";
import { showBatch } from "../show/batch.ts";
import { checkDemands, toTaskSpec } from "../task-spec/task-spec.ts";

const create = keyed(
  {
    id: "createBatch",
    tag: "Batches",
    method: "post",
    path: "/api/v1/tasks/batch",
    summary: "Post many tasks that differ only in their text",
    description: [
      "At most max_concurrent of them are open at a time, and only their budgets are held.",
      "Over all your batches, no more items open in any 60 s than tasks you may create in a minute.",
      "Items wait for credits for up to 7 days. You may run 20 batches at once.",
      "The body may have up to 256 KB.",
    ].join(" "),
    body: CreateBatch,
    idempotent: true,
    makesTask: true,
    answers: { 201: { about: "The batch is running", schema: BatchCreated } },
  },
  async function createBatch({ account, body, sent, idempotencyKey, services }) {
    const { items, template, max_concurrent: atOnce = 10 } = body;
    const whole = { ...template, input_data: items[0]?.input_data ?? "" };
    const order = within("template", () => toTaskSpec(whole, services.settings));
    const { refusal, errors } = await checkDemands(order, account, services);
    if (refusal !== null) throw new Problem(422, refusal.refused, refusal.detail, { errors });
    const keyed = idempotent(services, account, "batch", idempotencyKey, sent);
    // Derived from the key alone, so that another body under the same key is detected.
    const id = keyed.options.commandId ?? keyed.outcome;
    const texts = items.map(({ input_data: inputData }, number) => ({
      task: taskId(services.secrets.taskId(account, `batch ${id} ${number}`)),
      inputData,
    }));
    const { tasksPerMinute: perMinute } = services.settings;
    const fresh = idempotencyKey === null;
    const what = { request: keyed.outcome, template: { ...order, inputData: "" }, items: texts, atOnce, perMinute, fresh };
    const started = async (): Promise<BatchMade> => {
      const to = { kind: "account", id: account } as const;
      const answer = await services.router.ask(to, { type: "startBatch", batch: id, ...what }, keyed.options);
      if (!answer.ok) throw problemOf(answer.refusal);
      return answer.value;
    };
    const made = (fresh ? null : await openedBefore(services, id, keyed)) ?? (await started());
    checkOutcome(made.request, keyed);
    return { status: 201, body: { batch_id: id, total: items.length } };
  },
);

/** The reply of a batch from before accounts opened batches, which knows its request itself; null if there is none. */
async function openedBefore({ router }: Services, id: string, { options }: IdempotentRequest): Promise<BatchMade | null> {
  const answer = await router.ask({ kind: "batch", id }, { type: "recall" }, options);
  if (!answer.ok) throw problemOf(answer.refusal);
  return answer.value;
}

const show = keyed(
  {
    id: "getBatch",
    tag: "Batches",
    method: "get",
    path: "/api/v1/batches/{id}",
    summary: "Progress of a batch",
    params: BatchParams,
    query: BatchQuery,
    answers: { 200: { about: "Counts over all items, and a page of items", schema: BatchProgress } },
  },
  async function getBatch({ account, params, query, services }) {
    const id = params.id.toLowerCase();
    const { limit = RECORDS, cursor } = query;
    const command = { type: "show", requester: account, from: offsetOf(cursor), limit } as const;
    const answer = await services.router.ask({ kind: "batch", id }, command);
    if (!answer.ok) throw problemOf(answer.refusal);
    return { status: 200, body: showBatch(answer.value) };
  },
);

export const batchRoutes = [create, show];
