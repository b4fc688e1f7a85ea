/** What matchers are told of a task: that it is open and how, or that it takes no more bids. */
import type { Announcement } from "../announcement.ts";
import { onOfferByRow, roundByRow } from "../eligibility.ts";
import type { QueuedTask, WholeTask } from "../matcher/vocabulary.ts";
import { type AccountId, BOUNDS, taskId } from "../vocabulary.ts";
import type { TaskFact, TaskFactType, TaskSpec } from "./events.ts";
import type { TaskSnapshot } from "./machine.ts";
import { type Opened, opened } from "./opened.ts";
import { type TaskRow, taskRow } from "./row.ts";
import { closedWorkers } from "./state.ts";

/** With these a round begins, so that listeners are told of the task. */
const OPENS: ReadonlySet<TaskFactType> = new Set(["RoutingStarted", "Reopened"]);
/** With these it takes no more bids. */
const CLOSES: ReadonlySet<TaskFactType> = new Set(["Awarded", "Cancelled", "Expired"]);
/** What a task has besides its spec and its input (bytes, at most). */
const ROW_BYTES = 2_000;

/** Gives what matchers are told after these facts, which led to `state`. */
export function announceTask(state: TaskSnapshot, facts: readonly TaskFact[]): readonly Announcement[] {
  const task = opened(state);
  if (task === undefined) return [];
  const { context, stage } = task;
  const to = { taskType: context.order.taskType, about: context.id };
  const queued = queuedTask(task);
  if (queued !== undefined) {
    if (facts.every(({ type }) => type === "PoolExplained")) return [];
    const row = facts.some(({ type }) => OPENS.has(type)) ? taskRow(state) : undefined;
    const shown = row === undefined ? undefined : shownTask(row, context.order);
    return [{ ...to, command: { type: "opened", task: queued, ...(shown === undefined ? {} : { shown }) } }];
  }
  if (!facts.some(({ type }) => CLOSES.has(type))) return [];
  const award = stage === "AWARDED" ? context.award : null;
  const row = award?.pull === undefined ? undefined : taskRow(state);
  const whole = row === undefined ? {} : { whole: { row, order: context.order } };
  const closed = {
    type: "closed",
    task: taskId(context.id),
    worker: award?.worker ?? null,
    pull: award?.pull?.id ?? null,
    ...whole,
  } as const;
  return [{ ...to, command: closed }];
}

/** Gives whose streams have more to tell: the winner's, or those of the requester who has paid (machines/account/announce.ts). */
export function wakenByTask({ context }: TaskSnapshot, facts: readonly TaskFact[]): readonly AccountId[] {
  return facts.flatMap((fact) => {
    if (fact.type === "Awarded") return [fact.bid.worker];
    return fact.type === "Settled" && context.requester !== null ? [context.requester] : [];
  });
}

/** An open task as a matcher knows it. */
function queuedTask({ stage: status, context }: Opened): QueuedTask | undefined {
  const {
    id,
    requester,
    marks,
    requesterScore,
    order,
    bids,
    passed,
    failures,
    autoRetriesLeft,
    freeRounds,
    createdAt,
    expiresAt,
  } = context;
  if ((status !== "ROUTING" && status !== "PENDING_POOL") || requester === null) return undefined;
  return {
    id: taskId(id),
    requester,
    marks,
    budget: order.budget,
    minSkill: order.minSkill,
    requesterScore,
    quality: order.quality,
    status,
    round: autoRetriesLeft - freeRounds,
    bids: bids.map(({ worker, credits, quality }) => ({ worker, credits, quality })),
    closedTo: closedWorkers(failures),
    passed: passed.map(({ worker }) => worker),
    maxSeconds: order.maxSeconds,
    createdAt,
    windowEnds: status === "ROUTING" ? (expiresAt ?? createdAt) : createdAt,
    bytes: sizeOf(order),
  };
}

/**
 * An open task as its row tells of it; undefined if it is not open. Of its bids only the workers are known, so each is taken for
 * one that nobody beats.
 */
export function queuedByRow(row: TaskRow, order: TaskSpec): QueuedTask | undefined {
  const { status, requester, marks, budget, minSkill, requesterScore, createdAt, expiresAt } = row;
  if (status !== "ROUTING" && status !== "PENDING_POOL") return undefined;
  const { bidders, failed } = onOfferByRow(row, order.autoRetry);
  return {
    id: taskId(row.id),
    requester,
    marks,
    budget,
    minSkill,
    ...(requesterScore === undefined ? {} : { requesterScore }),
    quality: order.quality,
    status,
    round: roundByRow(row),
    bids: bidders.map((worker) => ({ worker, credits: 0, quality: 1 })),
    closedTo: failed,
    passed: [],
    maxSeconds: order.maxSeconds,
    createdAt,
    windowEnds: status === "ROUTING" ? (expiresAt ?? createdAt) : createdAt,
    bytes: sizeOf(order),
  };
}

/** Of a task as its worker gets it (bytes, at most): with its text twice, once as the preview. */
function sizeOf(order: TaskSpec): number {
  return ROW_BYTES + bytesOf(JSON.stringify(order)) + bytesOf(JSON.stringify(order.inputData));
}

/** At most so many in UTF-8. */
function bytesOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what takes one byte.
  return /^[\x00-\x7f]*$/.test(text) ? text.length : 3 * text.length;
}

/** A task as a stranger may see it. */
export function shownTask(row: TaskRow, order: TaskSpec): WholeTask {
  const { known: _, batch: __, ...rest } = order;
  const inputData = [...order.inputData.slice(0, 2 * BOUNDS.previewCharacters)].slice(0, BOUNDS.previewCharacters).join("");
  return { row, order: { ...rest, inputData, callbackUrl: null } };
}
