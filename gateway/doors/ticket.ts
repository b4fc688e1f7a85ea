/**
 * Tickets, for browsers: an EventSource cannot send an API key. A ticket is in the address of the stream, where others may come to
 * see it (the logs of a proxy, the history of a browser), so it opens a stream only within a minute. From then on it serves
 * reconnects alone: an EventSource sends the id of the last event, and on such a stream every id proves that it was opened in time.
 * Tickets are sealed and not stored, so every gateway knows them.
 */

import type { Caller } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import { proofIn } from "../live/position.ts";
import { hashApiKey, isSameSecret } from "../secrets.ts";
import type { Services } from "../services.ts";
import type { AnswerHeaders } from "./limit.ts";

/** How long a ticket opens a stream (s), and how long it serves its reconnects (s). */
export const TICKET_OPENS_S = 60;
export const TICKET_LASTS_S = 3_600;
const SECOND_MS = 1_000;

const INVALID = new Problem(
  401,
  "TICKET_INVALID",
  "This ticket is not valid, or not any more: get another one with POST /api/v1/events/ticket, with your API key.",
);

type Ports = Pick<Services, "guard" | "secrets" | "keys" | "clock">;

/** Who may have a ticket; see Visitor. */
interface Bearer extends AnswerHeaders {
  readonly address: string;
  readonly header: (name: string) => string;
  readonly query: string;
}

/** The ticket in a query; undefined if there is none. */
export function ticketIn(query: string): string | undefined {
  const ticket = new URLSearchParams(query).get("ticket");
  return ticket === null || ticket === "" ? undefined : ticket;
}

/** Admits who has a ticket, as the account that it was made for. Throws a Problem (401, 429). */
export async function admitByTicket(services: Ports, visitor: Bearer, ticket: string): Promise<Caller> {
  const { guard } = services;
  const caller = await guard.check(visitor, visitor.address, hashApiKey(ticket), () => callerOf(services, visitor, ticket));
  if (caller === undefined) throw INVALID;
  return caller;
}

async function callerOf({ secrets, keys, clock }: Ports, visitor: Bearer, ticket: string): Promise<Caller | undefined> {
  const read = secrets.readTicket(ticket);
  if (read === undefined) return undefined;
  const { account, keyHash, at } = read;
  const ageMs = clock.now() - at;
  const last = visitor.header("Last-Event-ID") || (new URLSearchParams(visitor.query).get("last_event_id") ?? "");
  const mayOpen = ageMs < TICKET_OPENS_S * SECOND_MS;
  const mayReopen = ageMs < TICKET_LASTS_S * SECOND_MS && isSameSecret(proofIn(last) ?? "", secrets.ticketProof(ticket));
  if (!mayOpen && !mayReopen) return undefined;
  return (await keys.find(keyHash))?.account === account ? { account, keyHash, ticket } : undefined;
}
