import type { AskOptions } from "../../actors/router.ts";
import type { BatchMade } from "../../machines/batch/protocol.ts";
import { type AccountId, taskId } from "../../machines/vocabulary.ts";
import { checkOutcome, type IdempotentRequest, idempotent } from "../http/idempotency.ts";
import { offsetOf } from "../http/offset.ts";
import { keyed, type Reply } from "../http/operation.ts";
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

const ANSWERS = { 200: { about: "The batch as it is now, with the first page of its items", schema: BatchProgress } } as const;

/** Pauses, resumes or cancels a batch, and shows it. */
async function steer(type: "pause" | "resume" | "cancel", given: Steered, options: AskOptions = {}): Promise<Reply> {
  const { account, params, services } = given;
  const to = { kind: "batch", id: params.id.toLowerCase() } as const;
  const answer = await services.router.ask(to, { type, requester: account }, options);
  if (!answer.ok) throw problemOf(answer.refusal);
  const shown = await services.router.ask(to, { type: "show", requester: account, from: 0, limit: RECORDS });
  if (!shown.ok) throw problemOf(shown.refusal);
  return { status: 200, body: showBatch(shown.value) };
}

interface Steered {
  readonly account: AccountId;
  readonly params: { readonly id: string };
  readonly services: Services;
}

const cancel = keyed(
  {
    id: "cancelBatch",
    suspended: "allowed",
    tag: "Batches",
    method: "delete",
    path: "/api/v1/batches/{id}",
    summary: "Cancel what is not awarded of a batch",
    description: [
      "Items that wait are cancelled at once, open ones a moment later, and their budgets are released.",
      "Awarded ones run on, but are not awarded again if they fail: the batch is CANCELLING until they have ended, then CANCELLED.",
      "Cancelling it again changes nothing. A batch that is DONE cannot be cancelled (409 BATCH_ENDED).",
    ].join(" "),
    params: BatchParams,
    answers: ANSWERS,
  },
  function cancelBatch(given) {
    return steer("cancel", given);
  },
);

const pause = keyed(
  {
    id: "pauseBatch",
    suspended: "allowed",
    tag: "Batches",
    method: "post",
    path: "/api/v1/batches/{id}/pause",
    summary: "Let no further item of a batch open",
    description: [
      "Items that are open stay open and run on. What was asked for just before opens if its budget can be held at once, else waits.",
      "A paused batch waits for nothing and has no time to wait until; it still counts as one of the 20 that you may run.",
      "Pausing it again changes nothing. 409 BATCH_ENDED if it has ended or was cancelled.",
    ].join(" "),
    params: BatchParams,
    idempotent: true,
    answers: ANSWERS,
  },
  function pauseBatch(given) {
    const { services, account, params, idempotencyKey } = given;
    return steer("pause", given, idempotent(services, account, `pause ${params.id.toLowerCase()}`, idempotencyKey, {}).options);
  },
);

const resume = keyed(
  {
    id: "resumeBatch",
    suspended: "allowed",
    tag: "Batches",
    method: "post",
    path: "/api/v1/batches/{id}/resume",
    summary: "Let the items of a paused batch open again",
    description: [
      "It goes behind your other batches that wait, and waits for credits up to 7 days from now.",
      "Resuming one that runs changes nothing. 409 BATCH_ENDED if it has ended or was cancelled.",
    ].join(" "),
    params: BatchParams,
    idempotent: true,
    answers: ANSWERS,
  },
  function resumeBatch(given) {
    const { services, account, params, idempotencyKey } = given;
    return steer("resume", given, idempotent(services, account, `resume ${params.id.toLowerCase()}`, idempotencyKey, {}).options);
  },
);

export const batchRoutes = [create, show, cancel, pause, resume];
