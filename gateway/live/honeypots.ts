/**
 * Posts honeypots, tasks whose answer is known, after some share of the tasks of their type. Accounts of the house post and pay
 * for them like ordinary requesters, so that workers cannot tell which ones they are.
 */
import { LRUCache } from "lru-cache";
import type { Ids } from "../../actors/ports/ids.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Router } from "../../actors/router.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { credits, NO_CREDITS, taskId } from "../../machines/vocabulary.ts";
import type { HoneypotRow, Operators } from "../ports/operators.ts";
import { hashApiKey, makeApiKey, type Secrets } from "../secrets.ts";

/** Number of accounts that post them. */
const HOUSES = 32;
/** How long the list of a type is cached (ms). */
const TTL_MS = 10_000;
const TYPES_MAX = 1_000;

export interface HoneypotPorts {
  readonly operators: Operators;
  readonly router: Router;
  readonly secrets: Secrets;
  readonly ids: Ids;
  readonly log: Log;
  /** A random number, 0 ≤ x < 1. */
  readonly random: () => number;
  /** The share of tasks that are followed by a honeypot, 0..1. */
  readonly rate: number;
}

export class Honeypots {
  readonly #ports: HoneypotPorts;
  readonly #known = new LRUCache<string, readonly HoneypotRow[]>({ max: TYPES_MAX, ttl: TTL_MS });

  constructor(ports: HoneypotPorts) {
    this.#ports = ports;
  }

  /** Called with every posted task; never throws, and works in the background. */
  follow(order: TaskSpec): void {
    const { random, rate, log } = this.#ports;
    if (random() >= rate) return;
    void this.#post(order).catch((error: unknown) => log.warn({ err: error }, "a honeypot could not be posted"));
  }

  async #post({ taskType, windowMs }: TaskSpec): Promise<void> {
    const { router, secrets, ids, random } = this.#ports;
    const stored = await this.#of(taskType);
    const chosen = stored[Math.floor(random() * stored.length)];
    if (chosen === undefined) return;
    const order: TaskSpec = { ...chosen.order, windowMs };
    const house = secrets.houseId(Math.floor(random() * HOUSES));
    const to = { kind: "account", id: house } as const;
    const who = { account: house, email: `${house}@house.invalid`, source: null, keyHash: hashApiKey(makeApiKey()) };
    await router.ask(to, { type: "register", ...who, grant: NO_CREDITS, marks: [] });
    const amount = credits(order.budget);
    const answer = await router.ask(to, { type: "adjust", adjustment: ids.next(), amount, reason: "honeypot" });
    if (!answer.ok) return;
    const task = taskId(ids.next());
    await router.ask(to, { type: "hold", task, order, fresh: true });
  }

  async #of(taskType: string): Promise<readonly HoneypotRow[]> {
    const known = this.#known.get(taskType);
    if (known !== undefined) return known;
    const rows = (await this.#ports.operators.honeypots()).filter(({ order }) => order.taskType === taskType);
    this.#known.set(taskType, rows);
    return rows;
  }
}
