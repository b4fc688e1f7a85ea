import type { DeliveryOutcome } from "../../machines/delivery.ts";
import type { OutboundCall } from "../../machines/entity.ts";

export interface OutboundCalls {
  /** Makes one call and gives its outcome; null if there is no capacity now and it should be tried again soon. */
  make(call: OutboundCall): Promise<DeliveryOutcome | null>;
}
