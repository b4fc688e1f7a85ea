import Type from "typebox";
import { BID_OUTCOMES, BID_WAYS } from "../../machines/task/bid-rows.ts";
import { EXCUSE_REASONS, RETURN_KINDS } from "../../machines/task/events.ts";
import { AWARD_OUTCOMES } from "../../machines/task/own-award.ts";
import { BID_STATUSES, SUBMISSION_STATUSES } from "../../machines/task/protocol.ts";
import { BOUNDS, RESULT_ERRORS } from "../../machines/vocabulary.ts";
import { LISTEN_S, LISTEN_S_MAX } from "../live/listenings.ts";
import { TOPICS } from "../live/stream.ts";
import { Credits, Json, Nullable, Time, Uuid } from "./common.ts";
import { Task } from "./task.ts";

export const Bid = Type.Object({
  bid_credits: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: BOUNDS.budgetMax,
      description: "Your price (NC), at most the budget; if omitted, your posted price for the type, or else the budget",
    }),
  ),
});

export const BidPlaced = Type.Object({
  bid_id: Uuid("The bid's id"),
  status: Type.Enum([...BID_STATUSES], { description: "AWARDED if this bid has already won" }),
});

/** The longest wait of a pull (ms). */
const PULL_WAIT_MS_MAX = 30_000;
/** The most tasks of a pull. */
const PULL_TASKS_MAX = 100;

const TaskTypes = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 50,
      description,
      examples: [["json_extraction"]],
    }),
  );

export const Pull = Type.Object({
  task_types: TaskTypes("If omitted, all types"),
  max_tasks: Type.Optional(
    Type.Integer({ minimum: 1, maximum: PULL_TASKS_MAX, default: 1, description: "The most tasks that you can do now" }),
  ),
  min_price: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: BOUNDS.budgetMax,
      description: "The lowest budget (NC) that you take, where you have no posted price",
    }),
  ),
  wait_ms: Type.Optional(
    Type.Integer({ minimum: 0, maximum: PULL_WAIT_MS_MAX, default: 0, description: "How long to wait for a first task (ms)" }),
  ),
});

export const PulledTasks = Type.Object({
  tasks: Type.Array(Task),
  limited: Nullable(
    Type.Object(
      { reason: Type.String(), detail: Type.String() },
      { description: "Why you have not got more, if that lies with you, such as AWARDS_FULL; else null" },
    ),
  ),
});

/** Facts are numbered up to this; see position.ts. */
const EVENT_ID_MAX = 2 ** 31 - 1;
const EventId = (description: string) => Type.Integer({ minimum: 0, maximum: EVENT_ID_MAX, description });

export const Listen = Type.Object({
  task_types: TaskTypes("Types of new tasks; if omitted, all"),
  topics: Type.Optional(
    Type.Array(Type.Enum([...TOPICS]), { minItems: 1, maxItems: TOPICS.length, description: "If omitted, all" }),
  ),
  seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: LISTEN_S_MAX,
      default: LISTEN_S,
      description: "For how long to push (s); ask again before that is over. 0 ends it",
    }),
  ),
  last_event_id: Type.Optional(
    EventId(
      "`id` of the last event that you have heard, or else `last_event_id` of the last answer: what came after it is pushed",
    ),
  ),
});

export const Listening = Type.Object({
  until: Time("When pushing ends unless you ask again"),
  last_event_id: Nullable(EventId("Events after this one are pushed; null if pushing has ended")),
});

const TaskUuid = Uuid("The task's id");

export const Release = Type.Object({
  reason: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: BOUNDS.reasonCharacters,
      description: "Why, for the requester",
      examples: ["Too long for me"],
    }),
  ),
});

export const Released = Type.Object({
  id: TaskUuid,
  status: Type.Literal("RELEASED"),
  free: Type.Boolean({ description: "Whether it counts for nothing; if not, it counts as a failure" }),
  why: Type.Enum([...RETURN_KINDS], {
    description: "LATE: after the first 10 s. TOO_MANY: you have given back too many of your latest awards",
  }),
  detail: Type.String(),
});

export const Extension = Type.Object({
  seconds: Type.Integer({
    minimum: 1,
    maximum: BOUNDS.extensionSecondsMax,
    description: "How much longer you need (s); it is added to your deadline",
    examples: [60],
  }),
});

export const Extended = Type.Object({
  id: TaskUuid,
  expires_at: Time("Your new deadline"),
  seconds_left: Type.Integer({ description: "By how much you can still extend it (s)" }),
});

export const Passed = Type.Object({ id: TaskUuid, status: Type.Literal("PASSED") });
export const BidWithdrawn = Type.Object({ bid_id: Uuid("The bid's id"), status: Type.Literal("WITHDRAWN") });

/** A bid, as its worker sees it. */
export const OwnBid = Type.Object({
  bid_id: Uuid("The bid's id"),
  task_id: TaskUuid,
  task_type: Type.String(),
  bid_credits: Credits("Your price"),
  via: Type.Enum([...BID_WAYS], { description: "By hand, at your posted price, or for a pull" }),
  status: Type.Enum([...BID_OUTCOMES]),
  reason: Nullable(Type.String({ description: "Of a bid that is DECLINED: why you could not take the award, for programs" })),
  detail: Nullable(Type.String({ description: "The same for people" })),
  award: Nullable(
    Type.Object(
      {
        outcome: Type.Enum([...AWARD_OUTCOMES]),
        error_code: Nullable(Type.String({ description: "As in the task: SCHEMA_MISMATCH, RULE_VIOLATION, TIMEOUT, RELEASED" })),
        errors: Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
          description: "What was wrong with your last result",
        }),
        reputation_change: Type.Integer({ description: "What its end has changed in your reputation; 0 if that was taken back" }),
        penalty_taken_back: Nullable(Type.Enum([...EXCUSE_REASONS], { description: "Why it was taken back, if it was" })),
      },
      { description: "Of a bid that has WON: what became of your award" },
    ),
  ),
  placed_at: Time("When it was placed"),
  updated_at: Time("When something became of it"),
});

export const Submission = Type.Object({
  result_data: Json({
    description: `The result: any JSON value that passes the schema, including null; at most ${BOUNDS.resultBytes / 1024} KB as JSON`,
    examples: [{ company: "Apple Inc", revenue: "$81.8 billion" }],
  }),
});

export const SubmissionVerdict = Type.Object({
  submission_id: Uuid("The submission's id"),
  status: Type.Enum([...SUBMISSION_STATUSES]),
  error_code: Nullable(Type.Enum([...RESULT_ERRORS])),
  retries_left: Type.Integer({ description: "How many more wrong results you may submit" }),
  errors: Type.Array(Type.Object({ field: Type.String(), message: Type.String() })),
});

export const Started = Type.Object({ id: Uuid("The task's id"), status: Type.Literal("EXECUTING") });

export const Delivery = Type.Object({
  delivery_id: Type.String({ description: "X-Nexus-Delivery of this attempt" }),
  attempt: Type.Integer(),
  result: Type.Enum(["delivered", "gone", "failed"]),
  status: Nullable(Type.Integer({ description: "The receiver's HTTP status" })),
  error: Nullable(Type.String()),
  duration_ms: Type.Integer(),
  at: Type.String({ format: "date-time" }),
  next_attempt_at: Nullable(Type.String({ format: "date-time" })),
});
