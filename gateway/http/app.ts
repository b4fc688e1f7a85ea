/** The order of everything a request passes, on one screen. */
import { Router as HttpRouter, type RouterContext } from "@koa/router";
import Koa, { type Middleware } from "koa";
import type { Log } from "../../actors/ports/log.ts";
import { docsRoutes } from "../docs/page.ts";
import type { Health } from "../ports/health.ts";
import { liveness, readiness } from "../routes/health.ts";
import { OPERATIONS } from "../routes/index.ts";
import type { GatewaySettings, Services } from "../services.ts";
import { ignoredHeader } from "./fields.ts";
import { readKey } from "./idempotency.ts";
import { admit, countVisit } from "./middleware/admit.ts";
import { readBody, readText } from "./middleware/body.ts";
import { clientAddress, networkOf } from "./middleware/client-address.ts";
import { cors } from "./middleware/cors.ts";
import { errors } from "./middleware/errors.ts";
import { linger } from "./middleware/linger.ts";
import { allowedMethods } from "./middleware/methods.ts";
import { checkPath } from "./middleware/path.ts";
import { trace } from "./middleware/trace.ts";
import type { Caller, Incoming, Operation, Reply } from "./operation.ts";
import { accountSuspended, Problem } from "./problems.ts";

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
      return serve(operation, services, context);
    });
  }
  const pages = new HttpRouter();
  pages.use(countVisits(services));
  docsRoutes(pages, OPERATIONS, services);
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
    await countVisit(services, context, networkOf(context.ip));
    await next();
  };
}

/** Checks limits, key and suspension, then reads the body, then runs the operation, which checks its input. */
async function serve(operation: Operation, services: Services, context: RouterContext): Promise<void> {
  const arrived = services.clock.now();
  const address = networkOf(context.ip);
  const caller = await admit(operation, services, context, address);
  if (caller !== undefined && operation.method !== "get" && operation.suspended === undefined) {
    await refuseSuspended(services, caller);
  }
  const takesBody = operation.method === "post" || operation.method === "patch";
  const incoming: Incoming = {
    params: { ...context.params },
    query: context.querystring,
    body: takesBody && operation.raw !== true ? await readBody(context) : undefined,
    text: takesBody && operation.raw === true ? await readText(context) : "",
    header: (name) => context.get(name),
    ignore: (names) => context.set("X-Nexus-Ignored", ignoredHeader(names)),
    caller,
    idempotencyKey: operation.idempotent === true ? readKey(context.get("Idempotency-Key")) : null,
    address,
    arrived,
    services,
  };
  const lookOnly = context.method === "HEAD" && operation.acts === true;
  if (lookOnly) {
    operation.check(incoming);
    context.type = "application/json";
  }
  const reply: Reply = lookOnly ? { status: 200, body: "" } : await operation.run(incoming);
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

async function refuseSuspended({ reads }: Services, { account }: Caller): Promise<void> {
  if ((await reads.account(account))?.status === "SUSPENDED") throw accountSuspended();
}
