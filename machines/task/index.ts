import { getInitialSnapshot } from "xstate";
import type { Entity, StoredFact } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import type { JsonValue } from "../vocabulary.ts";
import { decideTask, JUDGING_MS_MAX, questionOf, submissionReply } from "./decide.ts";
import { type TaskFact, upcastTaskFact } from "./events.ts";
import { type TaskSnapshot, taskMachine } from "./machine.ts";
import type { TaskCommand } from "./protocol.ts";
import { NEW, type TaskContext } from "./state.ts";
import { type TaskView, viewTask } from "./view.ts";

const HOOK_PENDING = (context: TaskContext) => context.order?.callbackUrl != null && !context.webhook.done;

const logic = logicOf(taskMachine);

export const task: Entity<TaskSnapshot, TaskCommand, TaskFact, TaskView> = {
  kind: "task",
  initial: (id) => getInitialSnapshot(taskMachine, { id }),
  question: questionOf,
  answered: (command, verdict) => (command.type === "submit" ? { ...command, verdict } : command),
  decide: decideTask,
  patience: (timer) => (timer === "execution" ? JUDGING_MS_MAX : 0),
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: (stored: StoredFact) => upcastTaskFact(stored),
  recall,
  postings: () => [],
  view: (_id, state) => viewTask(state),
  persist: (state) => ({ value: state.value, context: state.context }),
  restore,
  finished: (state) => state.matches("NEW") || (state.hasTag("ended") && !HOOK_PENDING(state.context)),
};

/** The answer that the command of these facts got; `state` is the one of today, which only a bid's answer looks at. */
function recall(facts: readonly TaskFact[], state: TaskSnapshot): JsonValue {
  const { id } = state.context;
  const last = facts.at(-1);
  const rejected = facts.find((fact) => fact.type === "ResultRejected");
  if (rejected !== undefined) {
    const errors = rejected.errors.map(({ field, message }) => ({ field, message }));
    const failed = facts.some((fact) => fact.type === "AwardFailed");
    return submissionReply(rejected.submission, failed ? "FAILED" : "REJECTED", rejected.code, rejected.left, errors);
  }
  switch (last?.type) {
    case "ResultAccepted":
      return submissionReply(last.submission, "COMPLETED", null, 0, []);
    case "BidPlaced":
      return { bid_id: last.bid.id, status: "PENDING" };
    case "Awarded":
      return bidReply(facts, last.bid.id);
    case "Rated":
      return { id, rating: last.stars };
    case "ExecutionStarted":
      return { id, status: "EXECUTING" };
    case "Cancelled":
      return { id, status: "CANCELLED" };
    case "WebhookRequested":
      return { id, status: "QUEUED" };
    default:
      return { id };
  }
}

function bidReply(facts: readonly TaskFact[], winner: string): JsonValue {
  const placed = facts.find((fact) => fact.type === "BidPlaced");
  return { bid_id: placed?.bid.id ?? winner, status: placed?.bid.id === winner ? "AWARDED" : "PENDING" };
}

/** Snapshots are our own writing, so their shape is trusted; XState checks that the state exists. */
function restore(_id: string, stored: unknown): TaskSnapshot {
  const { value, context } = stored as { value: TaskSnapshot["value"]; context: TaskContext };
  return taskMachine.resolveState({ value, context: { ...NEW, ...context } });
}
