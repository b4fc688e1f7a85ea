/**
 * What a worker's account decides when a task asks whether it takes an award.
 *
 * S1  A yes reserves a slot for the bid, and the same commit has the message that tells the task. So each slot becomes an award,
 *     or the task frees it; and a task awards only what it was told by a message that a slot came with.
 * S2  Asked again about a bid that has its slot, it says yes and does nothing: its message is under way, or has arrived.
 * S3  A slot is for one bid. Asked about another bid on the same task, it does not answer: what becomes of the first one is told by
 *     a message that is under way, and to a second yes the award of the first would look like a slot too many, or too few.
 */
import { bidIneligibility, offerIneligibility, slotIneligibility, type TaskOnOffer, termsIneligibility } from "../eligibility.ts";
import type { Decision } from "../entity.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { AwardsByTier } from "../market/awards.ts";
import { type Capability, termsOf } from "../market/capability.ts";
import type { Qualification } from "../market/qualification.ts";
import type { MarketRules } from "../market/settings.ts";
import type { CommandOf } from "../protocols.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { accountId, type Credits, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";
import type { OfferReply } from "./protocol.ts";
import { postedTerms, qualificationOf, slotsOf } from "./row.ts";

type Offer = CommandOf<"account", "offer">;
type Decided = Decision<AccountFact, OfferReply | null>;

const NOT_SETTLED = refuse(
  "UNAVAILABLE",
  "This account has a slot for an earlier bid on this task, and has not heard yet what became of it; ask again.",
);

/** Reserves a slot for the bid and tells the task so, or says why not. `rules` bound the awards that it may have at a time. */
export function offer(state: AccountSnapshot, command: Offer, at: Millis, rules: MarketRules): Decided | Refusal {
  const { task, bid, pull, candidates, going, asked } = command;
  if (asked === true && state.context.reserved[task]?.bid === bid) return { facts: [], reply: { kept: true } };
  if (asked === true && task in state.context.reserved) return NOT_SETTLED;
  const standing = qualificationOf(state, command.taskType, rules);
  const terms = bidTerms(state, command, standing, rules.awardsByTier);
  if ("reason" in terms) return declined(command, terms.reason, at);
  const { price, capability } = terms;
  const extra = asked === true ? ({ asked, ...(pull === undefined ? {} : { pull }) } as const) : {};
  const fact = { type: "OfferTaken", task, bid, capability, price, standing, ...extra, at } as const;
  if (asked !== true) return { facts: [fact], reply: null };
  const worker = accountId(state.context.id);
  const told = { type: "standingBid", bid, worker, credits: price, standing, posted: capability !== "", ...extra } as const;
  const weighed = { ...(candidates === undefined ? {} : { candidates }), ...(going === undefined ? {} : { going }) };
  return {
    facts: [fact],
    reply: { kept: true },
    carry: [{ type: "tell", to: { kind: "task", id: task }, command: { ...told, ...weighed } }],
    afterDelivery: true,
  };
}

/** A no leaves a fact only for a task of an older version, which waits for the message that the fact leads to. */
function declined({ task, bid, asked }: Offer, reason: Ineligibility, at: Millis): Decided {
  if (asked === true) return { facts: [], reply: { kept: false, reason } };
  return { facts: [{ type: "OfferDeclined", task, bid, reason, at }], reply: null };
}

/** Frees the slot, unless it is reserved for another bid by now. */
export function freed(
  { context }: AccountSnapshot,
  { task, bid }: CommandOf<"account", "freed">,
  at: Millis,
): Decision<AccountFact, null> {
  const reserved = context.reserved[task]?.bid;
  const isForAnother = bid !== undefined && reserved !== undefined && bid !== reserved;
  return { facts: task in context.slots && !isForAnother ? [{ type: "OfferFreed", task, at }] : [], reply: null };
}

/** The price, and the capability whose slot the award takes: none (empty) if the worker has named the price itself. */
function bidTerms(
  { context }: AccountSnapshot,
  command: Offer,
  standing: Qualification,
  byTier: AwardsByTier,
): { readonly price: Credits; readonly capability: string } | { readonly reason: Ineligibility } {
  const { task, taskType, price, pull, asked } = command;
  const applicant = { worker: accountId(context.id), standing };
  const terms = postedTerms(context, taskType, task);
  const posted = price === undefined;
  const keepsThis = terms.keepsThis && asked !== true;
  const reason =
    (posted
      ? offerIneligibility(onOffer(command), applicant, { ...terms, keepsThis })
      : (bidIneligibility(onOffer(command), applicant, price) ?? unseen(command, terms.capability))) ??
    slotIneligibility(slotsOf(context, task, pull, byTier));
  if (reason !== undefined) return { reason };
  if (!posted) return { price, capability: "" };
  const { capability } = terms;
  if (capability === undefined || capability.price === null) throw new Error("an eligible worker has a posted price");
  return { price: capability.price, capability: capability.id };
}

/** A pull takes a task unseen, as a posted price does. */
function unseen(command: Offer, capability: Capability | undefined): Ineligibility | undefined {
  return command.pull === undefined ? undefined : termsIneligibility(onOffer(command), termsOf(capability));
}

/** What an account knows about a task that is offered to it. The task checks the rest. */
function onOffer({ budget, minSkill, marks, maxSeconds, requesterScore }: Offer): TaskOnOffer {
  const seconds = maxSeconds === undefined ? {} : { maxSeconds };
  const score = requesterScore === undefined ? {} : { requesterScore };
  return { status: "ROUTING", requester: null, marks, budget, minSkill, ...seconds, ...score, bidders: [], failed: [] };
}
