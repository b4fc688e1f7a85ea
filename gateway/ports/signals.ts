import type { AccountId, TaskStatus } from "../../machines/vocabulary.ts";

/** Broadcast to the other gateways, at most once: nothing depends on its arrival. */
export interface Signals {
  send(signal: Signal): void;
}

export interface SignalHub extends Signals {
  /** Hears all signals from now on. */
  listen(hear: (signal: Signal) => void): void;
}

export type Signal =
  /** A task has reached a status that somebody may wait for. */
  | { readonly type: "task"; readonly task: string; readonly status: TaskStatus }
  /** A key is no longer valid. */
  | { readonly type: "key"; readonly hash: string }
  /** An account was frozen, released or suspended, or its debt was repaid. */
  | { readonly type: "account"; readonly account: AccountId }
  /** A worker asked for tasks of a type. */
  | { readonly type: "presence"; readonly worker: AccountId; readonly taskType: string };
