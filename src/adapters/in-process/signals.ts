/** Signals within one process. */
import type { GatewaySignal, Signal, SignalHub } from "../../../gateway/ports/signals.ts";

export function localSignals(): SignalHub {
  const listeners: ((signal: Signal) => void)[] = [];
  const gateways = new Map<string, (signal: GatewaySignal) => void>();
  return {
    listen: (hear) => void listeners.push(hear),
    send: (signal) => {
      for (const hear of listeners) hear(signal);
    },
    listenAs: (gateway, hear) => void gateways.set(gateway, hear),
    sendTo: (gateway, signal) => gateways.get(gateway)?.(signal),
  };
}
