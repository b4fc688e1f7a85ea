import { getInitialSnapshot } from "xstate";
import type { Entity } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import { announceTask, wakenByTask } from "./announce.ts";
import { bidRows } from "./bid-rows.ts";
import { decideTask, JUDGING_MS_MAX, questionOf } from "./decide.ts";
import { type TaskFact, upcastTaskFact } from "./events.ts";
import { type TaskSnapshot, taskMachine } from "./machine.ts";
import { recallTask } from "./replies.ts";
import { type TaskRow, taskRow } from "./row.ts";
import { persistTask, restoreTask } from "./snapshot.ts";
import type { TaskContext } from "./state.ts";

const awaitsWebhook = (context: TaskContext) => context.order?.callbackUrl != null && !context.webhook.done;

const logic = logicOf(taskMachine);

export const task: Entity<"task", TaskSnapshot, TaskFact, TaskRow> = {
  kind: "task",
  initial: (id) => getInitialSnapshot(taskMachine, { id }),
  question: questionOf,
  answered: (command, verdict) => (command.type === "submit" ? { ...command, verdict } : command),
  decide: decideTask,
  timerGraceMs: (timer) => (timer === "execution" ? JUDGING_MS_MAX : 0),
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: upcastTaskFact,
  recall: recallTask,
  postings: () => [],
  announce: announceTask,
  wakes: wakenByTask,
  row: (_id, state) => taskRow(state),
  parts: (_state, before, facts) => bidRows(before, facts),
  persist: persistTask,
  restore: (_id, stored) => restoreTask(stored),
  finished: (state) => state.matches("NEW") || (state.hasTag("ended") && !awaitsWebhook(state.context)),
};
