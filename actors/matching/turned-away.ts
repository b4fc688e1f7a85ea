/**
 * In which queues an account has turned awards down because its worker had no place. There the worker may wait although its account
 * does not know of it: one that pulls need not have registered for the task type. The matchers of these queues are told when it has
 * a place again. Known in memory only: a matcher tries such a worker again after a while, whatever it hears.
 */
import { readReply } from "../../machines/incoming.ts";
import type { CommandResult, Envelope } from "../message.ts";
import { isAboutWorker } from "./outcomes.ts";

/** Accounts that are remembered, and task types of each. */
const ACCOUNTS_MAX = 50_000;
const TYPES_MAX = 100;

export class TurnedAway {
  readonly #types = new Map<string, Set<string>>();

  /** Takes in what an account here has answered to a command. */
  hear({ to, command }: Pick<Envelope, "to" | "command">, result: CommandResult): void {
    if (to.kind !== "account" || command.type !== "offer" || !result.ok) return;
    const reply = readReply("account", "offer", result.value);
    if (reply === undefined || reply === null || reply.kept || !isAboutWorker(reply.reason)) return;
    const types = this.#types.get(to.id) ?? new Set();
    this.#types.delete(to.id);
    this.#types.set(to.id, types);
    if (types.size < TYPES_MAX) types.add(command.taskType);
    const [oldest] = this.#types.keys();
    if (this.#types.size > ACCOUNTS_MAX && oldest !== undefined) this.#types.delete(oldest);
  }

  /** Gives the task types in which an account turned awards down, and forgets them. */
  take(account: string): ReadonlySet<string> {
    const types = this.#types.get(account) ?? NONE;
    this.#types.delete(account);
    return types;
  }
}

const NONE: ReadonlySet<string> = new Set();
