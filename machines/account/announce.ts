/** What matchers are told of a worker: that it has a free slot again, or may work again; and when its streams have more to tell. */
import type { Announcement } from "../announcement.ts";
import { type AccountId, accountId } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import type { AccountSnapshot } from "./machine.ts";

/** Gives what matchers are told after these facts, which led to `state`. */
export function announceAccount({ context }: AccountSnapshot, facts: readonly AccountFact[]): readonly Announcement[] {
  const types = facts.flatMap((fact) => freedIn(fact) ?? []);
  if (types.length === 0) return [];
  const worker = accountId(context.id);
  // A worker that pulls may wait for types that its account does not know.
  const queues = new Set([...types.filter((type) => type !== ""), ...Object.keys(context.capabilities), null]);
  return [...queues].map((taskType) => ({ taskType, about: worker, command: { type: "freed", worker } }));
}

/**
 * Gives whose streams have more to tell: those of a requester whose budget was given back, because its task has ended before that.
 * After a settlement the task itself says so, because it ends after that (machines/task/announce.ts).
 */
export function wakenByAccount({ context }: AccountSnapshot, facts: readonly AccountFact[]): readonly AccountId[] {
  return facts.some(({ type }) => type === "Released") ? [accountId(context.id)] : [];
}

/** The task type in which a fact gives the worker a slot back, empty if it does not say; undefined if it gives none. */
function freedIn(fact: AccountFact): string | undefined {
  switch (fact.type) {
    case "Earned":
    case "Failed":
      return fact.taskType;
    case "CapabilityRegistered":
      return fact.capability.taskType;
    case "OfferFreed":
    case "AvailabilityChanged":
    case "CooldownEnded":
    case "Unfrozen":
      return "";
    default:
      return undefined;
  }
}
