import type { NatsConnection } from "nats";
import type { Signal, Signals } from "../../gateway/ports.ts";

/** Signals of one gateway that is alone. */
export const silent: Signals = { send() {} };

/** Signals to all gateways of the platform, this one included; what is lost is lost. */
export function natsSignals(connection: NatsConnection, prefix: string, hear: (signal: Signal) => void): Signals {
  const subject = `${prefix}.signal`;
  connection.subscribe(subject, {
    callback: (error, message) => {
      // Only gateways of this platform publish there.
      if (error === null) hear(message.json<Signal>());
    },
  });
  return {
    send: (signal) => {
      if (!connection.isClosed()) connection.publish(subject, JSON.stringify(signal));
    },
  };
}
