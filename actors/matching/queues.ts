/** The queues of the market: one for each task type, divided into partitions where one matcher would not be enough. */
import type { Address } from "../../machines/address.ts";
import { shardOf } from "../address.ts";

/** The address of the matcher of a task type; `about` is the task or worker that it is told of, which decides the partition. */
export function matcherOf(taskType: string, about: string, partitions: number): Address<"matcher"> {
  return matcherAt(taskType, shardOf(about, partitions));
}

/** The address of the matcher of one partition; 0 is the one to which the others pass on what they cannot match. */
export function matcherAt(taskType: string, partition: number): Address<"matcher"> {
  return { kind: "matcher", id: `${taskType}/${partition}` };
}

/** The task type and partition of a matcher. */
export function queueOf({ id }: Address<"matcher">): { readonly taskType: string; readonly partition: number } {
  const at = id.lastIndexOf("/");
  return { taskType: id.slice(0, at), partition: Number(id.slice(at + 1)) };
}
