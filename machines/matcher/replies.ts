/** The replies of a matcher, as they arrive from another process. */
import { UNMATCHED } from "../market/unmatched.ts";
import type { ReplyOf } from "../protocols.ts";
import { form, NOTHING, type ReplyForms } from "../replies.ts";
import { isAccountId, isListOf, isNumber, isOneOf, isRecord, isText, isWhole, orAbsent, orNull } from "../shape.ts";
import { isIneligibility, isWholeTask } from "../task/commands.ts";
import { PULL_ENDS } from "./protocol.ts";

export const MATCHER_REPLIES: ReplyForms<"matcher"> = {
  opened: NOTHING,
  closed: NOTHING,
  pull: form(
    isRecord<ReplyOf<"matcher", "pull">>({
      tasks: isListOf(isWholeTask),
      missing: isWhole,
      why: isOneOf(PULL_ENDS),
      limited: orAbsent(isIneligibility),
    }),
  ),
  check: form(isRecord<ReplyOf<"matcher", "check">>({ unknown: isListOf(isText) })),
  leave: NOTHING,
  present: form(isRecord<ReplyOf<"matcher", "present">>({ unknown: isListOf(isText) })),
  freed: NOTHING,
  look: form(
    isRecord<ReplyOf<"matcher", "look">>({
      present: isNumber,
      eligible: isNumber,
      unmatched: orNull(isOneOf(UNMATCHED)),
      unanswered: orNull(isListOf(isAccountId)),
      going: orNull(isNumber),
    }),
  ),
};
