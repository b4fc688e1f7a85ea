import Type from "typebox";
import { BATCH_AT_ONCE_MAX, BATCH_ITEMS_MAX } from "../../machines/batch/decide.ts";
import { BATCH_STATUSES, BATCH_WAITS_FOR } from "../../machines/batch/protocol.ts";
import { ITEM_STATUSES } from "../../machines/batch/replies.ts";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { NextCursor, Nullable, RecordQuery, Time, Uuid } from "./common.ts";
import { CreateTask } from "./task.ts";

const TEMPLATE = { schema: { type: "object" }, example_output: {}, budget: 20 };
const { input_data: _text, ...TEMPLATE_FIELDS } = CreateTask.properties;
const Text = Type.String({ minLength: 1, maxLength: BOUNDS.inputCharacters });

export const CreateBatch = Type.Object({
  template: Type.Object(TEMPLATE_FIELDS, { description: "As POST /api/v1/tasks, but without input_data", examples: [TEMPLATE] }),
  items: Type.Array(Type.Object({ input_data: Text }), {
    minItems: 1,
    maxItems: BATCH_ITEMS_MAX,
    description: "One task per item",
  }),
  max_concurrent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: BATCH_AT_ONCE_MAX,
      default: 10,
      description: "How many tasks are open at a time; only their budgets are held",
    }),
  ),
});

export const BatchCreated = Type.Object({ batch_id: Uuid("The batch's id"), total: Type.Integer() });

const Count = Type.Integer({ minimum: 0 });

export const BatchProgress = Type.Object({
  batch_id: Uuid("The batch's id"),
  status: Type.Enum([...BATCH_STATUSES], {
    description:
      "PAUSED: no further item opens until it is resumed. CANCELLING: cancelled, and awarded items are still under way. DONE and CANCELLED are final",
  }),
  total: Count,
  waiting: Count,
  open: Count,
  settled: Count,
  expired: Count,
  cancelled: Count,
  refused: Count,
  waiting_for: Nullable(
    Type.Enum([...BATCH_WAITS_FOR], {
      description: "What waiting items wait for; `turn`: your other batches come first; null: nothing",
    }),
  ),
  next_at: Nullable(Time("When the rate limit lets more items open; null if unknown or if nothing waits")),
  gives_up_at: Nullable(Time("When waiting items are refused, if they still wait by then")),
  items: Type.Array(
    Type.Object({
      task_id: Uuid("Id of the task; it exists once the item is OPEN, and never if it was cancelled before"),
      status: Type.Enum([...ITEM_STATUSES]),
      error: Nullable(
        Type.Object({ code: Type.String(), detail: Type.String() }, { description: "Why the budget could not be held" }),
      ),
    }),
    { description: "A page of items, in their order" },
  ),
  next_cursor: NextCursor,
});

export const BatchQuery = RecordQuery;

export const BatchParams = Type.Object({ id: Type.String({ format: "uuid", description: "The batch's id" }) });
