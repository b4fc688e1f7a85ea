import { DEFAULT_TERMS } from "../../machines/market/capability.ts";
import { EMPTY_RECORD, provenBy, skillParts, skillScore, skillTier, tierName } from "../../machines/market/skill.ts";
import { refuse } from "../../machines/refusal.ts";
import { type AccountId, credits } from "../../machines/vocabulary.ts";
import { checkOutcome, idempotent } from "../http/idempotency.ts";
import { keyed } from "../http/operation.ts";
import { problemOf, wrongCursor } from "../http/problems.ts";
import type { StoredCapability } from "../ports/read-model.ts";
import {
  Availability,
  BrowseQuery,
  Capability,
  CapabilityList,
  CapabilityPage,
  CapabilityParams,
  CapabilityStats,
  RegisterCapability,
} from "../schemas/capability.ts";
import type { Services } from "../services.ts";
import { time } from "../show/task.ts";
import { checkTaskType } from "../task-spec/task-type.ts";

const STATS_DAYS = 30;
const DAY_MS = 24 * 3_600_000;
const UNKNOWN = refuse("CAPABILITY_UNKNOWN", "There is no capability with this id; GET /api/v1/capabilities/browse lists them.");

/** To one decimal, as scores are shown everywhere. */
function rounded(score: number): number {
  return Math.round(score * 10) / 10;
}

function show(row: StoredCapability) {
  return {
    id: row.id,
    worker_id: row.account,
    task_type: row.taskType,
    description: row.description,
    tags: [...row.tags],
    price: row.price,
    max_concurrent: row.concurrency,
    min_seconds: row.minSeconds,
    min_requester_score: row.minRequesterScore,
    available: row.available && row.active,
    score: rounded(row.score),
    tier: row.tier,
    tier_name: tierName(row.tier),
    tasks: row.finished,
    created_at: time(row.createdAt),
  };
}

async function mine({ reads }: Services, account: AccountId, id: string) {
  const row = (await reads.capabilities(account)).find((one) => one.id === id);
  if (row === undefined) throw problemOf(UNKNOWN);
  return { status: 200, body: show(row) };
}

const register = keyed(
  {
    id: "registerCapability",
    tag: "Capabilities",
    method: "post",
    path: "/api/v1/capabilities",
    summary: "Register what you can do",
    description: "One per task type. Registering a type again changes the capability, which keeps its id and record.",
    body: RegisterCapability,
    idempotent: true,
    answers: { 201: { about: "The capability", schema: Capability } },
  },
  async function registerCapability({ account, body, sent, idempotencyKey, services }) {
    checkTaskType(services.settings, body.task_type);
    const keyed = idempotent(services, account, "capability", idempotencyKey, sent);
    const capability = {
      id: keyed.outcome,
      taskType: body.task_type,
      description: body.description ?? "",
      tags: body.tags ?? [],
      price: body.price == null ? null : credits(body.price),
      concurrency: body.max_concurrent ?? 1,
      minSeconds: body.min_seconds ?? DEFAULT_TERMS.minSeconds,
      minRequesterScore: body.min_requester_score ?? DEFAULT_TERMS.minRequesterScore,
      available: body.available ?? true,
    };
    const answer = await services.router.ask(
      { kind: "account", id: account },
      { type: "registerCapability", capability },
      keyed.options,
    );
    if (!answer.ok) throw problemOf(answer.refusal);
    services.signals.send({ type: "account", account });
    const { request } = answer.value;
    if (request !== null) checkOutcome(request, keyed);
    services.signals.send({ type: "account", account });
    const row = (await services.reads.capabilities(account)).find(({ taskType }) => taskType === body.task_type);
    if (row === undefined) throw new Error("a capability that is registered has a row");
    return { status: 201, body: show(row) };
  },
);

const list = keyed(
  {
    id: "listCapabilities",
    tag: "Capabilities",
    method: "get",
    path: "/api/v1/capabilities",
    summary: "Your capabilities",
    answers: { 200: { about: "All your capabilities", schema: CapabilityList } },
  },
  async function listCapabilities({ account, services }) {
    return { status: 200, body: { items: (await services.reads.capabilities(account)).map(show) } };
  },
);

const browse = keyed(
  {
    id: "browseCapabilities",
    tag: "Capabilities",
    method: "get",
    path: "/api/v1/capabilities/browse",
    summary: "Browse the capabilities of all workers",
    description:
      "A page looks at a bounded number of capabilities: where few fit it can be short, or even empty, and `next_cursor` still leads on.",
    query: BrowseQuery,
    answers: { 200: { about: "A page of capabilities, best first", schema: CapabilityPage } },
  },
  async function browseCapabilities({ query, services }) {
    checkTaskType(services.settings, query.task_type);
    const page = await services.reads.browse({
      taskTypes: query.task_type === undefined ? services.settings.taskTypes : [query.task_type],
      tag: query.tag ?? null,
      tierMin: query.min_tier ?? null,
      priceMax: query.max_price ?? null,
      available: query.available ?? null,
      sort: query.sort ?? "score",
      limit: query.limit ?? 50,
      cursor: query.cursor ?? null,
    });
    if (page === undefined) throw wrongCursor();
    return { status: 200, body: { items: page.items.map(show), next_cursor: page.next } };
  },
);

const stats = keyed(
  {
    id: "getCapabilityStats",
    tag: "Capabilities",
    method: "get",
    path: "/api/v1/capabilities/{id}/stats",
    summary: "Statistics of a capability",
    params: CapabilityParams,
    answers: { 200: { about: "Score with its parts, counts, and the last 30 days", schema: CapabilityStats } },
  },
  async function getCapabilityStats({ params, services }) {
    const { reads, clock } = services;
    const row = await reads.capability(params.id.toLowerCase());
    if (row === undefined) throw problemOf(UNKNOWN);
    const owner = await reads.account(row.account);
    const record = { ...EMPTY_RECORD, ...owner?.records[row.taskType] };
    const parts = skillParts(record);
    const score = skillScore(record);
    const lately = await reads.workload(row.account, row.taskType, clock.now() - STATS_DAYS * DAY_MS);
    return {
      status: 200,
      body: {
        capability_id: row.id,
        score: rounded(score),
        tier: skillTier(score),
        tier_name: tierName(skillTier(score)),
        parts: {
          success_rate: parts.success,
          first_try_rate: parts.firstTry,
          speed: parts.speed,
          volume: parts.volume,
          rating: parts.rating,
        },
        proven_tasks: rounded(provenBy(record).tasks),
        tasks_settled: record.settled,
        tasks_failed: record.finished - record.settled,
        first_try: record.firstTry,
        echoes: record.echoes ?? 0,
        ratings: record.ratings,
        mean_rating: record.ratings === 0 ? null : record.ratingSum / record.ratings,
        last_30_days: {
          tasks_settled: lately.settled,
          tasks_failed: lately.failed,
          earned_credits: lately.earned,
          median_duration_ms: quantile(lately.durationsMs, 0.5),
          p95_duration_ms: quantile(lately.durationsMs, 0.95),
        },
      },
    };
  },
);

/** The smallest value that this share of the sorted values does not exceed; null if there are none. */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

const availability = keyed(
  {
    id: "setCapabilityAvailability",
    tag: "Capabilities",
    method: "patch",
    path: "/api/v1/capabilities/{id}/availability",
    summary: "Switch a capability on or off",
    params: CapabilityParams,
    body: Availability,
    answers: { 200: { about: "The capability", schema: Capability } },
  },
  async function setCapabilityAvailability({ account, params, body, services }) {
    const id = params.id.toLowerCase();
    const command = { type: "setAvailability", capability: id, available: body.available } as const;
    const answer = await services.router.ask({ kind: "account", id: account }, command);
    if (!answer.ok) throw problemOf(answer.refusal);
    services.signals.send({ type: "account", account });
    return mine(services, account, id);
  },
);

export const capabilityRoutes = [register, list, browse, stats, availability];
