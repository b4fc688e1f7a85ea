/** What clients of a gateway wait with: streams and pulls; and who of them is online. */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Router } from "../../actors/router.ts";
import { Feed } from "../../gateway/live/feed.ts";
import type { KeyRing } from "../../gateway/live/key-ring.ts";
import { Listenings } from "../../gateway/live/listenings.ts";
import { Presence } from "../../gateway/live/presence.ts";
import { Pulls } from "../../gateway/live/pulls.ts";
import { Queues } from "../../gateway/live/queues.ts";
import { Undelivered } from "../../gateway/live/undelivered.ts";
import type { ReadModel } from "../../gateway/ports/read-model.ts";
import type { GatewaySignal, Signal, SignalHub } from "../../gateway/ports/signals.ts";
import type { Finalizers } from "./finalizers.ts";
import type { Config } from "./settings/config.ts";

/** How long a gateway that stops gives back what clients have not got (ms). */
export const RETURN_MS_MAX = 2_000;

interface LivePorts {
  readonly config: Pick<Config, "taskTypes" | "streamsPerAddress" | "queuePartitions">;
  readonly log: Log;
  readonly finalizers: Pick<Finalizers, "add">;
  readonly signals: SignalHub;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly router: Router;
  readonly reads: ReadModel;
  readonly keys: KeyRing;
}

/** What is live at a gateway. */
export interface Live {
  readonly queues: Queues;
  readonly presence: Presence;
  readonly pulls: Pulls;
  readonly undelivered: Undelivered;
  readonly feed: Feed;
  readonly listenings: Listenings;
}

/** Makes it, and lets it hear what other processes tell. */
export function openLive({ config, log, finalizers, signals, clock, ids, router, reads, keys }: LivePorts): Live {
  const { taskTypes, streamsPerAddress } = config;
  const gateway = ids.next();
  const queues = new Queues(router, config.queuePartitions);
  const presence = new Presence({ reads, queues, clock, log, taskTypes, gateway });
  finalizers.add(async () => presence.close());
  const undelivered = new Undelivered({ router, signals, clock, log, gateway });
  const pulls = new Pulls({ queues, reads, clock, log, gateway, undelivered });
  finalizers.add(() => undelivered.drain(RETURN_MS_MAX));
  finalizers.add(() => pulls.close());
  const feed = new Feed({ reads, signals, presence, clock, log, taskTypes, streamsPerAddress });
  const listenings = new Listenings({ feed, signals, clock, gateway });
  signals.listen((signal) => hear(signal, keys, { presence, feed, undelivered, listenings }));
  signals.listenAs(gateway, (signal) => hearOwn(signal, { feed, listenings }));
  return { queues, presence, pulls, undelivered, feed, listenings };
}

/** Handles signals of other processes; any of them may get lost. */
function hear(
  signal: Signal,
  keys: KeyRing,
  { presence, feed, undelivered, listenings }: Pick<Live, "presence" | "feed" | "undelivered" | "listenings">,
): void {
  switch (signal.type) {
    case "key":
      keys.forget(signal.hash);
      feed.endKey(signal.hash);
      return;
    case "account":
      feed.check(signal.account);
      presence.changed(signal.account);
      return;
    case "task":
      feed.hear(signal.task);
      return;
    case "undelivered":
      undelivered.hearUndelivered(signal);
      return;
    case "kept":
      undelivered.hearKept(signal);
      return;
    case "listening":
      listenings.hear(signal);
      return;
    case "unheard":
      listenings.hearEnd(signal);
      return;
    default:
      signal satisfies never;
  }
}

/** Handles what others tell this gateway alone. */
function hearOwn(signal: GatewaySignal, { feed, listenings }: Pick<Live, "feed" | "listenings">): void {
  switch (signal.type) {
    case "new":
      feed.hearNew(signal.task, signal.workers, signal.streams);
      return;
    case "told":
      listenings.takeOver(signal);
      return;
    case "asked":
      listenings.sayAgain(signal);
      return;
    default:
      signal satisfies never;
  }
}
