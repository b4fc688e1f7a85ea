/** Matchers as a gateway knows them: what they were told, and what they answer. */
import type { Online, Queues } from "../../gateway/live/queues.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { ManualWaiter, PostedWaiter, PullWaiter } from "../../machines/matcher/vocabulary.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

type Terms = PostedWaiter | ManualWaiter;

export class HeardQueues implements Pick<Queues, "present" | "leave" | "pull" | "unknown"> {
  /** What matchers know, by task type and the id of the wait. */
  readonly known = new Map<string, Map<string, Terms>>();
  /** Everything that was told of who is online, in order. */
  readonly heard: { readonly taskType: string; readonly terms: readonly string[]; readonly renewed: readonly string[] }[] = [];
  readonly left: { readonly taskType: string; readonly id: string }[] = [];
  /** Pulls that wait, in the order in which they came. */
  readonly pulls: {
    readonly taskType: string;
    readonly wait: PullWaiter;
    readonly answer: (answer: Pulled | undefined) => void;
  }[] = [];
  /** Pulls that no matcher knows any more. */
  readonly forgotten = new Set<string>();
  /** How often it was asked which are known. */
  checks = 0;
  /** Whether messages are lost. */
  away = false;

  /** Workers that the matcher of a type knows. */
  online(taskType: string): readonly AccountId[] {
    return [...(this.known.get(taskType)?.values() ?? [])].map(({ worker }) => worker);
  }

  /** What the matcher of a type knows of a worker. */
  of(taskType: string, worker: AccountId): Terms | undefined {
    return [...(this.known.get(taskType)?.values() ?? [])].find((one) => one.worker === worker);
  }

  async present(taskType: string, { terms, renewed }: Online): Promise<ReadonlySet<string>> {
    const ids = { terms: terms.map(({ id }) => id), renewed: renewed.map(({ id }) => id) };
    this.heard.push({ taskType, ...ids });
    if (this.away) return new Set([...ids.terms, ...ids.renewed]);
    const known = this.known.get(taskType) ?? new Map<string, Terms>();
    this.known.set(taskType, known);
    for (const one of terms) known.set(one.id, one);
    return new Set(ids.renewed.filter((id) => !known.has(id)));
  }

  leave(taskType: string, waits: readonly { readonly id: string }[]): void {
    for (const { id } of waits) {
      this.left.push({ taskType, id });
      if (!this.away) this.known.get(taskType)?.delete(id);
    }
  }

  async unknown(_taskType: string, pulls: readonly { readonly id: string }[]): Promise<ReadonlySet<string>> {
    this.checks += 1;
    return new Set(pulls.map(({ id }) => id).filter((id) => this.forgotten.has(id)));
  }

  pull(taskType: string, wait: PullWaiter): Promise<Pulled | undefined> {
    return new Promise((answer) => void this.pulls.push({ taskType, wait, answer }));
  }
}
