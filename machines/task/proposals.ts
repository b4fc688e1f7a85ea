/**
 * What a task makes of a matcher's proposals. A matcher knows only what it was told, which may be old or wrong; the task holds
 * each worker against its own facts, and the account of who wins has the last word (awarding.ts).
 */
import { BIDS_MAX, bidIneligibility } from "../eligibility.ts";
import { identityOf } from "../market/identity.ts";
import type { Offer } from "../matcher/vocabulary.ts";
import type { CommandOf } from "../protocols.ts";
import { credits, type Millis } from "../vocabulary.ts";
import { askFor, type Context, dropped, isNo, liveBids, onOffer, type Result, winnerOf } from "./awarding.ts";
import type { PlacedBid, TaskFact } from "./events.ts";
import type { Opened } from "./opened.ts";
import type { Answer, Declined } from "./protocol.ts";
import { placed } from "./room.ts";
import { taskRow } from "./row.ts";
import { takesBids } from "./tags.ts";

type Of<T extends "propose" | "proposalAnswered" | "explain"> = CommandOf<"task", T>;

/**
 * Awards the task to the best of the proposed workers and of those who have bid, if it can be awarded at once: in the pool, when
 * everybody has answered, or (balanced) when the best proposed one beats every bid at no more than the going price. Else the
 * proposed workers' bids are placed, and compete until the window ends.
 */
export function propose({ stage, context }: Opened, command: Of<"propose">, at: Millis): Result<"propose"> {
  const { offers, complete } = command;
  const going = command.going ?? context.going;
  if (!takesBids(stage)) return { facts: [], reply: { outcome: "closed" } };
  const { fit, declined } = judge(stage, context, offers);
  const bids = [...liveBids(context, at), ...fit];
  if (bids.length === 0 || (fit.length === 0 && !complete)) return { facts: [], reply: { outcome: "declined", declined } };
  const winner = winnerOf(context, bids, going);
  const isCheap = going !== null && winner.credits <= going * context.order.budget && fit.includes(winner);
  if (stage === "PENDING_POOL" || complete || (context.order.quality === "balanced" && isCheap)) {
    const answered = (answer: Answer) => ({ type: "proposalAnswered", answer, declined }) as const;
    return { facts: [], reply: { outcome: "unanswered" }, ask: askFor(context, winner, answered, { candidates: fit, going }) };
  }
  return placeAll(context, fit, declined, going, at);
}

/** Places these bids, as far as there is room; the workers of the others are declined, too. */
function placeAll(
  context: Context,
  fit: readonly PlacedBid[],
  declined: readonly Declined[],
  going: number | null,
  at: Millis,
): Result<"propose"> {
  let { bids } = context;
  const facts: TaskFact[] = [];
  const without: Declined[] = [];
  for (const bid of fit) {
    const step = placed(context, bids, bid, at, going);
    if (step === undefined) without.push({ worker: bid.worker, reason: { why: "BIDS_FULL", most: BIDS_MAX } });
    else {
      facts.push(...step.facts);
      bids = step.bids;
    }
  }
  const all = [...declined, ...without];
  if (facts.length === 0) return { facts, reply: { outcome: "declined", declined: all } };
  const stay = fit.filter((one) => bids.includes(one)).map(({ id }) => id);
  return { facts, reply: { outcome: "placed", bids: stay, declined: all } };
}

/** The account of the worker who won has answered. */
export function proposalAnswered(task: Opened, command: Of<"proposalAnswered">, at: Millis): Result<"proposalAnswered"> {
  const { state, stage, context } = task;
  const { answer, declined } = command;
  const { award } = context;
  if (award !== null && award.id === answer.bid) {
    const { worker, id: bid, pull } = award;
    const row = taskRow(state);
    const whole = pull === undefined || row === undefined ? null : { row, order: context.order };
    return { facts: [], reply: { outcome: "awarded", worker, bid, task: whole } };
  }
  if (!takesBids(stage)) return { facts: [], reply: { outcome: "closed" } };
  if (!isNo(answer)) return { facts: [], reply: { outcome: "unanswered" } };
  const facts: readonly TaskFact[] = dropped(context, answer, at);
  const no: Declined = { worker: answer.worker, reason: answer.reply.reason };
  return { facts, reply: { outcome: "declined", declined: [...declined, no] } };
}

/** Why nobody takes it, told by its matcher; kept for its requester. */
export function explain({ stage, context }: Opened, { why, present }: Of<"explain">, at: Millis): Result<"explain"> {
  if (stage !== "PENDING_POOL" || context.unmatched === why) return { facts: [], reply: null };
  return { facts: [{ type: "PoolExplained", why, present, at }], reply: null };
}

const PASSED = { why: "PASSED" } as const;

/** Who of these may have the task, as bids, and who may not; each counts as a bidder for those after it. */
function judge(stage: Opened["stage"], context: Context, offers: readonly Offer[]) {
  const task = onOffer(stage, context);
  const fit: PlacedBid[] = [];
  const declined: Declined[] = [];
  for (const offer of offers) {
    const bidders = [...task.bidders, ...fit.map(({ worker }) => worker)];
    const hasPassed = context.passed.some(({ worker }) => worker === offer.worker);
    const reason = hasPassed ? PASSED : bidIneligibility({ ...task, bidders }, offer, offer.credits);
    if (reason === undefined) fit.push(placedBid(offer));
    else declined.push({ worker: offer.worker, reason });
  }
  return { fit, declined };
}

function placedBid({ bid: id, worker, credits: price, standing, until, pull }: Offer): PlacedBid {
  const identity = identityOf(standing.marks ?? [], worker);
  return {
    id,
    worker,
    credits: credits(price),
    quality: standing.quality,
    identity,
    ...(pull === null ? { posted: true } : { pull }),
    ...(until === null ? {} : { until }),
  };
}
