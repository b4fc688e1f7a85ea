import Type from "typebox";
import { DEFAULT_TERMS } from "../../machines/market/capability.ts";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { Credits, NextCursor, Nullable, PageQuery, Time, Uuid } from "./common.ts";

const Tag = Type.String({ minLength: 1, maxLength: 40, pattern: "^[a-z0-9][a-z0-9_.-]*$", examples: ["finance"] });

export const RegisterCapability = Type.Object({
  task_type: Type.String({
    minLength: 1,
    maxLength: 64,
    description: "One capability per type; registering a type again changes it",
  }),
  description: Type.Optional(Type.String({ maxLength: 1_000, default: "" })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 20, uniqueItems: true })),
  price: Type.Optional(
    Nullable(
      Type.Integer({
        minimum: 1,
        maximum: BOUNDS.budgetMax,
        description: "Posted price (NC): while you are online, you bid it automatically on tasks that can pay it",
      }),
    ),
  ),
  max_concurrent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000,
      default: 1,
      description: "How many tasks won by the posted price you work on at a time",
    }),
  ),
  min_seconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: BOUNDS.executionSecondsMax,
      default: DEFAULT_TERMS.minSeconds,
      description:
        "The least time for a task (s) that you take at your posted price or by a pull; bid by hand on those with less",
    }),
  ),
  min_requester_score: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      default: DEFAULT_TERMS.minRequesterScore,
      description: "The least `requester_score` of a task that you take at your posted price or by a pull",
    }),
  ),
  available: Type.Optional(Type.Boolean({ default: true })),
});

export const Capability = Type.Object({
  id: Uuid("The capability's id"),
  worker_id: Uuid("The worker's account"),
  task_type: Type.String(),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  price: Nullable(Credits("The posted price")),
  max_concurrent: Type.Integer(),
  min_seconds: Type.Integer({ description: "The least time for a task (s) that it takes without a bid by hand" }),
  min_requester_score: Type.Number({ description: "The least `requester_score` that it takes without a bid by hand" }),
  available: Type.Boolean({ description: "Whether it is switched on and its owner may take work" }),
  score: Type.Number({ description: "0..100" }),
  tier: Type.Integer({ description: "1 Unrated, 2 Bronze, 3 Silver, 4 Gold, 5 Diamond" }),
  tier_name: Type.String(),
  tasks: Type.Integer({ description: "Tasks that were awarded and ended" }),
  created_at: Time("When the capability was registered"),
});

export const CapabilityList = Type.Object({ items: Type.Array(Capability) });
export const CapabilityPage = Type.Object({ items: Type.Array(Capability), next_cursor: NextCursor });
export const CapabilityParams = Type.Object({ id: Type.String({ format: "uuid", description: "The capability's id" }) });
export const Availability = Type.Object({ available: Type.Boolean() });

export const BrowseQuery = Type.Object({
  task_type: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  tag: Type.Optional(Tag),
  min_tier: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
  max_price: Type.Optional(
    Type.Integer({ minimum: 1, maximum: BOUNDS.budgetMax, description: "Only those with a posted price of at most this (NC)" }),
  ),
  available: Type.Optional(Type.Boolean()),
  sort: Type.Optional(Type.Enum(["score", "price", "tasks"], { default: "score" })),
  ...PageQuery,
});

const Part = Type.Number({ minimum: 0, maximum: 1 });

export const CapabilityStats = Type.Object({
  capability_id: Uuid("The capability's id"),
  score: Type.Number({ description: "0..100" }),
  tier: Type.Integer(),
  tier_name: Type.String(),
  parts: Type.Object(
    { success_rate: Part, first_try_rate: Part, speed: Part, volume: Part, rating: Part },
    {
      description:
        "Weighed 35%, 20%, 15%, 15%, 15%; the score is at most 100 times the success rate. Both rates are what the last 200 tasks prove (a lower bound), so they are low while there are few",
    },
  ),
  proven_tasks: Type.Number({
    description: "How many independent tasks the last 200 are worth: of one requester's, each beyond the tenth counts a quarter",
  }),
  tasks_settled: Type.Integer(),
  tasks_failed: Type.Integer({ description: "Failed or timed out" }),
  first_try: Type.Integer(),
  echoes: Type.Integer({
    description:
      "How many of the settled results were the task's example again, with strings that are not in its text and no labels that its schema offers",
  }),
  ratings: Type.Integer(),
  mean_rating: Nullable(Type.Number()),
  last_30_days: Type.Object({
    tasks_settled: Type.Integer(),
    tasks_failed: Type.Integer(),
    earned_credits: Credits("Earned"),
    median_duration_ms: Nullable(Type.Integer()),
    p95_duration_ms: Nullable(Type.Integer()),
  }),
});
