/** Honeypots: tasks with a known answer, stored by operators. */
import Type from "typebox";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { idempotent, mismatch } from "../http/idempotency.ts";
import { operated } from "../http/operation.ts";
import { invalid, Problem, wrongCursor } from "../http/problems.ts";
import { tooLarge } from "../http/size.ts";
import type { HoneypotRow } from "../ports/operators.ts";
import { Honeypot, HoneypotList, StoreHoneypot } from "../schemas/admin.ts";
import { IdParams, PageQuery } from "../schemas/common.ts";
import { time } from "../show/task.ts";
import { checkDemands, isSameSpec, toTaskSpec } from "../task-spec/task-spec.ts";
import { logged } from "./operators-log.ts";

/** The account under which operators use the validator; no account has such an id. */
const OPERATORS = "operators";

function show({ id, order, at }: HoneypotRow) {
  return {
    id,
    task_type: order.taskType,
    input_data: order.inputData,
    budget: order.budget,
    expected: order.known,
    created_at: time(at),
  };
}

const store = operated(
  {
    id: "adminCreateHoneypot",
    tag: "Operators",
    method: "post",
    path: "/api/v1/admin/honeypots",
    summary: "Store a honeypot: a task with a known answer",
    description:
      "It is posted now and then like an ordinary task. Correct answers count towards the Gold rating; case and white space do not matter.",
    body: StoreHoneypot,
    idempotent: true,
    answers: { 201: { about: "The honeypot", schema: Honeypot } },
  },
  async function adminCreateHoneypot({ body, sent, idempotencyKey, services }) {
    const { expected: known, ...task } = body;
    const order = toTaskSpec(task, services.settings);
    const { refusal, errors } = await checkDemands(order, OPERATORS, services);
    if (refusal !== null) throw new Problem(422, refusal.refused, refusal.detail, { errors });
    const large = tooLarge("expected", known, BOUNDS.resultBytes);
    if (large.length > 0) throw invalid(large);
    const { schema, rules, inputData: input } = order;
    const question = { demands: { schema, rules }, result: known, input, account: OPERATORS, lane: "example" } as const;
    const judged = await services.validator.judge(question);
    if ("unjudged" in judged || judged.code !== null) {
      throw invalid([{ field: "expected", message: "must pass the schema and the rules, like a worker's result" }]);
    }
    if (isKnownAnswer(order.exampleOutput, known)) {
      throw invalid([{ field: "example_output", message: "must not be the answer" }]);
    }
    const { outcome, options } = idempotent(services, OPERATORS, "honeypot", idempotencyKey, sent);
    // With a key, derived from that alone, so that another body under the same key is detected.
    const row = { id: options.commandId ?? outcome, at: services.clock.now(), order: { ...order, known } };
    const action = { action: "honeypot.store", target: row.id, detail: { task_type: order.taskType } };
    const stored = await logged(services, action, async () => {
      const found = await services.operators.addHoneypot(row);
      if (!isSameSpec(found.order, row.order)) throw mismatch();
      return found;
    });
    return { status: 201, body: show(stored) };
  },
);

const list = operated(
  {
    id: "adminListHoneypots",
    tag: "Operators",
    method: "get",
    path: "/api/v1/admin/honeypots",
    summary: "List honeypots",
    query: Type.Object(PageQuery),
    answers: { 200: { about: "A page of honeypots, oldest first", schema: HoneypotList } },
  },
  async function adminListHoneypots({ query, services }) {
    const page = await services.operators.listHoneypots(query.limit ?? 50, query.cursor ?? null);
    if (page === undefined) throw wrongCursor();
    return { status: 200, body: { items: page.items.map(show), next_cursor: page.next } };
  },
);

const remove = operated(
  {
    id: "adminDeleteHoneypot",
    tag: "Operators",
    method: "delete",
    path: "/api/v1/admin/honeypots/{id}",
    summary: "Delete a honeypot",
    params: IdParams,
    answers: { 200: { about: "It is deleted", schema: Type.Object({ id: Type.String() }) } },
  },
  async function adminDeleteHoneypot({ params, services }) {
    const id = params.id.toLowerCase();
    const action = { action: "honeypot.remove", target: id, detail: {} };
    await logged(services, action, async () => {
      const gone = await services.operators.removeHoneypot(id);
      if (!gone) throw new Problem(404, "HONEYPOT_UNKNOWN", "There is no honeypot with this id.");
    });
    return { status: 200, body: { id } };
  },
);

export const honeypotRoutes = [store, list, remove];
