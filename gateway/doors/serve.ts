/** How an operation is served, whichever door a request came through: the checks and their order are the same behind all of them. */
import type { JsonValue } from "../../machines/vocabulary.ts";
import { ignoredHeader } from "../http/fields.ts";
import { readKey } from "../http/idempotency.ts";
import type { Caller, FleetOperation, Incoming, Operation, Reply, Waiting } from "../http/operation.ts";
import { accountSuspended } from "../http/problems.ts";
import type { PushLine } from "../ports/fleet.ts";
import type { Services } from "../services.ts";
import { admit, type Visitor } from "./admit.ts";

/** A request as a door brings it. */
export interface Visit extends Visitor {
  /** Gives the parameters of the operation's path, as they came. Called once the caller is admitted. Throws Problem. */
  readonly readParams: () => unknown;
  /** What the client calls them, where that is not as the operation does. */
  readonly names?: { readonly [param: string]: string };
  /** Whether there may be a body. */
  readonly takesBody: boolean;
  /** Gives the parsed body, undefined if there is none. Called once the caller is admitted. Throws Problem. */
  readonly readBody: () => Promise<JsonValue | undefined>;
  /** Gives the body as text, for an operation that checks its signature. Throws Problem. */
  readonly readText: () => Promise<string>;
  readonly waiting: Waiting;
  /** Reaches the fleet that asks; null where HTTP does. */
  readonly line: PushLine | null;
  /** Whether the input is checked and nothing is done. */
  readonly lookOnly: boolean;
}

/** Checks limits, key and suspension, then reads the body, then runs the operation, which checks its input. Throws Problem. */
export async function serve(operation: Operation | FleetOperation, services: Services, visit: Visit): Promise<Reply> {
  const arrived = services.clock.now();
  const caller = await admit(operation, services, visit);
  if (caller !== undefined && operation.method !== "get" && operation.suspended === undefined) {
    await refuseSuspended(services, caller);
  }
  const incoming: Incoming = {
    params: visit.readParams(),
    names: visit.names ?? {},
    query: visit.query,
    body: visit.takesBody && operation.raw !== true ? await visit.readBody() : undefined,
    text: visit.takesBody && operation.raw === true ? await visit.readText() : "",
    header: visit.header,
    ignore: (names) => visit.set("X-Nexus-Ignored", ignoredHeader(names)),
    caller,
    idempotencyKey: operation.idempotent === true ? readKey(visit.header("Idempotency-Key")) : null,
    address: visit.address,
    arrived,
    waiting: visit.waiting,
    line: visit.line,
    services,
  };
  if (!visit.lookOnly) return operation.run(incoming);
  operation.check(incoming);
  return { status: 200, body: "" };
}

async function refuseSuspended({ reads }: Services, { account, read }: Caller): Promise<void> {
  const row = read?.row ?? (await reads.account(account));
  if (row?.status === "SUSPENDED") throw accountSuspended();
}
