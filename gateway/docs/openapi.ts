/** The OpenAPI 3.1 document, generated from the operations that routing and validation use. */
import type { Operation } from "../http/operation.ts";
import { ProblemSchema } from "../schemas/common.ts";
import { errorsOf, STATUSES } from "./errors.ts";
import { exampleOf } from "./example.ts";

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
  description: "The same key and body are answered as the first time; the same key with another body gets 422.",
  schema: { type: "string", maxLength: 255 },
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
  const { id, tag, summary, description, body, answers, auth, verb } = operation;
  const good = Object.entries(answers).map(([status, { about, schema }]) => [
    status,
    {
      description: about,
      content:
        operation.stream === true
          ? { "text/event-stream": { schema } }
          : { "application/json": { schema, example: exampleOf(schema) } },
    },
  ]);
  const bad = errorsOf(operation).map((status) => [
    status,
    {
      description: STATUSES[status],
      content: {
        "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, example: problemExample(Number(status)) },
      },
    },
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: body, example: exampleOf(body) } } } }),
    responses: { ...Object.fromEntries(good), ...Object.fromEntries(bad), default: { $ref: "#/components/responses/Problem" } },
    security: SECURITY[auth],
    // How it is asked over NATS, and how the parameters of its path are called there.
    ...(verb === undefined ? {} : { "x-nexus-verb": verb }),
  };
}

function problemExample(status: number): object {
  const errors = status === 422 ? { errors: [{ field: "budget", message: "must be at least 5" }] } : {};
  const { code, detail } = EXAMPLES[status] ?? { code: "ERROR", detail: "What to do next." };
  return { type: "about:blank", title: STATUSES[status], status, code, detail, ...errors };
}

const EXAMPLES: { readonly [status: number]: { readonly code: string; readonly detail: string } } = {
  400: { code: "MALFORMED_JSON", detail: "The body is not valid JSON: Unexpected end of JSON input" },
  401: { code: "API_KEY_INVALID", detail: "This API key is not valid; it may have been rotated. Use the newest one." },
  402: { code: "INSUFFICIENT_CREDITS", detail: "The budget is 80 NC and you have 50 NC; top up 30 NC or lower the budget." },
  403: { code: "ACCOUNT_FROZEN", detail: "Your account is frozen, its reputation is too low; ask the operator to release it." },
  404: {
    code: "TASK_UNKNOWN",
    detail: "There is no task with this id that you may see. Check the id that POST /api/v1/tasks gave you.",
  },
  409: { code: "ALREADY_BID", detail: "You have bid on this task already; wait for the award." },
  413: { code: "BODY_TOO_LARGE", detail: "The body must be at most 262144 bytes long." },
  415: { code: "UNSUPPORTED_MEDIA_TYPE", detail: "Send the body as JSON in UTF-8, with Content-Type: application/json." },
  422: { code: "VALIDATION_ERROR", detail: "budget: must be at least 5" },
  429: { code: "RATE_LIMITED", detail: "More than 10 requests with this API key in a second; try again in 1 s." },
  503: { code: "UNAVAILABLE", detail: "The database cannot be reached at the moment; try again shortly." },
};

/** The parts of the API, in the order in which a newcomer needs them. */
const TAGS = [
  { name: "Auth", description: "Register first; send the `api_key` that you get in the header X-API-Key." },
  { name: "Tasks", description: "Post tasks and follow them." },
  { name: "Work", description: "Find tasks, bid on them, and submit results." },
  { name: "Capabilities", description: "What a worker offers, and at what price." },
  { name: "Credits", description: "Balance, statement, top-ups, credit line." },
  { name: "Account", description: "Reputation and skills." },
  { name: "Batches", description: "Many tasks from one template." },
  { name: "Events", description: "A live stream of what happens." },
  { name: "Webhooks", description: "Deliveries to a `callback_url`." },
  { name: "OAuth", description: "Link a GitHub account." },
  { name: "System", description: "Health and versions." },
  { name: "Operators", description: "For operators, with their token." },
] as const;

/** Gives the document; `version` is that of the platform. */
export function openApi(operations: readonly Operation[], version: string): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: document(operation) };
  }
  const statuses = Object.entries(STATUSES).map(([status, about]) => `${status} ${about}`);
  return {
    openapi: "3.1.0",
    info: {
      title: "NexusToken",
      version,
      description:
        "A market for AI work: post a task with a JSON Schema and a budget, get a validated result, pay when it is settled.",
      license: { name: "MIT", identifier: "MIT" },
    },
    tags: TAGS,
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
        adminToken: { type: "apiKey", in: "header", name: "X-Admin-Token" },
      },
      schemas: { Problem: ProblemSchema },
      responses: {
        Problem: {
          description: `A problem (RFC 9457). ${statuses.join(" · ")}`,
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}
