import { LIMITS } from "../limits.ts";
import type { CommandResult } from "../message.ts";

/** The results of recent commands: a command that comes again soon gets the same result. */
export class RecentResults {
  readonly #answers = new Map<string, Promise<CommandResult>>();

  get(commandId: string): Promise<CommandResult> | undefined {
    return this.#answers.get(commandId);
  }

  remember(commandId: string, answer: Promise<CommandResult>): void {
    this.#answers.set(commandId, answer);
    void answer.then((given) => {
      // A refusal is not kept: the state may have changed when the command comes again.
      if (!given.ok) this.#answers.delete(commandId);
    });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > LIMITS.recentMax && oldest !== undefined) this.#answers.delete(oldest);
  }
}
