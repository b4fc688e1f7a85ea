/** A result that was not judged: refused, and if judging it was killed, remembered (fault.ts, F3). */
import type { Decision } from "../entity.ts";
import type { CommandOf, ReplyOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import type { Unjudged } from "../validation/judgement.ts";
import type { Millis } from "../vocabulary.ts";
import type { TaskFact } from "./events.ts";
import { excusing, KILLED_MAX } from "./fault.ts";
import type { Opened } from "./opened.ts";
import { unjudgedReply } from "./replies.ts";

/** Since this format a task remembers that judging was killed. */
const FORMAT_OF_KILLS = 5;

/** The submission counts as none, so its worker may send another one, unless this ends the task. */
export function unjudged(
  { stage, context }: Pick<Opened, "stage" | "context">,
  { submission, worker }: CommandOf<"task", "submit">,
  { because, unjudged: why, killed }: Unjudged,
  at: Millis,
  format: number,
): Decision<TaskFact, ReplyOf<"task", "submit">> | Refusal {
  if (killed !== true || format < FORMAT_OF_KILLS) {
    return refuse(because === "busy" ? "OVERLOADED" : "VALIDATION_TOO_EXPENSIVE", why);
  }
  const begun: TaskFact[] = stage === "AWARDED" ? [{ type: "ExecutionStarted", worker, at }] : [];
  const fact = { type: "JudgingKilled", submission, why, at } as const;
  const ended: TaskFact[] =
    context.killed + 1 < KILLED_MAX
      ? []
      : [{ type: "Expired", code: "VALIDATION_TOO_EXPENSIVE", ...excusing(context.failures, true), at }];
  return { facts: [...begun, fact, ...ended], reply: unjudgedReply(fact, ended.length > 0) };
}
