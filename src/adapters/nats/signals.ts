/** Signals over NATS to the gateways of a platform. They carry short-lived facts or speed up what polling would find. */
import type { NatsConnection } from "nats";
import type { GatewaySignal, Signal, SignalHub } from "../../../gateway/ports/signals.ts";

/** Publishes to every process that subscribes, this one included, at most once. */
export function natsSignals(connection: NatsConnection, prefix: string): SignalHub {
  const all = `${prefix}.signal`;
  const of = (gateway: string) => `${prefix}.gateway.${gateway}`;
  // Only processes of this platform may publish there, so what comes is what they send.
  const listen = <S>(subject: string, hear: (signal: S) => void) => {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) hear(message.json<S>());
      },
    });
  };
  const send = (subject: string, signal: Signal | GatewaySignal) => {
    // Publishing on a closing connection would throw.
    if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, JSON.stringify(signal));
  };
  return {
    listen: (hear) => listen(all, hear),
    send: (signal) => send(all, signal),
    listenAs: (gateway, hear) => listen(of(gateway), hear),
    sendTo: (gateway, signal) => send(of(gateway), signal),
  };
}
