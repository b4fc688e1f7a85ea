/**
 * How a task comes to its worker: bids, who of them wins, and whether that worker's account has a slot for it.
 *
 * W1  A task is awarded only when the worker's account has reserved a slot for it. The account is asked, without a fact here; if
 *     it says yes, it tells the task by a message, so a yes is never lost: it becomes the award, or the slot is freed. Who bid by
 *     a posted price has reserved one with the bid. Accounts of older versions cannot: their bids by hand have none.
 * W2  A bid that can win at once (in the pool, or when everybody has answered) is placed only with its award. If its worker has no
 *     slot it is refused, and nothing was changed; if the account does not answer in time it is placed and asked about again.
 * W3  When the window is over, the best bid is asked about; if its worker has no slot, it is dropped, and the next one is. One
 *     whose account does not answer stays, and the next one is asked meanwhile; after all of them it is asked again.
 */
import { BIDS_MAX, bidIneligibility, type TaskOnOffer } from "../eligibility.ts";
import type { Ask, Decision } from "../entity.ts";
import type { Ineligibility } from "../ineligibility.ts";
import { award } from "../market/auction.ts";
import { identityOf } from "../market/identity.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { type Refusal, type RefusalCode, refuse } from "../refusal.ts";
import { BOUNDS, type Millis, taskId } from "../vocabulary.ts";
import { isOfferReply } from "./commands.ts";
import type { PlacedBid, TaskFact } from "./events.ts";
import type { Opened } from "./opened.ts";
import type { Answer } from "./protocol.ts";
import { placed } from "./room.ts";
import { ASK_MS, closedWorkers } from "./state.ts";
import { isAwarded, takesBids } from "./tags.ts";

/** How long a bid that can win at once waits for its award (ms); then it is PENDING. */
const BID_WAIT_MS = 1_000;
/** How long after its pull a bid may still win (ms): until then it is waited for what becomes of it. */
const LATE_MS = 2_000;
const HOUR_MS = 3_600_000;

export type Result<T extends CommandType<"task">> = Decision<TaskFact, ReplyOf<"task", T>> | Refusal;
type Of<T extends CommandType<"task">> = CommandOf<"task", T>;
export type Context = Opened["context"];
type Awarded = Extract<TaskFact, { readonly type: "Awarded" }>;

/** The code with which a bid is refused, by reason. */
const REFUSED: { readonly [W in Ineligibility["why"]]: RefusalCode } = {
  OWN_TASK: "OWN_TASK",
  ONE_IDENTITY: "OWN_TASK",
  TASK_NOT_OPEN: "TASK_NOT_OPEN",
  FROZEN: "ACCOUNT_FROZEN",
  SUSPENDED: "ACCOUNT_SUSPENDED",
  COOLING: "ACCOUNT_COOLING_DOWN",
  FAILED_BEFORE: "FAILED_THIS_TASK",
  ALREADY_BID: "ALREADY_BID",
  BIDS_FULL: "TOO_MANY_BIDS",
  OVER_BUDGET: "BID_OVER_BUDGET",
  TIER_TOO_LOW: "SKILL_TOO_LOW",
  NO_CAPABILITY: "CAPABILITY_UNKNOWN",
  CAPABILITY_AWAY: "CAPABILITY_UNKNOWN",
  NO_POSTED_PRICE: "CAPABILITY_UNKNOWN",
  SLOT_RESERVED: "ALREADY_BID",
  TOO_LITTLE_TIME: "CAPABILITY_UNKNOWN",
  REQUESTER_SCORE_TOO_LOW: "CAPABILITY_UNKNOWN",
  NO_SLOT: "TOO_MANY_AWARDS",
  AWARDS_FULL: "TOO_MANY_AWARDS",
  PULL_FULL: "TOO_MANY_AWARDS",
  PASSED: "ALREADY_ANSWERED",
};
const FULL: Ineligibility = { why: "BIDS_FULL", most: BIDS_MAX };

/** Refuses a bid, or what only who may bid can do. */
export function refuseBid(reason: Ineligibility): Refusal {
  return refuse(REFUSED[reason.why], `This worker may not take this task: ${reason.why}.`, reason);
}

/** Places a bid, or, if it can win at once, asks for the award. The same bid again gets its reply again. */
export function bid({ stage, context }: Opened, command: Of<"bid">, at: Millis): Result<"bid"> {
  const { bid: id, worker, standing, request } = command;
  const before = statusOf(context, id, request);
  if (before !== undefined) return { facts: [], reply: before };
  const reason = bidIneligibility(onOffer(stage, context), command, command.credits);
  if (reason !== undefined) return refuseBid(reason);
  const mine: PlacedBid = {
    id,
    worker,
    credits: command.credits ?? context.order.budget,
    quality: standing.quality,
    identity: identityOf(standing.marks ?? [], worker),
    ...(request === undefined ? {} : { request }),
  };
  const step = placed(context, context.bids, mine, at);
  if (step === undefined) return refuseBid(FULL);
  const { facts } = step;
  const reply = { bid: id, status: "PENDING" } as const;
  const bids = liveBids({ ...context, bids: step.bids }, at);
  if (stage !== "PENDING_POOL" && !everyoneAnswered(context, bids, command.online)) return { facts, reply };
  const winner = winnerOf(context, bids, context.going);
  if (winner.id === id) {
    const answered = (answer: Answer) => ({ type: "bidAnswered", bid: mine, answer }) as const;
    return {
      facts: [],
      reply,
      ask: { ...askFor(context, mine, answered, { candidates: [mine], going: null }), ms: BID_WAIT_MS },
    };
  }
  const early = stage === "PENDING_POOL" ? {} : ({ early: true } as const);
  const next = awardOrAsk({ ...context, bids: step.bids }, winner, early, at);
  return { reply, ...next, facts: [...facts, ...next.facts] };
}

/** The bid has won, or its worker has no slot, or its account has not answered. */
export function bidAnswered({ stage, context }: Opened, command: Of<"bidAnswered">, at: Millis): Result<"bidAnswered"> {
  const { bid: one, answer } = command;
  const before = statusOf(context, one.id);
  if (before !== undefined) return { facts: [], reply: before };
  // Its place in the task may have changed while its account was asked.
  const applicant = { worker: one.worker, standing: PRESENT };
  const reason = bidIneligibility(onOffer(stage, context), applicant, one.credits) ?? noReason(answer);
  if (reason !== undefined) return refuseBid(reason);
  const step = placed(context, context.bids, { ...one, waited: true }, at);
  return step === undefined ? refuseBid(FULL) : { facts: step.facts, reply: { bid: one.id, status: "PENDING" } };
}

/** A worker has reserved a slot: the task is its, unless somebody else has it. */
export function takeSlot(task: Opened, command: Of<"standingBid">, at: Millis): Result<"standingBid"> {
  const { stage, context } = task;
  const { bid: id, worker, credits, standing, asked, posted, pull, candidates = [], going } = command;
  // It was asked about two bids at once; the slot is that of its award.
  if (context.award?.worker === worker && isAwarded(stage)) return { facts: [], reply: null };
  const known = context.bids.find((one) => one.id === id);
  // An account of an older version has no other way to say yes about a bid by hand.
  if (asked !== true && known === undefined) return bidAtPostedPrice(task, command, at);
  const free = { ...onOffer(stage, context), bidders: [] };
  // It was withdrawn, or its worker passed, while its account was asked.
  const isProposed = posted === true || pull !== undefined;
  const isOff = context.passed.some((one) => one.worker === worker && (one.bid === id || (known === undefined && isProposed)));
  if (isOff || bidIneligibility(free, { worker, standing }, known?.credits ?? credits) !== undefined)
    return dropSlot(command, at);
  const identity = identityOf(standing.marks ?? [], worker);
  const extra = { ...(posted === true ? { posted } : {}), ...(pull === undefined ? {} : { pull }) };
  const made: PlacedBid = { id, worker, credits, quality: standing.quality, identity, ...extra };
  const mine = vouched(known ?? candidates.find((one) => one.id === id) ?? made, standing.proven === true, identity);
  if (mine.until !== undefined && at >= mine.until + LATE_MS) return dropSlot(command, at);
  const facts: readonly TaskFact[] = known === undefined ? [{ type: "BidPlaced", bid: mine, at }] : [];
  const others = candidates.filter((other) => other.id !== id && !context.bids.some((one) => one.id === other.id));
  return { facts: [...facts, awardFact(context, mine, others, at, going)], reply: null };
}

/** A bid with what the account of its worker says of it with its yes. */
function vouched(bid: PlacedBid, isProven: boolean, identity: string): PlacedBid {
  return isProven ? { ...bid, identity, proven: true } : bid;
}

/** The slot is not needed: its worker is told to free it. */
function dropSlot({ bid: id, worker }: Of<"standingBid">, at: Millis): Result<"standingBid"> {
  return { facts: [{ type: "StandingBidDropped", worker, bid: id, at }], reply: null };
}

/** The worker was told when the task was posted. Its slot is reserved as long as the bid may win. */
function bidAtPostedPrice({ stage, context }: Opened, command: Of<"standingBid">, at: Millis): Result<"standingBid"> {
  const { bid: id, worker, credits, standing } = command;
  // An account of an older version was asked about a bid by hand that is not placed yet, and named another price.
  const isOffered = context.offers.some((offered) => offered.bid === id);
  const isFull = context.bids.length >= BIDS_MAX;
  if (!isOffered || isFull || bidIneligibility(onOffer(stage, context), command, credits) !== undefined)
    return dropSlot(command, at);
  const { quality, marks = [] } = standing;
  const mine: PlacedBid = { id, worker, credits, quality, identity: identityOf(marks, worker), standing: true };
  const facts: TaskFact[] = [{ type: "BidPlaced", bid: mine, at }];
  if (stage === "PENDING_POOL" || context.order.quality === "balanced") {
    const winner = winnerOf(context, [...context.bids, mine], context.going);
    if (winner.id === id) facts.push(awardFact(context, mine, [], at));
  }
  return { facts, reply: null };
}

/** Reasons of an account against its posted price, which do not count against a bid by hand. */
const OF_POSTED_PRICE: ReadonlySet<Ineligibility["why"]> = new Set([
  "NO_CAPABILITY",
  "CAPABILITY_AWAY",
  "NO_POSTED_PRICE",
  "OVER_BUDGET",
  "SLOT_RESERVED",
  "NO_SLOT",
]);

/**
 * A worker declines a bid at its posted price; the reason is kept for operators and for the worker. Without a bid it comes from
 * an account of an older version, which takes a question about a bid by hand for one about its posted price: such a bid is awarded
 * without a slot.
 */
export function declined({ stage, context }: Opened, command: Of<"declined">, at: Millis): Result<"declined"> {
  const { worker, reason, bid: offered } = command;
  const windowIsOver = stage === "PENDING_POOL" || (context.expiresAt !== null && at >= context.expiresAt);
  const isAsked = offered === undefined && takesBids(stage) && windowIsOver;
  const mine = isAsked ? context.bids.find((one) => one.worker === worker && one.standing !== true) : undefined;
  if (mine !== undefined && mine.posted !== true && (reason === undefined || OF_POSTED_PRICE.has(reason.why))) {
    return { facts: [{ ...awardFact(context, mine, [], at), slot: false }], reply: null };
  }
  if (stage !== "ROUTING") return { facts: [], reply: null };
  const why = { ...(reason === undefined ? {} : { reason }), ...(mine === undefined ? {} : { bid: mine.id }) };
  return { facts: [{ type: "OfferDeclined", worker, ...why, at }], reply: null };
}

/** The window is over, or a bid in the pool was not answered: the best bid is asked about, or the task goes to the pool. */
export function endWindow(task: Opened, at: Millis): Result<"timer"> {
  return { reply: null, ...nextStep(task, { timer: "routing" }, at) };
}

/** The account of the best bidder has answered. */
export function awardAnswered(task: Opened, command: Of<"awardAnswered">, at: Millis): Result<"awardAnswered"> {
  const { stage, context } = task;
  const { type: _, answer, ...round } = command;
  // The message with its yes is on its way.
  if (!takesBids(stage) || answer.reply?.kept === true) return { facts: [], reply: null };
  const facts = dropped(context, answer, at);
  const bids = context.bids.filter(({ id }) => facts.length === 0 || id !== answer.bid);
  const silent = isNo(answer) ? round.silent : [...(round.silent ?? []), answer.bid];
  const step = nextStep(
    { ...task, context: { ...context, bids } },
    { ...round, ...(silent === undefined ? {} : { silent }) },
    at,
  );
  return { reply: null, ...step, facts: [...facts, ...step.facts] };
}

/** What a round of questions remembers: whose accounts did not answer, and why it began. */
type Round = Omit<Of<"awardAnswered">, "type" | "answer">;

interface Step {
  readonly facts: readonly TaskFact[];
  readonly ask?: Ask;
}

/** Asks about the best bid whose account may answer; without any bid, a task whose window is over enters the pool. */
function nextStep({ stage, context }: Opened, round: Round, at: Millis): Step {
  const { silent = [], early } = round;
  const live = liveBids(context, at);
  const left = live.filter(({ id }) => !silent.includes(id));
  if (left.length > 0) return awardOrAsk(context, winnerOf(context, left, context.going), round, at);
  if (live.length > 0 || stage === "PENDING_POOL" || early === true) return { facts: [] };
  return { facts: [{ type: "PoolEntered", until: at + context.order.poolHours * HOUR_MS, at }] };
}

/** Awards a placed bid whose worker has reserved a slot with it; asks the account about any other. */
function awardOrAsk(context: Context, winner: PlacedBid, round: Round, at: Millis): Step {
  if (winner.standing === true) return { facts: [awardFact(context, winner, [], at)] };
  const answered = (answer: Answer) => ({ type: "awardAnswered", ...round, answer }) as const;
  const { timer } = round;
  return { facts: [], ask: { ...askFor(context, winner, answered), apart: true, ...(timer === undefined ? {} : { timer }) } };
}

/** The question to the account of a bid's worker; `weighed` is what the award is to be weighed against, besides bids. */
export function askFor(
  context: Context,
  { id, worker, credits, posted, pull }: PlacedBid,
  answered: (answer: Answer) => CommandOf<"task">,
  weighed: { readonly candidates: readonly PlacedBid[]; readonly going: number | null } = { candidates: [], going: null },
): Ask {
  const { order, marks, requesterScore } = context;
  const { taskType, budget, minSkill, maxSeconds } = order;
  return {
    to: { kind: "account", id: worker },
    command: {
      type: "offer",
      task: taskId(context.id),
      bid: id,
      taskType,
      budget,
      minSkill,
      maxSeconds,
      requesterScore,
      marks,
      ...(posted === true ? {} : { price: credits }),
      ...(pull === undefined ? {} : { pull }),
      ...(weighed.candidates.length === 0 ? {} : { candidates: weighed.candidates }),
      ...(weighed.going === null ? {} : { going: weighed.going }),
      asked: true,
    },
    ms: ASK_MS,
    answered: (reply) => answered({ bid: id, worker, reply: isOfferReply(reply) ? reply : null }),
  };
}

export function isNo(answer: Answer): answer is Answer & { readonly reply: { readonly kept: false } } {
  return answer.reply?.kept === false;
}

function noReason(answer: Answer): Ineligibility | undefined {
  return isNo(answer) ? answer.reply.reason : undefined;
}

export function dropped(context: Context, answer: Answer, at: Millis): readonly TaskFact[] {
  const { bid: id, worker } = answer;
  const reason = noReason(answer);
  if (reason === undefined || !context.bids.some((one) => one.id === id)) return [];
  return [{ type: "OfferDeclined", worker, reason, bid: id, at }];
}

/** The reply to a bid, or to its request, that came before; undefined if it did not, or was not placed. */
function statusOf({ award: won, bids, failures }: Context, id: string, request?: string): ReplyOf<"task", "bid"> | undefined {
  const isIt = (bid: string | undefined, from: string | undefined) => bid === id || (from !== undefined && from === request);
  if (won !== null && isIt(won.id, won.request)) return { bid: won.id, status: won.waited === true ? "PENDING" : "AWARDED" };
  const failed = failures.find((one) => isIt(one.bid, one.request))?.bid;
  if (failed !== undefined) return { bid: failed, status: "AWARDED" };
  const placed = bids.find((one) => isIt(one.id, one.request));
  return placed === undefined ? undefined : { bid: placed.id, status: "PENDING" };
}

/** The bids whose workers still wait. */
export function liveBids({ bids }: Context, at: Millis): readonly PlacedBid[] {
  return bids.filter(({ until }) => until === undefined || at < until);
}

/** What decides who may take a task. */
export function onOffer(stage: Opened["stage"], { requester, marks, bids, failures, order }: Context): TaskOnOffer {
  const { budget, minSkill } = order;
  return {
    status: stage,
    requester,
    marks,
    budget,
    minSkill,
    bidders: bids.map(({ worker }) => worker),
    failed: closedWorkers(failures),
  };
}

/** Whether everybody who could still bid has answered, so that waiting for the end of the window would change nothing. */
function everyoneAnswered(context: Context, bids: readonly PlacedBid[], online: Of<"bid">["online"]): boolean {
  if (online === null) return false;
  const task = onOffer("ROUTING", { ...context, bids });
  const passed = new Set(context.passed.map(({ worker }) => worker));
  return online.every(
    (worker) => passed.has(worker) || bidIneligibility(task, { worker, standing: PRESENT }, null) !== undefined,
  );
}

/** Nothing else is known about a worker here, so whatever else keeps it from bidding does not count. */
const PRESENT = { status: "ACTIVE", cooldownUntil: null, tier: BOUNDS.skillRatingMax } as const;

/** The going price of a task (NC), given as a share of its budget. */
function goingOf({ order }: Context, share: number | null): number | null {
  return share === null ? null : share * order.budget;
}

/** Which of these bids wins; `going` is the going price as a share of the budget. */
export function winnerOf(context: Context, bids: readonly PlacedBid[], going: number | null): PlacedBid {
  const outcome = award(taskId(context.id), context.order.quality, bids, goingOf(context, going));
  const winner = bids.find(({ id }) => id === outcome?.winner.id);
  if (winner === undefined) throw new Error("of bids, one wins");
  return winner;
}

/** `others` are candidates that were not placed. A bid whose worker no longer waits is none. */
function awardFact(
  context: Context,
  winner: PlacedBid,
  others: readonly PlacedBid[],
  at: Millis,
  going = context.going ?? undefined,
): Awarded {
  const candidates = [...liveBids(context, at).filter(({ id }) => id !== winner.id), ...others, winner];
  const outcome = award(taskId(context.id), context.order.quality, candidates, goingOf(context, going ?? null));
  const explored = outcome?.explored === true && outcome.winner.id === winner.id;
  const deadline = at + context.order.maxSeconds * 1_000;
  return {
    type: "Awarded",
    bid: winner,
    deadline,
    explored,
    candidates,
    slot: true,
    ...(going === undefined ? {} : { going }),
    at,
  };
}
