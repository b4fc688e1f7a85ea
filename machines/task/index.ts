import { getInitialSnapshot } from "xstate";
import type { Entity, StoredFact } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import { decideTask, JUDGING_MS_MAX, questionOf } from "./decide.ts";
import { type TaskFact, upcastTaskFact } from "./events.ts";
import { type TaskSnapshot, taskMachine } from "./machine.ts";
import { recallTask } from "./replies.ts";
import { NEW, type TaskContext } from "./state.ts";
import { type TaskView, viewTask } from "./view.ts";

const HOOK_PENDING = (context: TaskContext) => context.order?.callbackUrl != null && !context.webhook.done;

const logic = logicOf(taskMachine);

export const task: Entity<"task", TaskSnapshot, TaskFact, TaskView> = {
  kind: "task",
  initial: (id) => getInitialSnapshot(taskMachine, { id }),
  question: questionOf,
  answered: (command, verdict) => (command.type === "submit" ? { ...command, verdict } : command),
  decide: decideTask,
  patience: (timer) => (timer === "execution" ? JUDGING_MS_MAX : 0),
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: (stored: StoredFact) => upcastTaskFact(stored),
  recall: recallTask,
  postings: () => [],
  view: (_id, state) => viewTask(state),
  persist: (state) => ({ value: state.value, context: state.context }),
  restore,
  finished: (state) => state.matches("NEW") || (state.hasTag("ended") && !HOOK_PENDING(state.context)),
};

/** Snapshots are our own writing, so their shape is trusted; XState checks that the state exists. */
function restore(_id: string, stored: unknown): TaskSnapshot {
  const { value, context } = stored as { value: TaskSnapshot["value"]; context: TaskContext };
  return taskMachine.resolveState({ value, context: { ...NEW, ...context } });
}
