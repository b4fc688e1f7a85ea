/** What others are told of after a commit. It may be lost: nothing depends on it but how soon they know. */
import type { CommandOf } from "./protocols.ts";

/** A message to the matcher of a task type; `about` is the task or worker, which decides the partition of the queue. */
export interface Announcement {
  /** null: all task types in which the worker's account has turned an award down since the last of these. */
  readonly taskType: string | null;
  readonly about: string;
  readonly command: CommandOf<"matcher">;
}
