import type { FleetOperation, Operation } from "../http/operation.ts";
import { accountRoutes } from "./account.ts";
import { adminRoutes } from "./admin.ts";
import { authRoutes } from "./auth.ts";
import { awardRoutes } from "./awards.ts";
import { batchRoutes } from "./batches.ts";
import { bidRoutes } from "./bids.ts";
import { capabilityRoutes } from "./capabilities.ts";
import { creditRoutes } from "./credits.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { eventRoutes } from "./events.ts";
import { honeypotRoutes } from "./honeypots.ts";
import { listenRoutes } from "./listen.ts";
import { oauthRoutes } from "./oauth.ts";
import { pullRoutes } from "./pull.ts";
import { taskRecordRoutes } from "./records.ts";
import { stripeRoutes } from "./stripe.ts";
import { systemRoutes } from "./system.ts";
import { taskRoutes } from "./tasks.ts";
import { workRoutes } from "./work.ts";

/** Every operation of the HTTP API. Fixed paths come before those with a parameter in the same place. */
export const OPERATIONS: readonly Operation[] = [
  ...authRoutes,
  ...workRoutes,
  ...pullRoutes,
  ...awardRoutes,
  ...bidRoutes,
  ...taskRoutes,
  ...batchRoutes,
  ...taskRecordRoutes,
  ...deliveryRoutes,
  ...capabilityRoutes,
  ...creditRoutes,
  ...stripeRoutes,
  ...accountRoutes,
  ...oauthRoutes,
  ...eventRoutes,
  ...adminRoutes,
  ...honeypotRoutes,
  ...systemRoutes,
];

/** What only fleets can ask. */
export const FLEET_OPERATIONS: readonly FleetOperation[] = [...listenRoutes];
