import type { AccountId, Millis, TaskId, TaskStatus } from "../../machines/vocabulary.ts";
import type { StoredTask } from "./read-model.ts";

/** Told to other processes, at most once: nothing depends on its arrival. */
export interface Signals {
  /** Tells all gateways. */
  send(signal: Signal): void;
}

export interface SignalHub extends Signals {
  /** Hears all that is told to all gateways from now on. */
  listen(hear: (signal: Signal) => void): void;
  /** Tells one gateway. */
  sendTo(gateway: string, signal: GatewaySignal): void;
  /** Hears what is told to this gateway from now on. */
  listenAs(gateway: string, hear: (signal: GatewaySignal) => void): void;
  /** Tells the gateways that hear about this account that its event streams have more to tell. */
  wake(account: AccountId): void;
  /** Hears about this account from now on, until what it gives is called. */
  listenFor(account: AccountId, hear: () => void): () => void;
}

export type GatewaySignal =
  /**
   * A new task as a stranger may see it, for these workers who listen at the gateway. `streams`: how many of their streams are told
   * at most; absent from nodes of an older version.
   */
  | { readonly type: "new"; readonly task: StoredTask; readonly workers: readonly AccountId[]; readonly streams?: number }
  /** Its listening of this account went on here until now: it has told of these new tasks, and would have lasted so much longer (ms). */
  | { readonly type: "told"; readonly account: AccountId; readonly told: readonly string[]; readonly left: Millis }
  /** This account is listened for elsewhere, where it was asked for the so manieth time; what was said here counts too few. */
  | { readonly type: "asked"; readonly account: AccountId; readonly times: number };

export type Signal =
  /** A task has reached a status that somebody may wait for. Only nodes of an older version say so; others wake the accounts. */
  | { readonly type: "task"; readonly task: string; readonly status: TaskStatus }
  /** A key is no longer valid. */
  | { readonly type: "key"; readonly hash: string }
  /** An account was frozen or released, or what it offers has changed. */
  | { readonly type: "account"; readonly account: AccountId }
  /** This gateway gives these tasks of a pull back soon, unless another one keeps them for its client. */
  | { readonly type: "undelivered"; readonly pull: string; readonly gateway: string; readonly tasks: readonly TaskId[] }
  /** This gateway keeps them: others do not give them back. */
  | { readonly type: "kept"; readonly pull: string; readonly gateway: string; readonly tasks: readonly TaskId[] }
  /** The fleet of an account has asked this gateway to listen for it, for the so manieth time: others listen for it no more. */
  | { readonly type: "listening"; readonly account: AccountId; readonly gateway: string; readonly times: number }
  /** It has asked this gateway to be listened for no more: whoever was asked so many times, or fewer, stops; null: whoever listens. */
  | { readonly type: "unheard"; readonly account: AccountId; readonly gateway: string; readonly times: number | null };
