/** What the outcome of a proposal changes. */
import type { Ineligibility, WhyNot } from "../../machines/ineligibility.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Floor } from "./floor.ts";
import { offerOf, type Proposal } from "./proposals.ts";
import type { Known } from "./queue.ts";
import { MATCHING, type Outcome } from "./vocabulary.ts";

/** Whom a decline is about: the task; the worker, who is left alone for a while; or both, so that it does not get this one. */
const CONCERNS: { readonly [W in WhyNot]: "task" | "worker" | "pair" } = {
  TASK_NOT_OPEN: "task",
  FROZEN: "worker",
  SUSPENDED: "worker",
  COOLING: "worker",
  NO_CAPABILITY: "worker",
  CAPABILITY_AWAY: "worker",
  NO_POSTED_PRICE: "worker",
  NO_SLOT: "worker",
  AWARDS_FULL: "worker",
  PULL_FULL: "worker",
  OWN_TASK: "pair",
  ONE_IDENTITY: "pair",
  FAILED_BEFORE: "pair",
  ALREADY_BID: "pair",
  BIDS_FULL: "pair",
  OVER_BUDGET: "pair",
  TIER_TOO_LOW: "pair",
  TOO_LITTLE_TIME: "pair",
  REQUESTER_SCORE_TOO_LOW: "pair",
  SLOT_RESERVED: "pair",
  PASSED: "pair",
};

/** Whether an account that says so has no place for any task, so that its worker is left alone for a while. */
export function isAboutWorker({ why }: Ineligibility): boolean {
  return CONCERNS[why] === "worker";
}

/** Takes in the outcome of a proposal, and goes on with its task and with those who have a place again. Unknown ones are ignored. */
export function resolve(floor: Floor, id: string, outcome: Outcome): void {
  const proposal = floor.proposals.resolve(id);
  if (proposal === undefined) return;
  const { task, offered, regained } = proposal;
  const led = apply(floor, proposal, outcome, floor.queue.get(task.id));
  const known = floor.queue.get(task.id);
  if (known !== undefined) {
    known.failures = led ? 0 : known.failures + 1;
    known.retryAt = led ? 0 : floor.now + Math.min(MATCHING.retryMaxMs, MATCHING.retryMinMs * 2 ** (known.failures - 1));
    floor.try(known);
  }
  for (const wait of regained) floor.serve(wait);
  for (const { wait } of offered) floor.settle(wait);
}

/** Whether the outcome leads anywhere; if not, the same proposal would be made again at once. */
function apply(floor: Floor, proposal: Proposal, outcome: Outcome, known: Known | undefined): boolean {
  switch (outcome.type) {
    case "awarded":
      award(floor, proposal, outcome.worker);
      closeRound(floor, proposal, known);
      return true;
    case "placed":
      return place(floor, proposal, outcome.bids, known);
    case "declined": {
      const { declined } = outcome;
      return declined.map(({ worker, reason }) => decline(floor, proposal, worker, reason, known)).includes(true);
    }
    case "closed":
      closeRound(floor, proposal, known);
      return true;
    case "failed":
      for (const { offer, wait } of proposal.offered) if (offer.pull !== null) wait.unheard.add(proposal.task.id);
      return false;
  }
}

/** The round of a proposal is over; the task may be known to be in a later one already. */
function closeRound(floor: Floor, { task }: Proposal, known: Known | undefined): void {
  if (known === undefined || known.task.round >= task.round) floor.close(task.id);
}

function award(floor: Floor, proposal: Proposal, worker: AccountId): void {
  floor.counts.awarded += 1;
  const { task } = proposal;
  const taker = floor.waiters.worker(worker);
  if (taker !== undefined) {
    taker.fullTimes = 0;
    taker.freedMeanwhile = false;
  }
  const offered = offerOf(proposal, worker);
  const pull = offered === undefined ? floor.placed.of(task.id, worker) : offered.offer.pull === null ? undefined : offered.wait;
  if (pull === undefined) floor.takeSlot(worker);
  else floor.give(pull, task.id, task);
  // A worker that was not the first of the offers has had its turn, too.
  if (offered !== undefined && !offered.wait.ended) floor.waiters.requeue(offered.wait, floor.now);
}

/** The rest of the offers was not wanted in this window. */
function place(floor: Floor, { task, offered }: Proposal, bids: readonly string[], known: Known | undefined): boolean {
  if (known === undefined || known.task.round !== task.round) return true;
  const placed = offered.filter(({ offer }) => bids.includes(offer.bid));
  for (const { offer, wait } of placed) if (offer.pull !== null) floor.placed.add(task, wait);
  for (const { wait } of placed) floor.waiters.refresh(wait.worker);
  const fresh = placed.filter(({ wait }) => !known.bidders.has(wait.worker.id));
  const added = fresh.map(({ offer: { worker, credits, standing } }) => ({ worker, credits, quality: standing.quality }));
  floor.queue.update(known, { ...known.task, bids: [...known.task.bids, ...added] });
  return offered.map(({ wait }) => floor.queue.propose(known, wait.worker.id)).includes(true);
}

/** Whether that is new. */
function decline(floor: Floor, proposal: Proposal, worker: AccountId, reason: Ineligibility, known: Known | undefined): boolean {
  floor.counts.declined += 1;
  switch (CONCERNS[reason.why]) {
    case "task":
      closeRound(floor, proposal, known);
      return true;
    case "pair":
      return known !== undefined && floor.queue.decline(known, worker);
    case "worker":
      return fill(floor, worker, reason);
  }
}

/** A worker has no place, whatever it is proposed, or had none before one was freed; whether that is new. */
function fill(floor: Floor, id: AccountId, reason: Ineligibility): boolean {
  const worker = floor.waiters.worker(id);
  if (worker === undefined) return true;
  if (worker.freedMeanwhile) {
    worker.freedMeanwhile = false;
    return true;
  }
  const isNew = worker.full === null;
  for (const wait of worker.waits) wait.limited = reason;
  floor.waiters.setFull(worker, reason);
  if (!isNew) return false;
  floor.fulls.set(id, floor.now + Math.min(MATCHING.fullMsMax, MATCHING.fullMs * 2 ** worker.fullTimes), worker);
  worker.fullTimes += 1;
  return true;
}
