import { LIMITS } from "../limits.ts";
import type { CommandResult } from "../message.ts";

/** A command that was answered, or is about to be. */
export class RecentCommand {
  readonly answer: Promise<CommandResult>;
  #refused = false;
  #resolve: (answer: CommandResult) => void = () => {};

  constructor() {
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether it was refused; known at once, before those who wait for the answer get it. */
  get refused(): boolean {
    return this.#refused;
  }

  tell(answer: CommandResult): void {
    this.#refused = !answer.ok;
    this.#resolve(answer);
  }
}

/** The results of recent commands: a command that comes again soon gets the same result. */
export class RecentResults {
  readonly #commands = new Map<string, RecentCommand>();

  get(commandId: string): RecentCommand | undefined {
    return this.#commands.get(commandId);
  }

  remember(commandId: string, command: RecentCommand): void {
    this.#commands.set(commandId, command);
    void command.answer.then((given) => {
      // A refusal is not kept: the state may have changed when the command comes again.
      if (!given.ok) this.#commands.delete(commandId);
    });
    const [oldest] = this.#commands.keys();
    if (this.#commands.size > LIMITS.recentMax && oldest !== undefined) this.#commands.delete(oldest);
  }
}
