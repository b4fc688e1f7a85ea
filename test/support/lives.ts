/** Lives of tasks and of workers up to a moment, of every kind that matters for who may take what. */
import fc from "fast-check";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import type { AccountSnapshot } from "../../machines/account/machine.ts";
import type { TaskOnOffer } from "../../machines/eligibility.ts";
import type { Terms } from "../../machines/market/capability.ts";
import type { PlacedBid, TaskFact, TaskSpec } from "../../machines/task/events.ts";
import { task } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { type AccountId, credits, taskId } from "../../machines/vocabulary.ts";
import { id, order, person, STANDING } from "./world.ts";

export const AT = 1_000_000;
export const MARKS = ["mail:a", "mail:b", "git:c"];
/** Those who post tasks, bid and work. */
export const WORKERS = Array.from({ length: 24 }, (_, n) => person(10 + n));
const TYPE = order().taskType;
const upTo = ["routing", "pool", "awarded", "expired", "cancelled"] as const;

export interface TaskLife {
  readonly requester: AccountId;
  readonly marks: readonly string[];
  readonly budget: number;
  readonly minSkill: number;
  readonly maxSeconds: number;
  readonly requesterScore: number;
  /** Whose awards timed out, one after the other. */
  readonly failed: readonly AccountId[];
  /** Who has bid in the round after. */
  readonly bidders: readonly AccountId[];
  readonly autoRetry: number;
  readonly upTo: (typeof upTo)[number];
}

/** Lives of tasks among the first so many of WORKERS. */
export function anyTaskLife(count: number): fc.Arbitrary<TaskLife> {
  const workers = WORKERS.slice(0, count);
  return fc
    .record({
      requester: fc.constantFrom(...workers),
      marks: fc.subarray(MARKS),
      budget: fc.integer({ min: 5, max: 8 }),
      minSkill: fc.integer({ min: 0, max: 5 }),
      maxSeconds: fc.constantFrom(9, 10, 120, 120, 120),
      requesterScore: fc.constantFrom(0.5, 0.9, 0.9, 0.9),
      failed: fc.subarray(workers, { maxLength: 3 }),
      bidders: fc.subarray(workers, { maxLength: 6 }),
      autoRetry: fc.integer({ min: 0, max: 3 }),
      upTo: fc.constantFrom(...upTo),
    })
    .map((life) => ({ ...life, failed: life.failed.slice(0, life.autoRetry) }))
    .map((life) => ({ ...life, bidders: life.bidders.filter((worker) => !life.failed.includes(worker)) }));
}

function specOf({ budget, minSkill, maxSeconds, autoRetry }: TaskLife): TaskSpec {
  return order({ budget: credits(budget), minSkill, maxSeconds, autoRetry });
}

/** What happened to a task that lived so. */
export function taskFacts(life: TaskLife, name: string): readonly TaskFact[] {
  const { requester, marks, requesterScore, failed, bidders, upTo: end } = life;
  const placed = (worker: AccountId): TaskFact => ({ type: "BidPlaced", bid: bidOf(worker), at: AT });
  const won = (worker: AccountId): TaskFact => {
    const bid = bidOf(worker);
    return { type: "Awarded", bid, deadline: AT, explored: false, candidates: [bid], at: AT };
  };
  const facts: TaskFact[] = [
    { type: "Opened", task: taskId(name), requester, marks, order: specOf(life), requesterScore, createdAt: AT, at: AT },
    { type: "RoutingStarted", until: AT, at: AT },
  ];
  for (const worker of failed) {
    facts.push(placed(worker), won(worker), { type: "AwardTimedOut", at: AT }, { type: "Reopened", until: AT, at: AT });
  }
  if (end === "pool") return [...facts, { type: "PoolEntered", until: AT, at: AT }];
  facts.push(...bidders.map(placed));
  const [first] = bidders;
  if (end === "awarded" && first !== undefined) facts.push(won(first));
  if (end === "expired") facts.push({ type: "Expired", at: AT });
  if (end === "cancelled") facts.push({ type: "Cancelled", at: AT });
  return facts;
}

function bidOf(worker: AccountId): PlacedBid {
  return { id: worker, worker, credits: credits(5), quality: 0.5 };
}

export function taskAfter(facts: readonly TaskFact[], name: string): TaskSnapshot {
  return facts.reduce((state, fact) => task.evolve(state, fact).state, task.initial(name));
}

/** What the rule looks at, written out of the life itself. */
export function onOfferOf(life: TaskLife, state: TaskSnapshot): TaskOnOffer {
  if (state.value === "NEW") throw new Error("a task that lives is open");
  const { requester, marks, budget, minSkill, maxSeconds, requesterScore, failed, bidders, upTo: end } = life;
  const terms = { maxSeconds, requesterScore };
  return { status: state.value, requester, marks, budget, minSkill, ...terms, bidders: end === "pool" ? [] : bidders, failed };
}

export interface WorkerLife {
  readonly marks: readonly string[];
  /** Tasks that were paid, and that failed: what its tier comes from. */
  readonly paid: number;
  readonly failed: number;
  readonly capability:
    | ({ readonly price: number | null; readonly available: boolean; readonly concurrency: number } & Partial<Terms>)
    | null;
  /** How many tasks it reserves a slot for. */
  readonly kept: number;
  readonly become: "active" | "indebted" | "cooling" | "frozen" | "suspended";
}

export const anyWorkerLife: fc.Arbitrary<WorkerLife> = fc.record({
  marks: fc.subarray(MARKS, { maxLength: 1 }),
  paid: fc.integer({ min: 0, max: 3 }),
  failed: fc.integer({ min: 0, max: 2 }),
  capability: fc.option(
    fc.record({
      price: fc.option(fc.integer({ min: 5, max: 8 }), { freq: 4 }),
      available: fc.constantFrom(true, true, true, false),
      concurrency: fc.integer({ min: 1, max: 2 }),
      minSeconds: fc.constantFrom(1, 10, 10, 11),
      minRequesterScore: fc.constantFrom(0, 0.6),
    }),
    { freq: 6 },
  ),
  kept: fc.constantFrom(0, 0, 0, 1, 2),
  become: fc.constantFrom("active", "active", "active", "active", "indebted", "cooling", "frozen", "suspended"),
});

/** What happened to a worker that lived so. */
export function workerFacts(life: WorkerLife, worker: AccountId): readonly AccountFact[] {
  const { marks, paid, failed, capability, kept, become } = life;
  const registered = { account: worker, email: `${worker}@test.example`, source: null, keyHash: worker, grant: credits(0) };
  const facts: AccountFact[] = [{ type: "Registered", ...registered, at: AT }];
  if (marks.length > 0) facts.push({ type: "Marked", marks, kin: [], at: AT });
  for (let n = 0; n < paid; n += 1) {
    const earned = { task: taskId(id(5_000 + n)), taskType: TYPE, requester: person(1), payout: credits(5), firstTry: n > 0 };
    facts.push({ type: "Earned", ...earned, durationMs: 1_000 * n, allowedMs: 4_000, at: AT });
  }
  for (let n = 0; n < failed; n += 1)
    facts.push({ type: "Failed", task: taskId(id(6_000 + n)), taskType: TYPE, outcome: "TIMED_OUT", at: AT });
  if (capability !== null) {
    const own = { id: worker, taskType: TYPE, description: "", tags: [], createdAt: AT };
    const price = capability.price === null ? null : credits(capability.price);
    facts.push({ type: "CapabilityRegistered", capability: { ...own, ...capability, price }, at: AT });
    for (let n = 0; n < kept; n += 1) {
      const taken = { task: taskId(id(7_000 + n)), bid: id(8_000), capability: worker, price: credits(5), standing: STANDING };
      facts.push({ type: "OfferTaken", ...taken, at: AT });
    }
  }
  if (become === "cooling") facts.push({ type: "CooldownStarted", until: AT + 1, at: AT });
  if (become === "frozen") facts.push({ type: "Frozen", at: AT });
  if (become === "indebted" || become === "suspended") {
    facts.push({ type: "Adjusted", adjustment: id(9_000), amount: credits(-100), reason: "test", at: AT });
  }
  if (become === "suspended") facts.push({ type: "Suspended", at: AT });
  return facts;
}

export function workerAfter(facts: readonly AccountFact[], worker: AccountId): AccountSnapshot {
  return facts.reduce((state, fact) => account.evolve(state, fact).state, account.initial(worker));
}
