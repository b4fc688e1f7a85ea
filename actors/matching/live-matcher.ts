/**
 * A matcher on its node. What the pure one (matcher.ts) says is carried out here: proposals go to tasks, pulls are answered,
 * listeners are told. Nothing is stored. After a take-over it is built anew from the index of open tasks, and from workers who
 * renew their waits; whatever is lost on the way, the index tells of soon (reconcile.ts).
 *
 * A queue may have several of them, its partitions. The first one is told of all tasks and workers; the others, of their share,
 * so that they can match what they have by themselves, and they pass on what they cannot.
 */
import type { Address } from "../../machines/address.ts";
import { readReply } from "../../machines/incoming.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { PullWaiter, Waiter, WholeTask } from "../../machines/matcher/vocabulary.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { ProposalReply } from "../../machines/task/protocol.ts";
import type { Millis, TaskId } from "../../machines/vocabulary.ts";
import { type CommandResult, NOT_OWNER } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Notices } from "../ports/notices.ts";
import type { Transport } from "../ports/transport.ts";
import { Matcher } from "./matcher.ts";
import { queueOf } from "./queues.ts";
import type { Action, Outcome } from "./vocabulary.ts";

/** How often a matcher looks what is due: ends of waits and windows, retries (ms). */
const TICK_MS = 100;
/** How long a task may take to answer a proposal, its question to the worker's account included (ms). */
const PROPOSAL_MS = 4_000;
/** How long a pull waits whose gateway does not ask whether it is known (ms): more than twice as long as a gateway takes to ask. */
const PULL_MS_MAX = 12_000;
/** The longest time ahead that a worker waits without being renewed (ms), whatever its gateway says. */
const WAIT_MS_MAX = 60_000;

export interface MatcherPorts {
  readonly transport: Transport;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Streams that a new task is announced to at most; absent: MATCHING.announcedMax. */
  readonly announcedMax?: number;
}

/** A pull that waits: who is to be answered, more than one if it came again, and what it has got so far. */
interface OpenPull {
  readonly askers: { readonly wait: PullWaiter; readonly tell: (result: CommandResult) => void }[];
  readonly tasks: Map<TaskId, WholeTask>;
}

export class LiveMatcher {
  readonly address: Address<"matcher">;
  readonly taskType: string;
  readonly #ports: MatcherPorts;
  readonly #matcher: Matcher;
  readonly #passOn: ((command: CommandOf<"matcher">) => void) | null;
  readonly #pulls = new Map<string, OpenPull>();
  #cancelTick: () => void = () => {};
  #closed = false;

  /** `passOn` takes what it cannot match to the partition that may; null if it is that one. */
  constructor(address: Address<"matcher">, ports: MatcherPorts, passOn: ((command: CommandOf<"matcher">) => void) | null) {
    this.#passOn = passOn;
    this.address = address;
    this.taskType = queueOf(address).taskType;
    this.#ports = ports;
    const { ids, announcedMax } = ports;
    const bounds = announcedMax === undefined ? {} : { announcedMax };
    this.#matcher = new Matcher({ nextId: () => ids.next(), passesOn: passOn !== null, ...bounds });
    this.#scheduleTick();
  }

  /** The pure matcher, for those who tell it of tasks and prices. */
  get matcher(): Matcher {
    return this.#matcher;
  }

  /** Handles a command. A pull is answered when it is over. Never rejects. */
  async request(command: CommandOf<"matcher">): Promise<CommandResult> {
    const now = this.#ports.clock.now();
    switch (command.type) {
      case "opened": {
        const { task, shown } = command;
        const actions = this.#matcher.opened(task, now);
        this.carryOut(actions, () => shown);
        if (!actions.some((action) => action.type === "propose" && action.task === task.id)) this.#passOn?.(command);
        return DONE;
      }
      case "closed":
        this.#closeTask(command);
        this.#passOn?.(command);
        return DONE;
      case "pull":
        return this.#pull(command);
      case "check":
        for (const wait of command.waits) this.#renew(wait, now);
        return { ok: true, value: { unknown: command.waits.filter((wait) => !this.#matcher.knows(wait)) } };
      case "present":
        return this.#present(command);
      case "leave":
        for (const wait of command.waits) this.carryOut(this.#matcher.leave(wait, now));
        return DONE;
      case "freed":
        this.carryOut(this.#matcher.freed(command.worker, now));
        return DONE;
      case "look":
        return { ok: true, value: this.#matcher.look(command) };
      default:
        return command satisfies never;
    }
  }

  /** Ends it here: pulls that wait are asked of the next owner. */
  close(): void {
    this.#closed = true;
    this.#cancelTick();
    for (const { askers } of this.#pulls.values()) for (const { tell } of askers) tell({ ok: false, refusal: NOT_OWNER });
    this.#pulls.clear();
  }

  /** Carries out what the pure matcher has said; `shownAs` gives a task as a stranger may see it, if that is known. */
  carryOut(actions: readonly Action[], shownAs: (task: TaskId) => WholeTask | undefined = () => undefined): void {
    if (this.#closed) return;
    for (const action of actions) this.#carryOut(action, shownAs);
  }

  #carryOut(action: Action, shownAs: (task: TaskId) => WholeTask | undefined): void {
    switch (action.type) {
      case "propose":
        void this.#propose(action);
        return;
      case "announce": {
        const shown = shownAs(action.task);
        if (shown === undefined) return;
        for (const to of action.to) this.#ports.notices.newTask(to.gateway, shown, to);
        return;
      }
      case "answer":
        this.#answer(action);
        return;
      case "explain": {
        // Another partition does not know who else is there.
        if (this.#passOn !== null) return;
        const { why, present } = action;
        void this.#send(action.task, { type: "explain", why, present });
        return;
      }
      default:
        action satisfies never;
    }
  }

  #present({ posted, manual, renewed, until }: CommandOf<"matcher", "present">): CommandResult {
    const now = this.#ports.clock.now();
    for (const waiter of [...posted, ...manual]) this.carryOut(this.#matcher.wait(bounded(waiter, now), now));
    const unknown = renewed.filter((id) => !this.#matcher.renew(id, Math.min(until, now + WAIT_MS_MAX)));
    return { ok: true, value: { unknown } };
  }

  #closeTask({ task, worker, pull, whole }: CommandOf<"matcher", "closed">): void {
    // A bid that it placed has won at the end of the window.
    if (pull !== null && whole !== undefined) this.#pulls.get(pull)?.tasks.set(task, whole);
    this.carryOut(this.#matcher.closed(task, this.#ports.clock.now(), worker === null ? undefined : { worker, pull }));
  }

  #pull({ wait }: CommandOf<"matcher", "pull">): Promise<CommandResult> {
    if (this.#closed) return Promise.resolve({ ok: false, refusal: NOT_OWNER });
    return new Promise((resolve) => {
      const now = this.#ports.clock.now();
      const pull: OpenPull = this.#pulls.get(wait.id) ?? { askers: [], tasks: new Map() };
      this.#pulls.set(wait.id, pull);
      pull.askers.push({ wait, tell: resolve });
      this.carryOut(this.#matcher.wait(inCare(wait, now), now));
    });
  }

  /** The gateway of a pull is there still. */
  #renew(id: string, now: Millis): void {
    const last = this.#pulls.get(id)?.askers.at(-1)?.wait;
    if (last !== undefined) this.#matcher.renew(id, inCare(last, now).until);
  }

  #answer({ waiter, tasks: ids, why, limited }: Extract<Action, { readonly type: "answer" }>): void {
    const pull = this.#pulls.get(waiter);
    if (pull === undefined) return;
    this.#pulls.delete(waiter);
    const tasks = ids.flatMap((id) => pull.tasks.get(id) ?? []);
    const missing = ids.length - tasks.length;
    const value: Pulled = { tasks, missing, why, ...(limited === undefined ? {} : { limited }) };
    for (const { tell } of pull.askers) tell({ ok: true, value });
  }

  async #propose(action: Extract<Action, { readonly type: "propose" }>): Promise<void> {
    const { proposal, task, offers, complete, going } = action;
    const answer = await this.#send(task, { type: "propose", offers, complete, going });
    const reply = answer.ok ? readReply("task", "propose", answer.value) : undefined;
    if (reply?.outcome === "awarded" && reply.task !== null) {
      const pull = offers.find(({ bid }) => bid === reply.bid)?.pull ?? null;
      if (pull !== null) this.#pulls.get(pull.id)?.tasks.set(task, reply.task);
    }
    const actions = this.#matcher.answered(proposal, outcomeOf(reply), this.#ports.clock.now());
    this.carryOut(actions);
    if (!actions.some((next) => next.type === "propose" && next.task === task)) this.#passOnOpen(task);
  }

  /** A task that is still open, and that nobody is left for here. */
  #passOnOpen(id: TaskId): void {
    const task = this.#matcher.taskOf(id);
    if (task !== undefined && !this.#closed) this.#passOn?.({ type: "opened", task });
  }

  #send(task: TaskId, command: CommandOf<"task", "propose"> | CommandOf<"task", "explain">): Promise<CommandResult> {
    const { transport, ids, clock } = this.#ports;
    const deadline = clock.now() + PROPOSAL_MS;
    const to = { kind: "task", id: task } as const;
    return transport.request({ to, command, commandId: ids.next(), origin: "actor", delivery: "first", deadline });
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#ports.clock.after(TICK_MS, () => {
      this.carryOut(this.#matcher.tick(this.#ports.clock.now()));
      if (!this.#closed) this.#scheduleTick();
    });
  }
}

const DONE: CommandResult = { ok: true, value: null };

/** A pull whose gateway has died gets nothing any more soon after. */
function inCare(wait: PullWaiter, now: Millis): PullWaiter {
  return { ...wait, until: Math.min(wait.until, now + PULL_MS_MAX) };
}

function bounded<W extends Waiter>(waiter: W, now: Millis): W {
  return { ...waiter, until: Math.min(waiter.until, now + WAIT_MS_MAX) };
}

function outcomeOf(reply: ProposalReply | undefined): Outcome {
  switch (reply?.outcome) {
    case "awarded":
      return { type: "awarded", worker: reply.worker, bid: reply.bid };
    case "placed":
      return { type: "placed", bids: reply.bids };
    case "declined":
      return { type: "declined", declined: reply.declined };
    case "closed":
      return { type: "closed" };
    case "unanswered":
    case undefined:
      return { type: "failed" };
    default:
      return reply satisfies never;
  }
}
