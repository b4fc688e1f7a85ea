/** Makes a task spec of what a client sent: aliases, defaults, and the checks that a schema cannot express. */

import { isDeepStrictEqual } from "node:util";
import { type Refusal, refuse } from "../../machines/refusal.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { canonicalText } from "../../machines/validation/equality.ts";
import { type DemandsProblem, WHOLE_RESULT } from "../../machines/validation/verdict.ts";
import { BOUNDS, credits } from "../../machines/vocabulary.ts";
import { type FieldProblem, invalid, problemOf } from "../http/problems.ts";
import { tooLarge } from "../http/size.ts";
import type { CreateTask } from "../schemas/task.ts";
import type { GatewaySettings, Services } from "../services.ts";
import { wrongCallback } from "./callback-url.ts";

const ALIASES = [
  ["schema", "validation_schema"],
  ["budget", "max_budget_credits"],
  ["max_seconds", "max_execution_seconds"],
  ["rules", "validation_rules"],
] as const;

/** Takes the validated body; throws a Problem (422) that names every field that is still wrong. */
export function toTaskSpec(body: CreateTask, settings: GatewaySettings): TaskSpec {
  const wrong: FieldProblem[] = [];
  for (const [short, long] of ALIASES) {
    if (body[short] !== undefined && body[long] !== undefined && !isDeepStrictEqual(body[short], body[long])) {
      wrong.push({ field: short, message: `and ${long} are two names of one field but differ; give one of them` });
    }
  }
  const schema = body.schema ?? body.validation_schema;
  const budget = body.budget ?? body.max_budget_credits;
  if (schema === undefined) wrong.push({ field: "schema", message: "is required (or validation_schema)" });
  if (budget === undefined) wrong.push({ field: "budget", message: "is required (or max_budget_credits)" });
  const taskType = body.task_type ?? settings.taskTypes[0] ?? "json_extraction";
  if (!settings.taskTypes.includes(taskType)) {
    wrong.push({ field: "task_type", message: `must be one of ${settings.taskTypes.join(", ")}` });
  }
  const callback = body.callback_url ?? null;
  const callbackProblem = callback === null ? undefined : wrongCallback(callback, settings);
  if (callbackProblem !== undefined) wrong.push({ field: "callback_url", message: callbackProblem });
  const rules = body.rules ?? body.validation_rules ?? [];
  const { example_output: exampleOutput } = body;
  wrong.push(...tooLarge("rules", rules, BOUNDS.rulesBytes), ...tooLarge("example_output", exampleOutput, BOUNDS.exampleBytes));
  if (wrong.length > 0 || schema === undefined || budget === undefined) throw invalid(wrong);
  return {
    taskType,
    inputData: body.input_data,
    schema,
    rules,
    exampleOutput,
    budget: credits(budget),
    maxSeconds: body.max_seconds ?? body.max_execution_seconds ?? BOUNDS.executionSecondsDefault,
    ...(body.max_extension_seconds ? { maxExtension: body.max_extension_seconds } : {}),
    quality: body.quality_preference ?? "balanced",
    minSkill: body.min_skill_rating ?? 0,
    poolHours: body.pending_pool_hours ?? BOUNDS.poolHoursDefault,
    autoRetry: body.auto_retry ?? BOUNDS.autoRetryDefault,
    callbackUrl: callback,
    windowMs: settings.routingWindowMs,
  };
}

/** What is wrong with the schema, the rules or the example of a task. */
export interface DemandsChecked {
  readonly cost: number | null;
  readonly refusal: Refusal | null;
  readonly errors: readonly FieldProblem[];
}

/**
 * Checks the cost of schema and rules, and the example against them, in the fair queue under the account that asks. Throws a
 * Problem (503) if too many wait.
 */
export async function checkDemands(order: TaskSpec, account: string, { validator }: Services): Promise<DemandsChecked> {
  const demands = { schema: order.schema, rules: order.rules };
  const verdict = await validator.judge({ demands, result: order.exampleOutput, account, lane: "example" });
  if ("unjudged" in verdict) {
    const { because, unjudged } = verdict;
    if (because === "busy") throw problemOf(refuse("OVERLOADED", unjudged));
    if (because !== "slow") return { cost: null, ...unusable({ field: because, problem: unjudged }) };
    return {
      cost: null,
      refusal: refuse("VALIDATION_TOO_EXPENSIVE", unjudged),
      errors: [{ field: "example_output", message: unjudged }],
    };
  }
  const { cost = null } = verdict;
  if (verdict.code === null) return { cost, refusal: null, errors: [] };
  const errors = verdict.errors.map(({ field, message }) => ({ field: within("example_output", field), message }));
  const [first] = errors;
  const detail = `example_output does not pass its own schema and rules: ${first?.field ?? ""} ${first?.message ?? ""}`;
  return { cost, refusal: refuse("INVALID_EXAMPLE", detail), errors };
}

function within(field: string, name: string): string {
  return name === WHOLE_RESULT ? field : `${field}.${name}`;
}

function unusable({ field, problem }: DemandsProblem): { readonly refusal: Refusal; readonly errors: readonly FieldProblem[] } {
  const code = field === "schema" ? "INVALID_SCHEMA" : "INVALID_RULES";
  return { refusal: refuse(code, `${field}: ${problem}.`), errors: [{ field, message: problem }] };
}

/** Compares what two requests ask for, as JSON values, whatever the order of fields. */
export function isSameSpec(one: TaskSpec, other: TaskSpec): boolean {
  const text = (order: TaskSpec) => canonicalText(JSON.parse(JSON.stringify({ ...order, windowMs: 0 })));
  return text(one) === text(other);
}
