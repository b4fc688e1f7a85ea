/** The order of everything a request passes, on one screen. */
import { Router as HttpRouter, type RouterContext } from "@koa/router";
import Koa, { type Middleware } from "koa";
import type { Log } from "../../actors/ports/log.ts";
import { docsRoutes } from "../docs/page.ts";
import { countVisit } from "../doors/admit.ts";
import { DoorRecipient } from "../doors/recipient.ts";
import { serve } from "../doors/serve.ts";
import type { Health } from "../ports/health.ts";
import { liveness, readiness } from "../routes/health.ts";
import { FLEET_OPERATIONS, OPERATIONS } from "../routes/index.ts";
import type { GatewaySettings, Services } from "../services.ts";
import { readBody, readText } from "./middleware/body.ts";
import { clientAddress, networkOf } from "./middleware/client-address.ts";
import { cors } from "./middleware/cors.ts";
import { errors } from "./middleware/errors.ts";
import { linger } from "./middleware/linger.ts";
import { allowedMethods } from "./middleware/methods.ts";
import { checkPath } from "./middleware/path.ts";
import { trace } from "./middleware/trace.ts";
import type { Operation } from "./operation.ts";
import { Problem } from "./problems.ts";

const HEALTH = /^\/health(\/(live|ready))?$/;
/** Retry-After while the process is starting (s). */
const STARTING_RETRY_S = 1;

interface Surroundings extends Pick<Services, "log" | "clock" | "ids"> {
  readonly settings: Pick<GatewaySettings, "trustedProxies" | "corsOrigins">;
}

/** Builds the HTTP application; its only state is caches. */
export function createApp(services: Services): Koa {
  const app = new Koa();
  app.on("error", (error: Error) => services.log.debug({ err: error }, "a connection failed"));
  for (const middleware of commonMiddleware(services)) app.use(middleware);
  const router = new HttpRouter();
  for (const operation of OPERATIONS) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    router[operation.method](operation.id, path, function serveOperation(context) {
      return answer(operation, services, context);
    });
  }
  const pages = new HttpRouter();
  pages.use(countVisits(services));
  docsRoutes(pages, OPERATIONS, FLEET_OPERATIONS, services);
  app.use(router.routes());
  app.use(pages.routes());
  app.use(countVisits(services));
  app.use(allowedMethods());
  return app;
}

/** What every request passes before it is routed, the outermost first. */
export function commonMiddleware({ settings, log, clock, ids }: Surroundings): Middleware[] {
  return [
    linger(),
    trace(log, clock, ids),
    cors(settings.corsOrigins),
    errors(log),
    clientAddress(settings.trustedProxies),
    checkPath(),
  ];
}

/** Builds the application of a process without a gateway: health checks only. */
export function createHealthApp(health: Health, log: Log): Koa {
  const app = new Koa();
  app.use(errors(log));
  app.use(async function answerHealth(context) {
    if (!HEALTH.test(context.path)) return;
    const reply = context.path === "/health/live" ? liveness() : await readiness(health);
    context.status = reply.status;
    context.body = reply.body;
  });
  return app;
}

/** Builds the application of a process that is still starting: it is alive, and cannot serve yet because of `unavailable`. */
export function createStartingApp(unavailable: () => string, log: Log): Koa {
  const app = new Koa();
  app.use(errors(log));
  app.use(async function answerStarting(context) {
    if (context.path !== "/health/live") throw new Problem(503, "UNAVAILABLE", unavailable(), { retryAfter: STARTING_RETRY_S });
    context.body = liveness().body;
  });
  return app;
}

/** Requests for pages and unknown paths count as requests without a key. */
function countVisits(services: Services): Middleware {
  return async function countVisits(context, next) {
    await countVisit(services, { address: networkOf(context.ip), set: (name, value) => context.set(name, value) });
    await next();
  };
}

/** The client has gone when it has closed its connection before it had the whole answer. */
function recipientOf({ req, res }: RouterContext): DoorRecipient {
  const client = new DoorRecipient();
  // It may have closed before this request came to its turn.
  if (req.socket.destroyed) client.left();
  res.once("close", () => (res.writableFinished ? client.answered() : client.left()));
  return client;
}

/** Serves an operation to a client of HTTP. */
async function answer(operation: Operation, services: Services, context: RouterContext): Promise<void> {
  const lookOnly = context.method === "HEAD" && operation.acts === true;
  const reply = await serve(operation, services, {
    address: networkOf(context.ip),
    only: null,
    header: (name) => context.get(name),
    set: (name, value) => context.set(name, value),
    readParams: () => ({ ...context.params }),
    query: context.querystring,
    takesBody: operation.method === "post" || operation.method === "patch",
    readBody: () => readBody(context),
    readText: () => readText(context),
    waiting: { client: recipientOf(context), msMost: Number.POSITIVE_INFINITY, bytesMost: Number.POSITIVE_INFINITY },
    line: null,
    lookOnly,
  });
  if (lookOnly) context.type = "application/json";
  context.status = reply.status;
  if (reply.headers !== undefined) context.set({ ...reply.headers });
  if (operation.stream === true) {
    context.type = "text/event-stream";
    context.set("Cache-Control", "no-store, no-transform");
    // Proxies that buffer responses would delay events.
    context.set("X-Accel-Buffering", "no");
  }
  context.body = reply.body;
}
