/** Admission: rate limits, API keys and tokens, all checked before a byte of the body is read. */
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Caller, FleetOperation, Operation } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import { API_KEY, hashApiKey, isSameSecret } from "../secrets.ts";
import type { Services } from "../services.ts";
import { type AnswerHeaders, limit } from "./limit.ts";
import { admitByTicket, ticketIn } from "./ticket.ts";

/** The secret under which the guard remembers addresses that sent a signed request. */
export const SIGNATURE = "signature";
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|0:0:0:0)$/;

/** Who asks, as a door has learned it before it reads anything else. */
export interface Visitor extends AnswerHeaders {
  /** What failures and requests without a key are counted by: the client's address (IPv6: its /64), or a fleet's name. */
  readonly address: string;
  /** The only account whose keys count; null where a door lets any account in. */
  readonly only: AccountId | null;
  /** A header of the request; empty if it was not sent. */
  readonly header: (name: string) => string;
  /** The raw query, without the question mark. */
  readonly query: string;
}

/** Admits a request or throws a Problem (401, 404, 429). Gives the caller if the operation needs an API key. */
export async function admit(
  operation: Operation | FleetOperation,
  services: Services,
  visitor: Visitor,
): Promise<Caller | undefined> {
  switch (operation.auth) {
    case "key": {
      const caller = await authenticate(operation, services, visitor);
      const names = operation.makesTask === true ? (["requests", "tasks"] as const) : (["requests"] as const);
      await limit(visitor, services.limiter, caller.account, names);
      return caller;
    }
    case "operator":
      await checkOperator(services, visitor);
      return undefined;
    case "none":
      await admitStranger(operation, services, visitor);
      return undefined;
    default:
      return operation satisfies never;
  }
}

/** Counts a request without a key; throws a Problem (429) if its address has sent too many. */
export async function countVisit(services: Services, visitor: Pick<Visitor, "address" | "set">): Promise<void> {
  const { address } = visitor;
  if (isCounted(services, address)) await limit(visitor, services.limiter, address, ["visits"]);
}

async function admitStranger(operation: Operation, services: Services, visitor: Visitor): Promise<void> {
  const { address } = visitor;
  switch (operation.door) {
    // Health checks are always answered; their cost is shared, see readiness().
    case "always":
      return;
    // The service that signs is not limited; requests with wrong signatures count as guesses.
    case "signed":
      if (services.payments === null) await countVisit(services, visitor);
      await services.guard.admit(visitor, address, SIGNATURE);
      return;
    case "code":
      await countVisit(services, visitor);
      await limit(visitor, services.limiter, address, ["failures"]);
      return;
    case "registration":
      if (isCounted(services, address)) await limit(visitor, services.limiter, address, ["visits", "registrations"]);
      return;
    case "recovery":
      await countVisit(services, visitor);
      await limit(visitor, services.limiter, `address ${address}`, ["recoveries"]);
      return;
    case undefined:
      await countVisit(services, visitor);
      return;
    default:
      operation.door satisfies never;
  }
}

/** Outside production, requests from this machine are not counted. */
function isCounted({ settings }: Services, address: string): boolean {
  return settings.production || !LOOPBACK.test(address);
}

async function checkOperator(services: Services, visitor: Visitor): Promise<void> {
  const { settings, guard } = services;
  const { adminToken } = settings;
  if (adminToken === null) {
    await countVisit(services, visitor);
    throw new Problem(404, "NOT_FOUND", "The operators' API is off on this platform; set ADMIN_TOKEN to turn it on.");
  }
  const token = visitor.header("X-Admin-Token");
  if (token === "") await countVisit(services, visitor);
  const good =
    token !== "" &&
    (await guard.check(visitor, visitor.address, hashApiKey(token), async () => isSameSecret(token, adminToken) || undefined));
  if (good !== true) throw new Problem(401, "ADMIN_TOKEN_INVALID", "Send the operator's token in the header X-Admin-Token.");
}

async function authenticate(operation: Operation | FleetOperation, services: Services, visitor: Visitor): Promise<Caller> {
  const { keys, guard } = services;
  const key = visitor.header("X-API-Key");
  const ticket = key === "" && operation.stream === true ? ticketIn(visitor.query) : undefined;
  if (ticket !== undefined) return admitByTicket(services, visitor, ticket);
  if (key === "") {
    await countVisit(services, visitor);
    throw new Problem(401, "API_KEY_MISSING", "Send your API key in the header X-API-Key.");
  }
  const keyHash = hashApiKey(key);
  let ofAnother = false;
  const holder = await guard.check(visitor, visitor.address, keyHash, async () => {
    const found = API_KEY.test(key) ? await keys.find(keyHash) : undefined;
    ofAnother = found !== undefined && visitor.only !== null && found.account !== visitor.only;
    return ofAnother ? undefined : found;
  });
  if (holder !== undefined) return { ...holder, keyHash };
  if (ofAnother) {
    throw new Problem(
      403,
      "API_KEY_OF_ANOTHER",
      "This API key belongs to another account; send the key of the account you ask for.",
    );
  }
  throw new Problem(401, "API_KEY_INVALID", "This API key is not valid; it may have been rotated. Use the newest one.");
}
