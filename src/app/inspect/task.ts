/** Where a task is and why: out of its history, the workers that could take it, its money, and what may move it on. */
import { account } from "../../../machines/account/index.ts";
import { postedTerms, qualificationOf, slotsOf } from "../../../machines/account/row.ts";
import {
  bidIneligibility,
  offerIneligibility,
  onOfferByRow,
  slotIneligibility,
  type TaskOnOffer,
} from "../../../machines/eligibility.ts";
import type { Ineligibility } from "../../../machines/ineligibility.ts";
import type { MarketRules } from "../../../machines/market/settings.ts";
import type { TaskFact } from "../../../machines/task/events.ts";
import { task as entity } from "../../../machines/task/index.ts";
import type { TaskSnapshot } from "../../../machines/task/machine.ts";
import { type TaskRow, taskRow } from "../../../machines/task/row.ts";
import { takesBids } from "../../../machines/task/tags.ts";
import type { AccountId, Millis, TaskId } from "../../../machines/vocabulary.ts";
import type { Databases } from "../../adapters/postgres/databases.ts";
import {
  type CapableWorker,
  readActor,
  readCapableWorkers,
  readSurroundings,
  readTaskFacts,
} from "../../adapters/postgres/inspect.ts";
import { readLedger } from "../../adapters/postgres/tasks.ts";
import { tally } from "./reasons.ts";
import type { TaskReport, Workers } from "./task-report.ts";
import { taskSentences } from "./task-sentences.ts";

/** Of workers whose rows say that they may, the slots of so many are looked up in their own states. */
const LOOKED_UP_MAX = 200;

/** Looks at a task at the time `now` (ms), under the rules of the platform; undefined where there is none. */
export async function inspectTask(
  databases: Databases,
  id: TaskId,
  now: Millis,
  rules: MarketRules,
): Promise<TaskReport | undefined> {
  const facts = await readTaskFacts(databases, id);
  const state = facts.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(id));
  const row = taskRow(state);
  const { order } = state.context;
  if (row === undefined || order === null) return undefined;
  const [workers, ledger, surroundings] = await Promise.all([
    takesBids(row.status) ? findWorkers(databases, row, onOfferByRow(row, order.autoRetry), rules) : null,
    readLedger(databases, id),
    readSurroundings(databases, id),
  ]);
  const { result: _result, marks: _marks, ...shown } = row;
  const { maxSeconds, quality, poolHours, autoRetry, batch, callbackUrl, known } = order;
  const report = {
    task: shown,
    spec: {
      maxSeconds,
      quality,
      poolHours,
      autoRetry,
      ...(batch === undefined ? {} : { batch }),
      hasWebhook: callbackUrl !== null,
      isHoneypot: known !== undefined,
    },
    ...roundOf(state.context, facts),
    workers,
    held: ledger.filter(({ account: name }) => name === "held").reduce((sum, { amount }) => sum + amount, 0),
    ended: facts.find((fact) => fact.type === "Expired" || fact.type === "Cancelled") ?? null,
    surroundings,
  };
  return { ...report, sentences: taskSentences(report, now) };
}

/** What its state tells of this round, and its history of offers and webhooks. */
function roundOf(
  { award, awardedAt, deadline, bids, failures, offers, asked, unmatched, order, webhook }: TaskSnapshot["context"],
  facts: readonly TaskFact[],
): Pick<TaskReport, "award" | "bids" | "failures" | "offers" | "unmatched" | "webhook"> {
  const declined = facts.flatMap((fact) => (fact.type === "OfferDeclined" ? [fact] : []));
  const attempts = facts.flatMap((fact) => (fact.type === "WebhookAttempted" ? [fact] : []));
  return {
    award: award === null || awardedAt === null || deadline === null ? null : { ...award, at: awardedAt, deadline },
    bids,
    failures,
    offers: {
      workers: offers.length,
      asked,
      declined: declined.map(({ worker, reason, at }) => ({ worker, at, ...(reason === undefined ? {} : { reason }) })),
    },
    unmatched: unmatched === null ? null : (facts.findLast((fact) => fact.type === "PoolExplained") ?? null),
    webhook: order?.callbackUrl == null ? null : { attempts, done: webhook.done },
  };
}

async function findWorkers(
  databases: Databases,
  { id, taskType }: Pick<TaskRow, "id" | "taskType">,
  onOffer: TaskOnOffer,
  rules: MarketRules,
): Promise<Workers> {
  const { rows, total } = await readCapableWorkers(databases, taskType);
  const cheapestFirst = [...rows].sort((a, b) => (a.capability.price ?? Infinity) - (b.capability.price ?? Infinity));
  const [offers, may]: [(Ineligibility | undefined)[], AccountId[]] = [[], []];
  for (const worker of cheapestFirst) {
    const byRow = offerIneligibility(onOffer, applicant(worker), { capability: worker.capability, kept: 0, keepsThis: false });
    // Rows do not say how many slots are reserved; the worker's own state does.
    const reason =
      byRow === undefined && may.length < LOOKED_UP_MAX ? await byState(databases, id, onOffer, worker, rules) : byRow;
    offers.push(reason);
    if (reason === undefined) may.push(worker.account);
  }
  return {
    capable: total,
    judged: rows.length,
    offers: tally(offers),
    atTheirPrice: may,
    bids: tally(rows.map((worker) => bidIneligibility(onOffer, applicant(worker), null))),
  };
}

function applicant({ account: worker, status, cooldownUntil, marks, tier }: CapableWorker) {
  return { worker, standing: { status, cooldownUntil, marks, tier } };
}

async function byState(
  databases: Databases,
  task: string,
  onOffer: TaskOnOffer,
  { account: id, capability }: CapableWorker,
  { awardsByTier }: MarketRules,
): Promise<Ineligibility | undefined> {
  const { snapshot, facts } = await readActor(databases, { kind: "account", id });
  const saved = snapshot === null ? account.initial(id) : account.restore(id, snapshot.state);
  const state = facts.reduce((before, fact) => account.evolve(before, account.upcast(fact)).state, saved);
  const { taskType } = capability;
  const terms = postedTerms(state.context, taskType, task);
  return (
    offerIneligibility(onOffer, { worker: id, standing: qualificationOf(state, taskType) }, terms) ??
    slotIneligibility(slotsOf(state.context, task, undefined, awardsByTier))
  );
}
