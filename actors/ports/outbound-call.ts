import type { OutboundCall } from "../../machines/entity.ts";
import type { DeliveryOutcome } from "../../machines/task/events.ts";

export interface OutboundCalls {
  /** Makes one call and gives its outcome; null when there is no room now and it should be asked for again soon. */
  make(call: OutboundCall): Promise<DeliveryOutcome | null>;
}
