import type { AccountRow } from "../../machines/account/row.ts";
import { mayWork } from "../../machines/eligibility.ts";
import { type Refusal, refuse } from "../../machines/refusal.ts";
import { type AccountId, BOUNDS, type JsonValue } from "../../machines/vocabulary.ts";
import { idempotent, mismatch } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { invalid, Problem, problemOf } from "../http/problems.ts";
import { PULL_BYTES_MAX, PULLS_OF_ACCOUNT_MAX, type PullRefusal, type PullResult } from "../live/pulls.ts";
import { REPEAT_MS } from "../live/undelivered.ts";
import type { StoredAccount } from "../ports/read-model.ts";
import { Pull, PulledTasks } from "../schemas/work.ts";
import type { Services } from "../services.ts";
import { ineligibilitySentence } from "../show/ineligibility.ts";
import { showTask } from "../show/task.ts";

/** A body may come slowly: an account that was read so long before (ms) is read again. */
const READ_MAX_MS = 2_000;
/** How many tasks are pulled if it is not said. */
const MOST = 1;
/** Retry-After of an account, or a gateway, that has too many pulls (s). */
const RETRY_AFTER_S = 1;

const pull = keyed(
  {
    id: "pullWork",
    suspended: "checked",
    tag: "Work",
    method: "post",
    path: "/api/v1/work/pull",
    verb: { name: "work.pull" },
    summary: "Wait for tasks that are awarded to you",
    description: `Answers as soon as there are tasks, whole and awarded to you, at your posted price or, without one, at their budgets; with none when the wait is over: then send the next pull. Together they are at most ${PULL_BYTES_MAX / 1024} KB. If an answer is lost, send the pull again with the same Idempotency-Key: it gives what it has won and is still AWARDED to you, and else waits anew. Only \`wait_ms\` may differ then. If the client disconnects and does not ask again within ${REPEAT_MS / 1_000} s, what the pull has won goes to others.`,
    body: Pull,
    idempotent: true,
    answers: { 200: { about: "The tasks; your time for each runs from its award", schema: PulledTasks } },
  },
  async function pullWork({ account, read, body, sent, idempotencyKey, arrived, waiting, services }) {
    const { settings, pulls, clock } = services;
    const taskTypes = [...new Set(body.task_types ?? settings.taskTypes)];
    if (!taskTypes.every((type) => settings.taskTypes.includes(type))) throw unknownType(settings.taskTypes);
    const isFresh = read !== undefined && clock.now() - arrived <= READ_MAX_MS;
    const { row, capabilities } = isFresh ? read : await readAccount(services, account);
    if (!mayWork(row.status)) throw problemOf(refusedAs(row));
    const { outcome, options } = idempotent(services, account, "pull", idempotencyKey, withoutWait(sent));
    const got = await pulls.pull({
      key: options.commandId ?? outcome,
      terms: outcome,
      row,
      capabilities,
      taskTypes,
      most: body.max_tasks ?? MOST,
      minPrice: body.min_price ?? BOUNDS.budgetMin,
      waitMs: Math.min(body.wait_ms ?? 0, waiting.msMost),
      bytesMost: Math.min(PULL_BYTES_MAX, waiting.bytesMost),
      again: options.again === true,
      client: waiting.client,
    });
    if (typeof got === "string") throw REFUSED[got]();
    return { status: 200, body: shown(got, account) };
  },
);

/** Reads the account of a key that was known, so that nothing was read with it. */
async function readAccount({ reads }: Services, account: AccountId): Promise<StoredAccount> {
  const read = await reads.storedAccount(account);
  if (read === undefined) throw new Error("an account with a key has a row");
  return read;
}

function unknownType(known: readonly string[]): Problem {
  return invalid([{ field: "task_types", message: `must be some of ${known.join(", ")}` }]);
}

/** How long one waits is no part of what is pulled. */
function withoutWait(sent: JsonValue): JsonValue {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return sent;
  const { wait_ms: _, ...rest } = sent;
  return rest;
}

const REFUSED: { readonly [R in PullRefusal]: () => Problem } = {
  account: () => {
    const detail = `This account has ${PULLS_OF_ACCOUNT_MAX} pulls waiting here; wait for their answers, or pull several tasks at a time with max_tasks.`;
    return new Problem(429, "TOO_MANY_PULLS", detail, { retryAfter: RETRY_AFTER_S });
  },
  gateway: () => {
    const detail = "Too many pulls are waiting here; nothing was done, try again shortly.";
    return new Problem(503, "OVERLOADED", detail, { retryAfter: RETRY_AFTER_S });
  },
  mismatch,
};

/** A worker who may take no work waits for none. */
function refusedAs({ status, cooldownUntil }: AccountRow): Refusal {
  const detail = `This worker may take no work: ${status}.`;
  if (status === "COOLING") return refuse("ACCOUNT_COOLING_DOWN", detail, { why: "COOLING", until: cooldownUntil });
  return status === "SUSPENDED"
    ? refuse("ACCOUNT_SUSPENDED", detail, { why: "SUSPENDED" })
    : refuse("ACCOUNT_FROZEN", detail, { why: "FROZEN" });
}

function shown({ tasks, limited }: PullResult, account: AccountId) {
  return {
    tasks: tasks.map((task) => showTask(task, account)),
    limited: limited === null ? null : { reason: limited.why, detail: ineligibilitySentence(limited) ?? limited.why },
  };
}

export const pullRoutes = [pull];
