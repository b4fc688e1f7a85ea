/** Signals to the gateways of a platform: what is true only for a moment, or only hurries what would be seen anyway. */
import type { NatsConnection } from "nats";
import type { Signal, Signals } from "../../../gateway/ports/signals.ts";

export interface SignalHub extends Signals {
  /** Hears all signals from now on. */
  listen(hear: (signal: Signal) => void): void;
}

/** Within one process. */
export function localSignals(): SignalHub {
  const listeners: ((signal: Signal) => void)[] = [];
  return {
    listen: (hear) => void listeners.push(hear),
    send: (signal) => {
      for (const hear of listeners) hear(signal);
    },
  };
}

/** Over NATS, to every process that listens, this one included; what is lost is lost. */
export function natsSignals(connection: NatsConnection, prefix: string): SignalHub {
  const subject = `${prefix}.signal`;
  return {
    listen: (hear) => {
      connection.subscribe(subject, {
        callback: (error, message) => {
          // Only processes of this platform publish there.
          if (error === null) hear(message.json<Signal>());
        },
      });
    },
    send: (signal) => {
      // Who closes has no more to tell, and publishing would throw.
      if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, JSON.stringify(signal));
    },
  };
}
