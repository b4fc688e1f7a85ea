/** Signals over NATS to the gateways of a platform. They carry short-lived facts or speed up what polling would find. */
import type { NatsConnection } from "nats";
import type { GatewaySignal, Signal, SignalHub } from "../../../gateway/ports/signals.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";

/** Publishes to every process that subscribes, this one included, at most once. */
export function natsSignals(connection: NatsConnection, prefix: string): SignalHub {
  const all = `${prefix}.signal`;
  const of = (gateway: string) => `${prefix}.gateway.${gateway}`;
  const about = (account: AccountId) => `${prefix}.account.${account}`;
  // Only processes of this platform may publish there, so what comes is what they send.
  const listen = <S>(subject: string, hear: (signal: S) => void) => {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) hear(message.json<S>());
      },
    });
  };
  // Publishing on a closing connection would throw.
  const isOpen = () => !connection.isClosed() && !connection.isDraining();
  const send = (subject: string, signal: Signal | GatewaySignal) => {
    if (isOpen()) connection.publish(subject, JSON.stringify(signal));
  };
  return {
    listen: (hear) => listen(all, hear),
    send: (signal) => send(all, signal),
    listenAs: (gateway, hear) => listen(of(gateway), hear),
    sendTo: (gateway, signal) => send(of(gateway), signal),
    // The subject says it all. A server passes it on only to gateways that have such a stream.
    wake: (account) => {
      if (isOpen()) connection.publish(about(account));
    },
    listenFor: (account, hear) => {
      if (!isOpen()) return () => {};
      const subscription = connection.subscribe(about(account), {
        callback: (error) => {
          if (error === null) hear();
        },
      });
      return () => subscription.unsubscribe();
    },
  };
}
