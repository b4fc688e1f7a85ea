/** Pulls at a gateway whose matchers, database and clock a test has in its hand. */
import { setImmediate as turn } from "node:timers/promises";
import { DoorRecipient } from "../../gateway/doors/recipient.ts";
import { type PullPorts, type PullRefusal, type PullRequest, type PullResult, Pulls } from "../../gateway/live/pulls.ts";
import type { Won } from "../../gateway/live/undelivered.ts";
import type { PulledTask } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import { accountRow, capabilityRows } from "../../machines/account/row.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import { credits } from "../../machines/vocabulary.ts";
import { ManualClock } from "./clock.ts";
import { whole } from "./live-matching.ts";
import { task } from "./matching.ts";
import { HeardQueues } from "./queues.ts";
import { id, person, SILENT } from "./world.ts";

export const TYPE = "json_extraction";

export const worker = person(1);
const state = [
  {
    type: "Registered",
    account: worker,
    email: "w@test.example",
    source: null,
    keyHash: "k",
    grant: credits(50),
    at: 1,
  } as const,
  {
    type: "CapabilityRegistered",
    capability: {
      id: id(2),
      taskType: "analysis",
      description: "",
      tags: [],
      price: credits(7),
      concurrency: 1,
      available: true,
      createdAt: 1,
    },
    at: 1,
  } as const,
].reduce((before, fact) => account.evolve(before, fact).state, account.initial(worker));
const found = accountRow(state);
if (found === undefined) throw new Error("who is registered has a row");
export const row = found;
const capabilities = capabilityRows(state).map((one) => ({ ...one, account: worker }));

export const stored = (n: number) => whole(task(n), worker);
export const got = (...numbers: readonly number[]): Pulled => ({ tasks: numbers.map(stored), missing: 0, why: "awarded" });
export const NOTHING: Pulled = { tasks: [], missing: 0, why: "over" };
export const inDatabase = (n: number, pull = "key.terms"): PulledTask => ({ task: stored(n), pull });
export const idsOf = (answer: PullResult | PullRefusal | undefined) =>
  typeof answer === "object" ? answer.tasks.map((one) => one.row.id) : answer;
export const ids = (...numbers: readonly number[]) => numbers.map((n) => task(n).id);

/** A pull that was asked, and its answer once there is one. */
export interface AskedPull {
  answer: PullResult | PullRefusal | undefined;
  error: unknown;
  readonly client: DoorRecipient;
}

export class PullWorld {
  readonly clock: ManualClock;
  readonly queues = new HeardQueues();
  /** What the database says that the worker has won and still has. */
  won: readonly PulledTask[] = [];
  /** Whether the database does not answer. */
  away = false;
  reads = 0;
  /** The pull, and its tasks: what was given back at once; what is unless another gateway keeps it, or it is asked for again. */
  readonly returned: (readonly [pull: string, tasks: readonly string[]])[] = [];
  readonly unkept: (readonly [pull: string, tasks: readonly string[]])[] = [];
  readonly later: (readonly [pull: string, tasks: readonly string[]])[] = [];
  /** What has reached its client, and pulls of which other gateways were told that they are answered here. */
  readonly delivered: (readonly [pull: string, tasks: readonly string[]])[] = [];
  readonly repeated: string[] = [];
  /** What open pulls with a key are told when they may have won something. */
  readonly looks = new Map<string, () => void>();
  readonly pulls: Pulls;

  /** `more`: what it shares with another gateway. */
  constructor(more: Partial<Pick<PullPorts, "undelivered" | "gateway">> & { readonly clock?: ManualClock } = {}) {
    this.clock = more.clock ?? new ManualClock();
    const noteIn = (list: (readonly [string, readonly string[]])[]) => (one: Won) => {
      if (one.worker !== worker) throw new Error(`${one.worker} has pulled nothing here`);
      if (one.tasks.length > 0) list.push([one.pull, one.tasks]);
    };
    this.pulls = new Pulls({
      queues: this.queues,
      reads: {
        pulled: async () => {
          this.reads += 1;
          if (this.away) throw new Error("the database is away");
          return this.won;
        },
      },
      clock: this.clock,
      log: SILENT,
      gateway: more.gateway ?? "g1",
      undelivered: more.undelivered ?? {
        giveBack: noteIn(this.returned),
        giveBackUnkept: noteIn(this.unkept),
        open: (pull, look) => {
          this.looks.set(pull, look);
          return () => void this.looks.delete(pull);
        },
        answer: (won, again) => {
          if (again) this.repeated.push(won.pull);
          return (isWhole) => noteIn(isWhole ? this.delivered : this.later)(won);
        },
      },
    });
  }

  async pass(ms: number): Promise<void> {
    const { clock } = this;
    const until = clock.now() + ms;
    for (let n = 0; n < 5; n += 1) await turn();
    for (let next = clock.next; next !== null && next <= until; next = clock.next) {
      clock.to(next);
      for (let n = 0; n < 5; n += 1) await turn();
    }
    clock.to(until);
    for (let n = 0; n < 5; n += 1) await turn();
  }

  ask(changes: Partial<PullRequest> = {}): AskedPull {
    const client = new DoorRecipient();
    const request: PullRequest = {
      key: "key",
      terms: "terms",
      row,
      capabilities,
      taskTypes: [TYPE],
      most: 1,
      minPrice: 5,
      waitMs: 30_000,
      bytesMost: 524_288,
      again: false,
      client,
      ...changes,
    };
    const pull: AskedPull = { answer: undefined, error: undefined, client };
    this.pulls.pull(request).then(
      (answer) => {
        pull.answer = answer;
      },
      (error: unknown) => {
        pull.error = error;
      },
    );
    return pull;
  }

  /** Answers the pull that the matcher of a type was asked for last. */
  async answers(answer: Pulled | undefined, taskType = TYPE): Promise<void> {
    this.queues.pulls.findLast((one) => one.taskType === taskType)?.answer(answer);
    await this.pass(0);
  }
}
