/**
 * How a task comes to its worker: bids, who of them wins, and whether that worker's account has a slot for it.
 *
 * W1  A task is awarded only when the worker's account has reserved a slot for it. The account is asked, without a fact here; if
 *     it says yes, it tells the task by a message, so a yes is never lost: it becomes the award, or the slot is freed.
 * W2  A bid that can win at once (in the pool, or when everybody has answered) is placed only with its award. If its worker has no
 *     slot it is refused, and nothing was changed; if the account does not answer in time it is placed and asked about again.
 * W3  When the window is over, the best bid is asked about; if its worker has no slot, it is dropped, and the next one is.
 */
import { bidIneligibility, type TaskOnOffer } from "../eligibility.ts";
import type { Ask, Decision } from "../entity.ts";
import type { Ineligibility } from "../ineligibility.ts";
import { award } from "../market/auction.ts";
import { identityOf } from "../market/identity.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { type Refusal, type RefusalCode, refuse } from "../refusal.ts";
import { BOUNDS, type Millis, taskId } from "../vocabulary.ts";
import type { PlacedBid, TaskFact } from "./events.ts";
import type { Opened } from "./opened.ts";
import type { Answer } from "./protocol.ts";
import { ASK_MS } from "./state.ts";
import { takesBids } from "./tags.ts";

/** How long a bid that can win at once waits for its award (ms); then it is PENDING. */
const BID_WAIT_MS = 1_000;
const HOUR_MS = 3_600_000;

type Result<T extends CommandType<"task">> = Decision<TaskFact, ReplyOf<"task", T>> | Refusal;
type Of<T extends CommandType<"task">> = CommandOf<"task", T>;
type Context = Opened["context"];

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
  NO_SLOT: "TOO_MANY_AWARDS",
  AWARDS_FULL: "TOO_MANY_AWARDS",
  PULL_FULL: "TOO_MANY_AWARDS",
};

function refuseBid(reason: Ineligibility): Refusal {
  return refuse(REFUSED[reason.why], `This worker may not take this task: ${reason.why}.`, reason);
}

/** Places a bid, or, if it can win at once, asks for the award. The same bid again gets its reply again. */
export function bid({ stage, context }: Opened, command: Of<"bid">, at: Millis): Result<"bid"> {
  const { bid: id, worker, standing } = command;
  if (context.bids.some((one) => one.id === id) || context.award?.id === id) return { facts: [], reply: statusOf(context, id) };
  const reason = bidIneligibility(onOffer(stage, context), command, command.credits);
  if (reason !== undefined) return refuseBid(reason);
  const placed: PlacedBid = {
    id,
    worker,
    credits: command.credits ?? context.order.budget,
    quality: standing.quality,
    identity: identityOf(standing.marks ?? [], worker),
  };
  const pending = { facts: [{ type: "BidPlaced", bid: placed, at }], reply: { bid: id, status: "PENDING" } } as const;
  const bids = [...liveBids(context, at), placed];
  if (stage !== "PENDING_POOL" && !everyoneAnswered(context, bids, command.online)) return pending;
  const winner = winnerOf(context, bids);
  const isPlaced = winner.id !== id;
  const answered = (answer: Answer) => ({ type: "bidAnswered", bid: placed, placed: isPlaced, answer }) as const;
  const ask = { ...askFor(context, winner, answered), ms: BID_WAIT_MS };
  return isPlaced ? { ...pending, ask } : { facts: [], reply: pending.reply, ask };
}

/** The bid has won, or its worker has no slot, or its account has not answered. */
export function bidAnswered({ stage, context }: Opened, command: Of<"bidAnswered">, at: Millis): Result<"bidAnswered"> {
  const { bid: one, placed, answer } = command;
  const reply = statusOf(context, one.id);
  if (placed) return { facts: isNo(answer) && takesBids(stage) ? dropped(context, answer, at) : [], reply };
  if (context.award?.id === one.id) return { facts: [], reply };
  // Its place in the task may have changed while its account was asked.
  const applicant = { worker: one.worker, standing: PRESENT };
  const reason = bidIneligibility(onOffer(stage, context), applicant, one.credits) ?? noReason(answer);
  if (reason !== undefined) return refuseBid(reason);
  return { facts: [{ type: "BidPlaced", bid: one, at }], reply };
}

/** A worker has reserved a slot: the task is its, unless somebody else has it. */
export function takeSlot(task: Opened, command: Of<"standingBid">, at: Millis): Result<"standingBid"> {
  const { stage, context } = task;
  const { bid: id, worker, credits, standing, asked, posted, pull, candidates = [] } = command;
  // It says yes again whenever it is asked again.
  if (context.award?.worker === worker) return { facts: [], reply: null };
  if (asked !== true) return bidAtPostedPrice(task, command, at);
  const known = context.bids.find((one) => one.id === id);
  const free = { status: stage, bidders: [] };
  const reason = bidIneligibility({ ...onOffer(stage, context), ...free }, { worker, standing }, credits);
  if (reason !== undefined) return { facts: [{ type: "StandingBidDropped", worker, at }], reply: null };
  const identity = identityOf(standing.marks ?? [], worker);
  const extra = { ...(posted === true ? { posted } : {}), ...(pull === undefined ? {} : { pull }) };
  const mine = known ?? { id, worker, credits, quality: standing.quality, identity, ...extra };
  const facts: readonly TaskFact[] = known === undefined ? [{ type: "BidPlaced", bid: mine, at }] : [];
  const others = candidates.filter((other) => other.id !== id && !context.bids.some((one) => one.id === other.id));
  return { facts: [...facts, awardFact(context, mine, others, at)], reply: null };
}

/** From an account of an older version: it keeps its slot as long as the bid may win. */
function bidAtPostedPrice({ stage, context }: Opened, command: Of<"standingBid">, at: Millis): Result<"standingBid"> {
  const { bid: id, worker, credits, standing } = command;
  if (bidIneligibility(onOffer(stage, context), command, credits) !== undefined) {
    return { facts: [{ type: "StandingBidDropped", worker, at }], reply: null };
  }
  const { quality, marks = [] } = standing;
  const placed: PlacedBid = { id, worker, credits, quality, identity: identityOf(marks, worker), standing: true };
  const facts: TaskFact[] = [{ type: "BidPlaced", bid: placed, at }];
  if (stage === "PENDING_POOL" || context.order.quality === "balanced") {
    const winner = winnerOf(context, [...context.bids, placed]);
    if (winner.id === id) facts.push(awardFact(context, placed, [], at));
  }
  return { facts, reply: null };
}

/** From an account of an older version. The reason is kept for operators and for the worker. */
export function declined({ stage }: Opened, { worker, reason }: Of<"declined">, at: Millis): Result<"declined"> {
  if (stage !== "ROUTING") return { facts: [], reply: null };
  return { facts: [{ type: "OfferDeclined", worker, ...(reason === undefined ? {} : { reason }), at }], reply: null };
}

/** The window is over, or a bid in the pool was not answered: the best bid is asked about, or the task goes to the pool. */
export function endWindow(task: Opened, at: Millis): Result<"timer"> {
  return { reply: null, ...nextStep(task, liveBids(task.context, at), at) };
}

/** The best bid's account has answered. */
export function awardAnswered(task: Opened, { answer }: Of<"awardAnswered">, at: Millis): Result<"awardAnswered"> {
  const { stage, context } = task;
  if (!takesBids(stage)) return { facts: [], reply: null };
  if (!isNo(answer)) return refuse("UNAVAILABLE", "The account of the best bidder has not answered; it is asked again.");
  const facts = dropped(context, answer, at);
  const rest = liveBids(context, at).filter(({ id }) => id !== answer.bid);
  const { ask, facts: more } = nextStep(task, rest, at);
  return { facts: [...facts, ...more], reply: null, ...(ask === undefined ? {} : { ask }) };
}

/** Asks about the best of these bids; without any, a task whose window is over enters the pool. */
function nextStep({ stage, context }: Opened, bids: readonly PlacedBid[], at: Millis): Step {
  if (bids.length > 0) {
    const answered = (answer: Answer) => ({ type: "awardAnswered", answer }) as const;
    return { facts: [], ask: { ...askFor(context, winnerOf(context, bids), answered), timer: "routing" } };
  }
  if (stage === "PENDING_POOL") return { facts: [] };
  return { facts: [{ type: "PoolEntered", until: at + context.order.poolHours * HOUR_MS, at }] };
}

interface Step {
  readonly facts: readonly TaskFact[];
  readonly ask?: Ask;
}

/** The question to the account of a bid's worker. */
function askFor(
  context: Context,
  { id, worker, credits, posted, pull }: PlacedBid,
  answered: (answer: Answer) => CommandOf<"task">,
): Ask {
  const { order, marks } = context;
  const { taskType, budget, minSkill } = order;
  return {
    to: { kind: "account", id: worker },
    command: {
      type: "offer",
      task: taskId(context.id),
      bid: id,
      taskType,
      budget,
      minSkill,
      marks,
      ...(posted === true ? {} : { price: credits }),
      ...(pull === undefined ? {} : { pull }),
      asked: true,
    },
    ms: ASK_MS,
    answered: (reply) => answered({ bid: id, worker, reply }),
  };
}

function isNo(answer: Answer): answer is Answer & { readonly reply: { readonly kept: false } } {
  return answer.reply?.kept === false;
}

function noReason(answer: Answer): Ineligibility | undefined {
  return isNo(answer) ? answer.reply.reason : undefined;
}

function dropped(context: Context, answer: Answer, at: Millis): readonly TaskFact[] {
  const { bid: id, worker } = answer;
  const reason = noReason(answer);
  if (reason === undefined || !context.bids.some((one) => one.id === id)) return [];
  return [{ type: "OfferDeclined", worker, reason, bid: id, at }];
}

function statusOf({ award: won }: Context, id: string): ReplyOf<"task", "bid"> {
  return { bid: id, status: won?.id === id ? "AWARDED" : "PENDING" };
}

/** The bids whose workers still wait. */
function liveBids({ bids }: Context, at: Millis): readonly PlacedBid[] {
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
    failed: failures.map(({ worker }) => worker),
  };
}

/** Whether everybody who could still bid has answered, so that waiting for the end of the window would change nothing. */
function everyoneAnswered(context: Context, bids: readonly PlacedBid[], online: Of<"bid">["online"]): boolean {
  if (online === null) return false;
  const task = onOffer("ROUTING", { ...context, bids });
  return online.every((worker) => bidIneligibility(task, { worker, standing: PRESENT }, null) !== undefined);
}

/** Nothing else is known about a worker here, so whatever else keeps it from bidding does not count. */
const PRESENT = { status: "ACTIVE", cooldownUntil: null, tier: BOUNDS.skillRatingMax } as const;

function winnerOf(context: Context, bids: readonly PlacedBid[]): PlacedBid {
  const outcome = award(taskId(context.id), context.order.quality, bids);
  const winner = bids.find(({ id }) => id === outcome?.winner.id);
  if (winner === undefined) throw new Error("of bids, one wins");
  return winner;
}

/** `others` are candidates that were not placed. */
function awardFact(context: Context, winner: PlacedBid, others: readonly PlacedBid[], at: Millis): TaskFact {
  const candidates = [...context.bids.filter(({ id }) => id !== winner.id), ...others, winner];
  const outcome = award(taskId(context.id), context.order.quality, candidates);
  const explored = outcome?.explored === true && outcome.winner.id === winner.id;
  const deadline = at + context.order.maxSeconds * 1_000;
  return { type: "Awarded", bid: winner, deadline, explored, candidates, slot: true, at };
}
