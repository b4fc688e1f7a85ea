import { LIMITS } from "../limits.ts";
import type { CommandResult } from "../message.ts";

/** Commands that were answered, or are about to be: who asks again within memory's reach gets the same answer. */
export class RecentAnswers {
  readonly #answers = new Map<string, Promise<CommandResult>>();

  get(commandId: string): Promise<CommandResult> | undefined {
    return this.#answers.get(commandId);
  }

  remember(commandId: string, answer: Promise<CommandResult>): void {
    this.#answers.set(commandId, answer);
    void answer.then((given) => {
      // A refusal is no outcome to hold on to: who asks again may meet another state.
      if (!given.ok) this.#answers.delete(commandId);
    });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > LIMITS.recentMax && oldest !== undefined) this.#answers.delete(oldest);
  }
}
