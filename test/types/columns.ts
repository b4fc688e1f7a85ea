/** What must not compile: a row and its columns that differ. `npm run typecheck` runs this file. */
import type { TaskRow } from "../../machines/task/row.ts";
import { type Columns, rowsText } from "../../src/adapters/postgres/columns.ts";
import { TASK, TIMERS, type TimerRow } from "../../src/adapters/postgres/tables.ts";

interface WithNewField extends TaskRow {
  readonly urgency: number;
}
const { budget: _, ...WITHOUT_BUDGET } = TASK;

// @ts-expect-error: a field without a column
export const missing: Columns<WithNewField> = TASK;

// @ts-expect-error: a column without a field
export const surplus: Columns<TaskRow> = { ...TASK, urgency: "integer" };

// @ts-expect-error: a column whose name is misspelt
export const misspelt: Columns<TaskRow> = { ...WITHOUT_BUDGET, buget: "bigint" };

// @ts-expect-error: a number where the field is a text
export const anotherType: Columns<TaskRow> = { ...TASK, taskType: "bigint" };

// @ts-expect-error: one text where the field is a list
export const noList: Columns<TaskRow> = { ...TASK, closedTo: "uuid" };

// @ts-expect-error: a type that no column of ours has
export const noType: Columns<TaskRow> = { ...TASK, budget: "money" };

const timer: TimerRow = { shard: 1, kind: "task", entity: "", name: "window", at: 1 };
export const written = rowsText(TIMERS, [timer]);
// @ts-expect-error: a row without one of its fields
export const short = rowsText(TIMERS, [{ shard: 1, kind: "task", entity: "", name: "window" }]);
