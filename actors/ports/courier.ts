import type { Delivery } from "../../machines/entity.ts";
import type { DeliveryOutcome } from "../../machines/task/events.ts";

export interface Courier {
  /** Brings one webhook to its receiver; null when there is no room now and it should be asked again soon. */
  deliver(delivery: Delivery): Promise<DeliveryOutcome | null>;
}
