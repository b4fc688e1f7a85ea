/** Matchers with all that they need around them: tasks that answer as a test says, an index, and gateways that hear. */
import { setImmediate as turn } from "node:timers/promises";
import { Matching } from "../../actors/matching/matching.ts";
import type { QueuedTask } from "../../actors/matching/vocabulary.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import type { NoticeListeners } from "../../actors/ports/notices.ts";
import type { OpenTasks, ReadTask } from "../../actors/ports/open-tasks.ts";
import type { Transport } from "../../actors/ports/transport.ts";
import { readReply } from "../../machines/incoming.ts";
import type { WholeTask } from "../../machines/matcher/vocabulary.ts";
import type { CommandOf, CommandType, ReplyOf } from "../../machines/protocols.ts";
import type { ProposalReply } from "../../machines/task/protocol.ts";
import type { AccountId, TaskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "./clock.ts";
import { id, order, SILENT } from "./world.ts";

export const TYPE = "json_extraction";

/** A task as its worker, or a stranger, gets it. */
export function whole(task: QueuedTask, worker: AccountId | null = null): WholeTask {
  const row = {
    id: task.id,
    status: worker === null ? task.status : "AWARDED",
    requester: task.requester,
    marks: task.marks,
    worker,
    taskType: TYPE,
    budget: task.budget,
    minSkill: task.minSkill,
    closedTo: [],
    awardedPrice: worker === null ? null : task.budget,
    result: null,
    errorCode: null,
    retriesLeft: 3,
    autoRetriesLeft: task.round,
    expiresAt: null,
    createdAt: task.createdAt,
    updatedAt: task.createdAt,
  } as const;
  return { row, order: order() };
}

/** Two shards: 0 has all matchers unless a test says otherwise. */
export class LiveMatching implements Transport {
  readonly clock = new ManualClock();
  readonly matching: Matching;
  /** What the index has, the best first. */
  readonly index = new Map<TaskId, QueuedTask>();
  /** The matchers that were told of a free slot. */
  readonly freed: Envelope["to"][] = [];
  /** Whether the index cannot be read. */
  away = false;
  going: number | null = null;
  /** How often pages of the index were read. */
  pages = 0;
  /** Proposals and explanations, as tasks got them. */
  readonly asked: { readonly task: string; readonly command: CommandOf<"task", "propose"> | CommandOf<"task", "explain"> }[] = [];
  readonly told: ({ readonly gateway: string; readonly task: string } & NoticeListeners)[] = [];
  /** How a task answers a proposal; undefined: it does not. */
  answer: (task: string, command: CommandOf<"task", "propose">) => ProposalReply | undefined = (task, { offers }) => {
    const [first] = offers;
    const queued = [...this.index.values()].find((one) => one.id === task);
    if (first === undefined || queued === undefined) return { outcome: "closed" };
    this.index.delete(queued.id);
    const given = first.pull === null ? null : whole(queued, first.worker);
    return { outcome: "awarded", worker: first.worker, bid: first.bid, task: given };
  };
  /** Whether the shard is open here. */
  here = true;
  #ids = 0;

  constructor(partitions = 1) {
    const index: OpenTasks = {
      page: async (_type, after, limit) => {
        this.pages += 1;
        if (this.away) throw new Error("the index is away");
        const all = [...this.index.values()];
        const from = after === null ? 0 : Number(after);
        const tasks = all.slice(from, from + limit).map(({ id: of, status, round, bids, closedTo }) => ({
          ...{ id: of, status, round },
          closed: bids.length + closedTo.length,
        }));
        return { tasks, next: from + limit < all.length ? String(from + limit) : null };
      },
      read: async (ids) =>
        ids.flatMap((of): ReadTask[] => {
          const task = this.index.get(of);
          return task === undefined ? [] : [{ task, shown: whole(task) }];
        }),
      going: async () => this.going,
    };
    const ports = {
      transport: this,
      notices: {
        newTask: (gateway: string, { row }: WholeTask, listeners: NoticeListeners) =>
          void this.told.push({ gateway, task: row.id, ...listeners }),
      },
      clock: this.clock,
      ids: { next: () => this.#next() },
      log: SILENT,
      index,
      partitions,
    };
    this.matching = new Matching(ports, () => 0);
  }

  #next(): string {
    this.#ids += 1;
    return id(50_000 + this.#ids);
  }

  async request({ to, command }: Envelope): Promise<CommandResult> {
    if (command.type === "freed") this.freed.push(to);
    if (to.kind === "matcher") return this.matching.request(to, command, this.here);
    if (command.type === "explain") {
      this.asked.push({ task: to.id, command });
      return { ok: true, value: null };
    }
    if (command.type !== "propose") throw new Error(`no task is sent ${command.type} here`);
    this.asked.push({ task: to.id, command });
    const reply = this.answer(to.id, command);
    // As a transport does when nobody answers in its time.
    if (reply === undefined) return new Promise((resolve) => void this.clock.after(2_500, () => resolve(SILENCE)));
    return { ok: true, value: reply };
  }

  /** Says something to the matcher of a partition; gives its reply, undefined if it refuses. */
  async ask<T extends CommandType<"matcher">>(
    command: { readonly type: T } & CommandOf<"matcher">,
    partition = 0,
  ): Promise<ReplyOf<"matcher", T> | undefined> {
    const answer = await this.matching.request({ id: `${TYPE}/${partition}` }, command, this.here);
    return answer.ok ? readReply("matcher", command.type, answer.value) : undefined;
  }

  /** Who was proposed which task, in order. */
  get proposals(): readonly (readonly [task: string, workers: readonly AccountId[]])[] {
    return this.asked.flatMap(({ task, command }) =>
      command.type === "propose" ? [[task, command.offers.map(({ worker }) => worker)] as const] : [],
    );
  }

  /** Lets what can happen without time passing happen. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 10; quiet += 1) await turn();
  }

  /** Lets `ms` pass, stopping wherever something is due. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    await this.settle();
    for (let next = this.clock.next; next !== null && next <= until; next = this.clock.next) {
      this.clock.to(next);
      await this.settle();
    }
    this.clock.to(until);
    await this.settle();
  }
}

const SILENCE: CommandResult = { ok: false, refusal: { refused: "UNAVAILABLE", detail: "nobody answered" } };
