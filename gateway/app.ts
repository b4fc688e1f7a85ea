/** The order of everything a request passes, on one screen. */
import { Router as HttpRouter, type RouterContext } from "@koa/router";
import Koa from "koa";
import type { Log } from "../actors/ports.ts";
import { SUSPENDED } from "../machines/account/decide.ts";
import { docsRoutes } from "./docs/page.ts";
import { readBody, readText } from "./middleware/body.ts";
import { errors } from "./middleware/errors.ts";
import { addressOf, limit, limitFailures } from "./middleware/limit.ts";
import { trace } from "./middleware/trace.ts";
import type { Caller, Operation } from "./operation.ts";
import type { Health } from "./ports.ts";
import { Problem, problemOf } from "./problems.ts";
import { liveness, readiness } from "./routes/health.ts";
import { OPERATIONS } from "./routes/index.ts";
import { API_KEY, hashApiKey, isSameSecret } from "./secrets.ts";
import type { Services } from "./services.ts";

const HEALTH = /^\/health(\/(live|ready))?$/;
/** Visible ASCII, as other APIs take it. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** Builds the HTTP application; it holds no state but caches. */
export function createApp(services: Services): Koa {
  const { trustedProxies } = services.settings;
  const app = new Koa(trustedProxies === 0 ? {} : { proxy: true, maxIpsCount: trustedProxies });
  app.on("error", (error: Error) => services.log.debug({ err: error }, "a connection failed"));
  app.use(trace(services.log, services.clock, services.ids));
  app.use(errors(services.log));
  const router = new HttpRouter();
  for (const operation of OPERATIONS) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    router[operation.method](path, (context) => serve(operation, services, context));
  }
  docsRoutes(router, OPERATIONS, services);
  app.use(router.routes());
  app.use(router.allowedMethods({ throw: true, methodNotAllowed: wrongMethod, notImplemented: wrongMethod }));
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

function wrongMethod(): Problem {
  return new Problem(405, "METHOD_NOT_ALLOWED", "This path does not take that method; see /docs for what it takes.");
}

/** Key, limits, body, then the operation, which checks what it was given. */
async function serve(operation: Operation, services: Services, context: RouterContext): Promise<void> {
  const caller = operation.auth === "key" ? await authenticate(context, services) : undefined;
  if (operation.auth === "operator") await checkOperator(context, services);
  if (caller !== undefined) {
    await limit(context, services.limiter, caller.account, operation.makesTask === true ? ["requests", "tasks"] : ["requests"]);
  }
  if (caller !== undefined && operation.method !== "get" && operation.suspended === undefined) {
    await refuseSuspended(services, caller);
  }
  const takesBody = operation.method === "post" || operation.method === "patch";
  const reply = await operation.run({
    params: { ...context.params },
    query: { ...context.query },
    body: takesBody && operation.raw !== true ? await readBody(context.req) : undefined,
    text: takesBody && operation.raw === true ? await readText(context.req) : "",
    header: (name) => context.get(name),
    caller,
    idempotencyKey: operation.idempotent === true ? idempotencyKey(context) : null,
    address: addressOf(context.ip),
    services,
  });
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

function idempotencyKey(context: RouterContext): string | null {
  const key = context.get("Idempotency-Key");
  if (key === "") return null;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw new Problem(422, "VALIDATION_ERROR", "Idempotency-Key: must be 1 to 200 visible ASCII characters without blanks.", {
      errors: [{ field: "Idempotency-Key", message: "must be 1 to 200 visible ASCII characters without blanks" }],
    });
  }
  return key;
}
