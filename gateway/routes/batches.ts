import type { Static } from "typebox";
import { taskId } from "../../machines/vocabulary.ts";
import { keyed } from "../operation.ts";
import { checkDemands, toOrder } from "../order.ts";
import { Problem, problemOf, within } from "../problems.ts";
import { repeatable, sameOutcome } from "../repeat.ts";
import { BatchCreated, BatchParams, BatchProgress, CreateBatch } from "../schemas/batch.ts";

type Progress = Static<typeof BatchProgress>;

const create = keyed(
  {
    id: "createBatch",
    tag: "Batches",
    method: "post",
    path: "/api/v1/tasks/batch",
    summary: "Post many tasks that differ in their text only",
    description:
      "At most max_concurrent of them are open at a time, and only their budgets are held. An item whose budget cannot be held is refused by itself. The whole body may have 256 KB.",
    body: CreateBatch,
    idempotent: true,
    makesTask: true,
    answers: { 201: { about: "It runs", schema: BatchCreated } },
  },
  async ({ account, body, sent, idempotencyKey, services }) => {
    const { items, template, max_concurrent: atOnce = 10 } = body;
    const whole = { ...template, input_data: items[0]?.input_data ?? "" };
    const order = within("template", () => toOrder(whole, services.settings));
    const { refusal, errors } = await checkDemands(order, account, services);
    if (refusal !== null) throw new Problem(422, refusal.refused, refusal.detail, { errors });
    const repeat = repeatable(services, account, "batch", idempotencyKey, sent);
    // Made from the key alone, so that the batch itself tells another body under the same key.
    const id = repeat.options.commandId ?? repeat.outcome;
    const texts = items.map(({ input_data: inputData }, number) => ({
      task: taskId(services.secrets.taskId(account, `batch ${id} ${number}`)),
      inputData,
    }));
    const what = { request: repeat.outcome, template: { ...order, inputData: "" }, items: texts, atOnce };
    const command = { type: "openBatch", requester: account, ...what };
    const answer = await services.router.ask({ kind: "batch", id }, command, repeat.options);
    if (!answer.ok) throw problemOf(answer.refusal);
    sameOutcome(answer.value, "request", repeat);
    return { status: 201, body: { batch_id: id, total: items.length } };
  },
);

const show = keyed(
  {
    id: "getBatch",
    tag: "Batches",
    method: "get",
    path: "/api/v1/batches/{id}",
    summary: "How far a batch is",
    params: BatchParams,
    answers: { 200: { about: "Counts, and each item", schema: BatchProgress } },
  },
  async ({ account, params, services }) => {
    const id = params.id.toLowerCase();
    const answer = await services.router.ask({ kind: "batch", id }, { type: "show", requester: account });
    if (!answer.ok) throw problemOf(answer.refusal);
    // Made by the batch itself, see machines/batch/decide.ts.
    const progress = answer.value as unknown as Pick<Progress, "batch_id" | "status" | "items">;
    const count = (status: string) => progress.items.filter((item) => item.status === status).length;
    const counts = {
      total: progress.items.length,
      waiting: count("WAITING"),
      open: count("OPEN"),
      settled: count("SETTLED"),
      expired: count("EXPIRED"),
      cancelled: count("CANCELLED"),
      refused: count("REFUSED"),
    };
    return { status: 200, body: { ...progress, ...counts } };
  },
);

export const batchRoutes = [create, show];
