/** A worker takes more time for its award, as far as the requester allows. */

import type { CommandOf } from "../protocols.ts";
import { refuse } from "../refusal.ts";
import type { Millis } from "../vocabulary.ts";
import type { Result } from "./awarding.ts";
import { notInCharge } from "./in-charge.ts";
import type { Opened } from "./opened.ts";
import { extendedReply } from "./replies.ts";

/**
 * Moves the deadline of an award. All extensions of one award together are at most the task's `maxExtension` (seconds); a request
 * that comes at the deadline or after it is too late, as a result would be.
 */
export function extend(
  { stage, context }: Opened,
  { worker, seconds, request }: CommandOf<"task", "extend">,
  at: Millis,
  arrived: Millis,
): Result<"extend"> {
  const refusal = notInCharge(stage, context, worker, arrived);
  if (refusal !== undefined) return refusal;
  const { deadline, extended, order } = context;
  if (deadline === null) throw new Error("an award has a deadline");
  const most = order.maxExtension ?? 0;
  const left = most - extended;
  if (seconds > left) {
    const detail = `This award can be extended by ${left} s more; its requester allows ${most} s in all.`;
    return refuse("EXTENSION_TOO_LONG", detail, { why: "EXTENSION_TOO_LONG", left, most });
  }
  const later = deadline + seconds * 1_000;
  const asked = request === undefined ? {} : { request };
  const fact = { type: "AwardExtended", worker, seconds, deadline: later, left: left - seconds, ...asked, at } as const;
  return { facts: [fact], reply: extendedReply(context.id, fact) };
}
