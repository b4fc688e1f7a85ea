/** A ticket opens a stream for a minute, serves its reconnects for an hour, and nothing else. */
import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { Guard } from "../../gateway/doors/guard.ts";
import { admitByTicket, TICKET_LASTS_S, TICKET_OPENS_S, ticketIn } from "../../gateway/doors/ticket.ts";
import { Problem } from "../../gateway/http/problems.ts";
import { KeyRing } from "../../gateway/live/key-ring.ts";
import { POSITION_PROOF, proofIn, readPosition } from "../../gateway/live/position.ts";
import type { StoredAccount } from "../../gateway/ports/read-model.ts";
import { Secrets } from "../../gateway/secrets.ts";
import { openLimiter } from "../../src/adapters/redis/limiter.ts";
import { ManualClock } from "../support/clock.ts";
import { member } from "../support/journals.ts";
import { person, SILENT } from "../support/world.ts";

const LIMITS = { requests: 0, tasks: 0, visits: 0, registrations: 0, failures: 5, recoveries: 0 };
const SECRET = randomBytes(32);
const secrets = new Secrets(SECRET);

let clock: ManualClock;
let keys: Map<string, StoredAccount>;
beforeEach(() => {
  clock = new ManualClock();
  keys = new Map([["key 2", { row: member(2), capabilities: [] }]]);
});

/** A gateway of the platform with this secret. */
function gateway(of = secrets) {
  const reads = { accountByKey: async (hash: string) => keys.get(hash) };
  const ring = new KeyRing(reads, { send: () => {} }, clock, 0);
  const ports = { guard: new Guard(openLimiter(LIMITS, null, "", SILENT)), secrets: of, keys: ring, clock };
  /** Whom the ticket admits, or the code with which it is refused. */
  const admit = async (ticket: string, lastId = "", query = "") => {
    const header = (name: string) => (name === "Last-Event-ID" ? lastId : "");
    try {
      const caller = await admitByTicket(ports, { address: "a", set: () => {}, header, query }, ticket);
      return caller.account;
    } catch (error) {
      if (error instanceof Problem) return error.code;
      throw error;
    }
  };
  return { admit, ring };
}

const ticketOf = (n: number) => secrets.ticket({ account: person(n), keyHash: `key ${n}`, at: clock.now() });
/** The id of an event on a stream that was opened with the ticket. */
const idOn = (ticket: string) => `17${POSITION_PROOF}${secrets.ticketProof(ticket)}`;
const pass = (s: number) => clock.to(clock.now() + s * 1_000);

test("opens a stream within a minute, at any gateway and more than once, and not at its end", async () => {
  const ticket = ticketOf(2);
  pass(TICKET_OPENS_S - 0.001);
  for (const one of [gateway(), gateway()]) expect(await one.admit(ticket)).toBe(person(2));
  pass(0.001);
  expect(await gateway().admit(ticket)).toBe("TICKET_INVALID");
});

test("then serves those alone who have an id of its stream, for an hour, in the header or in the query", async () => {
  const ticket = ticketOf(2);
  pass(TICKET_OPENS_S);
  const { admit } = gateway();
  expect(await admit(ticket, idOn(ticket))).toBe(person(2));
  expect(await admit(ticket, "", `ticket=x&last_event_id=${idOn(ticket)}`)).toBe(person(2));
  pass(TICKET_LASTS_S - TICKET_OPENS_S - 0.001);
  expect(await admit(ticket, idOn(ticket))).toBe(person(2));
  pass(0.001);
  expect(await admit(ticket, idOn(ticket))).toBe("TICKET_INVALID");
});

test.each(["", "17", "17.0", "17.00000000000000000000"])("is of no use to who finds it later: with the id %j", async (lastId) => {
  const ticket = ticketOf(2);
  pass(TICKET_OPENS_S);
  expect(await gateway().admit(ticket, lastId)).toBe("TICKET_INVALID");
});

test("an id of another ticket's stream does not help", async () => {
  const [ticket, other] = [ticketOf(2), ticketOf(2)];
  expect(ticket).not.toBe(other);
  pass(TICKET_OPENS_S);
  expect(await gateway().admit(ticket, idOn(other))).toBe("TICKET_INVALID");
});

test("ends with its key", async () => {
  const ticket = ticketOf(2);
  const { admit, ring } = gateway();
  expect(await admit(ticket)).toBe(person(2));
  keys.clear();
  await ring.drop("key 2");
  expect(await admit(ticket, idOn(ticket))).toBe("TICKET_INVALID");
});

test("is not valid for whom the key does not belong to", async () => {
  const ticket = secrets.ticket({ account: person(3), keyHash: "key 2", at: clock.now() });
  expect(await gateway().admit(ticket)).toBe("TICKET_INVALID");
});

test("cannot be made, changed or guessed, and guesses are counted", async () => {
  const ticket = ticketOf(2);
  const changed = `${ticket.slice(0, 30)}${ticket[30] === "A" ? "B" : "A"}${ticket.slice(31)}`;
  const sealed = secrets.seal(JSON.stringify(["other", person(2), "key 2", clock.now()]));
  const foreign = new Secrets(randomBytes(32)).ticket({ account: person(2), keyHash: "key 2", at: clock.now() });
  const { admit } = gateway();
  const refused = [];
  for (const wrong of [changed, sealed, foreign, "x", "x".repeat(100_000), ""]) refused.push(await admit(wrong));
  expect(refused).toEqual([...Array(5).fill("TICKET_INVALID"), "RATE_LIMITED"]);
  for (const part of [person(2), "key 2"]) expect(Buffer.from(ticket, "base64url").toString("latin1")).not.toContain(part);
});

test("is found in a query, where it is not empty", () => {
  expect(["ticket=a-b_c&x=1", "x=1&ticket=%61", "ticket=", "", "tickets=a"].map(ticketIn)).toEqual([
    "a-b_c",
    "a",
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ["0", { after: 0 }],
  ["17", { after: 17 }],
  ["17.0482", { after: 17 }],
  ["2147483647", { after: 2_147_483_647 }],
  ["2147483648", { since: 2_147_483_648 }],
  ["1800000000000", { since: 1_800_000_000_000 }],
  ["999999999999999", { since: 999_999_999_999_999 }],
  ["1000000000000000", undefined],
  ["", undefined],
  ["-1", undefined],
  ["1.", undefined],
  [".5", undefined],
  ["1e3", undefined],
  [" 1", undefined],
  [`1.${"0".repeat(41)}`, undefined],
] as const)("the id %j says where a client has been: %j", (id, position) => {
  expect(readPosition(id)).toEqual(position);
  expect(proofIn(id)).toBe(position !== undefined && id.includes(".") ? id.slice(id.indexOf(".") + 1) : null);
});
