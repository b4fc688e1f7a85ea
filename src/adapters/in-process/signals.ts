/** Signals within one process. */
import type { GatewaySignal, Signal, SignalHub } from "../../../gateway/ports/signals.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";

export function localSignals(): SignalHub {
  const listeners: ((signal: Signal) => void)[] = [];
  const gateways = new Map<string, (signal: GatewaySignal) => void>();
  const accounts = new Map<AccountId, () => void>();
  return {
    listen: (hear) => void listeners.push(hear),
    send: (signal) => {
      for (const hear of listeners) hear(signal);
    },
    listenAs: (gateway, hear) => void gateways.set(gateway, hear),
    sendTo: (gateway, signal) => gateways.get(gateway)?.(signal),
    // A process has one gateway.
    listenFor: (account, hear) => {
      accounts.set(account, hear);
      return () => void accounts.delete(account);
    },
    wake: (account) => accounts.get(account)?.(),
  };
}
