/**
 * Tasks that a pull has won, and that its client does not get: they are given back. That counts for nobody (machines/task/returns.ts).
 *
 * U1  At once, unless the client can ask for them again, under the key of its pull: it has REPEAT_MS for that, at any gateway.
 * U2  Of a pull with a key a gateway keeps what is in an answer on its way, what one has delivered (delivered.ts), and what waits for
 *     a repeat. A pull that is open keeps all that it has won: it is told to look for it, and answers with it.
 * U3  What a gateway keeps no other one gives back: ASK_MS before it would, it asks the others, and whoever keeps a task says so.
 *     Of two that ask at the same time neither keeps it, and both give it back, which is the same as once.
 * U4  What is asked for again is kept by the gateway that is asked; it says so without being asked.
 * U5  What is being given back is still kept by whoever is asked for it, as long as the task has not answered.
 * U6  If word of that gets lost, or the gateway that has delivered a task ends or has forgotten it, the task may be given back all the same;
 *     then the worker is refused when it submits. Nothing is kept for good by mistake: whoever says that it keeps a task gives it
 *     back itself, unless it has delivered it.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Router } from "../../actors/router.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import type { Signal, SignalHub } from "../ports/signals.ts";
import { Delivered } from "./delivered.ts";

/** How long a client may take to ask again whose answer was lost (ms). */
export const REPEAT_MS = 5_000;
/** How long the other gateways have to say what they keep (ms). */
export const ASK_MS = 1_000;
/** Pulls whose tasks wait to be given back; beyond it tasks are given back at once, and nobody is asked. */
export const PENDING_MAX = 10_000;
/**
 * How long a task is asked to take its award back (ms), over the take-over of its shard; one try, and the pause before the next. In
 * between, whoever is asked for the task may keep it yet.
 */
const GIVE_BACK_MS = 60_000;
const TRY_MS = 2_000;
const PAUSE_MS = 500;
/** Refusals after which it is not known whether the task has taken it back, or that are over a moment later. */
const PASSING: ReadonlySet<string> = new Set(["UNAVAILABLE", "NOT_OWNER", "CONTENDED"]);

/** Tasks that a pull has won. */
export interface Won {
  readonly worker: AccountId;
  /** The id that their awards carry. */
  readonly pull: string;
  readonly tasks: readonly TaskId[];
}

export interface UndeliveredPorts {
  readonly router: Pick<Router, "ask">;
  readonly signals: Pick<SignalHub, "send">;
  /** The id of this gateway. */
  readonly gateway: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is given back when it is due (ms). While it `asks`, it keeps nothing any more. */
interface Pending {
  readonly won: Won;
  readonly due: Millis;
  readonly asks: boolean;
  readonly cancel: () => void;
}

export class Undelivered {
  readonly #ports: UndeliveredPorts;
  readonly #delivered: Delivered;
  /** By pull. */
  readonly #pending = new Map<string, Pending>();
  readonly #answers = new Map<string, Set<Won>>();
  readonly #open = new Map<string, Set<() => void>>();
  /** By task that is being given back: its pull. */
  readonly #returning = new Map<TaskId, string>();
  /** For how many pulls tasks are being given back. */
  #underWay = 0;
  #draining = false;
  /** Called when nothing waits, and nothing is being given back. */
  readonly #settled: (() => void)[] = [];

  constructor(ports: UndeliveredPorts) {
    this.#ports = ports;
    this.#delivered = new Delivered(ports.clock);
  }

  /** How many pulls have tasks that wait to be given back, or are being given back. */
  get size(): number {
    return this.#pending.size + this.#underWay;
  }

  /** A pull with a key is open here until what this gives is called. `look` is called when it may have won what nobody tells it. */
  open(pull: string, look: () => void): () => void {
    return enter(this.#open, pull, look);
  }

  /**
   * Tasks of a pull with a key are in an answer. To be told whether that has left whole; if not, they are given back unless their
   * pull is asked again. `again`: it may be that another gateway has them to give back (U4).
   */
  answer(won: Won, again: boolean): (isWhole: boolean) => void {
    const leave = enter(this.#answers, won.pull, won);
    this.#drop(won.pull, won.tasks);
    if (again) this.#tell("kept", won.pull, won.tasks);
    return (isWhole) => {
      leave();
      if (isWhole) this.#delivered.add(won.pull, won.tasks);
      else this.#giveBackIn(REPEAT_MS, won);
    };
  }

  /** Gives back what nobody can ask for again. */
  giveBack(won: Won): void {
    if (won.tasks.length === 0) return;
    this.#underWay += 1;
    for (const task of won.tasks) this.#returning.set(task, won.pull);
    void Promise.all(won.tasks.map((task) => this.#giveBack(won, task))).finally(() => {
      this.#underWay -= 1;
      this.#settle();
    });
  }

  /** Gives back tasks of a pull with a key that are in no answer, as soon as it is known that they are kept nowhere. */
  giveBackUnkept(won: Won): void {
    this.#giveBackIn(ASK_MS, won);
  }

  /** Another gateway asks who keeps these. */
  hearUndelivered({ pull, gateway, tasks }: Extract<Signal, { readonly type: "undelivered" }>): void {
    if (gateway === this.#ports.gateway) return;
    const pending = this.#pending.get(pull);
    const left = new Set(this.#notKept(pull, tasks));
    const kept = tasks.filter((task) => !left.has(task) || (pending?.asks === false && pending.won.tasks.includes(task)));
    if (kept.length > 0) this.#tell("kept", pull, kept);
  }

  /** A gateway keeps these. */
  hearKept({ pull, gateway, tasks }: Extract<Signal, { readonly type: "kept" }>): void {
    if (gateway !== this.#ports.gateway) this.#drop(pull, tasks);
  }

  /** Gives back whatever waits for a repeat, and what comes from then on without waiting. Resolves when all is given back, or after `ms`. */
  async drain(ms: Millis): Promise<void> {
    this.#draining = true;
    const { clock } = this.#ports;
    for (const [pull, { asks }] of [...this.#pending]) if (!asks) this.#ask(pull);
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      this.#settled.push(() => {
        cancel();
        resolve();
      });
    });
  }

  #giveBackIn(ms: Millis, won: Won): void {
    const { pull, worker } = won;
    const tasks = this.#notKept(pull, won.tasks);
    if (tasks.length === 0) return;
    const { clock } = this.#ports;
    const now = clock.now();
    const before = this.#pending.get(pull);
    before?.cancel();
    this.#pending.delete(pull);
    const all = { worker, pull, tasks: [...new Set([...(before?.won.tasks ?? []), ...tasks])] };
    if (this.#pending.size >= PENDING_MAX) {
      this.giveBack(all);
      return;
    }
    const due = this.#draining ? now + ASK_MS : Math.max(before?.due ?? 0, now + ms);
    const wait = due - ASK_MS - now;
    const cancel = wait > 0 ? clock.after(wait, () => this.#ask(pull)) : () => {};
    this.#pending.set(pull, { won: all, due, asks: false, cancel });
    if (wait <= 0) this.#ask(pull);
  }

  /** Asks the others, and then gives back what nobody keeps. */
  #ask(pull: string): void {
    const { clock } = this.#ports;
    const won = this.#take(pull);
    if (won === undefined) return;
    // However late it is by now, they have their time.
    const cancel = clock.after(ASK_MS, () => {
      const left = this.#take(pull);
      if (left !== undefined) this.giveBack(left);
    });
    this.#pending.set(pull, { won, due: clock.now() + ASK_MS, asks: true, cancel });
    this.#tell("undelivered", pull, won.tasks);
  }

  /** What waits of a pull and is not kept here otherwise; it waits no longer. */
  #take(pull: string): Won | undefined {
    const pending = this.#pending.get(pull);
    if (pending === undefined) return undefined;
    pending.cancel();
    this.#pending.delete(pull);
    const tasks = this.#notKept(pull, pending.won.tasks);
    if (tasks.length > 0) return { ...pending.won, tasks };
    this.#settle();
    return undefined;
  }

  /** Those of these tasks that are neither delivered nor in an answer here. An open pull keeps them, and is told so. */
  #notKept(pull: string, tasks: readonly TaskId[]): readonly TaskId[] {
    const answers = [...(this.#answers.get(pull) ?? [])];
    const left = tasks.filter((task) => {
      return !this.#delivered.has(pull, task) && !answers.some((won) => won.tasks.includes(task));
    });
    const open = this.#open.get(pull);
    if (open === undefined || left.length === 0) return left;
    for (const look of open) look();
    return [];
  }

  /** These are kept, here or elsewhere. */
  #drop(pull: string, tasks: readonly TaskId[]): void {
    for (const task of tasks) if (this.#returning.get(task) === pull) this.#returning.delete(task);
    const pending = this.#pending.get(pull);
    if (pending === undefined) return;
    const left = pending.won.tasks.filter((task) => !tasks.includes(task));
    if (left.length > 0) {
      this.#pending.set(pull, { ...pending, won: { ...pending.won, tasks: left } });
      return;
    }
    pending.cancel();
    this.#pending.delete(pull);
    this.#settle();
  }

  #tell(type: "kept" | "undelivered", pull: string, tasks: readonly TaskId[]): void {
    const { signals, gateway } = this.#ports;
    signals.send({ type, pull, gateway, tasks });
  }

  #settle(): void {
    if (this.size === 0) for (const settled of this.#settled.splice(0)) settled();
  }

  async #giveBack({ worker, pull }: Won, task: TaskId): Promise<void> {
    const { router, clock, log } = this.#ports;
    const command = { type: "giveBack", worker, reason: null, undelivered: pull } as const;
    const until = clock.now() + GIVE_BACK_MS;
    for (;;) {
      const answer = await router.ask({ kind: "task", id: task }, command, { ms: TRY_MS });
      if (answer.ok) {
        log.info({ worker, task }, "a task that its worker had not heard of was given back");
        break;
      }
      const { refused } = answer.refusal;
      if (!PASSING.has(refused) || clock.now() >= until || this.#returning.get(task) !== pull) {
        // Started or ended meanwhile, or asked for again; or it runs out of time.
        log.debug({ worker, task, refused }, "a task that its worker had not heard of was not given back");
        break;
      }
      await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
      if (this.#returning.get(task) !== pull) break;
    }
    if (this.#returning.get(task) === pull) this.#returning.delete(task);
  }
}

/** Adds one to those under a name; gives what takes it out again. */
function enter<T>(all: Map<string, Set<T>>, name: string, one: T): () => void {
  const those = all.get(name) ?? new Set();
  all.set(name, those.add(one));
  return () => {
    those.delete(one);
    if (those.size === 0 && all.get(name) === those) all.delete(name);
  };
}
