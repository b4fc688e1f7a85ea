/** Signals to the gateway of the same process. */
import type { Signal, SignalHub } from "../../../gateway/ports/signals.ts";

export function localSignals(): SignalHub {
  const listeners: ((signal: Signal) => void)[] = [];
  return {
    listen: (hear) => void listeners.push(hear),
    send: (signal) => {
      for (const hear of listeners) hear(signal);
    },
  };
}
