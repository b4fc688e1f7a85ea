/** Signals to the gateways of a platform: what is true only for a moment, or only hurries what would be seen anyway. */
import type { NatsConnection } from "nats";
import type { Signal, SignalHub } from "../../../gateway/ports/signals.ts";

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
