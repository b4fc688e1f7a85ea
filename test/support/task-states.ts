import type { OfferReply } from "../../machines/account/protocol.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { decideTask } from "../../machines/task/decide.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { type AccountId, credits, type TaskStatus, taskId } from "../../machines/vocabulary.ts";
import { id, order, person, STANDING } from "./world.ts";

export const TASK = taskId(id(99));
export const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
export const AT = 1_000_000;
export const LATE = AT + 120_000;
export const ORDER = order({ callbackUrl: "https://example.com/hook" });

export const fold = (facts: readonly TaskFact[]): TaskSnapshot =>
  facts.reduce((state, fact) => entity.evolve(state, fact).state, entity.initial(TASK));
export const bidOf = (worker = WORKER) => ({ id: id(50), worker, credits: credits(12), quality: 0.5 });

const OFFERS = [{ worker: OTHER, bid: id(52) }];
export const opened: TaskFact[] = [
  { type: "Opened", task: TASK, requester: REQUESTER, order: ORDER, offers: OFFERS, createdAt: AT, at: AT },
];
export const routing: TaskFact[] = [...opened, { type: "RoutingStarted", until: AT + 3_000, at: AT }];
export const pooled: TaskFact[] = [...routing, { type: "PoolEntered", until: AT + 3_600_000, at: AT }];
export const awarded: TaskFact[] = [
  ...routing,
  { type: "BidPlaced", bid: bidOf(), at: AT },
  { type: "Awarded", bid: bidOf(), deadline: LATE, explored: false, candidates: [bidOf()], slot: true, at: AT },
];
export const executing: TaskFact[] = [...awarded, { type: "ExecutionStarted", worker: WORKER, at: AT }];
export const wrong = {
  type: "ResultRejected",
  submission: id(60),
  code: "SCHEMA_MISMATCH",
  errors: [],
  left: 2,
  at: AT,
} as const satisfies TaskFact;
export const rejected: TaskFact[] = [...executing, wrong];
export const failed: TaskFact[] = [...rejected, { type: "AwardFailed", code: "SCHEMA_MISMATCH", at: AT }];
export const timedOut: TaskFact[] = [...executing, { type: "AwardTimedOut", at: AT }];
export const completed: TaskFact[] = [
  ...executing,
  { type: "ResultAccepted", submission: id(61), result: { name: "Ada" }, firstTry: true, at: AT },
];
export const settled: TaskFact[] = [
  ...completed,
  { type: "Settled", payout: credits(12), fee: credits(1), refund: credits(7), at: AT },
];
export const expired: TaskFact[] = [...pooled, { type: "Expired", at: AT }];
export const cancelled: TaskFact[] = [...routing, { type: "Cancelled", at: AT }];

export const STATES: { readonly [S in TaskStatus | "NEW"]: readonly TaskFact[] } = {
  NEW: [],
  CREATED: opened,
  ROUTING: routing,
  PENDING_POOL: pooled,
  AWARDED: awarded,
  EXECUTING: executing,
  REJECTED: rejected,
  FAILED: failed,
  TIMED_OUT: timedOut,
  COMPLETED: completed,
  SETTLED: settled,
  EXPIRED: expired,
  CANCELLED: cancelled,
};

export const FULL = { kept: false, reason: { why: "AWARDS_FULL", tier: 1, most: 3 } } as const;
const answerTo = (worker: AccountId, reply: OfferReply | null, bid = id(51)) => ({ bid, worker, reply });

export const COMMANDS = {
  open: { type: "open", task: TASK, requester: REQUESTER, marks: [], order: ORDER, createdAt: AT },
  bid: { type: "bid", bid: id(51), worker: OTHER, credits: credits(9), standing: STANDING, online: null },
  standingBid: { type: "standingBid", bid: id(52), worker: OTHER, credits: credits(9), standing: STANDING },
  declined: { type: "declined", worker: OTHER },
  yes: { type: "standingBid", bid: id(51), worker: OTHER, credits: credits(9), standing: STANDING, asked: true, posted: false },
  yesAgain: { type: "standingBid", bid: id(50), worker: WORKER, credits: credits(12), standing: STANDING, asked: true },
  bidKept: { type: "bidAnswered", bid: { ...bidOf(OTHER), id: id(51) }, answer: answerTo(OTHER, { kept: true }) },
  bidNotKept: { type: "bidAnswered", bid: { ...bidOf(OTHER), id: id(51) }, answer: answerTo(OTHER, FULL) },
  bidNotAnswered: { type: "bidAnswered", bid: { ...bidOf(OTHER), id: id(51) }, answer: answerTo(OTHER, null) },
  awardKept: { type: "awardAnswered", answer: answerTo(OTHER, { kept: true }), timer: "routing" },
  awardNotKept: { type: "awardAnswered", answer: answerTo(OTHER, FULL), timer: "routing" },
  rate: { type: "rate", requester: REQUESTER, stars: 4 },
  expire: { type: "expire", reason: "by request" },
  start: { type: "start", worker: WORKER },
  good: { type: "submit", submission: id(62), worker: WORKER, result: { name: "Ada" }, verdict: { code: null, errors: [] } },
  bad: { type: "submit", submission: id(62), worker: WORKER, result: {}, verdict: { code: "RULE_VIOLATION", errors: [] } },
  withdraw: { type: "withdraw" },
  cancel: { type: "cancel", requester: REQUESTER },
  settled: { type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) },
  routing: { type: "timer", name: "routing", due: AT },
  pool: { type: "timer", name: "pool", due: AT },
  execution: { type: "timer", name: "execution", due: AT },
  webhook: { type: "timer", name: "webhook", due: AT },
  unknownTimer: { type: "timer", name: "nothing", due: AT },
  attempted: { type: "webhook.attempted", attempt: 1, outcome: { id: id(70), ms: 3, result: "delivered", status: 200 } },
  resend: { type: "webhook.resend", requester: REQUESTER },
} as const satisfies { readonly [name: string]: CommandOf<"task"> };

/** What a command leads to: its facts' types and its question with + between, or the refusal's code. A dot stands for none. */
export function outcome(state: TaskSnapshot, command: CommandOf<"task">, at = AT + 1): string {
  const decision = decideTask(state, command, at);
  if (isRefusal(decision)) return decision.refused;
  decision.facts.reduce((before, fact) => entity.evolve(before, fact).state, state);
  const types: string[] = decision.facts.map(({ type }) => type);
  if (decision.ask !== undefined) types.push("asks");
  return types.length === 0 ? "." : types.join("+");
}
