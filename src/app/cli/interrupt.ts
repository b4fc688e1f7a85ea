/** Ctrl-C and other signals for commands that start something: what they started is stopped before they end. */
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A command was ended by a signal; `exitCode` is 128 plus the signal's number, as in shells. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super("Interrupted; everything that was started has been stopped.");
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Runs `work`, which must end soon after `stop` is aborted and undo what it started. A signal or an unhandled error aborts it;
 * further signals change nothing. Rejects with Interrupted, or as `work` does.
 */
export async function interruptible<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    const known = SIGNALS.find((one) => one === signal);
    if (known !== undefined) stop.abort(new Interrupted(known));
  };
  const onError = (error: unknown) => stop.abort(error);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  try {
    const result = await work(stop.signal);
    stop.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    // The interrupted command is about to end: another signal must not cut off its output or change its exit code.
    if (!stop.signal.aborted) for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  }
}
