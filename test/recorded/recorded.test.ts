/** Databases as released versions left them: today's platform takes them over, shows what those showed, and goes on. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Client } from "../support/client.mjs";
import { type PlatformProcess, runNexus, startProcess } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { type Answer, askAll, SETTINGS, type Subjects, settled, shiftedTo } from "./questions.mjs";

const DAY_MS = 24 * 3_600_000;
const TIME = /^\d{4}-\d\d-\d\dT/;
/** What was to be done is done by a process that takes its time to start (ms). */
const LATER_MS_MAX = 5 * 60_000;
const GOOD = { name: "Ada", year: 1843 };

/** See record.mjs, which writes it. */
interface Recorded {
  /** When it was recorded (ms). */
  readonly at: number;
  readonly schema: readonly { readonly name: string; readonly sql: string }[];
  readonly rows: { readonly [table: string]: readonly object[] };
  readonly subjects: Subjects;
  /** The Idempotency-Key of the last of the tasks, whose request was `task`. */
  readonly keyed: string;
  readonly task: object;
  readonly answers: readonly Answer[];
}

/** Whether both are times after the recording, of what was still to be done then, and as good as the same. */
function isSameLater(at: number, before: unknown, now: unknown): boolean {
  const [one, other] = [before, now].map((value) => (typeof value === "string" && TIME.test(value) ? Date.parse(value) : 0));
  return one !== undefined && other !== undefined && one >= at && other >= at && Math.abs(one - other) < LATER_MS_MAX;
}

/** Fields that hold a sentence for people, which may be said better. */
const SENTENCES: ReadonlySet<string> = new Set(["why", "detail", "suggestion"]);

/** Fields with a number that is worked out anew of what was kept, by today's rules of skill. */
const BY_RULES: ReadonlySet<string> = new Set(["score", "skill_score", "skill_rating", "tier"]);

/** What is shown now, with those times, numbers and sentences as they were shown before. */
function withTimes(at: number, before: unknown, now: unknown): unknown {
  if (isSameLater(at, before, now)) return before;
  if (typeof before !== "object" || before === null || typeof now !== "object" || now === null) return now;
  const was: { readonly [name: string]: unknown } = { ...before };
  if (Array.isArray(now)) return now.map((value, n) => withTimes(at, was[n], value));
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => {
      const isReworded = SENTENCES.has(name) && typeof value === "string" && typeof was[name] === "string";
      const isReckoned = BY_RULES.has(name) && typeof value === "number" && typeof was[name] === "number";
      return [name, isReworded || isReckoned ? was[name] : withTimes(at, was[name], value)];
    }),
  );
}

/** The tasks that are available now in the order of before: that of their list has changed since, and which they are has not. */
function inOrderOf(before: unknown, now: unknown): unknown {
  if (!Array.isArray(before) || !Array.isArray(now)) return now;
  const place = new Map(before.map(({ id }: { id: string }, n) => [id, n]));
  return now.toSorted(
    (a: { id: string }, b: { id: string }) => (place.get(a.id) ?? now.length) - (place.get(b.id) ?? now.length),
  );
}

/** Without the events for what is explained now and was not before. */
function withoutExplanations(answer: Answer | undefined): unknown {
  const text = JSON.stringify(answer, (_, value: unknown) =>
    Array.isArray(value) ? value.filter((item) => item?.event !== "PoolExplained") : value,
  );
  return text === undefined ? undefined : JSON.parse(text);
}

/** Makes the database as it was. */
async function restore(url: string, { schema, rows }: Recorded): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`create table migrations (name text primary key, at timestamptz not null default now())`;
  for (const { sql: text } of schema) await sql.unsafe(text);
  for (const [table, all] of Object.entries(rows)) {
    await sql`insert into ${sql(table)} select * from json_populate_recordset(null::${sql(table)}, ${JSON.stringify(all)}::text::json)`;
  }
  await sql.end();
}

describe.each(["recorded-04646c0"])("the database of %s", (name) => {
  const fixture = readFileSync(new URL(`../fixtures/${name}.json.gz`, import.meta.url));
  // Written by record.mjs, and checked in.
  const recorded = JSON.parse(gunzipSync(fixture).toString()) as Recorded;
  const { at, subjects, answers } = recorded;
  let url: string;
  let drop: () => Promise<void>;
  let platform: PlatformProcess;
  let client: Client;

  async function start(now: number): Promise<void> {
    platform = await startProcess({ ...SETTINGS, ...shiftedTo(now), DATABASE_URL: url, ROUTING_WINDOW_MS: "100" });
    client = new Client(platform.port);
  }

  async function stop(): Promise<void> {
    client.close();
    await platform.kill("SIGTERM");
  }

  beforeAll(async () => {
    ({ url, drop } = await makeDatabase(inject("postgresUrl")));
    await restore(url, recorded);
    await start(at);
    await settled(url);
  }, 180_000);
  afterAll(async () => {
    await stop();
    await drop();
  });

  const as = (name_: string) => {
    const key = subjects.people[name_]?.key;
    if (key === undefined) throw new Error(`there is no ${name_}`);
    return { key };
  };

  test("shows all that it showed, and the books are sound", async () => {
    expect(answers.length).toBeGreaterThan(300);
    const shown = await askAll(client, subjects);
    for (const [n, { by, path, status, body }] of answers.entries()) {
      // Fields may be added, and events for what this version explains; what was there stays.
      const now = path.startsWith("/tasks/available")
        ? { ...shown[n], body: inOrderOf(body, shown[n]?.body) }
        : withoutExplanations(shown[n]);
      expect(withTimes(at, answers[n], now), `${path} as ${by}`).toMatchObject({ by, path, status, body });
    }
    const { code, out } = await runNexus(["audit"], { DATABASE_URL: url });
    expect(out).not.toMatch(/WRONG|wrong/);
    expect(code).toBe(0);
  }, 120_000);

  test("knows requests that were made before: the same key gives the same task", async () => {
    const again = await client.call("POST", "/tasks", recorded.task, { ...as("ada"), idempotencyKey: recorded.keyed });
    expect(again.status).toBe(201);
    expect(again.body.id).toBe(subjects.tasks.at(-1));
  });

  test("goes on with work that was under way", async () => {
    const { body } = await client.call("GET", "/tasks?role=worker&status=AWARDED&limit=100", undefined, as("bob"));
    const [task] = body.items;
    const submitted = await client.call("POST", `/tasks/${task.id}/submit`, { result_data: GOOD }, as("bob"));
    expect(submitted.body).toMatchObject({ status: "COMPLETED" });
    await settled(url);
    const after = await client.call("GET", `/tasks/${task.id}`, undefined, as("ada"));
    expect(after.body).toMatchObject({ status: "SETTLED", result_data: GOOD });
  });

  test("acts on every timer that was set, when its time has come", async () => {
    await stop();
    await start(at + 9 * DAY_MS);
    const sql = postgres(url, { max: 1 });
    const overdue = () => sql`select kind, name from timers where at < ${at + 8 * DAY_MS}`;
    await expect.poll(overdue, { timeout: 60_000, interval: 250 }).toEqual([]);
    await settled(url);
    const accounts = await sql<{ email: string; status: string }[]>`select email, status from accounts`;
    await sql.end();
    const statusOf = (who: string) => accounts.find(({ email }) => email === `${who}@example.com`)?.status;
    expect([statusOf("eve"), statusOf("fay"), statusOf("gil")]).toEqual(["SUSPENDED", "FROZEN", "ACTIVE"]);
    expect((await runNexus(["audit"], { DATABASE_URL: url })).code).toBe(0);
  }, 180_000);
});
