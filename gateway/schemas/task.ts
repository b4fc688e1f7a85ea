import Type, { type Static } from "typebox";
import { UNMATCHED } from "../../machines/market/unmatched.ts";
import { RULE_SCHEMAS, type Rule } from "../../machines/validation/rules.ts";
import { WARNING_CODES } from "../../machines/validation/warnings.ts";
import { BOUNDS, QUALITY_PREFERENCES, TASK_STATUSES } from "../../machines/vocabulary.ts";
import { Credits, Json, JsonRecord, Nullable, Time, Uuid } from "./common.ts";

const RESULT = { company: "Initech", revenue: "$3 million" };
const SCHEMA = {
  type: "object",
  properties: {
    company: { type: "string", description: "Full legal name" },
    revenue: { type: "string", description: "Keep currency and unit, e.g. '$81.8 billion'" },
  },
  required: ["company"],
  additionalProperties: false,
};
const TEXT = "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year.";
const EXAMPLE = { input_data: TEXT, schema: SCHEMA, example_output: RESULT, budget: 20, max_seconds: 120 };
const AnyObject = Type.Record(Type.String(), Type.Unknown(), { examples: [RESULT] });
const ExampleOutput = Json({
  examples: [RESULT],
  description: `A result that would pass the schema and the rules: any JSON value of at most ${BOUNDS.exampleBytes / 1024} KB as JSON`,
});

/** One rule; its `type` says which other fields it has. */
const RuleType = Type.Unsafe<Rule>({
  type: "object",
  required: ["type"],
  discriminator: { propertyName: "type" },
  oneOf: RULE_SCHEMAS,
});

const RulesField = Type.Array(RuleType, {
  maxItems: BOUNDS.rules,
  description: `Extra constraints on the result, at most ${BOUNDS.rulesBytes / 1024} KB of JSON together`,
  examples: [[{ type: "min_length", field: "company", min: 2 }]],
});
const Budget = Type.Integer({
  minimum: BOUNDS.budgetMin,
  maximum: BOUNDS.budgetMax,
  description: "The most that you pay, including the fee (NC)",
  examples: [20],
});
const Seconds = Type.Integer({
  minimum: 1,
  maximum: BOUNDS.executionSecondsMax,
  default: BOUNDS.executionSecondsDefault,
  description: "Time for the worker, from the award (s)",
});
const ResultSchema = JsonRecord({
  examples: [SCHEMA],
  description:
    "JSON Schema that the result must match: draft 2020-12, or an older one down to draft 4 if $schema says so. References must stay inside the schema; unknown keywords are annotations",
});
const same = (name: string, example: unknown) => ({
  examples: [example],
  description: `Long name of \`${name}\`; give either of the two`,
});

/** Body of POST /tasks. A field has up to two names; the long ones are those of the task that is returned. */
export const CreateTask = Type.Object(
  {
    input_data: Type.String({
      minLength: 1,
      maxLength: BOUNDS.inputCharacters,
      description: "The text to work on; visible in full to you and the awarded worker only",
      examples: [TEXT],
    }),
    schema: Type.Optional(ResultSchema),
    validation_schema: Type.Optional(JsonRecord(same("schema", SCHEMA))),
    example_output: ExampleOutput,
    budget: Type.Optional(Budget),
    max_budget_credits: Type.Optional(
      Type.Integer({ ...same("budget", 20), minimum: BOUNDS.budgetMin, maximum: BOUNDS.budgetMax }),
    ),
    max_seconds: Type.Optional(Seconds),
    max_execution_seconds: Type.Optional(
      Type.Integer({ ...same("max_seconds", 120), minimum: 1, maximum: BOUNDS.executionSecondsMax }),
    ),
    max_extension_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: BOUNDS.extensionSecondsMax,
        default: 0,
        description: "By how much a worker may extend its time, in all (s)",
      }),
    ),
    rules: Type.Optional(RulesField),
    validation_rules: Type.Optional(Type.Array(RuleType, { ...same("rules", []), maxItems: BOUNDS.rules })),
    callback_url: Type.Optional(
      Nullable(
        Type.String({
          format: "uri",
          maxLength: BOUNDS.callbackUrlCharacters,
          description: "Where the outcome is POSTed (http or https)",
        }),
      ),
    ),
    quality_preference: Type.Optional(Type.Enum([...QUALITY_PREFERENCES], { default: "balanced" })),
    min_skill_rating: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: BOUNDS.skillRatingMax,
        default: 0,
        description: "0 any, 1 Unrated, 2 Bronze, 3 Silver, 4 Gold, 5 Diamond",
      }),
    ),
    pending_pool_hours: Type.Optional(
      Type.Integer({ minimum: 1, maximum: BOUNDS.poolHoursMax, default: BOUNDS.poolHoursDefault }),
    ),
    auto_retry: Type.Optional(Type.Integer({ minimum: 0, maximum: BOUNDS.autoRetryMax, default: BOUNDS.autoRetryDefault })),
    task_type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, examples: ["json_extraction"] })),
  },
  { description: "A task to post", examples: [EXAMPLE] },
);
export type CreateTask = Static<typeof CreateTask>;

/** A task; fields that the caller may not see are null. */
export const Task = Type.Object({
  id: Uuid("The task's id"),
  status: Type.Enum([...TASK_STATUSES]),
  task_type: Type.String(),
  input_data: Nullable(Type.String({ description: "Only for the requester and the awarded worker, else null" })),
  input_data_preview: Type.String({
    description: `The whole text for the requester and the awarded worker, else its first ${BOUNDS.previewCharacters} characters`,
  }),
  validation_schema: AnyObject,
  validation_rules: Type.Array(RuleType),
  example_output: Type.Unknown({ examples: [RESULT] }),
  max_budget_credits: Credits("The budget"),
  max_execution_seconds: Type.Integer(),
  max_extension_seconds: Type.Integer(),
  quality_preference: Type.Enum([...QUALITY_PREFERENCES]),
  min_skill_rating: Type.Integer(),
  requester_score: Type.Number({
    minimum: 0,
    maximum: 1,
    description:
      "Of the requester's tasks of which an award had ended, the share that was settled, when this one was posted: (settled + 9) / (ended + 10), to two decimals. 0.9 for a newcomer",
  }),
  callback_url: Nullable(Type.String({ description: "Only for the requester, else null" })),
  requester_id: Nullable(Uuid("Only for the requester and the awarded worker, else null")),
  awarded_to: Nullable(Uuid("The worker who has, or had, the task")),
  awarded_price: Nullable(Credits("The winning bid")),
  result_data: Type.Unknown({ description: "The accepted result, any JSON value; null until then" }),
  error_code: Nullable(
    Type.String({
      description:
        "What went wrong last: SCHEMA_MISMATCH, RULE_VIOLATION, TIMEOUT, RELEASED or VALIDATION_TOO_EXPENSIVE; for a worker who had it and failed, what went wrong then",
    }),
  ),
  retries_left: Type.Integer({ description: "How many more wrong results the current worker may submit" }),
  auto_retries_left: Type.Integer({ description: "How many more times the task reopens for other workers" }),
  created_at: Time("When it was created"),
  updated_at: Time("When it last changed"),
  expires_at: Nullable(Time("When the current state ends by itself")),
});
export type Task = Static<typeof Task>;

export const HistoryEvent = Type.Object({
  seq: Type.Integer(),
  event: Type.String(),
  at: Time("When"),
  by: Nullable(Type.String({ description: "Id of an account, or `platform`" })),
  data: AnyObject,
});

export const Validation = Type.Object({
  valid: Type.Boolean(),
  errors: Type.Array(Type.Object({ field: Type.String(), message: Type.String(), code: Type.String() })),
  warnings: Type.Array(
    Type.Object({
      code: Type.Enum([...WARNING_CODES]),
      field: Type.String({ description: "A JSON pointer into the request" }),
      message: Type.String({ description: "What may not be meant, and what to do" }),
    }),
    {
      description:
        "What would be taken, and is perhaps not what you mean: a schema that demands nothing, or that nobody can meet",
    },
  ),
  schema_cost: Nullable(Type.Integer({ description: "Upper bound on the checks that the schema takes" })),
  schema_cost_max: Type.Integer(),
  workers_online: Type.Integer({ description: "Workers who are online for this type" }),
  workers_eligible: Type.Integer({ description: "Of those, who could take this task now" }),
  unmatched: Nullable(
    Type.Object(
      { reason: Type.Enum([...UNMATCHED]), detail: Type.String() },
      { description: "Why nobody who is online would take it now; null if somebody would" },
    ),
  ),
  likely_price: Nullable(Credits("Median price of the latest settled tasks of this type")),
});
export type Validation = Static<typeof Validation>;
