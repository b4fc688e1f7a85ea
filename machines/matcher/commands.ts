/** The commands of a matcher as they come from another process; see machines/commands.ts. */
import { type CommandForms, commandCheck } from "../commands.ts";
import type { Terms } from "../market/capability.ts";
import {
  isAccountId,
  isFlag,
  isListOf,
  isNumber,
  isOneOf,
  isRecord,
  isTaskId,
  isText,
  isWhole,
  orAbsent,
  orNull,
} from "../shape.ts";
import { isQualification, isWholeTask } from "../task/commands.ts";
import { QUALITY_PREFERENCES } from "../vocabulary.ts";
import type { ManualWaiter, PostedWaiter, PullWaiter, QueuedBid, QueuedTask } from "./vocabulary.ts";

const isQueuedTask = isRecord<QueuedTask>({
  id: isTaskId,
  requester: isAccountId,
  marks: isListOf(isText),
  budget: isNumber,
  minSkill: isNumber,
  requesterScore: orAbsent(isNumber),
  quality: isOneOf(QUALITY_PREFERENCES),
  status: isOneOf(["ROUTING", "PENDING_POOL"]),
  round: isWhole,
  bids: isListOf(isRecord<QueuedBid>({ worker: isAccountId, credits: isNumber, quality: isNumber })),
  closedTo: isListOf(isAccountId),
  passed: isListOf(isAccountId),
  maxSeconds: isNumber,
  createdAt: isNumber,
  windowEnds: isNumber,
  bytes: isNumber,
});

const isTerms = isRecord<Terms>({ minSeconds: isNumber, minRequesterScore: isNumber });

const WAITS = {
  id: isText,
  worker: isAccountId,
  gateway: isText,
  standing: isQualification,
  finished: orAbsent(isNumber),
  since: isNumber,
  until: isNumber,
};

const isPullWaiter = isRecord<PullWaiter>({
  ...WAITS,
  kind: isOneOf(["pull"]),
  takes: orAbsent(isTerms),
  asked: orAbsent(isNumber),
  price: orNull(isNumber),
  minPrice: isNumber,
  most: isWhole,
  bytesMost: isWhole,
  bytesShare: isWhole,
});
const isPostedWaiter = isRecord<PostedWaiter>({
  ...WAITS,
  kind: isOneOf(["posted"]),
  takes: orAbsent(isTerms),
  price: isNumber,
  free: isWhole,
  announce: isFlag,
});
const isManualWaiter = isRecord<ManualWaiter>({ ...WAITS, kind: isOneOf(["manual"]), announce: isFlag });

const FORMS: CommandForms<"matcher"> = {
  opened: { task: isQueuedTask, shown: orAbsent(isWholeTask) },
  closed: { task: isTaskId, worker: orNull(isAccountId), pull: orNull(isText), whole: orAbsent(isWholeTask) },
  pull: { wait: isPullWaiter },
  check: { waits: isListOf(isText) },
  leave: { waits: isListOf(isText) },
  present: { posted: isListOf(isPostedWaiter), manual: isListOf(isManualWaiter), renewed: isListOf(isText), until: isNumber },
  freed: { worker: isAccountId },
  look: { task: orNull(isTaskId), worker: isAccountId, budget: isNumber, minSkill: isNumber, at: isNumber },
};

export const isMatcherCommand = commandCheck(FORMS);
