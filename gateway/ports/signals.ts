import type { AccountId, TaskStatus } from "../../machines/vocabulary.ts";

/** Tells the other gateways what is true only for a moment. Nothing depends on its arrival. */
export interface Signals {
  send(signal: Signal): void;
}

export interface SignalHub extends Signals {
  /** Hears all signals from now on. */
  listen(hear: (signal: Signal) => void): void;
}

export type Signal =
  /** A task has come to a status that somebody may wait for. */
  | { readonly type: "task"; readonly task: string; readonly status: TaskStatus }
  /** A key is valid no longer. */
  | { readonly type: "key"; readonly hash: string }
  /** What an account may do has changed. */
  | { readonly type: "account"; readonly account: AccountId }
  /** A worker asked for tasks of a type. */
  | { readonly type: "presence"; readonly worker: AccountId; readonly taskType: string };
