/** The replies of an account: rebuilt from facts when a command comes again, and checked when they arrive. */
import { isMade } from "../batch/replies.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { changedForm, factOf, form, NO_REPLY, NOTHING, type Recalls, type ReplyForm, type ReplyForms } from "../replies.ts";
import { isNumber, isRecord, isText, orAbsent, orNull } from "../shape.ts";
import { isMayReturn, isOfferReply } from "../task/commands.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";

const RECALLS: Recalls<"account", AccountSnapshot, AccountFact> = {
  register: (_facts, { context }) => ({ account: context.id }),
  mark: NO_REPLY,
  rotateKey: (_facts, { context }) => ({ account: context.id }),
  requestRecovery: NO_REPLY,
  recover: (facts) => {
    const recovered = facts.find((fact) => fact.type === "KeyRecovered");
    return { replaced: recovered === undefined ? null : recovered.before };
  },
  topUp: (facts) => {
    const { topup, available } = factOf(facts, "ToppedUp");
    return { topup, available };
  },
  payment: NO_REPLY,
  repay: (facts) => {
    const { repayment, available, debt } = factOf(facts, "Repaid");
    return { repayment, available, debt };
  },
  hold: (facts) => {
    const { task, score, at } = factOf(facts, "Held");
    return { id: task, createdAt: at, ...(score === undefined ? {} : { score }) };
  },
  startBatch: (facts) => {
    const { batch, request } = factOf(facts, "BatchStarted");
    return { batch, request };
  },
  batchEnded: NO_REPLY,
  leaveQueue: NO_REPLY,
  batchCancelled: NO_REPLY,
  holdItem: NO_REPLY,
  release: NO_REPLY,
  settle: NO_REPLY,
  earn: NO_REPLY,
  fail: NO_REPLY,
  excuse: NO_REPLY,
  startOAuth: NO_REPLY,
  useOAuth: NO_REPLY,
  linkGitHub: NO_REPLY,
  freeze: NO_REPLY,
  unfreeze: NO_REPLY,
  adjust: (facts) => ({ adjustment: factOf(facts, "Adjusted").adjustment }),
  registerCapability: (facts) => {
    const { capability, request = null } = factOf(facts, "CapabilityRegistered");
    return { capability: capability.id, request };
  },
  setAvailability: (facts) => ({ capability: factOf(facts, "AvailabilityChanged").capability }),
  offer: (facts) => (facts.some((fact) => fact.type === "OfferTaken" && fact.asked === true) ? { kept: true } : null),
  mayReturn: (facts) => ({ granted: facts.some(({ type }) => type === "ReturnGranted") }),
  freed: NO_REPLY,
  honeypot: NO_REPLY,
  rated: NO_REPLY,
  timer: NO_REPLY,
};

/** Rebuilds the reply to a command from its facts; throws if they are another command's. */
export function recallAccount<T extends CommandType<"account">>(
  command: CommandOf<"account", T>,
  facts: readonly AccountFact[],
  state: AccountSnapshot,
): ReplyOf<"account", T> {
  return RECALLS[command.type](facts, state);
}

type Reply<T extends CommandType<"account">> = ReplyOf<"account", T>;

/** Replies whose form has changed used to have the field names of the HTTP API. */
const REGISTERED: ReplyForm<{ readonly account: string }> = changedForm(
  isRecord<{ readonly account: string }>({ account: isText }),
  {
    check: isRecord<{ readonly account_id: string }>({ account_id: isText }),
    up: ({ account_id: account }) => ({ account }),
    down: ({ account }) => ({ account_id: account }),
  },
);

export const ACCOUNT_REPLIES: ReplyForms<"account"> = {
  register: REGISTERED,
  mark: NOTHING,
  rotateKey: REGISTERED,
  requestRecovery: NOTHING,
  recover: form(isRecord<Reply<"recover">>({ replaced: orNull(isText) })),
  topUp: changedForm(isRecord<Reply<"topUp">>({ topup: isText, available: isNumber }), {
    check: isRecord<{ readonly topup: string; readonly credits_balance: number }>({ topup: isText, credits_balance: isNumber }),
    up: ({ topup, credits_balance: available }) => ({ topup, available }),
    down: ({ topup, available }) => ({ topup, credits_balance: available }),
  }),
  payment: NOTHING,
  repay: changedForm(isRecord<Reply<"repay">>({ repayment: isText, available: isNumber, debt: isNumber }), {
    check: isRecord<{ readonly repayment: string; readonly credits_balance: number; readonly debt: number }>({
      repayment: isText,
      credits_balance: isNumber,
      debt: isNumber,
    }),
    up: ({ repayment, credits_balance: available, debt }) => ({ repayment, available, debt }),
    down: ({ repayment, available, debt }) => ({ repayment, credits_balance: available, debt }),
  }),
  hold: form(isRecord<Reply<"hold">>({ id: isText, createdAt: isNumber, score: orAbsent(isNumber) })),
  startBatch: form(isMade),
  batchEnded: NOTHING,
  leaveQueue: NOTHING,
  batchCancelled: NOTHING,
  holdItem: NOTHING,
  release: NOTHING,
  settle: NOTHING,
  earn: NOTHING,
  fail: NOTHING,
  excuse: NOTHING,
  startOAuth: NOTHING,
  useOAuth: NOTHING,
  linkGitHub: NOTHING,
  freeze: NOTHING,
  unfreeze: NOTHING,
  adjust: form(isRecord<Reply<"adjust">>({ adjustment: isText })),
  registerCapability: changedForm(isRecord<Reply<"registerCapability">>({ capability: isText, request: orNull(isText) }), {
    // The request is absent if the journal does not have it.
    check: isRecord<{ readonly capability: string }>({ capability: isText }),
    up: ({ capability }) => ({ capability, request: null }),
    down: ({ capability, request }) => ({ capability, ...(request === null ? {} : { request }) }),
  }),
  setAvailability: form(isRecord<Reply<"setAvailability">>({ capability: isText })),
  offer: { read: (value) => (isOfferReply(value) ? value : null), older: (value) => value },
  mayReturn: form(isMayReturn),
  freed: NOTHING,
  honeypot: NOTHING,
  rated: NOTHING,
  timer: NOTHING,
};
