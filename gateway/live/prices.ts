/** Posted prices of the workers online: a new task asks these workers for a bid, so that nobody waits for a poll. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import { bidIneligibility, type TaskOnOffer } from "../../machines/eligibility.ts";
import { bestFirst, explores } from "../../machines/market/auction.ts";
import type { Offer } from "../../machines/market/capability.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import type { AccountId, TaskId } from "../../machines/vocabulary.ts";
import type { PostedPrice, ReadModel } from "../ports/read-model.ts";
import type { Presence } from "./presence.ts";

/** A task asks at most this many workers. */
const OFFERS_MAX = 8;
/** How long prices are cached (ms); a worker that is asked at an old price bids the new one, or declines. */
const TTL_MS = 1_000;
const TYPES_MAX = 1_000;

export class PostedPrices {
  readonly #reads: ReadModel;
  readonly #presence: Presence;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #known = new LRUCache<string, Promise<readonly PostedPrice[]>>({ max: TYPES_MAX, ttl: TTL_MS });

  constructor(reads: ReadModel, presence: Presence, clock: Clock, ids: Ids) {
    this.#reads = reads;
    this.#presence = presence;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** The workers that a new task asks, the best first. Rejects with StoreUnavailable. */
  async offers(task: TaskId, requester: AccountId, order: TaskSpec): Promise<readonly Offer[]> {
    const now = this.#clock.now();
    const { taskType, budget, minSkill, quality } = order;
    const onOffer: TaskOnOffer = { status: "ROUTING", requester, marks: [], budget, minSkill, bidders: [], failed: [] };
    if (this.#presence.count(taskType, now) === 0) return [];
    const prices = await this.#prices(taskType);
    // Their rows say that they are active; who shares an identity with the requester, or has no slot left, declines.
    const able = prices.filter(({ account: worker, price, tier }) => {
      const standing = { status: "ACTIVE", cooldownUntil: null, tier } as const;
      return this.#presence.has(worker, taskType, now) && bidIneligibility(onOffer, { worker, standing }, price) === undefined;
    });
    const preference = explores(task) ? "cheapest" : quality;
    return able
      .map(({ account, price, quality: good }) => ({ worker: account, credits: price, quality: good, id: account }))
      .sort(bestFirst(preference))
      .slice(0, OFFERS_MAX)
      .map(({ worker }) => ({ worker, bid: this.#ids.next() }));
  }

  #prices(taskType: string): Promise<readonly PostedPrice[]> {
    const known = this.#known.get(taskType);
    if (known !== undefined) return known;
    const asked = this.#reads.postedPrices(taskType);
    this.#known.set(taskType, asked);
    asked.catch(() => this.#known.delete(taskType));
    return asked;
  }
}
