/** The commands of a batch as they come from another process or out of the database; see machines/commands.ts. */
import { WAITS_FOR } from "../account/waiting.ts";
import { type CommandForms, commandCheck, TIMER } from "../commands.ts";
import {
  isAccountId,
  isListOf,
  isNumber,
  isOneOf,
  isRecord,
  isRefusalCode,
  isTaskId,
  isText,
  isWhole,
  orAbsent,
  orNull,
} from "../shape.ts";
import { isTaskSpec } from "../task/commands.ts";
import { TERMINAL_STATUSES } from "../task/tags.ts";
import type { BatchItem } from "./events.ts";

export const isBatchItem = isRecord<BatchItem>({ task: isTaskId, inputData: isText });

const FORMS: CommandForms<"batch"> = {
  openBatch: {
    requester: isAccountId,
    request: isText,
    template: isTaskSpec,
    items: isListOf(isBatchItem),
    atOnce: isWhole,
    perMinute: orAbsent(isWhole),
  },
  itemRefused: { item: isWhole, code: isRefusalCode, detail: isText },
  itemPostponed: { item: orNull(isWhole), reason: orNull(isOneOf(WAITS_FOR)), until: orNull(isNumber) },
  turns: { count: isWhole },
  itemEnded: { item: isWhole, status: isOneOf(TERMINAL_STATUSES) },
  pause: { requester: isAccountId },
  resume: { requester: isAccountId },
  cancel: { requester: isAccountId },
  queueLeft: {},
  show: { requester: isAccountId, from: orAbsent(isWhole), limit: orAbsent(isWhole) },
  recall: {},
  timer: TIMER,
};

export const isBatchCommand = commandCheck(FORMS);
