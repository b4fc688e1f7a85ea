/** What POST /tasks would answer, without doing it. */
import { creditOf } from "../../machines/account/row.ts";
import type { Look } from "../../machines/matcher/protocol.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { SCHEMA_COST_MAX } from "../../machines/validation/cost.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { Problem } from "../http/problems.ts";
import { bodyCheck } from "../http/validate.ts";
import { CreateTask, type Validation } from "../schemas/task.ts";
import type { Services } from "../services.ts";
import { UNMATCHED_SENTENCES } from "../show/unmatched.ts";
import { checkDemands, toTaskSpec } from "./task-spec.ts";

type Wrong = Validation["errors"][number];

const check = bodyCheck(CreateTask);

/** Gives every reason why this body would be refused now, the cost of the schema, and the state of the market. */
export async function dryRun(services: Services, account: AccountId, body: unknown): Promise<Validation> {
  const order = readOrder(services, body);
  if (Array.isArray(order)) return report(order, null, null, null);
  const { cost, refusal, errors } = await checkDemands(order, account, services);
  const code = refusal?.refused ?? "";
  const wrong: Wrong[] = errors.map(({ field, message }) => ({ field, message, code }));
  const row = await services.reads.account(account);
  const power = row === undefined ? order.budget : row.available + creditOf(row).rating.line;
  if (power < order.budget) {
    wrong.push({ field: "budget", message: `is more than the ${power} NC that you have`, code: "INSUFFICIENT_CREDITS" });
  }
  if (row?.status === "FROZEN") wrong.push({ field: "account", message: "is frozen", code: "ACCOUNT_FROZEN" });
  if (row?.status === "SUSPENDED") wrong.push({ field: "account", message: "is suspended", code: "ACCOUNT_SUSPENDED" });
  const { taskType, budget, minSkill } = order;
  const question = { task: null, worker: account, budget, minSkill, at: services.clock.now() };
  const look = await services.queues.look(taskType, question);
  return report(wrong, cost, look ?? null, await services.reads.likelyPrice(taskType));
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

function report(errors: Wrong[], cost: number | null, look: Look | null, price: number | null): Validation {
  return {
    valid: errors.length === 0,
    errors,
    schema_cost: cost,
    schema_cost_max: SCHEMA_COST_MAX,
    workers_online: look?.present ?? 0,
    workers_eligible: look?.eligible ?? 0,
    unmatched: look?.unmatched == null ? null : { reason: look.unmatched, detail: UNMATCHED_SENTENCES[look.unmatched] },
    likely_price: price,
  };
}
