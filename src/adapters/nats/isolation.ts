/** Whether fleets are kept apart from the bus, found out by trying. */
import { type NatsConnection, nuid } from "nats";

/** How long a message may take between the servers of one cluster (ms); on one server it is there after a flush. */
const CROSSING_MS = 300;

/**
 * Whether anything that one of these connections publishes reaches the other: on subjects that the door and the bus may use, and
 * on those of the bus. `prefix` is that of all subjects. Two connections that never meet are in different accounts of NATS, or at
 * different servers.
 */
export async function meet(bus: NatsConnection, fleet: NatsConnection, prefix: string): Promise<boolean> {
  // Each way has subjects of its own: a connection hears what it publishes itself.
  const subjects = () => {
    const probe = nuid.next();
    return [`${prefix}.api.v1.${probe}`, `_INBOX.door.${probe}`, `${prefix}.hello.${probe}`];
  };
  const [toFleet, toBus] = await Promise.all([reaches(bus, fleet, subjects()), reaches(fleet, bus, subjects())]);
  return toFleet || toBus;
}

async function reaches(from: NatsConnection, to: NatsConnection, subjects: readonly string[]): Promise<boolean> {
  let reached = false;
  let stop = () => {};
  const heard = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const callback = (error: Error | null) => {
    // A subscription that is refused hears nothing, which is as good.
    if (error !== null) return;
    reached = true;
    stop();
  };
  const subscriptions = subjects.map((subject) => to.subscribe(subject, { callback }));
  await to.flush();
  for (const subject of subjects) from.publish(subject);
  await from.flush();
  await to.flush();
  const timer = setTimeout(stop, CROSSING_MS);
  await heard;
  clearTimeout(timer);
  for (const subscription of subscriptions) subscription.unsubscribe();
  return reached;
}
