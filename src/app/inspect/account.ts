/** Why an account gets no work, or what it may take: out of its state, its history, and the tasks that are open. */
import type { AccountFact } from "../../../machines/account/events.ts";
import { account as entity } from "../../../machines/account/index.ts";
import { accountRow, postedTerms, qualificationOf, slotsOf } from "../../../machines/account/row.ts";
import { bidIneligibility, offerIneligibility, onOfferByRow, slotIneligibility } from "../../../machines/eligibility.ts";
import { skillIn } from "../../../machines/market/qualification.ts";
import type { MarketRules } from "../../../machines/market/settings.ts";
import type { AccountId, Millis } from "../../../machines/vocabulary.ts";
import { readMarked } from "../../adapters/postgres/accounts.ts";
import type { Databases } from "../../adapters/postgres/databases.ts";
import { readActor, readDeclined, readLatest, readOpenTasks, readSurroundings } from "../../adapters/postgres/inspect.ts";
import type { AccountReport, TypeOfWork } from "./account-report.ts";
import { accountSentences } from "./account-sentences.ts";
import { tally } from "./reasons.ts";

const BARRING = ["Frozen", "Unfrozen", "CooldownStarted", "Suspended", "Failed", "Earned"] satisfies AccountFact["type"][];

/** Looks at an account at the time `now` (ms), under the rules of the platform; undefined where there is none. */
export async function inspectAccount(
  databases: Databases,
  id: AccountId,
  now: Millis,
  { awardsByTier }: MarketRules,
): Promise<AccountReport | undefined> {
  const { snapshot, facts } = await readActor(databases, { kind: "account", id });
  if (snapshot === null && facts.length === 0) return undefined;
  const saved = snapshot === null ? entity.initial(id) : entity.restore(id, snapshot.state);
  const state = facts.reduce((before, fact) => entity.evolve(before, entity.upcast(fact)).state, saved);
  const row = accountRow(state);
  if (row === undefined) return undefined;
  const [openTasks, history, declined, surroundings, marked] = await Promise.all([
    readOpenTasks(databases),
    readLatest(databases, id, BARRING),
    readDeclined(databases, id),
    readSurroundings(databases, id),
    databases.each((database) => readMarked(database, row.marks)),
  ]);
  const { keyHash: _key, github: _github, records, customer: _customer, ...account } = row;
  const noSlot = (task: string) => slotIneligibility(slotsOf(state.context, task, undefined, awardsByTier));
  const types = new Set([...Object.values(state.context.capabilities), ...openTasks.rows].map(({ taskType }) => taskType));
  const work = [...types].sort().map((taskType): TypeOfWork => {
    const open = openTasks.rows.filter((task) => task.taskType === taskType);
    const applicant = { worker: id, standing: qualificationOf(state, taskType) };
    const { capability } = postedTerms(state.context, taskType, "");
    const slots = Object.entries(state.context.slots);
    return {
      taskType,
      open: open.length,
      skill: skillIn(records, taskType),
      capability:
        capability === undefined
          ? null
          : {
              price: capability.price,
              available: capability.available,
              slots: capability.concurrency,
              kept: slots.filter(([, kept]) => kept === capability.id).map(([task]) => task),
            },
      bids: tally(open.map((task) => bidIneligibility(onOfferByRow(task, task.autoRetry), applicant, null) ?? noSlot(task.id))),
      offers: tally(
        open.map((task) => {
          const terms = postedTerms(state.context, taskType, task.id);
          return offerIneligibility(onOfferByRow(task, task.autoRetry), applicant, terms) ?? noSlot(task.id);
        }),
      ),
    };
  });
  const report = {
    account,
    kin: marked.flat().flatMap((other) => (other.id === id ? [] : [other.id])),
    history: history.map((fact) => entity.upcast(fact)),
    work,
    openTasks: { total: openTasks.total, judged: openTasks.rows.length },
    declined,
    surroundings,
  };
  return { ...report, sentences: accountSentences(report, now) };
}
