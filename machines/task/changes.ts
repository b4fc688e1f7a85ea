/** What each fact changes in a task. The statechart says in which states a fact may come. */
import { SCORE_OF_NEWCOMER } from "../market/requester-score.ts";
import type { TaskFact, TaskFactType } from "./events.ts";
import { askable, askedAtFirst, type Failure, type TaskContext } from "./state.ts";

type Of<T extends TaskFactType> = Extract<TaskFact, { type: T }>;
type Change = Partial<TaskContext>;

const NO_AWARD = {
  award: null,
  slot: false,
  awardedAt: null,
  deadline: null,
  extended: 0,
  submissions: 0,
  killedInAward: 0,
} as const;

export function afterOpening(_: TaskContext, fact: Of<"Opened">): Change {
  const { requester, marks = [], requesterScore = SCORE_OF_NEWCOMER, order, offers = [], createdAt, at } = fact;
  return { requester, marks, requesterScore, order, offers, autoRetriesLeft: order.autoRetry, createdAt, updatedAt: at };
}

export function afterRoundStart(context: TaskContext, { until, at }: Of<"RoutingStarted" | "Reopened">): Change {
  return { expiresAt: until, asked: askedAtFirst(context), updatedAt: at };
}

export function afterReopening({ autoRetriesLeft, freeRounds }: TaskContext, { free = false }: Of<"Reopened">): Change {
  const used = free ? { freeRounds: freeRounds + 1 } : { autoRetriesLeft: autoRetriesLeft - 1 };
  return { bids: [], passed: [], going: null, unmatched: null, ...used };
}

export function afterWithdrawal(_: TaskContext, { at }: Of<"Withdrawn">): Change {
  return { autoRetriesLeft: 0, withdrawn: true, updatedAt: at };
}

export function afterDecline(context: TaskContext): Change {
  return { asked: Math.min(context.asked + 1, askable(context).length) };
}

export function afterPass({ passed }: TaskContext, { worker, at }: Of<"Passed">): Change {
  return { passed: [...passed, { worker, bid: null }], updatedAt: at };
}

export function afterBidWithdrawal({ bids, passed }: TaskContext, { worker, bid, at }: Of<"BidWithdrawn">): Change {
  return { bids: bids.filter(({ id }) => id !== bid), passed: [...passed, { worker, bid }], updatedAt: at };
}

export function afterDroppedBid({ bids }: TaskContext, fact: Of<"OfferDeclined">): Change {
  return { bids: bids.filter(({ id }) => id !== fact.bid), updatedAt: fact.at };
}

export function afterBid(context: TaskContext, { bid, going, displaces, at }: Of<"BidPlaced">): Change {
  const others = displaces === undefined ? context.bids : context.bids.filter(({ id }) => id !== displaces);
  return { bids: [...others, bid], going: going ?? context.going, updatedAt: at };
}

export function afterExplanation(_: TaskContext, { why }: Of<"PoolExplained">): Change {
  return { unmatched: why };
}

export function afterPoolEntry(_: TaskContext, { until, at }: Of<"PoolEntered">): Change {
  return { expiresAt: until, updatedAt: at };
}

export function afterAward(_: TaskContext, { bid: award, at, deadline, slot = false }: Of<"Awarded">): Change {
  return { award, slot, awardedAt: at, deadline, expiresAt: deadline, submissions: 0, errorCode: null, updatedAt: at };
}

export function afterAcceptance({ submissions }: TaskContext, { result, at }: Of<"ResultAccepted">): Change {
  return { result, submissions: submissions + 1, errorCode: null, expiresAt: null, updatedAt: at };
}

export function afterRejection({ submissions }: TaskContext, { code, at }: Of<"ResultRejected">): Change {
  return { submissions: submissions + 1, errorCode: code, updatedAt: at };
}

export function afterExtension({ extended }: TaskContext, { seconds, deadline, at }: Of<"AwardExtended">): Change {
  return { deadline, expiresAt: deadline, extended: extended + seconds, updatedAt: at };
}

type WithoutResult = Of<"AwardFailed" | "AwardTimedOut" | "AwardReturned">;

function endOf(fact: WithoutResult): Pick<Failure, "code" | "how" | "returnedBy"> {
  if (fact.type === "AwardReturned") {
    const { how, request } = fact;
    return { code: "RELEASED", how, ...(request === undefined ? {} : { returnedBy: request }) };
  }
  return { code: fact.type === "AwardFailed" ? fact.code : "TIMEOUT" };
}

/** What the end of an award says about the task; see fault.ts. */
function saidBy({ award, submissions, killedInAward }: TaskContext): Pick<Failure, "witness" | "killed"> {
  const isWitness = award?.proven === true && submissions > 0;
  return {
    ...(isWitness ? { witness: award.identity ?? award.worker } : {}),
    ...(killedInAward > 0 ? { killed: true } : {}),
  };
}

export function afterFailure(context: TaskContext, fact: WithoutResult): Pick<TaskContext, "failures"> & Change {
  const { award, failures } = context;
  if (award === null) throw new Error("a task without its award cannot come to this point");
  const { worker, id: bid, request } = award;
  const placedBy = request === undefined ? {} : { request };
  const failure: Failure = { worker, bid, ...placedBy, ...endOf(fact), ...saidBy(context) };
  return { ...NO_AWARD, failures: [...failures, failure], errorCode: failure.code, updatedAt: fact.at };
}

export function afterSettling(_: TaskContext, { payout, fee, at }: Of<"Settled">): Change {
  return { payout, fee, expiresAt: null, updatedAt: at };
}

export function afterKill({ killed, killedInAward }: TaskContext, { at }: Of<"JudgingKilled">): Change {
  return { killed: killed + 1, killedInAward: killedInAward + 1, updatedAt: at };
}

export function afterEnd({ errorCode }: TaskContext, fact: Of<"Expired" | "Cancelled">): Change {
  const code = fact.type === "Expired" ? fact.code : undefined;
  return { expiresAt: null, errorCode: code ?? errorCode, updatedAt: fact.at };
}

export function afterRating(_: TaskContext, { stars }: Of<"Rated">): Change {
  return { rating: stars };
}

export function afterAttempt({ webhook }: TaskContext, { attempt, next }: Of<"WebhookAttempted">): Change {
  return { webhook: { ...webhook, attempts: attempt, done: next === null } };
}

export function afterWebhookRequest({ webhook }: TaskContext): Change {
  return { webhook: { attempts: 0, done: false, resends: (webhook.resends ?? 0) + 1 } };
}
