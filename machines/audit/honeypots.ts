/** What honeypots have minted, and that their house is nobody's counterparty. */
import type { AccountFact } from "../account/events.ts";
import type { Credits } from "../vocabulary.ts";

/** What the checks need to know of honeypots; accounts and identities as they are named in the journal. */
export interface HoneypotBooks {
  /** What was taken out of the budget of each day (`2026-01-31`), in NC. */
  readonly taken: ReadonlyMap<string, number>;
  readonly isHouse: (id: string) => boolean;
}

/** The adjustment with which the house gets the budget of a honeypot names the day whose budget it is from, and the task. */
export function adjustmentOf(day: string, task: string): string {
  return `${day} ${task}`;
}
const ADJUSTMENT = /^(\d{4}-\d\d-\d\d) [0-9a-f-]{36}$/;

/** The day out of whose budget a fact has minted, and how much (NC); undefined if it has minted nothing for a honeypot. */
export function mintedBy(fact: AccountFact): { readonly day: string; readonly amount: Credits } | undefined {
  if (fact.type !== "Adjusted" || fact.reason !== "honeypot") return undefined;
  const day = ADJUSTMENT.exec(fact.adjustment)?.[1];
  return day === undefined ? undefined : { day, amount: fact.amount };
}

/** What is wrong with what was minted on each day: sentences, none if nothing is. */
export function overdrawn(minted: ReadonlyMap<string, number>, { taken }: HoneypotBooks): readonly string[] {
  return [...minted].flatMap(([day, amount]) => {
    const most = taken.get(day) ?? 0;
    return amount <= most ? [] : [`honeypots have minted ${amount} NC on ${day}, and ${most} NC were taken out of its budget`];
  });
}
