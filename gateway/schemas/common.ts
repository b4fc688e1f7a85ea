import Type, { type TSchema } from "typebox";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** A field that may be null. */
export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** Any JSON value, as the body's reader has made it; its own type, so that nobody has to say so again. */
export const Json = (options: { readonly description?: string; readonly examples?: readonly unknown[] } = {}) =>
  Type.Unsafe<JsonValue>({ ...options });
/** Any JSON object. */
export const JsonRecord = (options: { readonly description?: string; readonly examples?: readonly unknown[] } = {}) =>
  Type.Unsafe<JsonObject>({ ...Type.Record(Type.String(), Type.Unknown()), ...options });

export const Uuid = (description: string) => Type.String({ format: "uuid", description });
export const Time = (description: string) => Type.String({ format: "date-time", description });
export const Credits = (description: string) => Type.Integer({ description: `${description} (NC)` });

export const IdParams = Type.Object({ id: Type.String({ format: "uuid", description: "The task's id" }) });

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: "Entries per page" })),
  cursor: Type.Optional(
    Type.String({ maxLength: 200, description: "`next_cursor` of the previous page; omit it for the first page" }),
  ),
};

/** Default page size of a task's records. */
export const RECORDS = 200;
export const RecordQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: RECORDS, default: RECORDS, description: "Entries per page" })),
  cursor: PageQuery.cursor,
});

export const NextCursor = Nullable(
  Type.String({
    description: "Send it as `cursor` to get the next page; null on the last one. Pages of large entries end early",
  }),
);

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What is wrong and what to do next" }),
    code: Type.String({ description: "In UPPER_SNAKE_CASE, for programs" }),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { description: "RFC 9457 problem document" },
);
