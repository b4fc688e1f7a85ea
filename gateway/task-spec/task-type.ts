import { invalid } from "../http/problems.ts";
import type { GatewaySettings } from "../services.ts";

/** Throws a Problem (422) for a task type that is not configured, so that nothing is looked up or cached under its name. */
export function checkTaskType({ taskTypes }: GatewaySettings, taskType: string | undefined): void {
  if (taskType === undefined || taskTypes.includes(taskType)) return;
  throw invalid([{ field: "task_type", message: `must be one of ${taskTypes.join(", ")}` }]);
}
