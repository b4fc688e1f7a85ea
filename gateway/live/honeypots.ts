/**
 * Posts honeypots, tasks whose answer is known. What sets them off, and that their workers cannot tell them from other tasks:
 *
 * P1  A task that was settled sets one of its type off, by chance: no post does, no cancelled task, and no honeypot. So each has cost
 *     its workers and requesters a fee, and two accounts that are not one person's as far as anybody knows.
 * P2  Each is posted some time later, from an account of its own that nobody can tell from another requester's, with a text that was
 *     never there before.
 * P3  Whether a task sets one off, and what follows from it, is drawn from the secret and its id. So hearing of it twice, or at
 *     several gateways, makes no second one; and when it is not heard of, or a gateway stops, none is posted.
 * P4  What they may mint on a day is bounded for all gateways together, before anything is minted.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Validator } from "../../actors/ports/validator.ts";
import type { Router } from "../../actors/router.ts";
import { adjustmentOf } from "../../machines/audit/honeypots.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { type AccountId, BOUNDS, credits, type Millis, NO_CREDITS, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { fill } from "../honeypots/fill.ts";
import { STARTERS } from "../honeypots/starters/index.ts";
import { type Draw, oneOf, type Template } from "../honeypots/template.ts";
import type { HoneypotStore, StoredHoneypot } from "../ports/honeypots.ts";
import type { ReadModel } from "../ports/read-model.ts";
import { hashApiKey, makeApiKey, type Secrets } from "../secrets.ts";

/** How long what operators have stored is cached (ms). */
const TTL_MS = 10_000;
/** How many may wait to be posted. Beyond that, none is set off. */
const WAITING_MAX = 1_000;
/** A settlement is complete this long after its result was accepted, as a rule (ms). */
const SETTLING_MS = 1_000;
/** Within this time after it was done a honeypot is counted (ms). */
const TOLD_WITHIN_MS = 24 * 3_600_000;
const SHARES = 2 ** 32;

export interface HoneypotSettings {
  /** The share of settled tasks that set one off, 0..1. */
  readonly rate: number;
  /** What all of them may mint in a day (NC); 0: none is posted. */
  readonly budgetPerDay: number;
  /** How long after the settlement one is posted at most (ms). */
  readonly delayMs: Millis;
  readonly routingWindowMs: Millis;
}

export interface HoneypotPorts {
  readonly store: HoneypotStore;
  readonly reads: Pick<ReadModel, "task" | "account">;
  readonly router: Router;
  readonly validator: Validator;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: HoneypotSettings;
}

export class Honeypots {
  readonly #ports: HoneypotPorts;
  readonly #stored = new LRUCache<"all", readonly StoredHoneypot[]>({ max: 1, ttl: TTL_MS });
  /** The settled tasks that set one off, and how its posting is cancelled. */
  readonly #waiting = new Map<TaskId, () => void>();

  constructor(ports: HoneypotPorts) {
    this.#ports = ports;
  }

  /** Called with every task whose result was accepted, and its worker; never throws, and works in the background. */
  accepted(settled: TaskId, worker: AccountId): void {
    const { secrets, clock, log, settings } = this.#ports;
    if (settings.budgetPerDay === 0 || this.#waiting.size >= WAITING_MAX || this.#waiting.has(settled)) return;
    const draw = secrets.draws("honeypot", settled);
    if (draw(SHARES) >= settings.rate * SHARES) return;
    const post = () => {
      this.#waiting.delete(settled);
      this.#post(settled, worker, draw).catch((error: unknown) => log.warn({ err: error }, "a honeypot could not be posted"));
    };
    this.#waiting.set(settled, clock.after(SETTLING_MS + draw(settings.delayMs + 1), post));
  }

  /** Drops what waits to be posted. */
  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  async #post(settled: TaskId, worker: AccountId, draw: Draw): Promise<void> {
    const { store, reads, router, secrets, clock, ids, settings } = this.#ports;
    const done = await reads.task(settled);
    if (done === undefined || done.row.status !== "SETTLED" || done.row.worker !== worker || done.order.known !== undefined)
      return;
    const house = secrets.houseId(settled);
    // Another gateway has heard of it too.
    if ((await reads.account(house)) !== undefined) return;
    const task = taskId(ids.next());
    const order = await this.#order(done.order.taskType, task, house, draw);
    if (order === undefined) return;
    const day = new Date(clock.now()).toISOString().slice(0, "2026-01-31".length);
    if (!(await store.take(day, order.budget, settings.budgetPerDay))) return;
    const to = { kind: "account", id: house } as const;
    const who = { account: house, email: `${house}@house.invalid`, source: null, keyHash: hashApiKey(makeApiKey()) };
    const made = await router.ask(to, { type: "register", ...who, grant: NO_CREDITS, marks: [] });
    if (!made.ok) return;
    const { budget: amount } = order;
    const paid = await router.ask(to, { type: "adjust", adjustment: adjustmentOf(day, task), amount, reason: "honeypot" });
    if (paid.ok) await router.ask(to, { type: "hold", task, order, fresh: true });
  }

  /** Makes the task of a honeypot of this type; undefined if there is none, or the one that was drawn is of no use. */
  async #order(taskType: string, task: TaskId, house: AccountId, draw: Draw): Promise<TaskSpec | undefined> {
    const { validator, secrets, log, settings } = this.#ports;
    const choices = await this.#choices(taskType);
    if (choices.length === 0) return undefined;
    const choice = oneOf(draw, choices);
    const told = { windowMs: settings.routingWindowMs, tellAfter: secrets.draws("honeypot-told", task)(TOLD_WITHIN_MS + 1) };
    if (!("text" in choice)) return { ...choice, ...told };
    const { budget, ...filled } = fill(choice, draw);
    if (filled.inputData.length > BOUNDS.inputCharacters) return undefined;
    const demands = { schema: filled.schema, rules: filled.rules };
    const judged = await validator.judge({ demands, result: filled.known, account: house, lane: "example" });
    if (!("unjudged" in judged) && judged.code === null)
      return { ...DEFAULTS, taskType, ...filled, budget: credits(budget), ...told };
    log.warn({ taskType, judged }, "the schema of a template does not take its own answer; no honeypot is posted");
    return undefined;
  }

  /** What operators have stored for a type; the templates that come with the platform where they have stored none of their own. */
  async #choices(taskType: string): Promise<readonly (TaskSpec | Template)[]> {
    const stored = this.#stored.get("all") ?? (await this.#ports.store.all());
    this.#stored.set("all", stored);
    const all = stored.map((one) => (one.kind === "task" ? one.order : one.template));
    const own = all.filter((one) => one.taskType === taskType);
    return own.some((one) => "text" in one) ? own : [...own, ...STARTERS.filter((one) => one.taskType === taskType)];
  }
}

/** As of a task whose requester has chosen nothing else. */
const DEFAULTS = {
  quality: "balanced",
  minSkill: 0,
  poolHours: BOUNDS.poolHoursDefault,
  autoRetry: BOUNDS.autoRetryDefault,
  callbackUrl: null,
} as const;
