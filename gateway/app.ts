/** The order of everything a request passes, on one screen. */
import { Router as HttpRouter, type RouterContext } from "@koa/router";
import Koa from "koa";
import type { Log } from "../actors/ports.ts";
import { SUSPENDED } from "../machines/account/decide.ts";
import { docsRoutes } from "./docs/page.ts";
import { ignoredHeader } from "./fields.ts";
import { readBody, readText } from "./middleware/body.ts";
import { clientAddress } from "./middleware/client-address.ts";
import { cors } from "./middleware/cors.ts";
import { errors } from "./middleware/errors.ts";
import { addressOf, limit, limitFailures } from "./middleware/limit.ts";
import { methods } from "./middleware/methods.ts";
import { wholePath } from "./middleware/path.ts";
import { trace } from "./middleware/trace.ts";
import type { Caller, Incoming, Operation } from "./operation.ts";
import type { Health } from "./ports.ts";
import { Problem, problemOf } from "./problems.ts";
import { readKey } from "./repeat.ts";
import { liveness, readiness } from "./routes/health.ts";
import { OPERATIONS } from "./routes/index.ts";
import { API_KEY, hashApiKey, isSameSecret } from "./secrets.ts";
import type { Services } from "./services.ts";

const HEALTH = /^\/health(\/(live|ready))?$/;

/** Builds the HTTP application; it holds no state but caches. */
export function createApp(services: Services): Koa {
  const { trustedProxies, corsOrigins } = services.settings;
  const app = new Koa();
  app.on("error", (error: Error) => services.log.debug({ err: error }, "a connection failed"));
  app.use(trace(services.log, services.clock, services.ids));
  app.use(cors(corsOrigins));
  app.use(errors(services.log));
  app.use(clientAddress(trustedProxies));
  app.use(wholePath());
  const router = new HttpRouter();
  for (const operation of OPERATIONS) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    router[operation.method](path, (context) => serve(operation, services, context));
  }
  docsRoutes(router, OPERATIONS, services);
  app.use(router.routes());
  app.use(methods());
  return app;
}

/** Builds what a process without a gateway answers: whether it lives and can serve. */
export function createHealthApp(health: Health, log: Log): Koa {
  const app = new Koa();
  app.use(errors(log));
  app.use(async (context) => {
    if (!HEALTH.test(context.path)) return;
    const reply = context.path === "/health/live" ? liveness() : await readiness(health);
    context.status = reply.status;
    context.body = reply.body;
  });
  return app;
}

/** Key, limits, body, then the operation, which checks what it was given. */
async function serve(operation: Operation, services: Services, context: RouterContext): Promise<void> {
  const arrived = services.clock.now();
  const caller = operation.auth === "key" ? await authenticate(context, services) : undefined;
  if (operation.auth === "operator") await checkOperator(context, services);
  if (caller !== undefined) {
    await limit(context, services.limiter, caller.account, operation.makesTask === true ? ["requests", "tasks"] : ["requests"]);
  }
  if (caller !== undefined && operation.method !== "get" && operation.suspended === undefined) {
    await refuseSuspended(services, caller);
  }
  const takesBody = operation.method === "post" || operation.method === "patch";
  const incoming: Incoming = {
    params: { ...context.params },
    query: context.querystring,
    body: takesBody && operation.raw !== true ? await readBody(context.req) : undefined,
    text: takesBody && operation.raw === true ? await readText(context.req) : "",
    header: (name) => context.get(name),
    ignore: (names) => context.set("X-Nexus-Ignored", ignoredHeader(names)),
    caller,
    idempotencyKey: operation.idempotent === true ? readKey(context.get("Idempotency-Key")) : null,
    address: addressOf(context.ip),
    arrived,
    services,
  };
  const lookOnly = context.method === "HEAD" && operation.acts === true;
  if (lookOnly) operation.check(incoming);
  const reply = lookOnly ? { status: 200, body: "" } : await operation.run(incoming);
  context.status = reply.status;
  if (operation.stream === true) {
    context.type = "text/event-stream";
    context.set("Cache-Control", "no-store");
    // Proxies that gather before they send would hold events back.
    context.set("X-Accel-Buffering", "no");
  }
  context.body = reply.body;
}

async function refuseSuspended({ reads }: Services, { account }: Caller): Promise<void> {
  if ((await reads.account(account))?.status === "SUSPENDED") throw problemOf(SUSPENDED);
}

async function checkOperator(context: RouterContext, { settings, limiter }: Services): Promise<void> {
  const { adminToken } = settings;
  if (adminToken === null)
    throw new Problem(404, "NOT_FOUND", "The operator's API is off on this platform; ADMIN_TOKEN switches it on.");
  if (isSameSecret(context.get("X-Admin-Token"), adminToken)) return;
  await limitFailures(context, limiter);
  throw new Problem(401, "ADMIN_TOKEN_INVALID", "Send the operator's token in the header X-Admin-Token.");
}

async function authenticate(context: RouterContext, { keys, limiter }: Services): Promise<Caller> {
  const key = context.get("X-API-Key");
  if (key === "") throw new Problem(401, "API_KEY_MISSING", "Send your API key in the header X-API-Key.");
  const keyHash = hashApiKey(key);
  const account = API_KEY.test(key) ? await keys.find(keyHash) : undefined;
  if (account === undefined) {
    await limitFailures(context, limiter);
    throw new Problem(401, "API_KEY_INVALID", "This API key is not valid; it may have been rotated. Use the newest one.");
  }
  return { account, keyHash };
}
