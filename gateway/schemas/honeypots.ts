/** What operators store as honeypots: tasks with a known answer, and templates of such. */
import Type, { type Static } from "typebox";
import { BOUNDS, type JsonValue } from "../../machines/vocabulary.ts";
import { type Blank, INVENTED, OPERATIONS } from "../honeypots/template.ts";
import { Credits, Json, JsonRecord, NextCursor, Nullable, Time, Uuid } from "./common.ts";
import { CreateTask } from "./task.ts";

const BLANKS_MAX = 40;
const CHOICES_MAX = 200;
const NAME = "^[a-z][a-z0-9_]*$";
const NUMBER_MAX = 1_000_000_000;

export const StoreHoneypot = Type.Object(
  {
    ...CreateTask.properties,
    expected: Json({ description: "The known answer; a worker's result may have more fields" }),
  },
  { description: "As POST /api/v1/tasks, plus `expected`" },
);

const Name = Type.String({ pattern: NAME, maxLength: 64 });
const Names = Type.Array(Name, { minItems: 1, maxItems: BLANKS_MAX });
const Words = Type.String({ minLength: 1, maxLength: 500 });
const Whole = Type.Integer({ minimum: -NUMBER_MAX, maximum: NUMBER_MAX });
const closed = { additionalProperties: false };

/** A tuple, as draft 2020-12 has it. */
const Pair = Type.Unsafe<readonly [string, JsonValue]>({ type: "array", prefixItems: [Words, {}], minItems: 2, maxItems: 2 });

const BLANKS = [
  Type.Object({ kind: Type.Enum([...INVENTED]) }, { ...closed, description: "Invented; a date is answered as YYYY-MM-DD" }),
  Type.Object(
    {
      kind: Type.Literal("number"),
      from: Whole,
      to: Whole,
      step: Type.Optional(Type.Integer({ minimum: 1, maximum: NUMBER_MAX })),
      grouped: Type.Optional(Type.Boolean({ description: "Shown as 12,500" })),
      digits: Type.Optional(Type.Integer({ minimum: 0, maximum: 6, description: "So many are behind the point" })),
    },
    closed,
  ),
  Type.Object(
    { kind: Type.Literal("code"), pattern: Type.String({ minLength: 1, maxLength: 100, description: "# a digit, @ a capital" }) },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("one"),
      of: Type.Array(Type.Union([Words, Pair]), {
        minItems: 1,
        maxItems: CHOICES_MAX,
        description: "Words, or pairs of what is shown and what is to be answered",
      }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Enum([...OPERATIONS]), of: Names }, { ...closed, description: "Worked out of blanks before it" }),
  Type.Object(
    { kind: Type.Enum(["largest", "smallest"]), of: Names, names: Names },
    { ...closed, description: "The answer of the one of `names` whose number in `of` is that" },
  ),
];

const EXAMPLE = {
  task_type: "json_extraction",
  text: "{buyer} [[will buy|takes over]] {target} for USD {price} million.",
  blanks: { buyer: { kind: "company" }, target: { kind: "company" }, price: { kind: "number", from: 3, to: 960 } },
  schema: {
    type: "object",
    properties: { "buyer|acquirer": { type: "string" }, "price|usd_m": { type: "integer" } },
    required: ["buyer|acquirer", "price|usd_m"],
  },
  expected: { "buyer|acquirer": "{buyer}", "price|usd_m": "{price}" },
  budget_min: 8,
  budget_max: 20,
  max_seconds: [60, 120],
};
const Budget = (description: string) => Type.Integer({ minimum: BOUNDS.budgetMin, maximum: BOUNDS.budgetMax, description });

export const StoreTemplate = Type.Object(
  {
    task_type: Type.String({ minLength: 1, maxLength: 64 }),
    text: Type.String({
      minLength: 1,
      maxLength: BOUNDS.inputCharacters,
      description: "The text: {name} is a blank, [[a|b]] is one of these",
    }),
    blanks: Type.Unsafe<{ [name: string]: Blank }>({
      type: "object",
      propertyNames: { pattern: NAME, maxLength: 64 },
      maxProperties: BLANKS_MAX,
      additionalProperties: { anyOf: BLANKS },
      description: "What fills the blanks, by name. No two of a text are filled alike",
    }),
    schema: JsonRecord({
      description: "As of a task. The name of a field may be `a|b`, then it is one of these, everywhere the same",
    }),
    rules: Type.Optional(CreateTask.properties.rules),
    expected: Json({
      description: "The known answer, with the blanks of the text; the example of a task is the answer to another one",
    }),
    budget_min: Budget("The lowest budget"),
    budget_max: Budget("The highest budget"),
    max_seconds: Type.Array(Type.Integer({ minimum: 1, maximum: BOUNDS.executionSecondsMax }), {
      minItems: 1,
      maxItems: 20,
      description: "Each task has one of these times (s)",
    }),
  },
  { description: "A template of tasks with a known answer", examples: [EXAMPLE] },
);
export type StoreTemplate = Static<typeof StoreTemplate>;

export const Honeypot = Type.Object({
  id: Uuid("The honeypot's id"),
  kind: Type.Enum(["task", "template"]),
  task_type: Type.String(),
  input_data: Type.String({ description: "The text; of a template, with its blanks" }),
  budget: Credits("The most that a task posted from it has as its budget"),
  expected: Json(),
  blanks: Nullable(JsonRecord({ description: "Of a template" })),
  created_at: Time("When it was stored"),
});
export const HoneypotList = Type.Object({ items: Type.Array(Honeypot), next_cursor: NextCursor });
