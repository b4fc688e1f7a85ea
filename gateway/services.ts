import type { Clock } from "../actors/ports/clock.ts";
import type { Ids } from "../actors/ports/ids.ts";
import type { Log } from "../actors/ports/log.ts";
import type { Validator } from "../actors/ports/validator.ts";
import type { Router } from "../actors/router.ts";
import type { Millis } from "../machines/vocabulary.ts";
import type { Guard } from "./http/middleware/guard.ts";
import type { Honeypots } from "./live/honeypots.ts";
import type { KeyRing } from "./live/key-ring.ts";
import type { Presence } from "./live/presence.ts";
import type { PostedPrices } from "./live/prices.ts";
import type { Feed } from "./live/stream.ts";
import type { Health } from "./ports/health.ts";
import type { Identity } from "./ports/identity.ts";
import type { Limiter } from "./ports/limiter.ts";
import type { Mailer } from "./ports/mailer.ts";
import type { Operators } from "./ports/operators.ts";
import type { Payments } from "./ports/payments.ts";
import type { ReadModel } from "./ports/read-model.ts";
import type { Signals } from "./ports/signals.ts";
import type { Secrets } from "./secrets.ts";

/** What an operator can set about the gateway. */
export interface GatewaySettings {
  /** Credits of a new account, in NC. */
  readonly signupGrant: number;
  readonly routingWindowMs: Millis;
  /** The pace at which items of batches open, over all batches of an account (items/min); 0: none. */
  readonly tasksPerMinute: number;
  /** The task types that may be posted, the default first. */
  readonly taskTypes: readonly string[];
  readonly allowSimulatedTopup: boolean;
  /** Where clients reach this platform, without a slash at the end. */
  readonly publicUrl: string;
  /** What operators send in X-Admin-Token; null where there is none, and no way in. */
  readonly adminToken: string | null;
  /** How many proxies stand in front, whose word on the client's address is taken. */
  readonly trustedProxies: number;
  /** Origins whose pages browsers let in, `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Whether webhooks may go to addresses that are not public. */
  readonly allowPrivateCallbacks: boolean;
  readonly production: boolean;
  readonly version: string;
}

/** What operations work with. */
export interface Services {
  readonly router: Router;
  readonly reads: ReadModel;
  readonly validator: Validator;
  readonly secrets: Secrets;
  readonly keys: KeyRing;
  readonly presence: Presence;
  readonly feed: Feed;
  readonly signals: Signals;
  readonly standing: PostedPrices;
  readonly honeypots: Honeypots;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: GatewaySettings;
  readonly health: Health;
  readonly limiter: Limiter;
  readonly guard: Guard;
  /** null where no mail can be sent: then codes go to the log. */
  readonly mailer: Mailer | null;
  /** null where nothing can be bought. */
  readonly operators: Operators;
  readonly payments: Payments | null;
  /** null where no GitHub account can be linked. */
  readonly identity: Identity | null;
}
