/** What clients of a gateway wait with: streams and pulls; and who of them is online. */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { Router } from "../../actors/router.ts";
import { Feed } from "../../gateway/live/feed.ts";
import type { KeyRing } from "../../gateway/live/key-ring.ts";
import { Presence } from "../../gateway/live/presence.ts";
import { Pulls } from "../../gateway/live/pulls.ts";
import { Queues } from "../../gateway/live/queues.ts";
import type { ReadModel, StoredTask } from "../../gateway/ports/read-model.ts";
import type { Signal, SignalHub } from "../../gateway/ports/signals.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Finalizers } from "./finalizers.ts";
import type { Config } from "./settings/config.ts";

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
  readonly feed: Feed;
}

/** Makes it, and lets it hear what other processes tell. */
export function openLive({ config, log, finalizers, signals, clock, ids, router, reads, keys }: LivePorts): Live {
  const { taskTypes, streamsPerAddress } = config;
  const gateway = ids.next();
  const queues = new Queues(router, config.queuePartitions);
  const presence = new Presence({ reads, queues, clock, log, taskTypes, gateway });
  finalizers.add(async () => presence.close());
  // They run out of time and go to others; nothing else can be done about them yet.
  const unwanted = (worker: AccountId, tasks: readonly StoredTask[]) =>
    log.info({ worker, tasks: tasks.map(({ row }) => row.id) }, "tasks were awarded to a pull whose client has gone");
  const pulls = new Pulls({ queues, reads, clock, log, gateway, unwanted });
  finalizers.add(async () => pulls.close());
  const feed = new Feed({ reads, signals, presence, clock, log, taskTypes, streamsPerAddress });
  signals.listen((signal) => hear(signal, keys, { presence, feed }));
  signals.listenAs(gateway, ({ task, workers, streams }) => feed.hearNew(task, workers, streams));
  return { queues, presence, pulls, feed };
}

/** Handles signals of other processes; any of them may get lost. */
function hear(signal: Signal, keys: KeyRing, { presence, feed }: Pick<Live, "presence" | "feed">): void {
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
    default:
      signal satisfies never;
  }
}
