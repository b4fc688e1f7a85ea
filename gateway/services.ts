import type { Clock } from "../actors/ports/clock.ts";
import type { Ids } from "../actors/ports/ids.ts";
import type { Log } from "../actors/ports/log.ts";
import type { Validator } from "../actors/ports/validator.ts";
import type { Router } from "../actors/router.ts";
import type { CreditTerms } from "../machines/market/credit-line.ts";
import type { Millis } from "../machines/vocabulary.ts";
import type { Guard } from "./doors/guard.ts";
import type { Feed } from "./live/feed.ts";
import type { Honeypots } from "./live/honeypots.ts";
import type { KeyRing } from "./live/key-ring.ts";
import type { Listenings } from "./live/listenings.ts";
import type { Presence } from "./live/presence.ts";
import type { Pulls } from "./live/pulls.ts";
import type { Queues } from "./live/queues.ts";
import type { Health } from "./ports/health.ts";
import type { HoneypotStore } from "./ports/honeypots.ts";
import type { Identity } from "./ports/identity.ts";
import type { Limiter } from "./ports/limiter.ts";
import type { Mailer } from "./ports/mailer.ts";
import type { Operators } from "./ports/operators.ts";
import type { Payments } from "./ports/payments.ts";
import type { ReadModel } from "./ports/read-model.ts";
import type { Signals } from "./ports/signals.ts";
import type { Secrets } from "./secrets.ts";

/** Settings of the gateway. */
export interface GatewaySettings {
  /** Credits that a new account is given (NC). */
  readonly signupGrant: number;
  readonly routingWindowMs: Millis;
  /** Rate at which batch items open, over all batches of an account (items/min); 0: no limit. */
  readonly tasksPerMinute: number;
  /** The task types that may be posted, the default first. */
  readonly taskTypes: readonly string[];
  readonly allowSimulatedTopup: boolean;
  /** What opens a credit line; nodes decide by the same. */
  readonly credit: CreditTerms;
  /** Base URL for clients, without a trailing slash. */
  readonly publicUrl: string;
  /** The operators' secret in X-Admin-Token; null turns their API off. */
  readonly adminToken: string | null;
  /** Number of trusted proxies in front. */
  readonly trustedProxies: number;
  /** Origins allowed by CORS, `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Whether webhooks may go to private addresses. */
  readonly allowPrivateCallbacks: boolean;
  readonly production: boolean;
  readonly version: string;
}

/** What the handlers of operations work with. */
export interface Services {
  readonly router: Router;
  readonly reads: ReadModel;
  readonly validator: Validator;
  readonly secrets: Secrets;
  readonly keys: KeyRing;
  readonly presence: Presence;
  readonly feed: Feed;
  readonly listenings: Listenings;
  readonly signals: Signals;
  readonly queues: Queues;
  readonly pulls: Pulls;
  readonly honeypots: Honeypots;
  readonly honeypotStore: HoneypotStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: GatewaySettings;
  readonly health: Health;
  readonly limiter: Limiter;
  readonly guard: Guard;
  /** null if no mail server is set up: codes then go to the log. */
  readonly mailer: Mailer | null;
  /** null if Stripe is not set up. */
  readonly operators: Operators;
  readonly payments: Payments | null;
  /** null if GitHub is not set up. */
  readonly identity: Identity | null;
}
