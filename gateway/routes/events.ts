import Type from "typebox";
import { mayWork } from "../../machines/eligibility.ts";
import { refuse } from "../../machines/refusal.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { TICKET_LASTS_S, TICKET_OPENS_S } from "../doors/ticket.ts";
import { keyed } from "../http/operation.ts";
import { accountSuspended, invalid, Problem, problemOf } from "../http/problems.ts";
import type { Full } from "../live/feed.ts";
import { type Position, readPosition } from "../live/position.ts";
import { SseSink } from "../live/sse.ts";
import { TOPICS, type Topic } from "../live/stream.ts";
import type { Services } from "../services.ts";
import { checkTaskType } from "../task-spec/task-type.ts";

const RETRY_AFTER_S = 10;
const FROZEN = refuse("ACCOUNT_FROZEN", "Your account is frozen; ask the operator to release it, then listen again.");
const TOO_MANY: { readonly [F in Full]: string } = {
  account: "This account has too many open streams; close one of them.",
  address: "Your address has too many open streams; close one of them.",
  process: "There are too many open streams; try again shortly, or poll GET /api/v1/tasks/available meanwhile.",
};

export function tooManyStreams(full: Full): Problem {
  return new Problem(429, "TOO_MANY_STREAMS", TOO_MANY[full], { retryAfter: RETRY_AFTER_S });
}

/** Whether an account that listens to events may take work; throws a Problem (403) if it may not even listen. */
export async function mayListen({ reads }: Pick<Services, "reads">, account: AccountId): Promise<boolean> {
  const row = await reads.account(account);
  if (row?.status === "SUSPENDED") throw accountSuspended();
  if (row?.status === "FROZEN") throw problemOf(FROZEN);
  return row !== undefined && mayWork(row.status);
}

const stream = keyed(
  {
    id: "streamEvents",
    tag: "Events",
    method: "get",
    path: "/api/v1/events/stream",
    acts: true,
    summary: "Stream of events as they happen",
    description:
      "Server-sent events: `task.new` (a task that you can take), `task.awarded` (to you) and `task.terminal` (a task of yours has ended), each with the task. Send the id of the last event as Last-Event-ID to continue after it: however long you were away, no award that you still have and no end is left out, and some may come twice. `task.new` is a selection; of each new task a bounded number of streams hear, one of each of its workers first. While the stream is open you are online for its task types.",
    query: Type.Object({
      topics: Type.Optional(
        Type.String({
          maxLength: 200,
          description: "Some of task.new, task.awarded, task.terminal, separated by commas; if omitted, all",
        }),
      ),
      task_type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Type of new tasks; if omitted, all" })),
      named: Type.Optional(
        Type.Boolean({ description: "Gives each event its type as a name (`event: task.new`); if omitted, events have none" }),
      ),
      last_event_id: Type.Optional(
        Type.String({ maxLength: 64, description: "The id of the last event, where the header Last-Event-ID cannot be sent" }),
      ),
      ticket: Type.Optional(
        Type.String({ maxLength: 512, description: "A ticket of POST /events/ticket in place of the API key, for browsers" }),
      ),
    }),
    stream: true,
    answers: { 200: { about: "Events, until you disconnect", schema: Type.String() } },
  },
  async function streamEvents({ account, keyHash, ticket, address, query, header, services }) {
    const topics = topicsOf(query.topics);
    const last = lastOf(header("Last-Event-ID"), query.last_event_id);
    checkTaskType(services.settings, query.task_type);
    const works = await mayListen(services, account);
    const proof = ticket === undefined ? null : services.secrets.ticketProof(ticket);
    const sink = new SseSink({ named: query.named ?? false, proof });
    const taskTypes = query.task_type === undefined ? null : [query.task_type];
    const opened = await services.feed.open({ account, keyHash, address, topics, taskTypes, last, works, sink });
    if (typeof opened === "string") throw tooManyStreams(opened);
    return { status: 200, body: sink.out };
  },
);

function topicsOf(asked: string | undefined): readonly Topic[] {
  if (asked === undefined) return TOPICS;
  const names = asked.split(",").map((topic) => topic.trim());
  const topics = TOPICS.filter((topic) => names.includes(topic));
  if (topics.length !== names.length) throw invalid([{ field: "topics", message: `must be some of ${TOPICS.join(", ")}` }]);
  return topics;
}

/** A reconnecting browser sends the header, and the query still says where it first began. */
function lastOf(header: string, query: string | undefined): Position | null {
  const [field, id] = header === "" ? ["last_event_id", query ?? ""] : ["Last-Event-ID", header];
  if (id === "") return null;
  const position = readPosition(id);
  if (position === undefined) throw invalid([{ field, message: "must be the id of an event of this stream" }]);
  return position;
}

const ticket = keyed(
  {
    id: "createEventTicket",
    tag: "Events",
    method: "post",
    path: "/api/v1/events/ticket",
    summary: "Ticket for the stream, for browsers",
    description:
      "An EventSource cannot send an API key: open it with `?ticket=` instead. The stream must be opened within `opens_seconds`; after that the ticket only serves the reconnects of that EventSource, for `lasts_seconds`, and as long as the key is valid.",
    answers: {
      200: {
        about: "The ticket",
        schema: Type.Object({
          ticket: Type.String({ description: "Treat it like a password until the stream is open" }),
          opens_seconds: Type.Integer({ examples: [TICKET_OPENS_S] }),
          lasts_seconds: Type.Integer({ examples: [TICKET_LASTS_S] }),
        }),
      },
    },
  },
  async function createEventTicket({ account, keyHash, services: { secrets, clock } }) {
    return {
      status: 200,
      body: {
        ticket: secrets.ticket({ account, keyHash, at: clock.now() }),
        opens_seconds: TICKET_OPENS_S,
        lasts_seconds: TICKET_LASTS_S,
      },
      headers: { "Cache-Control": "no-store" },
    };
  },
);

export const eventRoutes = [stream, ticket];
