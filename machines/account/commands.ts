/** The commands of an account as they come from another process or out of the database; see machines/commands.ts. */
import { isBatchItem } from "../batch/commands.ts";
import { type CommandForms, commandCheck, TIMER } from "../commands.ts";
import type { Capability } from "../market/capability.ts";
import type { HoneypotOutcome } from "../market/honeypot.ts";
import { FAILINGS } from "../market/reputation.ts";
import type { CommandOf } from "../protocols.ts";
import {
  isAccountId,
  isCredits,
  isFlag,
  isListOf,
  isNumber,
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
import { isKeyedRequest, isOffer, isPlacedBid, isPull, isTaskSpec } from "../task/commands.ts";
import { EXCUSE_REASONS } from "../task/events.ts";
import type { GitHubLink } from "./events.ts";
import type { PaymentUpdate } from "./payments.ts";
import type { GitHubClaim } from "./protocol.ts";

const isUpdate = isVariant<PaymentUpdate, "type">("type", {
  paid: { amount: isNumber },
  refunded: { total: isNumber },
  disputed: { dispute: isText, amount: isNumber, state: isOneOf(["open", "won", "lost"]) },
});

const isGitHubLink = isRecord<GitHubLink>({
  id: isText,
  login: isText,
  score: isNumber,
  token: isText,
  createdAt: orAbsent(isNumber),
  mark: orAbsent(isText),
});

const isClaim = isRecord<GitHubClaim>({ mark: isText, by: isAccountId, createdAt: isNumber });

const isCapability = isRecord<Omit<Capability, "createdAt">>({
  id: isText,
  taskType: isText,
  description: isText,
  tags: isListOf(isText),
  price: orNull(isCredits),
  concurrency: isWhole,
  minSeconds: orAbsent(isNumber),
  minRequesterScore: orAbsent(isNumber),
  available: isFlag,
});

const HONEYPOT = { honeypot: orAbsent(isRecord<HoneypotOutcome>({ passed: isFlag, due: isNumber })) };
/** What a task has in common for its requester and its worker when it is settled. */
const DONE = {
  task: isTaskId,
  taskType: isText,
  payout: isCredits,
  firstTry: isFlag,
  durationMs: isNumber,
  allowedMs: isNumber,
  echo: orAbsent(isTrue),
  ...HONEYPOT,
};

const FORMS: CommandForms<"account"> = {
  register: {
    account: isAccountId,
    email: isText,
    source: orNull(isText),
    keyHash: isText,
    grant: isCredits,
    marks: orAbsent(isListOf(isText)),
  },
  mark: { marks: isListOf(isText), kin: isListOf(isAccountId), claim: orAbsent(isClaim) },
  rotateKey: { presented: isText, keyHash: isText },
  requestRecovery: { codeHash: isText },
  recover: { codeHash: isText, keyHash: isText },
  topUp: { topup: isText, amount: isCredits },
  payment: { payment: isText, news: isUpdate, customer: orNull(isText) },
  repay: { repayment: isText, amount: isCredits },
  hold: { task: isTaskId, order: isTaskSpec, offers: orAbsent(isListOf(isOffer)), fresh: isFlag },
  startBatch: {
    batch: isText,
    request: isText,
    template: isTaskSpec,
    items: isListOf(isBatchItem),
    atOnce: isWhole,
    perMinute: isWhole,
    fresh: isFlag,
  },
  batchEnded: { batch: isText },
  leaveQueue: { batch: isText },
  batchCancelled: { batch: isText, tasks: isListOf(isTaskId) },
  holdItem: {
    task: isTaskId,
    order: isTaskSpec,
    ask: orAbsent(
      isRecord<NonNullable<CommandOf<"account", "holdItem">["ask"]>>({ perMinute: isWhole, want: isWhole, called: isFlag }),
    ),
  },
  release: { task: isTaskId, budget: isCredits, awarded: orAbsent(isTrue) },
  settle: { ...DONE, budget: isCredits, fee: isCredits, refund: isCredits, worker: isAccountId, workerIdentity: isText },
  earn: { ...DONE, requester: isAccountId, requesterIdentity: isText, vouched: orAbsent(isCredits) },
  fail: { task: isTaskId, taskType: isText, outcome: isOneOf(FAILINGS), requesterIdentity: orAbsent(isText), ...HONEYPOT },
  excuse: {
    task: isTaskId,
    taskType: isText,
    outcome: isOneOf(FAILINGS),
    reason: isOneOf(EXCUSE_REASONS),
    requesterIdentity: isText,
    honeypot: orAbsent(isTrue),
  },
  startOAuth: { stateHash: isText },
  useOAuth: { stateHash: isText },
  linkGitHub: { github: isGitHubLink },
  freeze: { reason: isText },
  unfreeze: { reason: isText },
  adjust: { adjustment: isText, amount: isCredits, reason: isText },
  registerCapability: { capability: isCapability },
  setAvailability: { capability: isText, available: isFlag },
  offer: {
    task: isTaskId,
    bid: isText,
    taskType: isText,
    budget: isCredits,
    minSkill: isNumber,
    maxSeconds: orAbsent(isNumber),
    requesterScore: orAbsent(isNumber),
    marks: isListOf(isText),
    price: orAbsent(isCredits),
    pull: orAbsent(isPull),
    candidates: orAbsent(isListOf(isPlacedBid)),
    going: orAbsent(isNumber),
    asked: orAbsent(isFlag),
  },
  mayReturn: { task: isTaskId, reason: orNull(isText), request: orAbsent(isKeyedRequest) },
  freed: { task: isTaskId, bid: orAbsent(isText) },
  honeypot: { task: isTaskId, passed: isFlag },
  rated: { task: isTaskId, taskType: isText, stars: isWhole },
  timer: TIMER,
};

export const isAccountCommand = commandCheck(FORMS);
