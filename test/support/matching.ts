/** Tasks and waiters for a matcher, and what it did about them. */
import { Matcher } from "../../actors/matching/matcher.ts";
import {
  type Action,
  MATCHING,
  type Manual,
  type Outcome,
  type Posted,
  type Propose,
  type Pull,
  type QueuedTask,
} from "../../actors/matching/vocabulary.ts";
import { explores } from "../../machines/market/auction.ts";
import { type AccountId, accountId, type Millis, type TaskId, taskId } from "../../machines/vocabulary.ts";

const uuid = (kind: number, n: number) => `${kind.toString(16).padStart(8, "0")}-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** The nth account. */
export const account = (n: number): AccountId => accountId(uuid(1, n));
const ids = Array.from({ length: 4_000 }, (_, n) => taskId(uuid(2, n)));
const plain = ids.filter((id) => !explores(id));
const exploring = ids.filter((id) => explores(id));

/** The nth of the tasks that go to the best worker. */
export function ordinary(n: number): TaskId {
  return plain[n] ?? taskId(uuid(3, n));
}

/** The nth of the tasks that are offered to newcomers first. */
export function exploratory(n: number): TaskId {
  return exploring[n] ?? taskId(uuid(3, n));
}

export const REQUESTER = account(900_000);
export const WINDOW_MS = 3_000;

/** A task in the pool, for 20 NC, unless said otherwise. */
export function task(n: number, change: Partial<QueuedTask> = {}): QueuedTask {
  const createdAt = change.createdAt ?? n;
  return {
    id: ordinary(n),
    requester: REQUESTER,
    marks: [],
    budget: 20,
    minSkill: 1,
    quality: "balanced",
    status: "PENDING_POOL",
    round: 3,
    bids: [],
    closedTo: [],
    passed: [],
    maxSeconds: 60,
    createdAt,
    windowEnds: createdAt,
    bytes: 1_000,
    ...change,
  };
}

/** A task whose window begins at `createdAt`. */
export function inWindow(n: number, change: Partial<QueuedTask> = {}): QueuedTask {
  const createdAt = change.createdAt ?? 0;
  return task(n, { status: "ROUTING", createdAt, windowEnds: createdAt + WINDOW_MS, ...change });
}

const STANDING = { status: "ACTIVE", cooldownUntil: null, tier: 3, quality: 0.5 } as const;
const BASE = { gateway: "g1", standing: STANDING, since: 0, until: 1_000_000 };

export function pull(n: number, change: Partial<Pull> = {}): Pull {
  const id = `pull-${String(n).padStart(6, "0")}`;
  return {
    ...BASE,
    kind: "pull",
    id,
    worker: account(n),
    price: null,
    minPrice: 1,
    most: 1,
    bytesMost: 512_000,
    bytesShare: 512_000,
    ...change,
  };
}

export function posted(n: number, change: Partial<Posted> = {}): Posted {
  const id = `${change.gateway ?? "g1"}/${String(n).padStart(6, "0")}`;
  return { ...BASE, kind: "posted", id, worker: account(n), price: 10, free: 1, announce: false, ...change };
}

export function manual(n: number, change: Partial<Manual> = {}): Manual {
  return { ...BASE, kind: "manual", id: `g1/${account(n)}`, worker: account(n), announce: false, ...change };
}

/** A standing with this quality or tier. */
export function standing(change: Partial<Pull["standing"]>): Pull["standing"] {
  return { ...STANDING, ...change };
}

/** A matcher, with what it did by kind of action. */
export class Watched {
  readonly matcher: Matcher;
  now: Millis = 0;
  readonly actions: Action[] = [];
  /** Proposals under way, by id. */
  readonly open = new Map<string, Propose>();
  readonly #begun = new Map<string, Millis>();
  #ids = 0;

  constructor(bounds: { readonly announcedMax?: number; readonly tasksMax?: number; readonly waitersMax?: number } = {}) {
    const nextId = () => {
      this.#ids += 1;
      return `id-${this.#ids}`;
    };
    this.matcher = new Matcher({ nextId, ...bounds });
  }

  /** Does something, and gives what the matcher did about it. */
  do(event: (matcher: Matcher, now: Millis) => Action[]): Action[] {
    const done = event(this.matcher, this.now);
    this.actions.push(...done);
    // The matcher gives up those that nobody has answered.
    for (const id of this.open.keys()) {
      if (this.now >= (this.#begun.get(id) ?? 0) + MATCHING.proposalMsMax) this.open.delete(id);
    }
    for (const action of done) {
      if (action.type !== "propose") continue;
      this.open.set(action.proposal, action);
      this.#begun.set(action.proposal, this.now);
    }
    return done;
  }

  /** Gives the actions of one kind among those of this event. */
  see<T extends Action["type"]>(type: T, event: (matcher: Matcher, now: Millis) => Action[]): Extract<Action, { type: T }>[] {
    return this.do(event).filter((action): action is Extract<Action, { type: T }> => action.type === type);
  }

  /** Proposals of this event: the task and the workers, the best first. */
  proposes(event: (matcher: Matcher, now: Millis) => Action[]): readonly (readonly [TaskId, readonly AccountId[]])[] {
    return this.see("propose", event).map(({ task: id, offers }) => [id, offers.map(({ worker }) => worker)] as const);
  }

  /** Answers the only proposal for a task. */
  answer(id: TaskId, outcome: Outcome | ((proposal: Propose) => Outcome)): Action[] {
    const proposal = [...this.open.values()].find((one) => one.task === id);
    if (proposal === undefined) throw new Error(`no proposal is under way for ${id}`);
    this.open.delete(proposal.proposal);
    const told = typeof outcome === "function" ? outcome(proposal) : outcome;
    return this.do((matcher, now) => matcher.answered(proposal.proposal, told, now));
  }
}

/** The first of the offers has won. */
export function firstWins({ offers }: Propose): Outcome {
  const [first] = offers;
  return first === undefined ? { type: "closed" } : { type: "awarded", worker: first.worker, bid: first.bid };
}
