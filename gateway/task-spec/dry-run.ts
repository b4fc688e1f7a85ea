/** What POST /tasks would answer, without doing it. */
import { creditOf } from "../../machines/account/row.ts";
import type { Look } from "../../machines/matcher/protocol.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { SCHEMA_COST_MAX } from "../../machines/validation/cost.ts";
import { warningsOf } from "../../machines/validation/warnings.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { Problem } from "../http/problems.ts";
import { bodyCheck } from "../http/validate.ts";
import { CreateTask, type Validation } from "../schemas/task.ts";
import type { Services } from "../services.ts";
import { limitSentence } from "../show/credit-line.ts";
import { UNMATCHED_SENTENCES } from "../show/unmatched.ts";
import { checkDemands, toTaskSpec } from "./task-spec.ts";

type Wrong = Validation["errors"][number];

const check = bodyCheck(CreateTask);

/** Gives every reason why this body would be refused now, what it may not mean, the cost of the schema, and the state of the market. */
export async function dryRun(services: Services, account: AccountId, body: unknown): Promise<Validation> {
  const order = readOrder(services, body);
  if (Array.isArray(order)) return report({ errors: order });
  const { cost, refusal, errors } = await checkDemands(order, account, services);
  const code = refusal?.refused ?? "";
  const wrong: Wrong[] = errors.map(({ field, message }) => ({ field, message, code }));
  const row = await services.reads.account(account);
  const usable = row === undefined ? undefined : creditOf(row, services.settings.credit, services.clock.now()).usable;
  const power = row === undefined || usable === undefined ? order.budget : row.available + usable.line;
  if (power < order.budget) {
    const why = usable?.limit == null ? "" : `; ${limitSentence(usable.limit)}`;
    wrong.push({ field: "budget", message: `is more than the ${power} NC that you have${why}`, code: "INSUFFICIENT_CREDITS" });
  }
  if (row?.status === "FROZEN") wrong.push({ field: "account", message: "is frozen", code: "ACCOUNT_FROZEN" });
  if (row?.status === "SUSPENDED") wrong.push({ field: "account", message: "is suspended", code: "ACCOUNT_SUSPENDED" });
  const { taskType, budget, minSkill } = order;
  const question = { task: null, worker: account, budget, minSkill, at: services.clock.now() };
  const look = await services.queues.look(taskType, question);
  const price = await services.reads.likelyPrice(taskType);
  return report({ errors: wrong, warnings: warningsFor(order, body), cost, look: look ?? null, price });
}

function readOrder({ settings }: Services, body: unknown): TaskSpec | Wrong[] {
  try {
    return toTaskSpec(check(body), settings);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code } = error;
    return (error.errors ?? []).map(({ field, message }) => ({ field, message, code }));
  }
}

/** The fields as the request names them: each has a short and a long name. */
function warningsFor({ schema, rules }: TaskSpec, body: unknown): Validation["warnings"] {
  const isSent = (name: string) => typeof body === "object" && body !== null && Object.hasOwn(body, name);
  const names = {
    schema: isSent("schema") ? "schema" : "validation_schema",
    rules: isSent("rules") ? "rules" : "validation_rules",
  };
  return warningsOf({ schema, rules }).map(({ code, within, pointer, message }) => {
    const field = `/${names[within]}${pointer}`;
    return { code, field, message };
  });
}

interface Findings {
  readonly errors: Wrong[];
  readonly warnings?: Validation["warnings"];
  readonly cost?: number | null;
  readonly look?: Look | null;
  readonly price?: number | null;
}

function report({ errors, warnings = [], cost = null, look = null, price = null }: Findings): Validation {
  return {
    valid: errors.length === 0,
    errors,
    warnings,
    schema_cost: cost,
    schema_cost_max: SCHEMA_COST_MAX,
    workers_online: look?.present ?? 0,
    workers_eligible: look?.eligible ?? 0,
    unmatched: look?.unmatched == null ? null : { reason: look.unmatched, detail: UNMATCHED_SENTENCES[look.unmatched] },
    likely_price: price,
  };
}
