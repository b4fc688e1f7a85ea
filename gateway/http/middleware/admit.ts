/** Admission: rate limits, API keys and tokens, all checked before a byte of the body is read. */
import type { Context } from "koa";
import { API_KEY, hashApiKey, isSameSecret } from "../../secrets.ts";
import type { Services } from "../../services.ts";
import type { Caller, Operation } from "../operation.ts";
import { Problem } from "../problems.ts";
import { limit } from "./limit.ts";

/** The secret under which the guard remembers addresses that sent a signed request. */
export const SIGNATURE = "signature";
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|0:0:0:0)$/;

/** Admits a request or throws a Problem (401, 404, 429). Gives the caller if the operation needs an API key. */
export async function admit(
  operation: Operation,
  services: Services,
  context: Context,
  address: string,
): Promise<Caller | undefined> {
  switch (operation.auth) {
    case "key": {
      const caller = await authenticate(context, services, address);
      const names = operation.makesTask === true ? (["requests", "tasks"] as const) : (["requests"] as const);
      await limit(context, services.limiter, caller.account, names);
      return caller;
    }
    case "operator":
      await checkOperator(context, services, address);
      return undefined;
    case "none":
      await admitStranger(operation, services, context, address);
      return undefined;
    default:
      return operation.auth satisfies never;
  }
}

/** Counts a request without a key; throws a Problem (429) if its address has sent too many. */
export async function countVisit(services: Services, context: Context, address: string): Promise<void> {
  if (isCounted(services, address)) await limit(context, services.limiter, address, ["visits"]);
}

async function admitStranger(operation: Operation, services: Services, context: Context, address: string): Promise<void> {
  switch (operation.door) {
    // Health checks are always answered; their cost is shared, see readiness().
    case "always":
      return;
    // The service that signs is not limited; requests with wrong signatures count as guesses.
    case "signed":
      if (services.payments === null) await countVisit(services, context, address);
      await services.guard.admit(context, address, SIGNATURE);
      return;
    case "code":
      await countVisit(services, context, address);
      await limit(context, services.limiter, address, ["failures"]);
      return;
    case "registration":
      if (isCounted(services, address)) await limit(context, services.limiter, address, ["visits", "registrations"]);
      return;
    case "recovery":
      await countVisit(services, context, address);
      await limit(context, services.limiter, `address ${address}`, ["recoveries"]);
      return;
    case undefined:
      await countVisit(services, context, address);
      return;
    default:
      operation.door satisfies never;
  }
}

/** Outside production, requests from this machine are not counted. */
function isCounted({ settings }: Services, address: string): boolean {
  return settings.production || !LOOPBACK.test(address);
}

async function checkOperator(context: Context, services: Services, address: string): Promise<void> {
  const { settings, guard } = services;
  const { adminToken } = settings;
  if (adminToken === null) {
    await countVisit(services, context, address);
    throw new Problem(404, "NOT_FOUND", "The operators' API is off on this platform; set ADMIN_TOKEN to turn it on.");
  }
  const token = context.get("X-Admin-Token");
  if (token === "") await countVisit(services, context, address);
  const good =
    token !== "" &&
    (await guard.check(context, address, hashApiKey(token), async () => isSameSecret(token, adminToken) || undefined));
  if (good !== true) throw new Problem(401, "ADMIN_TOKEN_INVALID", "Send the operator's token in the header X-Admin-Token.");
}

async function authenticate(context: Context, services: Services, address: string): Promise<Caller> {
  const { keys, guard } = services;
  const key = context.get("X-API-Key");
  if (key === "") {
    await countVisit(services, context, address);
    throw new Problem(401, "API_KEY_MISSING", "Send your API key in the header X-API-Key.");
  }
  const keyHash = hashApiKey(key);
  const account = await guard.check(context, address, keyHash, async () => (API_KEY.test(key) ? keys.find(keyHash) : undefined));
  if (account === undefined) {
    throw new Problem(401, "API_KEY_INVALID", "This API key is not valid; it may have been rotated. Use the newest one.");
  }
  return { account, keyHash };
}
