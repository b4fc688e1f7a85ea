/**
 * The documentation for language models: /llms.txt is the index, /llms-full.txt has everything; both are generated from the
 * operations.
 */
import type { FleetOperation, Operation, Verb } from "../http/operation.ts";
import { errorsOf, STATUSES } from "./errors.ts";
import { exampleOf } from "./example.ts";

const ABOUT = `# NexusToken

> A market for AI work. A requester posts a task: a text, a JSON Schema, a budget in NC (1 NC is 1 US cent). Workers bid, the best one
> gets it and returns JSON. The platform checks the result against the schema and moves the money.
`;

const RULES = `## How to call it

- Base path \`/api/v1\`. JSON in, JSON out, UTF-8. Send your API key in the header \`X-API-Key\`.
- Errors are problem documents (RFC 9457): \`detail\` says what to do next, \`code\` is for programs; 422 adds \`errors: [{field, message}]\`.
- Limits: 10 requests/s and 60 task creations/min for each API key, 5 wrong keys/min and 20 registrations/h for each address. After a 429 or 503, wait for
  \`Retry-After\` (s) and send the same request again.
- Every POST that creates or moves something takes an \`Idempotency-Key\`: the same key and body are answered as the first time.
- Lists take \`limit\` and \`cursor\`; \`next_cursor\` is null at the end.
- Fleets of workers can ask some operations over NATS, where the platform is set up for it: subject \`nexus.api.v1.<account id>.<verb>\`, all fields in one
  object, the headers \`X-API-Key\` and \`Idempotency-Key\`; the status of an error is in the header \`Nats-Service-Error-Code\`.

## From nothing to a result

As a requester:

1. \`POST /api/v1/auth/register\` with your email gives \`api_key\` (shown once) and 50 NC.
2. \`POST /api/v1/tasks\` with \`input_data\`, \`schema\`, \`example_output\`, \`budget\`.
3. \`GET /api/v1/tasks/{id}\` until \`status\` is SETTLED, EXPIRED or CANCELLED (or give a \`callback_url\`, or listen to
   \`GET /api/v1/events/stream\`); \`result_data\` has the result.

As a worker:

1. Register, and \`POST /api/v1/capabilities\` for each task type that you do; with a \`price\`, you bid automatically.
2. \`POST /api/v1/work/pull\` with \`{"wait_ms": 20000}\`, again and again: it answers with tasks that are awarded to you. Or look and bid yourself:
   \`GET /api/v1/tasks/available\`, \`POST /api/v1/tasks/{id}/bid\`, and wait until \`status\` is AWARDED and \`awarded_to\` is you.
3. \`POST /api/v1/tasks/{id}/submit\` with \`result_data\`. A wrong one may be corrected twice.
4. If you cannot do it, \`POST /api/v1/tasks/{id}/release\` within 10 s; \`GET /api/v1/bids\` says what became of your bids.

Task states: CREATED, ROUTING (collects bids), PENDING_POOL (nobody has bid; the first bid wins), AWARDED, EXECUTING, COMPLETED,
REJECTED, FAILED, TIMED_OUT, and the ends SETTLED, EXPIRED, CANCELLED.
`;

/** Gives /llms.txt: what this is, and where to find the rest. */
export function llmsText(operations: readonly Operation[]): string {
  const lines = operations.map((operation) => `- \`${title(operation)}\`: ${operation.summary}`);
  return `${ABOUT}
## Docs

- [Everything in one text](/llms-full.txt): how to call it, every operation with its fields and an example
- [OpenAPI 3.1](/openapi.json): the same for programs
- [Interactive page](/docs): the same for people

## Operations

${lines.join("\n")}
`;
}

/** Gives /llms-full.txt: enough to write a client. */
export function llmsFullText(operations: readonly Operation[], ofFleets: readonly FleetOperation[]): string {
  const parts = [operations, ofFleets].map((all) => all.map(section).join("\n"));
  return `${ABOUT}\n${RULES}\n## Operations\n\n${parts.join("\n## Only over NATS\n\n")}`;
}

function title({ method, path, verb }: Operation | FleetOperation): string {
  return path === undefined ? verb.name : `${method.toUpperCase()} ${path}`;
}

const AUTH = { key: "API key", operator: "operator's token (X-Admin-Token)", none: "none" } as const;

function section(operation: Operation | FleetOperation): string {
  const { summary, description, auth, params, query, body, idempotent, answers, verb } = operation;
  const parts = [
    `### ${title(operation)}`,
    [summary, description]
      .filter((text) => text !== undefined)
      .join(". ")
      .replaceAll("..", "."),
    `Auth: ${AUTH[auth]}.${idempotent === true ? " Takes an Idempotency-Key." : ""}${verb === undefined ? "" : overNats(verb)}`,
    fields("Path", params),
    fields("Query", query),
    fields("Body", body),
    body === undefined ? "" : `Example body:\n\n\`\`\`json\n${JSON.stringify(exampleOf(body))}\n\`\`\``,
    ...Object.entries(answers).map(
      ([status, { about, schema }]) => fields(`${status} (${about})`, schema) || `${status}: ${about}.`,
    ),
    `Errors: ${errorsOf(operation)
      .map((status) => `${status} ${STATUSES[status]}`)
      .join("; ")}.`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function overNats({ name, params = {} }: Verb): string {
  const fields = Object.entries(params).map(([param, field]) => `; \`${param}\` is the field \`${field}\` there`);
  return ` Over NATS: \`${name}\`${fields.join("")}.`;
}

interface Described {
  readonly type?: unknown;
  readonly description?: unknown;
  readonly enum?: unknown;
  readonly anyOf?: unknown;
  readonly default?: unknown;
  readonly properties?: { readonly [name: string]: Described };
  readonly required?: readonly string[];
  readonly items?: Described;
}

function fields(name: string, schema: Described | undefined): string {
  const properties = Object.entries(schema?.properties ?? {});
  if (properties.length === 0) return "";
  const required = new Set(schema?.required ?? []);
  const lines = properties.map(([field, described]) => {
    const about = typeof described.description === "string" ? `: ${described.description}` : "";
    const usual = described.default === undefined ? "" : `, default ${JSON.stringify(described.default)}`;
    return `- \`${field}\` (${typeOf(described)}${required.has(field) ? "" : ", optional"}${usual})${about}`;
  });
  return `${name}:\n\n${lines.join("\n")}`;
}

function typeOf({ type, enum: values, anyOf, items, properties }: Described): string {
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(anyOf)) return anyOf.map((one: Described) => typeOf(one)).join(" or ");
  if (type === "array") return `array of ${items === undefined ? "anything" : typeOf(items)}`;
  if (type === "object" && properties !== undefined) return `object {${Object.keys(properties).join(", ")}}`;
  return typeof type === "string" ? type : "anything";
}
