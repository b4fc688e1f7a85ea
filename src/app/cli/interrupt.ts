/** Ctrl-C and its like, for commands that start something: it is stopped before the command ends. */
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A command was ended by a signal; `exitCode` is 128 and the signal's number, as shells have it. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super("Interrupted; what was started is stopped.");
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Does `work`, which must end soon after `stop` is aborted, and undo what it began. A signal aborts it, and so does an error
 * that nobody handled; more signals change nothing. Rejects with Interrupted, or as `work` does.
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
    // An interrupted command is about to end: one more signal must not cut short what it says and with which code.
    if (!stop.signal.aborted) for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  }
}
