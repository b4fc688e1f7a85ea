/** What a worker's account decides when a task asks whether the worker may give its award back for free; see free-returns.ts. */
import { tellTask } from "../effect.ts";
import type { Decision } from "../entity.ts";
import type { CommandOf, ReplyOf } from "../protocols.ts";
import { accountId, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import { isFree } from "./free-returns.ts";
import type { AccountSnapshot } from "./machine.ts";

/** Says whether the award of a task may be given back for free; a yes is counted, once for each task. */
export function mayReturn(
  { context }: AccountSnapshot,
  { task, reason, request }: CommandOf<"account", "mayReturn">,
  at: Millis,
): Decision<AccountFact, ReplyOf<"account", "mayReturn">> {
  if (context.returns.some((one) => one.task === task)) return { facts: [], reply: { granted: true } };
  if (!isFree(context)) return { facts: [], reply: { granted: false } };
  return {
    facts: [{ type: "ReturnGranted", task, at }],
    reply: { granted: true },
    carry: [
      tellTask(task, {
        type: "returnGranted",
        worker: accountId(context.id),
        reason,
        ...(request === undefined ? {} : { request }),
      }),
    ],
  };
}
