/** Example values for a schema: the example that the schema gives, or the simplest value that passes. */

type Schema = { readonly [keyword: string]: unknown };

const DEPTH_MAX = 12;
const FORMATS: { readonly [format: string]: string } = {
  uuid: "7f8c2f6e-1b8e-4d39-9a55-0c8a5d0b5a11",
  "date-time": "2026-04-01T07:00:00.000Z",
  email: "agent@example.com",
  uri: "https://example.com/nexus/result",
};

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gives an example that passes the schema. */
export function exampleOf(schema: unknown, depth = 0): unknown {
  if (!isSchema(schema) || depth > DEPTH_MAX) return {};
  const { examples, default: usual, const: fixed, enum: values, anyOf, oneOf, type } = schema;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if (fixed !== undefined) return fixed;
  if (usual !== undefined) return usual;
  if (Array.isArray(values)) return values[0];
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0], depth + 1);
  if (Array.isArray(oneOf)) return exampleOf(oneOf[0], depth + 1);
  switch (type) {
    case "object":
      return objectOf(schema, depth);
    case "array":
      return schema["items"] === undefined ? [] : [exampleOf(schema["items"], depth + 1)];
    case "string":
      return textOf(schema);
    case "integer":
    case "number":
      return typeof schema["minimum"] === "number" ? Math.max(schema["minimum"], Math.min(1, Number(schema["maximum"] ?? 1))) : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return {};
  }
}

function objectOf({ properties }: Schema, depth: number): object {
  if (!isSchema(properties)) return {};
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, exampleOf(schema, depth + 1)]));
}

/** Strings with a pattern bring an example of their own. */
function textOf({ format, minLength }: Schema): string {
  const known = typeof format === "string" ? FORMATS[format] : undefined;
  return known ?? "text".padEnd(typeof minLength === "number" ? minLength : 0, ".");
}
