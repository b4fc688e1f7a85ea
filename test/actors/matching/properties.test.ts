/** Random events in random order, some lost, some twice: what holds at each step, and what holds at the end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Manual, Outcome, Posted, Propose, Pull, QueuedTask, Waiter } from "../../../actors/matching/vocabulary.ts";
import { bidIneligibility } from "../../../machines/eligibility.ts";
import type { AccountId, TaskId } from "../../../machines/vocabulary.ts";
import { account, firstWins, inWindow, manual, ordinary, posted, pull, standing, task, Watched } from "../../support/matching.ts";

const WORKERS = 6;
const TASKS = 12;
const RENEWED_MS = 60_000;

type Step =
  | { readonly do: "open"; readonly n: number; readonly budget: number; readonly minSkill: number; readonly window: boolean }
  | { readonly do: "close" | "pool" | "reopen"; readonly n: number }
  | { readonly do: "wait"; readonly n: number; readonly kind: Waiter["kind"]; readonly price: number; readonly places: number }
  | { readonly do: "leave" | "freed"; readonly n: number; readonly kind: Waiter["kind"] }
  | { readonly do: "answer"; readonly which: number; readonly how: Outcome["type"]; readonly why: number }
  | { readonly do: "pass"; readonly ms: number };

const n = fc.nat(TASKS - 1);
const worker = fc.nat(WORKERS - 1);
const kind = fc.constantFrom<Waiter["kind"]>("pull", "posted", "manual");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("open" as const),
    n,
    budget: fc.integer({ min: 5, max: 15 }),
    minSkill: fc.integer({ min: 1, max: 3 }),
    window: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom("close" as const, "pool" as const, "reopen" as const), n }),
  fc.record({ do: fc.constant("wait" as const), n: worker, kind, price: fc.integer({ min: 1, max: 16 }), places: fc.nat(3) }),
  fc.record({ do: fc.constantFrom("leave" as const, "freed" as const), n: worker, kind }),
  fc.record({
    do: fc.constant("answer" as const),
    which: fc.nat(20),
    how: fc.constantFrom<Outcome["type"]>("awarded", "placed", "declined", "closed", "failed"),
    why: fc.nat(2),
  }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(50, 500, 3_000) }),
);
const steps = fc.array(fc.tuple(step, fc.constantFrom("told", "told", "told", "lost", "twice")), { maxLength: 60 });

/** What is really so, beside what the matcher was told. */
class Truth {
  readonly watched = new Watched();
  readonly tasks = new Map<TaskId, QueuedTask>();
  readonly waits = new Map<string, Waiter>();
  readonly got = new Map<string, number>();
  #clock = 0;

  waiter(n: number, kind: Waiter["kind"], price: number, places: number): Waiter {
    const until = this.watched.now + RENEWED_MS;
    const base = { since: this.watched.now, until, standing: standing({ tier: 1 + (n % 3), quality: n / WORKERS }) };
    const made: Pull | Posted | Manual =
      kind === "pull"
        ? pull(n, { ...base, price: price > 15 ? null : price, most: places + 1 })
        : kind === "posted"
          ? posted(n, { ...base, price, free: places })
          : manual(n, base);
    return made;
  }

  told(how: string, event: () => void): void {
    for (let times = { lost: 0, told: 1, twice: 2 }[how] ?? 1; times > 0; times -= 1) event();
    this.check();
  }

  /** What holds after each event. */
  check(): void {
    const { open, actions } = this.watched;
    const tasks = [...open.values()].map((proposal) => proposal.task);
    expect(new Set(tasks).size).toBe(tasks.length);
    const offered = new Map<string, number>();
    for (const { offers } of open.values()) {
      expect(new Set(offers.map((offer) => offer.worker)).size).toBe(offers.length);
      for (const { pull: of } of offers) if (of !== null) offered.set(of.id, (offered.get(of.id) ?? 0) + 1);
    }
    for (const [id, count] of offered) expect(count).toBeLessThanOrEqual(this.#mostOf(id));
    for (const action of actions.splice(0)) {
      if (action.type !== "answer") continue;
      expect(action.tasks.length).toBeLessThanOrEqual(this.#mostOf(action.waiter));
      expect(new Set(action.tasks).size).toBe(action.tasks.length);
      expect(offered.get(action.waiter)).toBeUndefined();
      this.waits.delete(action.waiter);
    }
  }

  /** The most that this pull ever asked for: renewals may ask for less. */
  #mostOf(id: string): number {
    return this.got.get(id) ?? 0;
  }

  do(step: Step, how: string): void {
    const { watched } = this;
    switch (step.do) {
      case "open": {
        const change = { budget: step.budget, minSkill: step.minSkill, createdAt: watched.now };
        const made = step.window ? inWindow(step.n, change) : task(step.n, change);
        if (this.tasks.has(made.id)) return;
        this.tasks.set(made.id, made);
        this.told(how, () => watched.do((matcher, now) => matcher.opened(made, now)));
        return;
      }
      case "close":
        this.tasks.delete(ordinary(step.n));
        this.told(how, () => watched.do((matcher, now) => matcher.closed(ordinary(step.n), now)));
        return;
      case "pool":
      case "reopen": {
        const before = this.tasks.get(ordinary(step.n));
        if (before === undefined) return;
        const change =
          step.do === "pool"
            ? ({ status: "PENDING_POOL" } as const)
            : ({ status: "ROUTING", round: before.round - 1, windowEnds: watched.now + 3_000, bids: [] } as const);
        const after = { ...before, ...change };
        this.tasks.set(after.id, after);
        this.told(how, () => watched.do((matcher, now) => matcher.opened(after, now)));
        return;
      }
      case "wait": {
        const waiter = this.waiter(step.n, step.kind, step.price, step.places);
        const named = waiter.kind === "pull" ? { ...waiter, id: `${waiter.id}-${this.#next()}` } : waiter;
        this.waits.set(named.id, named);
        if (named.kind === "pull") this.got.set(named.id, named.most);
        this.told(how, () => watched.do((matcher, now) => matcher.wait(named, now)));
        return;
      }
      case "leave":
      case "freed":
        this.#left(step, how);
        return;
      case "answer":
        this.#answer(step);
        return;
      case "pass":
        watched.now += step.ms;
        this.told("told", () => watched.do((matcher, now) => matcher.tick(now)));
        return;
    }
  }

  #next(): number {
    this.#clock += 1;
    return this.#clock;
  }

  #left({ do: what, n: of, kind: like }: Extract<Step, { readonly do: "leave" | "freed" }>, how: string): void {
    const wait = [...this.waits.values()].find((one) => one.worker === account(of) && one.kind === like);
    if (wait === undefined) return;
    if (what === "freed") {
      this.told(how, () => this.watched.do((matcher, now) => matcher.freed(wait.worker, now)));
      return;
    }
    this.waits.delete(wait.id);
    this.told(how, () => this.watched.do((matcher, now) => matcher.leave(wait.id, now)));
  }

  #answer({ which, how, why }: Extract<Step, { readonly do: "answer" }>): void {
    const proposal = [...this.watched.open.values()][which];
    if (proposal === undefined) return;
    const outcome = this.#outcome(proposal, how, why);
    if (outcome.type === "awarded" || outcome.type === "closed") this.tasks.delete(proposal.task);
    this.told("told", () => this.watched.answer(proposal.task, outcome));
  }

  #outcome(proposal: Propose, how: Outcome["type"], why: number): Outcome {
    const { offers } = proposal;
    switch (how) {
      case "awarded":
        return firstWins(proposal);
      case "placed":
        return { type: "placed", bids: offers.map(({ bid }) => bid) };
      case "declined": {
        const reason = ([{ why: "NO_SLOT", slots: 1 }, { why: "FROZEN" }, { why: "FAILED_BEFORE" }] as const)[why] ?? {
          why: "FROZEN",
        };
        if (reason.why === "FAILED_BEFORE")
          this.#closeTo(
            proposal.task,
            offers.map((offer) => offer.worker),
          );
        return { type: "declined", declined: offers.map((offer) => ({ worker: offer.worker, reason })) };
      }
      case "closed":
      case "failed":
        return { type: how };
    }
  }

  #closeTo(id: TaskId, workers: readonly AccountId[]): void {
    const before = this.tasks.get(id);
    if (before !== undefined) this.tasks.set(id, { ...before, closedTo: [...before.closedTo, ...workers] });
  }

  /** Everything is told again: gateways renew, the index is read, and time passes. */
  settle(): void {
    const { watched } = this;
    for (let [first] = watched.open.values(); first !== undefined; [first] = watched.open.values()) {
      watched.answer(first.task, { type: "failed" });
    }
    for (const [id, known] of this.tasks) this.tasks.set(id, { ...known, status: "PENDING_POOL" });
    watched.matcher.reconcileBegin();
    watched.do((matcher, now) => matcher.reconcilePage([...this.tasks.values()], now));
    watched.do((matcher, now) => matcher.reconcileEnd(true, now));
    for (const wait of [...this.waits.values()]) {
      watched.do((matcher, now) => matcher.wait({ ...wait, until: now + RENEWED_MS }, now));
    }
    watched.now += 5_000;
    watched.do((matcher, now) => matcher.tick(now));
    this.check();
  }

  /** Pairs of a task without a proposal and a waiter with a price and a place who may have it. */
  unmatched(): readonly string[] {
    const { open } = this.watched;
    const offers = [...open.values()].flatMap((proposal) => proposal.offers);
    const busy = new Set([...open.values()].map((proposal) => proposal.task));
    const pairs: string[] = [];
    for (const known of this.tasks.values()) {
      if (busy.has(known.id)) continue;
      for (const wait of this.waits.values()) {
        if (wait.kind === "manual") continue;
        const places =
          wait.kind === "pull"
            ? wait.most - offers.filter((offer) => offer.pull?.id === wait.id).length
            : wait.free - offers.filter((offer) => offer.pull === null && offer.worker === wait.worker).length;
        const least = wait.price ?? (wait.kind === "pull" ? wait.minPrice : 0);
        const onOffer = { ...known, bidders: [], failed: known.closedTo };
        const mayNot = bidIneligibility(onOffer, wait, wait.price) !== undefined || least > known.budget;
        if (places > 0 && !mayNot) pairs.push(`${known.id} for ${wait.id}`);
      }
    }
    return pairs;
  }
}

describe("whatever comes, in whatever order, lost or twice", () => {
  test("no task has two proposals, no pull more than it asked for; and what can match does in the end", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const truth = new Truth();
        for (const [one, how] of all) truth.do(one, how);
        truth.settle();
        expect(truth.unmatched()).toEqual([]);
        expect(truth.watched.matcher.stats.tasks).toBe(truth.tasks.size);
      }),
      { numRuns: 500 },
    );
  });
});
