/** Honeypots that operators store: tasks with a known answer, and templates of such. */
import { isDeepStrictEqual } from "node:util";
import Type from "typebox";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { wrongWith } from "../honeypots/check.ts";
import { type Filled, fill } from "../honeypots/fill.ts";
import type { Draw, Template } from "../honeypots/template.ts";
import { idempotent, mismatch } from "../http/idempotency.ts";
import { operated } from "../http/operation.ts";
import { invalid, Problem, wrongCursor } from "../http/problems.ts";
import { tooLarge } from "../http/size.ts";
import type { StoredHoneypot } from "../ports/honeypots.ts";
import { IdParams, PageQuery } from "../schemas/common.ts";
import { Honeypot, HoneypotList, StoreHoneypot, StoreTemplate } from "../schemas/honeypots.ts";
import type { Services } from "../services.ts";
import { time } from "../show/task.ts";
import { checkDemands, isSameSpec, toTaskSpec } from "../task-spec/task-spec.ts";
import { checkTaskType } from "../task-spec/task-type.ts";
import { logged } from "./operators-log.ts";

/** The account under which operators use the validator; no account has such an id. */
const OPERATORS = "operators";

/** How many tasks are made of a template to see whether it is a good one. */
const SAMPLES = 10;

function show(stored: StoredHoneypot) {
  const { id, kind, at } = stored;
  if (kind === "task") {
    const { taskType, inputData, budget, known } = stored.order;
    return { id, kind, task_type: taskType, input_data: inputData, budget, expected: known, blanks: null, created_at: time(at) };
  }
  const { taskType, text, budget, answer, blanks } = stored.template;
  const shown = { task_type: taskType, input_data: text, budget: budget[1], expected: answer, blanks };
  return { id, kind, ...shown, created_at: time(at) };
}

/** Whether two requests store the same. */
function isSame(one: StoredHoneypot, other: StoredHoneypot): boolean {
  if (one.kind === "task" && other.kind === "task") return isSameSpec(one.order, other.order);
  return one.kind === "template" && other.kind === "template" && isDeepStrictEqual(asJson(one.template), asJson(other.template));
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Logs that it is stored, and stores it; throws a Problem (422) if another one was stored under the same key. */
async function keep(services: Services, honeypot: StoredHoneypot, taskType: string) {
  const action = { action: `honeypot.store`, target: honeypot.id, detail: { kind: honeypot.kind, task_type: taskType } };
  return logged(services, action, async () => {
    const found = await services.honeypotStore.add(honeypot);
    if (!isSame(found, honeypot)) throw mismatch();
    return found;
  });
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
    const row = { id: options.commandId ?? outcome, at: services.clock.now() };
    const stored = await keep(services, { ...row, kind: "task", order: { ...order, known } }, order.taskType);
    return { status: 201, body: show(stored) };
  },
);

const storeTemplate = operated(
  {
    id: "adminCreateHoneypotTemplate",
    tag: "Operators",
    method: "post",
    path: "/api/v1/admin/honeypots/templates",
    summary: "Store a template of honeypots",
    description:
      "Each task that is posted from it has another text and another answer. Where you have templates of your own for a task type, those that come with the platform, which everybody can read, are not used for it.",
    body: StoreTemplate,
    idempotent: true,
    answers: { 201: { about: "The template", schema: Honeypot } },
  },
  async function adminCreateHoneypotTemplate({ body, sent, idempotencyKey, services }) {
    checkTaskType(services.settings, body.task_type);
    const template: Template = {
      taskType: body.task_type,
      text: body.text,
      blanks: body.blanks,
      schema: body.schema,
      rules: body.rules ?? [],
      answer: body.expected,
      budget: [body.budget_min, body.budget_max],
      seconds: body.max_seconds,
    };
    await checkTemplate(template, services);
    const { outcome, options } = idempotent(services, OPERATORS, "honeypot template", idempotencyKey, sent);
    const row = { id: options.commandId ?? outcome, at: services.clock.now() };
    const stored = await keep(services, { ...row, kind: "template", template }, template.taskType);
    return { status: 201, body: show(stored) };
  },
);

/** Throws a Problem (422) if something is wrong with a template, as far as some of its tasks show. */
async function checkTemplate(template: Template, { validator, secrets, ids }: Services): Promise<void> {
  const wrong = wrongWith(template);
  if (wrong !== undefined) throw invalid([{ field: "text", message: wrong }]);
  const draw = secrets.draws("honeypot-sample", ids.next());
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const { inputData, schema, rules, known, exampleOutput } = filled(template, draw);
    if (inputData.length > BOUNDS.inputCharacters) throw invalid([{ field: "text", message: "gets too long once it is filled" }]);
    const large = [...tooLarge("expected", known, BOUNDS.exampleBytes), ...tooLarge("rules", rules, BOUNDS.rulesBytes)];
    if (large.length > 0) throw invalid(large);
    for (const result of [known, exampleOutput]) {
      const judged = await validator.judge({ demands: { schema, rules }, result, account: OPERATORS, lane: "example" });
      if ("unjudged" in judged) throw invalid([{ field: "schema", message: judged.unjudged }]);
      const [first] = judged.errors;
      if (first === undefined) continue;
      const message = `must pass the schema and the rules, like a worker's result: ${first.field} ${first.message}`;
      throw invalid([{ field: "expected", message }]);
    }
  }
}

function filled(template: Template, draw: Draw): Filled {
  try {
    return fill(template, draw);
  } catch (error) {
    throw invalid([{ field: "blanks", message: error instanceof Error ? error.message : String(error) }]);
  }
}

const list = operated(
  {
    id: "adminListHoneypots",
    tag: "Operators",
    method: "get",
    path: "/api/v1/admin/honeypots",
    summary: "List honeypots and templates",
    query: Type.Object(PageQuery),
    answers: { 200: { about: "A page of honeypots, oldest first", schema: HoneypotList } },
  },
  async function adminListHoneypots({ query, services }) {
    const page = await services.honeypotStore.list(query.limit ?? 50, query.cursor ?? null);
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
    summary: "Delete a honeypot or a template",
    params: IdParams,
    answers: { 200: { about: "It is deleted", schema: Type.Object({ id: Type.String() }) } },
  },
  async function adminDeleteHoneypot({ params, services }) {
    const id = params.id.toLowerCase();
    const action = { action: "honeypot.remove", target: id, detail: {} };
    await logged(services, action, async () => {
      const gone = await services.honeypotStore.remove(id);
      if (!gone) throw new Problem(404, "HONEYPOT_UNKNOWN", "There is no honeypot with this id.");
    });
    return { status: 200, body: { id } };
  },
);

export const honeypotRoutes = [store, storeTemplate, list, remove];
