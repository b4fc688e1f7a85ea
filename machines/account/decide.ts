/** Command -> facts, or a refusal. A hold may be refused; what arrives as a message is accepted in every state. */
import type { Deciders, Decision } from "../entity.ts";
import { CAPABILITIES_MAX } from "../market/capability.ts";
import { type CreditTerms, isVerified } from "../market/credit-line.ts";
import { newMarks } from "../market/identity.ts";
import { suspensionAt } from "../market/rating.ts";
import { judge } from "../market/reputation.ts";
import { MARKET_RULES, type MarketRules } from "../market/settings.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { type Credits, credits, type Millis, NO_CREDITS } from "../vocabulary.ts";
import { batchCancelled, batchEnded, callBatches, holdItem, leaveQueue, startBatch } from "./batches.ts";
import { clearsBy } from "./conduct.ts";
import type { AccountFact } from "./events.ts";
import { excuse } from "./excuse.ts";
import { heldFor } from "./holds.ts";
import { countDue, makeRoom } from "./honeypots.ts";
import { type AccountSnapshot, statusOf } from "./machine.ts";
import { freed, offer } from "./offers.ts";
import { applyUpdate, netAmount } from "./payments.ts";
import { evidenceOf } from "./power.ts";
import { mayReturn } from "./returns.ts";
import { hold } from "./spending.ts";
import type { AccountContext } from "./state.ts";

/** The most that an account may hold, in NC: far below where a double loses whole numbers. */
export const BALANCE_MAX = 1_000_000_000_000;
/** How long a recovery code is valid (guide: Authentication), in ms. */
export const RECOVERY_MS = 300_000;
/** How long the state of an OAuth flow is valid, in ms. */
export const OAUTH_MS = 600_000;

type Result<T extends CommandType<"account">> = Decision<AccountFact, ReplyOf<"account", T>> | Refusal;
type Told = Decision<AccountFact, null> | Refusal;
type Of<T extends CommandType<"account">> = CommandOf<"account", T>;

/** Decides a command at the time `at` (ms) under the platform's rules. Pure. */
export function decideAccount<T extends CommandType<"account">>(
  state: AccountSnapshot,
  command: CommandOf<"account", T>,
  at: Millis,
  arrived: Millis = at,
  rules: MarketRules = MARKET_RULES,
): Result<T> {
  return DECIDERS[command.type](state, command, at, arrived, rules);
}

type Decide<T extends CommandType<"account">> = (
  state: AccountSnapshot,
  command: Of<T>,
  at: Millis,
  arrived: Millis,
  rules: MarketRules,
) => Result<T>;

/** Refuses commands to an account that does not exist. */
function ofRegistered<T extends CommandType<"account">>(decide: Decide<T>): Decide<T> {
  return (state, ...rest) => (state.hasTag("registered") ? decide(state, ...rest) : UNKNOWN);
}

const DECIDERS: Deciders<"account", AccountSnapshot, AccountFact, [rules: MarketRules]> = {
  register,
  mark: ofRegistered(mark),
  rotateKey: ofRegistered(rotateKey),
  requestRecovery: ofRegistered((_state, { codeHash }, at) => ({
    facts: [{ type: "RecoveryRequested", codeHash, until: at + RECOVERY_MS, at }],
    reply: null,
  })),
  recover: ofRegistered(recover),
  topUp: ofRegistered(topUp),
  payment: ofRegistered(payment),
  repay: ofRegistered(repay),
  hold: ofRegistered((state, command, at, _arrived, { credit }) => hold(state, command, at, credit)),
  holdItem: ofRegistered((state, command, at, _arrived, { credit }) => holdItem(state, command, at, credit)),
  startBatch: ofRegistered(startBatch),
  batchEnded: ofRegistered(batchEnded),
  leaveQueue: ofRegistered(leaveQueue),
  batchCancelled: ofRegistered(batchCancelled),
  release: ofRegistered(release),
  settle: ofRegistered(settle),
  earn: ofRegistered(earn),
  fail: ofRegistered(fail),
  excuse: ofRegistered(excuse),
  startOAuth: ofRegistered((_state, { stateHash }, at) => ({
    facts: [{ type: "OAuthStarted", stateHash, until: at + OAUTH_MS, at }],
    reply: null,
  })),
  useOAuth: ofRegistered(useOAuth),
  linkGitHub: ofRegistered((_state, { github }, at) => ({ facts: [{ type: "GitHubLinked", github, at }], reply: null })),
  freeze: ofRegistered(freeze),
  unfreeze: ofRegistered(freeze),
  adjust: ofRegistered(adjust),
  registerCapability: ofRegistered(registerCapability),
  setAvailability: ofRegistered(setAvailability),
  offer: ofRegistered((state, command, at, _arrived, rules) => offer(state, command, at, rules)),
  mayReturn: ofRegistered(mayReturn),
  freed: ofRegistered(freed),
  honeypot: ofRegistered((_state, { task, passed }, at) => ({
    facts: [{ type: "HoneypotJudged", task, passed, at }],
    reply: null,
  })),
  rated: ofRegistered((_state, { task, taskType, stars }, at) => ({
    facts: [{ type: "Rated", task, taskType, stars, at }],
    reply: null,
  })),
  timer: ofRegistered(timer),
};

const UNKNOWN = refuse("ACCOUNT_UNKNOWN", "There is no such account.", { why: "ACCOUNT_UNKNOWN" });

function register(state: AccountSnapshot, command: Of<"register">, at: Millis): Result<"register"> {
  if (state.hasTag("registered")) {
    const detail = "This address has an account already. Use its API key, or recover it if it is lost.";
    return refuse("ACCOUNT_EXISTS", detail, { why: "ACCOUNT_EXISTS" });
  }
  const { account, email, source, keyHash, grant, marks = [] } = command;
  const facts: AccountFact[] = [{ type: "Registered", account, email, source, keyHash, grant, at }];
  if (marks.length > 0) facts.push({ type: "Marked", marks: newMarks([], marks), kin: [], at });
  return {
    facts,
    reply: { account },
  };
}

function rotateKey({ context }: AccountSnapshot, { presented, keyHash }: Of<"rotateKey">, at: Millis): Result<"rotateKey"> {
  if (presented !== context.keyHash) {
    return refuse("KEY_REPLACED", "This API key was replaced a moment ago; use the newest one.");
  }
  return { facts: [{ type: "KeyRotated", keyHash, before: context.keyHash, at }], reply: { account: context.id } };
}

/** An account of one identity is told, so that it stands back where the GitHub account of both vouches for an older one. */
function mark({ context }: AccountSnapshot, { marks: more, kin, claim }: Of<"mark">, at: Millis): Told {
  const marks = newMarks(context.marks, more);
  const mine = context.github?.mark;
  if (mine === undefined || (claim === undefined ? kin.length === 0 : claim.mark !== mine)) {
    return { facts: marks.length === 0 ? [] : [{ type: "Marked", marks, kin, at }], reply: null };
  }
  if (claim === undefined) return { facts: [{ type: "Marked", marks, kin, at }], reply: null };
  const isOlder = claim.createdAt < context.createdAt || (claim.createdAt === context.createdAt && claim.by < context.id);
  if (!isOlder) return { facts: [{ type: "Marked", marks, kin: [...kin, claim.by], at }], reply: null };
  if (context.vouchesElsewhere === mine && marks.length === 0) return { facts: [], reply: null };
  return { facts: [{ type: "Marked", marks, kin, elsewhere: mine, at }], reply: null };
}

function useOAuth({ context: { oauth } }: AccountSnapshot, { stateHash }: Of<"useOAuth">, at: Millis): Told {
  if (oauth === null || oauth.stateHash !== stateHash || at >= oauth.until) {
    return refuse("OAUTH_STATE_INVALID", "This OAuth state is unknown, used or expired; start again.");
  }
  return { facts: [{ type: "OAuthUsed", at }], reply: null };
}

/** A wrong code uses up a try, so it is a fact and not a refusal. */
function recover({ context }: AccountSnapshot, command: Of<"recover">, at: Millis): Result<"recover"> {
  const { recovery, keyHash: before } = context;
  if (recovery === null || recovery.triesLeft === 0 || at >= recovery.until) {
    return refuse("RECOVERY_FAILED", "There is no code that is good now; ask for a new one.", { why: "NO_RECOVERY_CODE" });
  }
  if (recovery.codeHash !== command.codeHash) {
    return { facts: [{ type: "RecoveryFailed", at }], reply: { replaced: null } };
  }
  const { keyHash } = command;
  return { facts: [{ type: "KeyRecovered", keyHash, before, at }], reply: { replaced: before } };
}

function topUp({ context }: AccountSnapshot, command: Of<"topUp">, at: Millis): Result<"topUp"> {
  const after = context.available + context.held + command.amount;
  if (after > BALANCE_MAX) {
    return refuse("BALANCE_TOO_LARGE", `An account holds at most ${BALANCE_MAX} NC; top up by less.`);
  }
  const available = credits(context.available + command.amount);
  const fact = { type: "ToppedUp", topup: command.topup, amount: command.amount, available, at } as const;
  return { facts: [fact], reply: { topup: command.topup, available } };
}

/** Accepted in every state: the money has moved already. */
function payment({ context }: AccountSnapshot, command: Of<"payment">, at: Millis): Told {
  const { payments, customer: known } = context;
  const { payment: id, news, customer } = command;
  const before = payments[id];
  const after = applyUpdate(before, news, at);
  if (after === before && (customer === null || customer === known)) return { facts: [], reply: null };
  const { bought, refunded, disputes, paidAt } = after;
  const amount = credits(netAmount(after) - netAmount(before));
  const change = (before?.changes ?? 0) + 1;
  const fact = {
    type: "PaymentChanged",
    payment: id,
    after: { bought, refunded, disputes, ...(paidAt === undefined ? {} : { paidAt }) },
    change,
    amount,
    customer,
    at,
  } as const;
  return { facts: [fact], reply: null };
}

function repay({ context: { available } }: AccountSnapshot, command: Of<"repay">, at: Millis): Result<"repay"> {
  const debt = -Math.min(0, available);
  if (debt === 0) return refuse("NO_DEBT", "You owe nothing.", { why: "NO_DEBT" });
  if (command.amount > debt) return refuse("REPAYMENT_TOO_LARGE", `You owe ${debt} NC; repay at most that.`);
  const { repayment, amount } = command;
  const [after, left] = [credits(available + amount), credits(debt - amount)];
  const fact = { type: "Repaid", repayment, amount, available: after, debt: left, at } as const;
  return { facts: [fact], reply: { repayment, available: after, debt: left } };
}

function holdMismatch(context: AccountContext, task: Of<"release">["task"], budget: Credits): Refusal | undefined {
  const held = heldFor(context.holds, task);
  if (held === budget) return undefined;
  return refuse("HOLD_UNKNOWN", `There is no hold of ${budget} NC for this task; ${held ?? 0} NC is held.`);
}

function release({ context }: AccountSnapshot, command: Of<"release">, at: Millis): Told {
  const { task, budget, awarded } = command;
  const refusal = holdMismatch(context, task, budget);
  if (refusal !== undefined) return refusal;
  const counts = awarded === undefined ? {} : { awarded };
  return { facts: [{ type: "Released", task, budget, ...counts, at }], reply: null };
}

function settle(
  { context }: AccountSnapshot,
  command: Of<"settle">,
  at: Millis,
  _arrived: Millis,
  { credit }: MarketRules,
): Told {
  const { task, taskType, budget, payout, fee, refund, worker, workerIdentity, firstTry, durationMs, allowedMs } = command;
  const { echo, honeypot } = command;
  const refusal = holdMismatch(context, task, budget);
  if (refusal !== undefined) return refusal;
  if (payout + fee + refund !== budget) throw new Error(`a settlement of ${budget} NC must divide all of it`);
  const counterparty = workerIdentity;
  const vouched = vouchedFor(context, command, credit, at);
  const fact = {
    type: "Settled",
    task,
    taskType,
    worker,
    counterparty,
    payout,
    fee,
    refund,
    ...(vouched > NO_CREDITS ? { vouched } : {}),
    firstTry,
    durationMs,
    allowedMs,
    ...(echo === true ? { echo } : {}),
    ...(honeypot === undefined ? {} : { honeypot }),
    at,
  } as const;
  return { facts: [fact], reply: null };
}

/** How much of a payout counts for the worker's credit line (NC): what a verified requester pays and has not borrowed for it. */
function vouchedFor(
  context: AccountContext,
  { task, payout, refund, honeypot }: Of<"settle">,
  terms: CreditTerms,
  at: Millis,
): Credits {
  if (honeypot !== undefined || !isVerified(evidenceOf(context), terms.holdMs, at)) return NO_CREDITS;
  const drawn = heldFor(context.draws, task)?.amount ?? 0;
  const borrowed = Math.min(Math.max(0, drawn - refund), Math.max(0, -context.available - refund));
  return credits(Math.max(0, payout - borrowed));
}

function earn({ context }: AccountSnapshot, command: Of<"earn">, at: Millis): Told {
  const {
    task,
    taskType,
    requester,
    requesterIdentity: counterparty,
    payout,
    vouched,
    firstTry,
    durationMs,
    allowedMs,
  } = command;
  const { echo, honeypot } = command;
  const fact = {
    type: "Earned",
    task,
    taskType,
    requester,
    counterparty,
    payout,
    ...(vouched === undefined ? {} : { vouched }),
    firstTry,
    durationMs,
    allowedMs,
    ...(echo === true ? { echo } : {}),
    ...(honeypot === undefined ? {} : { honeypot }),
    clears: clearsBy(context.conduct, counterparty, [context.id, ...context.marks]),
    at,
  } as const;
  return { facts: [...(honeypot === undefined ? [] : makeRoom(context, at)), fact], reply: null };
}

function fail(state: AccountSnapshot, command: Of<"fail">, at: Millis): Told {
  const { task, taskType, outcome, requesterIdentity: counterparty, honeypot } = command;
  const judged = judge(state.context, outcome, at);
  const facts: AccountFact[] = honeypot === undefined ? [] : [...makeRoom(state.context, at)];
  const extra = {
    ...(counterparty === undefined ? {} : { counterparty }),
    ...(honeypot === undefined ? {} : { honeypot }),
  };
  facts.push({ type: "Failed", task, taskType, outcome, ...extra, at });
  if (judged.cooldownUntil !== null) facts.push({ type: "CooldownStarted", until: judged.cooldownUntil, at });
  if (judged.frozen && !state.hasTag("frozen")) facts.push({ type: "Frozen", at });
  return { facts, reply: null };
}

/** An operator corrects the balance. */
function adjust({ context }: AccountSnapshot, command: Of<"adjust">, at: Millis): Result<"adjust"> {
  const { adjustment, amount, reason } = command;
  const after = context.available + context.held + amount;
  if (Math.abs(after) > BALANCE_MAX) return refuse("BALANCE_TOO_LARGE", `An account holds at most ${BALANCE_MAX} NC.`);
  return { facts: [{ type: "Adjusted", adjustment, amount, reason, at }], reply: { adjustment } };
}

/** An operator freezes or unfreezes an account. */
function freeze(state: AccountSnapshot, { type, reason }: Of<"freeze" | "unfreeze">, at: Millis): Told {
  const frozen = state.hasTag("frozen");
  if (frozen === (type === "freeze")) return refuse("NOTHING_TO_DO", `This account is ${statusOf(state)} already.`);
  return { facts: [{ type: frozen ? "Unfrozen" : "Frozen", reason, at }], reply: null };
}

/** A second capability for a task type replaces the first and keeps its id. */
function registerCapability(
  { context: { capabilities } }: AccountSnapshot,
  { capability }: Of<"registerCapability">,
  at: Millis,
): Result<"registerCapability"> {
  const before = capabilities[capability.taskType];
  if (before === undefined && Object.keys(capabilities).length >= CAPABILITIES_MAX) {
    return refuse("TOO_MANY_CAPABILITIES", `You have ${CAPABILITIES_MAX} capabilities; change one of them.`);
  }
  const kept = { ...capability, id: before?.id ?? capability.id, createdAt: before?.createdAt ?? at };
  return {
    facts: [{ type: "CapabilityRegistered", capability: kept, request: capability.id, at }],
    reply: { capability: kept.id, request: capability.id },
  };
}

function setAvailability({ context }: AccountSnapshot, command: Of<"setAvailability">, at: Millis): Result<"setAvailability"> {
  const { capability, available } = command;
  if (!Object.values(context.capabilities).some(({ id }) => id === capability)) {
    return refuse("CAPABILITY_UNKNOWN", "You have no capability with this id.", { why: "CAPABILITY_UNKNOWN" });
  }
  return { facts: [{ type: "AvailabilityChanged", capability, available, at }], reply: { capability } };
}

function timer(state: AccountSnapshot, { name }: Of<"timer">, at: Millis, _arrived: Millis, { credit }: MarketRules): Told {
  const { context } = state;
  const { cooldownUntil, debtSince } = context;
  if (name === "cooldown" && cooldownUntil !== null && at >= cooldownUntil) {
    return { facts: [{ type: "CooldownEnded", at }], reply: null };
  }
  const suspended = { type: "Suspended", at } as const;
  if (name === "debt" && debtSince !== null && state.can(suspended) && at >= suspensionAt(debtSince)) {
    return { facts: [suspended], reply: null };
  }
  const counted = name === "honeypots" ? countDue(context, at) : [];
  if (counted.length > 0) return { facts: counted, reply: null };
  if (name === "turns" && context.waiting.length > 0) return callBatches(state, at, credit);
  return refuse("TIMER_STALE", `The timer ${name} is out of date: the account is ${statusOf(state)}.`);
}
