/** Signals over NATS to the gateways of a platform. They carry short-lived facts or speed up what polling would find. */
import type { NatsConnection } from "nats";
import type { Signal, SignalHub } from "../../../gateway/ports/signals.ts";

/** Publishes to every process that subscribes, this one included, at most once. */
export function natsSignals(connection: NatsConnection, prefix: string): SignalHub {
  const subject = `${prefix}.signal`;
  return {
    listen: (hear) => {
      connection.subscribe(subject, {
        callback: (error, message) => {
          // Only processes of this platform may publish there.
          if (error === null) hear(message.json<Signal>());
        },
      });
    },
    send: (signal) => {
      // Publishing on a closing connection would throw.
      if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, JSON.stringify(signal));
    },
  };
}
