/** The OpenAPI 3.1 document, made from the same operations that route and validate. */
import type { Operation } from "../operation.ts";
import { ProblemSchema } from "../schemas/common.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: object;
  readonly description?: string;
}

const IDEMPOTENCY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same key and body get the first answer again; another body under the same key gets 422.",
  schema: { type: "string", maxLength: 200 },
};

const PROBLEMS: { readonly [status: string]: string } = {
  "400": "Malformed JSON",
  "401": "API key missing or wrong",
  "402": "Not enough credits",
  "403": "Frozen, suspended, cooling down, or not yours",
  "404": "Not found",
  "409": "The state does not allow it",
  "413": "Body too large",
  "415": "Not JSON",
  "422": "A field is wrong; `errors` names it",
  "429": "Too many requests; see Retry-After",
  "503": "Overloaded or without its database; see Retry-After",
};

const SECURITY = { key: [{ apiKey: [] }], operator: [{ adminToken: [] }], none: [] } as const;

function parametersOf({ params, query, idempotent }: Operation): readonly Parameter[] {
  const required = new Set<string>(query?.required ?? []);
  const path = Object.entries(params?.properties ?? {}).map(
    ([name, schema]): Parameter => ({ name, in: "path", required: true, schema }),
  );
  const asked = Object.entries(query?.properties ?? {}).map(
    ([name, schema]): Parameter => ({ name, in: "query", required: required.has(name), schema }),
  );
  return [...path, ...asked, ...(idempotent === true ? [IDEMPOTENCY] : [])];
}

function document(operation: Operation): object {
  const { id, tag, summary, description, body, answers, auth } = operation;
  const good = Object.entries(answers).map(([status, { about, schema }]) => [
    status,
    { description: about, content: { [operation.stream === true ? "text/event-stream" : "application/json"]: { schema } } },
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: { ...Object.fromEntries(good), default: { $ref: "#/components/responses/Problem" } },
    security: SECURITY[auth],
  };
}

/** Gives the document; `version` is the platform's own. */
export function openApi(operations: readonly Operation[], version: string): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: document(operation) };
  }
  const statuses = Object.entries(PROBLEMS).map(([status, about]) => `${status} ${about}`);
  return {
    openapi: "3.1.0",
    info: {
      title: "NexusToken",
      version,
      description:
        "A market for AI work: post a task with a JSON Schema and a budget, get a validated result, pay on settlement.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
        adminToken: { type: "apiKey", in: "header", name: "X-Admin-Token" },
      },
      responses: {
        Problem: {
          description: `A problem (RFC 9457). ${statuses.join(" · ")}`,
          content: { "application/problem+json": { schema: ProblemSchema } },
        },
      },
    },
  };
}
