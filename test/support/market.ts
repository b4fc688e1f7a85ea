/** A platform of a test's own over HTTP: its database, its process, and the calls that clients make. Every answer is held against /openapi.json. */
import { randomUUID } from "node:crypto";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { inject } from "vitest";
import type { Finding } from "../../machines/audit/books.ts";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { type CallOptions, Client, type Reply } from "./client.mjs";
import { startProcess } from "./platform.mjs";
import { makeDatabase } from "./postgres.mjs";

export interface Party {
  readonly id: string;
  readonly key: string;
  readonly email: string;
  readonly webhookSecret: string;
}

export const ORDER = {
  input_data: "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year.",
  schema: {
    type: "object",
    properties: { company: { type: "string" }, revenue: { type: "string" } },
    required: ["company"],
    additionalProperties: false,
  },
  example_output: { company: "Initech", revenue: "$3 million" },
  budget: 20,
};
export const GOOD = { company: "Apple Inc", revenue: "$81.8 billion" };
export const BAD = { company: 7 };

const WAIT_MS = 30_000;

interface Described {
  readonly method: string;
  readonly path: RegExp;
  readonly answers: ReadonlyMap<string, ValidateFunction>;
  readonly problem: ValidateFunction;
}

/** Objects of the document say what they have, and a test wants to know when one has more. A rule is told by its type alone. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const names = Object.keys(copy["properties"] ?? {});
  const whole = names.length > 0 && names.join() !== "type";
  return copy["type"] === "object" && whole ? { ...copy, additionalProperties: false } : copy;
}

function describeAll(document: Reply["body"]): readonly Described[] {
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  const problem = ajv.compile(closed(document.components.schemas.Problem) as object);
  return Object.entries<Record<string, Reply["body"]>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      method: method.toUpperCase(),
      path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
      problem,
      answers: new Map(
        Object.entries<Reply["body"]>(responses)
          .filter(([status, { content }]) => status !== "default" && content["application/json"] !== undefined)
          .map(([status, { content }]) => [status, ajv.compile(closed(content["application/json"].schema) as object)]),
      ),
    })),
  );
}

type PlatformProcess = Awaited<ReturnType<typeof startProcess>>;

/** `alone`: one process. `cluster`: a gateway, and two nodes behind NATS. */
export type Topology = "alone" | "cluster";

/** What tests run against where they do not say: the same tests are run against both. */
const TOPOLOGY: Topology = process.env["TEST_TOPOLOGY"] === "cluster" ? "cluster" : "alone";

export class Market {
  readonly databaseUrl: string;
  readonly database: Database;
  readonly #drop: () => Promise<void>;
  readonly #settings: Record<string, string>;
  readonly #topology: Topology;
  readonly #described: Described[] = [];
  #processes: readonly PlatformProcess[] = [];
  #client: Client | undefined;

  private constructor(databaseUrl: string, drop: () => Promise<void>, settings: Record<string, string>, topology: Topology) {
    this.databaseUrl = databaseUrl;
    this.database = openPool(databaseUrl, { max: 2, name: "test" });
    this.#drop = drop;
    this.#settings = settings;
    this.#topology = topology;
  }

  /** Starts a platform with these settings on an empty database. */
  static async start(settings: Record<string, string> = {}, topology = TOPOLOGY): Promise<Market> {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    const joined = {
      NATS_URL: inject("natsUrl"),
      NATS_PREFIX: `t${randomUUID()}`,
      REDIS_URL: inject("redisUrl"),
      LEASE_MS: "2000",
    };
    const more = topology === "cluster" ? { ...joined, DATABASE_CONNECTIONS: "3" } : {};
    const market = new Market(url, drop, { ROUTING_WINDOW_MS: "50", ...more, ...settings, DATABASE_URL: url }, topology);
    await market.restart();
    market.#described.push(...describeAll((await market.client.call("GET", "//openapi.json")).body));
    return market;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error("the platform does not run");
    return this.#client;
  }

  /** Where the API is. */
  get port(): number {
    return this.client.port;
  }

  /** What all of its processes have logged. */
  log(): string {
    return this.#processes.map((process) => process.log()).join("");
  }

  /** What they have logged that no input may cause. */
  alarms(): readonly string[] {
    return this.#processes.flatMap((process) => [...process.alarms]);
  }

  /** Ends every process of the platform; gives their exit codes. */
  async halt(signal: NodeJS.Signals): Promise<readonly (number | null)[]> {
    this.client.close();
    // The gateway first, while its nodes still answer.
    const codes: (number | null)[] = [];
    for (const process of [...this.#processes].reverse()) codes.push(await process.kill(signal));
    return codes;
  }

  /** Starts the platform again on the same database after it was halted, with these settings changed. */
  async restart(changes: Record<string, string> = {}): Promise<void> {
    const settings = { ...this.#settings, ...changes };
    const nodes =
      this.#topology === "cluster" ? [await startProcess(settings, "node"), await startProcess(settings, "node")] : [];
    const front = await startProcess(settings, this.#topology === "cluster" ? "gateway" : "start");
    this.#processes = [...nodes, front];
    this.#client = new Client(front.port);
  }

  async stop(): Promise<void> {
    await this.halt("SIGTERM");
    await this.database.end();
    await this.#drop();
  }

  /** Calls the API and holds the answer against the document. */
  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply> {
    const reply = await this.client.call(method, path, body, options);
    const plain = (path.startsWith("//") ? path.slice(1) : `/api/v1${path}`).split("?")[0] ?? "";
    const described = this.#described.find((one) => one.method === method && one.path.test(plain));
    if (described === undefined) return reply;
    const validate = reply.status >= 400 ? described.problem : described.answers.get(String(reply.status));
    if (validate === undefined) throw new Error(`${method} ${path}: the document knows no answer ${reply.status}`);
    if (!validate(reply.body)) {
      throw new Error(
        `${method} ${path} ${reply.status}: not as documented: ${JSON.stringify(validate.errors)} ${JSON.stringify(reply.body)}`,
      );
    }
    return reply;
  }

  /** Calls and wants success; gives the body. */
  async ok(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply["body"]> {
    const reply = await this.call(method, path, body, options);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  async register(name = `p-${randomUUID()}`): Promise<Party> {
    const email = `${name}@test.example`;
    const { account_id: id, api_key: key, webhook_secret: webhookSecret } = await this.ok("POST", "/auth/register", { email });
    return { id, key, email, webhookSecret };
  }

  async post(requester: Party, changes: object = {}): Promise<string> {
    return (await this.ok("POST", "/tasks", { ...ORDER, ...changes }, requester)).id;
  }

  task(id: string, viewer: Party): Promise<Reply["body"]> {
    return this.ok("GET", `/tasks/${id}`, undefined, viewer);
  }

  /** Waits until the task has this status; gives the task. */
  async until(id: string, viewer: Party, status: string): Promise<Reply["body"]> {
    return eventually(async () => {
      const task = await this.task(id, viewer);
      return task.status === status ? task : undefined;
    }, `task ${id} to be ${status}`);
  }

  /** Posts a task and has it awarded to the worker. */
  async awarded(requester: Party, worker: Party, changes: object = {}, bid: object = {}): Promise<string> {
    const id = await this.post(requester, changes);
    await this.ok("POST", `/tasks/${id}/bid`, bid, worker);
    await this.until(id, worker, "AWARDED");
    return id;
  }

  submit(id: string, worker: Party, result: unknown): Promise<Reply["body"]> {
    return this.ok("POST", `/tasks/${id}/submit`, { result_data: result }, worker);
  }

  balance(party: Party): Promise<Reply["body"]> {
    return this.ok("GET", "/credits/balance", undefined, party);
  }

  /** Waits until an account holds so much (NC): it hears of the end of a task a moment after the task has ended. */
  holds(party: Party, held: number): Promise<Reply["body"]> {
    return eventually(async () => {
      const balance = await this.balance(party);
      return balance.credits_frozen === held ? balance : undefined;
    }, `${held} NC to be held`);
  }

  audit(): Promise<readonly Finding[]> {
    return auditDatabases([this.database]);
  }
}

/** Asks again and again until there is a value; throws when none comes within WAIT_MS. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (Date.now() > until) throw new Error(`waited ${WAIT_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
