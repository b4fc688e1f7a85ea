/** Command -> facts, or a refusal. Holds are asked for; what arrives by message is taken unconditionally. */
import { offerIneligibility, type TaskOnOffer } from "../eligibility.ts";
import type { Decision } from "../entity.ts";
import { CAPABILITIES_MAX } from "../market/capability.ts";
import { newMarks } from "../market/identity.ts";
import { suspensionAt } from "../market/rating.ts";
import { judge } from "../market/reputation.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { accountId, type Credits, credits, type JsonValue, type Millis } from "../vocabulary.ts";
import { batchEnded, callBatches, holdItem, startBatch } from "./batches.ts";
import type { AccountFact } from "./events.ts";
import { heldFor } from "./holds.ts";
import { type AccountSnapshot, statusOf } from "./machine.ts";
import { withNews, worthOf } from "./payments.ts";
import type { AccountCommand } from "./protocol.ts";
import { hold } from "./spending.ts";
import type { AccountContext } from "./state.ts";
import { postedTerms, standingOf } from "./view.ts";

/** The most that an account may hold, in NC: far from where a double stops counting. */
export const BALANCE_MAX = 1_000_000_000_000;
/** How long a recovery code is good (guide: Authentication), in ms. */
export const RECOVERY_MS = 300_000;
/** How long the state of an OAuth flow is good, in ms. */
export const OAUTH_MS = 600_000;

type Result = Decision<AccountFact> | Refusal;
type Of<T extends AccountCommand["type"]> = Extract<AccountCommand, { type: T }>;

/** Decides a command at the time `at` (ms). Pure. */
export function decideAccount(state: AccountSnapshot, command: AccountCommand, at: Millis): Result {
  if (command.type === "register") return register(state, command, at);
  if (!state.hasTag("registered")) {
    return refuse("ACCOUNT_UNKNOWN", "There is no such account; register one with POST /api/v1/auth/register.");
  }
  const { context } = state;
  switch (command.type) {
    case "rotateKey": {
      if (command.presented !== context.keyHash) {
        return refuse("KEY_REPLACED", "This API key was replaced a moment ago; use the newest one.");
      }
      const fact = { type: "KeyRotated", keyHash: command.keyHash, before: context.keyHash, at } as const;
      return { facts: [fact], reply: { account_id: context.id } };
    }
    case "mark": {
      const marks = newMarks(context.marks, command.marks);
      return { facts: marks.length === 0 ? [] : [{ type: "Marked", marks, kin: command.kin, at }], reply: null };
    }
    case "requestRecovery":
      return { facts: [{ type: "RecoveryRequested", codeHash: command.codeHash, until: at + RECOVERY_MS, at }], reply: null };
    case "recover":
      return recover(context, command, at);
    case "topUp":
      return topUp(context, command, at);
    case "payment":
      return payment(context, command, at);
    case "repay":
      return repay(context, command, at);
    case "hold":
      return hold(state, command, at);
    case "holdItem":
      return holdItem(state, command, at);
    case "startBatch":
      return startBatch(state, command, at);
    case "batchEnded":
      return batchEnded(context, command, at);
    case "release":
      return release(context, command, at);
    case "settle":
      return settle(context, command, at);
    case "earn":
      return earn(command, at);
    case "fail":
      return fail(state, command, at);
    case "startOAuth":
      return { facts: [{ type: "OAuthStarted", stateHash: command.stateHash, until: at + OAUTH_MS, at }], reply: null };
    case "useOAuth":
      return useOAuth(context, command, at);
    case "linkGitHub":
      return { facts: [{ type: "GitHubLinked", github: command.github, at }], reply: null };
    case "freeze":
    case "unfreeze":
    case "adjust":
      return operate(state, command, at);
    case "registerCapability":
      return registerCapability(context, command, at);
    case "setAvailability":
      return setAvailability(context, command, at);
    case "offer":
      return offer(state, command, at);
    case "freed":
      return { facts: command.task in context.slots ? [{ type: "OfferFreed", task: command.task, at }] : [], reply: null };
    case "honeypot":
      return { facts: [{ type: "HoneypotJudged", task: command.task, passed: command.passed, at }], reply: null };
    case "rated": {
      const { task, taskType, stars } = command;
      return { facts: [{ type: "Rated", task, taskType, stars, at }], reply: null };
    }
    case "timer":
      return timer(state, command, at);
    default:
      return command satisfies never;
  }
}

function register(state: AccountSnapshot, command: Of<"register">, at: Millis): Result {
  if (state.hasTag("registered")) {
    return refuse(
      "ACCOUNT_EXISTS",
      "This address has an account already. Use its API key; if it is lost, recover it with POST /api/v1/auth/recover.",
    );
  }
  const { account, email, source, keyHash, grant, marks = [] } = command;
  const facts: AccountFact[] = [{ type: "Registered", account, email, source, keyHash, grant, at }];
  if (marks.length > 0) facts.push({ type: "Marked", marks: newMarks([], marks), kin: [], at });
  return {
    facts,
    reply: { account_id: account },
  };
}

function useOAuth({ oauth }: AccountContext, { stateHash }: Of<"useOAuth">, at: Millis): Result {
  if (oauth === null || oauth.stateHash !== stateHash || at >= oauth.until) {
    return refuse("OAUTH_STATE_INVALID", "This state is none, or was used, or is too old; begin again.");
  }
  return { facts: [{ type: "OAuthUsed", at }], reply: null };
}

/** A code that is wrong costs a try, so it leaves a fact and is no refusal. */
function recover({ recovery, keyHash: before }: AccountContext, command: Of<"recover">, at: Millis): Result {
  if (recovery === null || recovery.triesLeft === 0 || at >= recovery.until) {
    return refuse("RECOVERY_FAILED", "There is no code that is good now; ask for a new one with POST /api/v1/auth/recover.");
  }
  if (recovery.codeHash !== command.codeHash) {
    return { facts: [{ type: "RecoveryFailed", at }], reply: recoveryReply(null) };
  }
  const { keyHash } = command;
  return { facts: [{ type: "KeyRecovered", keyHash, before, at }], reply: recoveryReply(before) };
}

/** Says which key was replaced, by its hash; null when none was. */
export function recoveryReply(replaced: string | null): JsonValue {
  return { replaced };
}

function topUp(context: AccountContext, command: Of<"topUp">, at: Millis): Result {
  const after = context.available + context.held + command.amount;
  if (after > BALANCE_MAX) {
    return refuse("BALANCE_TOO_LARGE", `An account holds at most ${BALANCE_MAX} NC; top up by less.`);
  }
  const available = credits(context.available + command.amount);
  const fact = { type: "ToppedUp", topup: command.topup, amount: command.amount, available, at } as const;
  return { facts: [fact], reply: { topup: command.topup, credits_balance: available } };
}

/** Taken whatever the account's state: the money has moved already. */
function payment({ payments, customer: known }: AccountContext, command: Of<"payment">, at: Millis): Result {
  const { payment: id, news, customer } = command;
  const before = payments[id];
  const after = withNews(before, news);
  if (after === before && (customer === null || customer === known)) return { facts: [], reply: null };
  const { bought, refunded, disputes } = after;
  const amount = credits(worthOf(after) - worthOf(before));
  const change = (before?.changes ?? 0) + 1;
  const fact = {
    type: "PaymentChanged",
    payment: id,
    after: { bought, refunded, disputes },
    change,
    amount,
    customer,
    at,
  } as const;
  return { facts: [fact], reply: null };
}

function repay({ available }: AccountContext, command: Of<"repay">, at: Millis): Result {
  const debt = -Math.min(0, available);
  if (debt === 0) return refuse("NO_DEBT", "You owe nothing; GET /credits/credit-info says what you may owe.");
  if (command.amount > debt) return refuse("REPAYMENT_TOO_LARGE", `You owe ${debt} NC; repay at most that.`);
  const { repayment, amount } = command;
  const [after, left] = [credits(available + amount), credits(debt - amount)];
  const fact = { type: "Repaid", repayment, amount, available: after, debt: left, at } as const;
  return { facts: [fact], reply: { repayment, credits_balance: after, debt: left } };
}

function holdMismatch(context: AccountContext, task: Of<"release">["task"], budget: Credits): Refusal | undefined {
  const held = heldFor(context.holds, task);
  if (held === budget) return undefined;
  return refuse("HOLD_UNKNOWN", `No hold of ${budget} NC stands for this task; ${held ?? 0} NC is held.`);
}

function release(context: AccountContext, command: Of<"release">, at: Millis): Result {
  const { task, budget } = command;
  const refusal = holdMismatch(context, task, budget);
  if (refusal !== undefined) return refusal;
  return { facts: [{ type: "Released", task, budget, at }], reply: null };
}

function settle(context: AccountContext, command: Of<"settle">, at: Millis): Result {
  const { task, taskType, budget, payout, fee, refund, worker, workerIdentity, firstTry, durationMs, allowedMs } = command;
  const refusal = holdMismatch(context, task, budget);
  if (refusal !== undefined) return refusal;
  if (payout + fee + refund !== budget) throw new Error(`a settlement of ${budget} NC must divide all of it`);
  const counterparty = workerIdentity;
  const fact = {
    type: "Settled",
    task,
    taskType,
    worker,
    counterparty,
    payout,
    fee,
    refund,
    firstTry,
    durationMs,
    allowedMs,
    at,
  } as const;
  return { facts: [fact], reply: null };
}

function earn(command: Of<"earn">, at: Millis): Result {
  const { task, taskType, requester, requesterIdentity: counterparty, payout, firstTry, durationMs, allowedMs } = command;
  const fact = {
    type: "Earned",
    task,
    taskType,
    requester,
    counterparty,
    payout,
    firstTry,
    durationMs,
    allowedMs,
    at,
  } as const;
  return { facts: [fact], reply: null };
}

function fail(state: AccountSnapshot, command: Of<"fail">, at: Millis): Result {
  const { task, taskType, outcome } = command;
  const judged = judge(state.context, outcome, at);
  const facts: AccountFact[] = [{ type: "Failed", task, taskType, outcome, at }];
  if (judged.cooldownUntil !== null) facts.push({ type: "CooldownStarted", until: judged.cooldownUntil, at });
  if (judged.frozen && !state.hasTag("frozen")) facts.push({ type: "Frozen", at });
  return { facts, reply: null };
}

/** What an operator does by hand. */
function operate(state: AccountSnapshot, command: Of<"freeze" | "unfreeze" | "adjust">, at: Millis): Result {
  const { reason } = command;
  const { context } = state;
  if (command.type === "adjust") {
    const { adjustment, amount } = command;
    const after = context.available + context.held + amount;
    if (Math.abs(after) > BALANCE_MAX) return refuse("BALANCE_TOO_LARGE", `An account holds at most ${BALANCE_MAX} NC.`);
    return { facts: [{ type: "Adjusted", adjustment, amount, reason, at }], reply: { adjustment } };
  }
  const frozen = state.hasTag("frozen");
  if (frozen === (command.type === "freeze")) return refuse("NOTHING_TO_DO", `This account is ${statusOf(state)} already.`);
  return { facts: [{ type: frozen ? "Unfrozen" : "Frozen", reason, at }], reply: null };
}

/** A second one for the same task type takes the place of the first, under its id. */
function registerCapability({ capabilities }: AccountContext, { capability }: Of<"registerCapability">, at: Millis): Result {
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

function setAvailability({ capabilities }: AccountContext, command: Of<"setAvailability">, at: Millis): Result {
  const { capability, available } = command;
  if (!Object.values(capabilities).some(({ id }) => id === capability)) {
    return refuse("CAPABILITY_UNKNOWN", "You have no capability with this id; GET /api/v1/capabilities lists yours.");
  }
  return { facts: [{ type: "AvailabilityChanged", capability, available, at }], reply: { capability } };
}

/** The price that stands is given where the capability is there, able and free; whoever asked must hear in either case. */
function offer(state: AccountSnapshot, command: Of<"offer">, at: Millis): Result {
  const { context } = state;
  const { task, bid, taskType } = command;
  const standing = standingOf(state, taskType);
  const terms = postedTerms(context, taskType, task);
  const reason = offerIneligibility(onOffer(command), { worker: accountId(context.id), standing }, terms);
  if (reason !== undefined) return { facts: [{ type: "OfferDeclined", task, reason, at }], reply: null };
  const { capability } = terms;
  if (capability === undefined || capability.price === null) throw new Error("who may take a task at its posted price has one");
  const { id, price } = capability;
  return { facts: [{ type: "OfferTaken", task, bid, capability: id, price, standing, at }], reply: null };
}

/** What an account knows of a task that asks it; the rest is for the task to judge, when the bid comes. */
function onOffer({ budget, minSkill, marks }: Of<"offer">): TaskOnOffer {
  return { status: "ROUTING", requester: null, marks, budget, minSkill, bidders: [], failed: [] };
}

function timer(state: AccountSnapshot, { name }: Of<"timer">, at: Millis): Result {
  const { context } = state;
  const { cooldownUntil, debtSince } = context;
  if (name === "cooldown" && cooldownUntil !== null && at >= cooldownUntil) {
    return { facts: [{ type: "CooldownEnded", at }], reply: null };
  }
  const suspended = { type: "Suspended", at } as const;
  if (name === "debt" && debtSince !== null && state.can(suspended) && at >= suspensionAt(debtSince)) {
    return { facts: [suspended], reply: null };
  }
  if (name === "turns" && context.waiting.length > 0) return callBatches(state, at);
  return refuse("TIMER_STALE", `The timer ${name} means nothing to an account that is ${statusOf(state)}.`);
}
