/** The commands of a task as they come from another process or out of the database; see machines/commands.ts. */
import type { OfferReply } from "../account/protocol.ts";
import { type CommandForms, commandCheck, TIMER } from "../commands.ts";
import type { DeliveryOutcome } from "../delivery.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { Offer } from "../market/capability.ts";
import type { Qualification } from "../market/qualification.ts";
import { UNMATCHED } from "../market/unmatched.ts";
import type { Offer as Proposed, WholeTask } from "../matcher/vocabulary.ts";
import type { ReplyOf } from "../protocols.ts";
import {
  type Check,
  isAccountId,
  isCredits,
  isEither,
  isEmpty,
  isFlag,
  isJson,
  isJsonObject,
  isListOf,
  isNull,
  isNumber,
  isObject,
  isOneOf,
  isRecord,
  isTaskId,
  isText,
  isTrue,
  isVariant,
  isWhole,
  orAbsent,
  orNull,
} from "../shape.ts";
import type { Judged, Judgement, Unjudged } from "../validation/judgement.ts";
import { type FieldError, isRule } from "../validation/rules.ts";
import { ACCOUNT_STATUSES, QUALITY_PREFERENCES, RESULT_ERRORS, TASK_STATUSES } from "../vocabulary.ts";
import type { KeyedRequest, PlacedBid, Pull, TaskSpec } from "./events.ts";
import type { Answer, Declined } from "./protocol.ts";
import type { TaskRow } from "./view.ts";

export const isTaskSpec = isRecord<TaskSpec>({
  taskType: isText,
  inputData: isText,
  schema: isJsonObject,
  rules: isListOf(isRule),
  exampleOutput: isJson,
  budget: isCredits,
  maxSeconds: isNumber,
  quality: isOneOf(QUALITY_PREFERENCES),
  minSkill: isNumber,
  poolHours: isNumber,
  autoRetry: isNumber,
  callbackUrl: orNull(isText),
  maxExtension: orAbsent(isWhole),
  windowMs: isNumber,
  known: orAbsent(isJson),
  tellAfter: orAbsent(isNumber),
  batch: orAbsent(isRecord<NonNullable<TaskSpec["batch"]>>({ id: isText, item: isWhole })),
});

export const isPull = isRecord<Pull>({ id: isText, most: isWhole });

export const isKeyedRequest = isRecord<KeyedRequest>({ id: isText, outcome: isText });

export const isPlacedBid = isRecord<PlacedBid>({
  id: isText,
  worker: isAccountId,
  credits: isCredits,
  quality: isNumber,
  identity: orAbsent(isText),
  standing: orAbsent(isFlag),
  posted: orAbsent(isFlag),
  pull: orAbsent(isPull),
  request: orAbsent(isText),
  waited: orAbsent(isTrue),
  until: orAbsent(isNumber),
  proven: orAbsent(isTrue),
});

const isTaskRow = isRecord<TaskRow>({
  id: isText,
  status: isOneOf(TASK_STATUSES),
  requester: isAccountId,
  marks: isListOf(isText),
  worker: orNull(isAccountId),
  taskType: isText,
  budget: isNumber,
  minSkill: isNumber,
  requesterScore: orAbsent(isNumber),
  closedTo: isListOf(isAccountId),
  awardedPrice: orNull(isNumber),
  result: isJson,
  errorCode: orNull(isText),
  retriesLeft: isNumber,
  autoRetriesLeft: isNumber,
  expiresAt: orNull(isNumber),
  createdAt: isNumber,
  updatedAt: isNumber,
});

export const isWholeTask = isRecord<WholeTask>({ row: isTaskRow, order: isTaskSpec });

export const isOffer = isRecord<Offer>({ worker: isText, bid: isText });

export const isQualification = isRecord<Qualification>({
  status: isOneOf(ACCOUNT_STATUSES),
  cooldownUntil: orNull(isNumber),
  tier: isNumber,
  quality: isNumber,
  marks: orAbsent(isListOf(isText)),
  proven: orAbsent(isTrue),
});

const isOutcome = isVariant<DeliveryOutcome, "result">("result", {
  delivered: { id: isText, ms: isNumber, status: isNumber },
  gone: { id: isText, ms: isNumber, status: isNumber },
  failed: { id: isText, ms: isNumber, status: orNull(isNumber), error: isText },
});

export const isIneligibility = isVariant<Ineligibility, "why">("why", {
  OWN_TASK: {},
  ONE_IDENTITY: {},
  TASK_NOT_OPEN: { status: isOneOf(TASK_STATUSES) },
  FROZEN: {},
  SUSPENDED: {},
  COOLING: { until: orNull(isNumber) },
  FAILED_BEFORE: {},
  ALREADY_BID: {},
  BIDS_FULL: { most: isNumber },
  OVER_BUDGET: { price: isNumber, budget: isNumber },
  TIER_TOO_LOW: { tier: isNumber, wanted: isNumber },
  NO_CAPABILITY: {},
  CAPABILITY_AWAY: {},
  NO_POSTED_PRICE: {},
  SLOT_RESERVED: {},
  NO_SLOT: { slots: isNumber },
  TOO_LITTLE_TIME: { seconds: isNumber, wanted: isNumber },
  REQUESTER_SCORE_TOO_LOW: { score: isNumber, wanted: isNumber },
  AWARDS_FULL: { tier: isNumber, most: isNumber },
  PULL_FULL: { most: isNumber },
  PASSED: {},
});

type Right = Extract<Judged, { readonly code: null }>;
type Wrong = Exclude<Judged, Right>;
const isFieldError = isRecord<FieldError>({ field: isText, message: isText });
const isRight = isRecord<Right>({ code: isNull, errors: isEmpty, cost: orAbsent(isNumber) });
const isWrong = isRecord<Wrong>({ code: isOneOf(RESULT_ERRORS), errors: isListOf(isFieldError), cost: orAbsent(isNumber) });
const isUnjudged = isRecord<Unjudged>({
  unjudged: isText,
  because: isOneOf(["schema", "rules", "slow", "busy"]),
  killed: orAbsent(isTrue),
});
const isJudgement: Check<Judgement> = isEither(isEither(isRight, isWrong), isUnjudged);

export const isOfferReply: Check<OfferReply> = (value): value is OfferReply =>
  isObject(value) && (value["kept"] === true || (value["kept"] === false && isIneligibility(value["reason"])));

export const isMayReturn = isRecord<ReplyOf<"account", "mayReturn">>({ granted: isFlag });

const isAnswer = isRecord<Answer>({ bid: isText, worker: isAccountId, reply: orNull(isOfferReply) });

const isProposed = isRecord<Proposed>({
  bid: isText,
  worker: isAccountId,
  credits: isNumber,
  standing: isQualification,
  until: orNull(isNumber),
  pull: orNull(isPull),
});

export const isDeclined = isRecord<Declined>({ worker: isAccountId, reason: isIneligibility });

const RETURN = { worker: isAccountId, reason: orNull(isText), request: orAbsent(isKeyedRequest) } as const;

const FORMS: CommandForms<"task"> = {
  open: {
    task: isTaskId,
    requester: isAccountId,
    marks: isListOf(isText),
    order: isTaskSpec,
    offers: orAbsent(isListOf(isOffer)),
    requesterScore: orAbsent(isNumber),
    createdAt: isNumber,
  },
  standingBid: {
    bid: isText,
    worker: isAccountId,
    credits: isCredits,
    standing: isQualification,
    asked: orAbsent(isFlag),
    posted: orAbsent(isFlag),
    pull: orAbsent(isPull),
    candidates: orAbsent(isListOf(isPlacedBid)),
    going: orAbsent(isNumber),
  },
  declined: { worker: isAccountId, reason: orAbsent(isIneligibility), bid: orAbsent(isText) },
  bidAnswered: { bid: isPlacedBid, answer: isAnswer },
  awardAnswered: {
    answer: isAnswer,
    silent: orAbsent(isListOf(isText)),
    early: orAbsent(isTrue),
    timer: orAbsent(isOneOf(["routing"])),
  },
  propose: { offers: isListOf(isProposed), complete: isFlag, going: orNull(isNumber) },
  proposalAnswered: { answer: isAnswer, declined: isListOf(isDeclined) },
  explain: { why: isOneOf(UNMATCHED), present: isNumber },
  pass: { worker: isAccountId, standing: isQualification },
  withdrawBid: { worker: isAccountId },
  giveBack: { ...RETURN, undelivered: orAbsent(isText) },
  returnAnswered: { ...RETURN, granted: orNull(isFlag) },
  returnGranted: RETURN,
  extend: { worker: isAccountId, seconds: isWhole, request: orAbsent(isKeyedRequest) },
  expire: { reason: isText },
  rate: { requester: isAccountId, stars: isWhole },
  bid: {
    bid: isText,
    worker: isAccountId,
    credits: orNull(isCredits),
    standing: isQualification,
    online: orNull(isListOf(isAccountId)),
    request: orAbsent(isText),
  },
  start: { worker: isAccountId },
  submit: { submission: isText, worker: isAccountId, result: isJson, verdict: orAbsent(isJudgement) },
  cancel: { requester: isAccountId },
  withdraw: {},
  settled: { payout: isCredits, fee: isCredits, refund: isCredits },
  timer: TIMER,
  "webhook.attempted": { attempt: isWhole, outcome: isOutcome },
  "webhook.resend": { requester: isAccountId },
};

export const isTaskCommand = commandCheck(FORMS);
