/**
 * Tasks that a pull has won, and that its client does not get: they are given back. That counts for nobody (machines/task/returns.ts).
 *
 * U1  At once, unless the client can ask for them again, under the key of its pull: it has REPEAT_MS for that.
 * U2  What is asked for again is not given back any more. The gateway that is asked tells the others, or the matcher does at which
 *     both wait; if that gets lost, the worker is refused when it submits.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Router } from "../../actors/router.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import type { Signal, SignalHub } from "../ports/signals.ts";

/** How long a client may take to ask again whose answer was lost (ms). */
export const REPEAT_MS = 5_000;
/** Pulls whose tasks wait for a repeat, and repeats that are remembered; beyond it tasks are given back at once, the oldest forgotten. */
export const PENDING_MAX = 10_000;
/** How long a task is asked to take its award back (ms), over the take-over of its shard. */
const GIVE_BACK_MS = 60_000;

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

export class Undelivered {
  readonly #ports: UndeliveredPorts;
  /** By pull: what is given back unless it is asked for again. */
  readonly #pending = new Map<string, { readonly won: Won; readonly cancel: () => void }>();
  /** When each pull was asked again (ms), those that were heard of first before others. */
  readonly #repeated = new Map<string, Millis>();
  readonly #underWay = new Set<Promise<void>>();
  #draining = false;

  constructor(ports: UndeliveredPorts) {
    this.#ports = ports;
  }

  /** How many pulls have tasks that wait for a repeat, or are being given back. */
  get size(): number {
    return this.#pending.size + this.#underWay.size;
  }

  /** Gives tasks back. */
  giveBack(won: Won): void {
    if (won.tasks.length === 0) return;
    const returned = Promise.all(won.tasks.map((task) => this.#giveBack(won, task))).then(() => {
      this.#underWay.delete(returned);
    });
    this.#underWay.add(returned);
  }

  /** Gives tasks back unless their pull is asked again, or was after it had `begun` (ms). */
  giveBackLater(won: Won, begun: Millis): void {
    const { clock } = this.#ports;
    if (this.wasRepeated(won.pull, begun)) return;
    const before = this.#pending.get(won.pull);
    before?.cancel();
    const all = before === undefined ? won : { ...won, tasks: [...before.won.tasks, ...won.tasks] };
    this.#pending.delete(won.pull);
    if (this.#draining || this.#pending.size >= PENDING_MAX) {
      this.giveBack(all);
      return;
    }
    const cancel = clock.after(REPEAT_MS, () => {
      this.#pending.delete(won.pull);
      this.giveBack(all);
    });
    this.#pending.set(won.pull, { won: all, cancel });
  }

  /** A pull was asked again here, at `asked` (ms), and its tasks are the answer (U2). */
  repeated(pull: string, asked: Millis): void {
    this.#note(pull, asked);
    this.#ports.signals.send({ type: "pull", pull, gateway: this.#ports.gateway });
  }

  /** A pull was asked again at a gateway. */
  hearRepeated({ pull, gateway }: Extract<Signal, { readonly type: "pull" }>): void {
    if (gateway !== this.#ports.gateway) this.#note(pull, this.#ports.clock.now());
  }

  #note(pull: string, asked: Millis): void {
    this.#pending.get(pull)?.cancel();
    this.#pending.delete(pull);
    this.#repeated.delete(pull);
    this.#repeated.set(pull, asked);
    const [oldest] = this.#repeated.keys();
    if (oldest !== undefined && this.#repeated.size > PENDING_MAX) this.#repeated.delete(oldest);
  }

  /** Whether a pull was asked again after `begun` (ms). */
  wasRepeated(pull: string, begun: Millis): boolean {
    return (this.#repeated.get(pull) ?? begun) > begun;
  }

  /** Gives back whatever waits for a repeat, and what comes from then on at once. Resolves when all is given back, or after `ms`. */
  async drain(ms: Millis): Promise<void> {
    this.#draining = true;
    for (const { won, cancel } of this.#pending.values()) {
      cancel();
      this.giveBack(won);
    }
    this.#pending.clear();
    if (this.#underWay.size === 0) return;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.after(ms, resolve);
    });
    await Promise.race([Promise.all(this.#underWay), late]);
    cancel();
  }

  async #giveBack({ worker, pull }: Won, task: TaskId): Promise<void> {
    const { router, log } = this.#ports;
    const command = { type: "giveBack", worker, reason: null, undelivered: pull } as const;
    const answer = await router.ask({ kind: "task", id: task }, command, { ms: GIVE_BACK_MS });
    if (answer.ok) log.info({ worker, task }, "a task that its worker had not heard of was given back");
    // Started or ended meanwhile, or it runs out of time.
    else
      log.debug({ worker, task, refused: answer.refusal.refused }, "a task that its worker had not heard of was not given back");
  }
}
