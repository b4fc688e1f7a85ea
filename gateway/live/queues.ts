/**
 * The way from a gateway to the matchers, wherever they are. All of it is hints: what does not arrive is said again.
 *
 * A worker is known to the matcher of its partition, and to the first one of each queue, which knows all tasks.
 */
import { shardOf } from "../../actors/address.ts";
import { matcherAt } from "../../actors/matching/queues.ts";
import type { Router } from "../../actors/router.ts";
import type { Address } from "../../machines/address.ts";
import type { Look, Pulled } from "../../machines/matcher/protocol.ts";
import type { ManualWaiter, PostedWaiter, PullWaiter } from "../../machines/matcher/vocabulary.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";

/** How long a hint may take (ms). */
const HINT_MS = 2_000;
/** How long a look may take (ms): a request waits for it. */
const LOOK_MS = 500;
/** How long after its end a pull may be answered (ms), because what is under way for it must be known first. */
export const LATE_MS = 2_500;
/** Workers in one message: it must be smaller than NATS takes, which is 1 MB. */
const WORKERS_OF_MESSAGE = 500;

/** Who is online in a queue: those whose terms are told, and those who only go on. */
export interface Online {
  readonly terms: readonly (PostedWaiter | ManualWaiter)[];
  readonly renewed: readonly { readonly id: string; readonly worker: AccountId }[];
  readonly until: Millis;
}

export class Queues {
  readonly #router: Pick<Router, "tryAsk">;
  readonly #partitions: number;

  /** `partitions` is how many matchers each task type has. */
  constructor(router: Pick<Router, "tryAsk">, partitions: number) {
    this.#router = router;
    this.#partitions = partitions;
  }

  /** Tells who is online for a task type. Gives the ids of those whose terms are to be told again: a matcher does not know them. */
  async present(taskType: string, { terms, renewed, until }: Online): Promise<ReadonlySet<string>> {
    const unknown = this.#all(taskType).flatMap((to, partition) => {
      const isHere = ({ worker }: { readonly worker: AccountId }) => partition === 0 || this.#partitionOf(worker) === partition;
      return [
        ...chunks(terms.filter(isHere)).map((chunk) => this.#tell(to, chunk, [], until)),
        ...chunks(renewed.filter(isHere)).map((chunk) => this.#tell(to, [], chunk, until)),
      ];
    });
    return new Set((await Promise.all(unknown)).flat());
  }

  /** Tells that these wait no longer. */
  leave(taskType: string, waits: readonly { readonly id: string; readonly worker: AccountId }[]): void {
    for (const [partition, to] of this.#all(taskType).entries()) {
      const here = waits.filter(({ worker }) => partition === 0 || this.#partitionOf(worker) === partition);
      for (const chunk of chunks(here)) {
        void this.#router.tryAsk(to, { type: "leave", waits: chunk.map(({ id }) => id) }, HINT_MS);
      }
    }
  }

  /** Waits for tasks of a type, until the wait is over; undefined if a matcher has not answered. */
  async pull(taskType: string, wait: PullWaiter): Promise<Pulled | undefined> {
    const matchers = this.#of(taskType, wait.worker);
    const ms = wait.until - (wait.asked ?? wait.since) + LATE_MS;
    const bytesShare = Math.floor(wait.bytesShare / matchers.length);
    const ask = async (to: Address<"matcher">) => {
      const answer = await this.#router.tryAsk(to, { type: "pull", wait: { ...wait, bytesShare } }, ms);
      if (answer?.why === "awarded" && matchers.length > 1) this.leave(taskType, [wait]);
      return answer;
    };
    return merged(await Promise.all(matchers.map(ask)));
  }

  /** Those of these pulls that a matcher which has to know them does not know. One that does not answer says nothing. */
  async unknown(
    taskType: string,
    pulls: readonly { readonly id: string; readonly worker: AccountId }[],
  ): Promise<ReadonlySet<string>> {
    const asked = this.#all(taskType).flatMap((to, partition) => {
      const here = pulls.filter(({ worker }) => partition === 0 || this.#partitionOf(worker) === partition);
      return chunks(here).map(async (chunk) => {
        const answer = await this.#router.tryAsk(to, { type: "check", waits: chunk.map(({ id }) => id) }, HINT_MS);
        return answer?.unknown ?? [];
      });
    });
    return new Set((await Promise.all(asked)).flat());
  }

  /** What the matcher knows about a task that is open, or may be posted (`task` null); undefined if it does not answer. */
  look(taskType: string, question: Omit<CommandOf<"matcher", "look">, "type">): Promise<Look | undefined> {
    return this.#router.tryAsk(matcherAt(taskType, 0), { type: "look", ...question }, LOOK_MS);
  }

  /** Tells one message's worth; gives the ids that are to be told again, which without an answer are all. */
  async #tell(
    to: Address<"matcher">,
    terms: readonly (PostedWaiter | ManualWaiter)[],
    renewed: Online["renewed"],
    until: Millis,
  ): Promise<readonly string[]> {
    const posted = terms.filter((one) => one.kind === "posted");
    const manual = terms.filter((one) => one.kind === "manual");
    const command = { type: "present", posted, manual, renewed: renewed.map(({ id }) => id), until } as const;
    const answer = await this.#router.tryAsk(to, command, HINT_MS);
    return answer?.unknown ?? [...terms, ...renewed].map(({ id }) => id);
  }

  #all(taskType: string): readonly Address<"matcher">[] {
    return Array.from({ length: this.#partitions }, (_, partition) => matcherAt(taskType, partition));
  }

  #partitionOf(id: string): number {
    return shardOf(id, this.#partitions);
  }

  /** The matchers that know a worker. */
  #of(taskType: string, worker: AccountId): readonly Address<"matcher">[] {
    const own = this.#partitionOf(worker);
    return own === 0 ? [matcherAt(taskType, 0)] : [matcherAt(taskType, own), matcherAt(taskType, 0)];
  }
}

function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / WORKERS_OF_MESSAGE);
  return Array.from({ length: count }, (_, n) => all.slice(n * WORKERS_OF_MESSAGE, (n + 1) * WORKERS_OF_MESSAGE));
}

/** What several matchers have answered as one; undefined if one of them has not, and none has anything. */
function merged(answers: readonly (Pulled | undefined)[]): Pulled | undefined {
  const [only] = answers;
  if (answers.length === 1) return only;
  const known = answers.flatMap((answer) => answer ?? []);
  // Several may have heard of the same award.
  const tasks = [...new Map(known.flatMap((answer) => answer.tasks).map((task) => [task.row.id, task])).values()];
  // Whatever one that has not answered has given is missing.
  const missing = known.reduce((sum, answer) => sum + answer.missing, answers.length - known.length);
  const limited = known.find((answer) => answer.limited !== undefined)?.limited;
  if (known.length < answers.length && tasks.length === 0) return undefined;
  const why = tasks.length + missing > 0 ? "awarded" : limited === undefined ? "over" : "full";
  return { tasks, missing, why, ...(limited === undefined ? {} : { limited }) };
}
