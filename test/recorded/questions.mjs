/** What a recorded database is asked, by the version that left it and by that of today: the same, in the same order. */
import postgres from "postgres";

/** @typedef {{ readonly email: string, readonly id: string, readonly key: string }} Person */
/**
 * @typedef {{ readonly people: { readonly [name: string]: Person }, readonly tasks: readonly string[],
 *   readonly batches: readonly string[], readonly capabilities: readonly string[] }} Subjects
 * @typedef {{ readonly by: string, readonly path: string, readonly status: number, readonly body: unknown }} Answer
 */

export const ADMIN_TOKEN = "recorded-recorded-recorded-recorded-recorded";
export const SETTINGS = { ADMIN_TOKEN, ALLOW_PRIVATE_CALLBACKS: "true", RATE_LIMIT_REGISTRATIONS_PER_HOUR: "0" };
const LOOK_MS = 100;
const SETTLED_MS_MAX = 30_000;
const QUIET_MS = 1_000;

/** Settings under which a process believes that it is `at` (ms) now. @param {number} at */
export function shiftedTo(at) {
  const preload = new URL("../support/shifted-clock.mjs", import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, CLOCK_SHIFT_MS: String(at - Date.now()) };
}

/** Waits until the messages of a database are delivered and nothing is written any more. @param {string} url */
export async function settled(url) {
  const sql = postgres(url, { max: 1 });
  try {
    let [before, quiet] = ["", 0];
    for (let waited = 0; waited < SETTLED_MS_MAX && quiet < QUIET_MS; waited += LOOK_MS) {
      const [row] =
        await sql`select (select count(*) from journal) || ' ' || (select count(*) from outbox) as state, (select count(*) from outbox)::int as left`;
      quiet = row?.["state"] === before && row["left"] === 0 ? quiet + LOOK_MS : 0;
      before = row?.["state"];
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (quiet < QUIET_MS) throw new Error(`not settled: ${before}`);
  } finally {
    await sql.end();
  }
}

const OF_ACCOUNT = [
  "/credits/balance",
  "/credits/credit-info",
  "/credits/transactions?limit=100",
  "/account/reputation",
  "/capabilities",
  "/tasks?role=requester&limit=100",
  "/tasks?role=worker&limit=100",
  "/tasks/available?limit=100",
];

/** @param {Subjects} subjects @returns {{ by: string, path: string }[]} */
function questions({ people, tasks, batches, capabilities }) {
  const names = Object.keys(people);
  const everybody = (/** @type {string} */ path) => names.map((by) => ({ by, path }));
  const operator = (/** @type {string} */ path) => ({ by: "operator", path });
  return [
    ...OF_ACCOUNT.flatMap(everybody),
    ...tasks
      .flatMap((task) => ["", "/events?limit=100", "/ledger", "/deliveries"].map((what) => `/tasks/${task}${what}`))
      .flatMap((path) => ["ada", "bob", "hal"].map((by) => ({ by, path }))),
    ...batches.map((batch) => ({ by: "hal", path: `/batches/${batch}` })),
    ...capabilities.map((capability) => ({ by: "ada", path: `/capabilities/${capability}/stats` })),
    { by: "ada", path: "/capabilities/browse" },
    ...Object.values(people).flatMap(({ id, email }) => [
      operator(`/admin/accounts?id=${id}`),
      operator(`/admin/accounts?email=${email}`),
    ]),
    ...tasks.map((task) => operator(`/admin/tasks/${task}`)),
    operator("/admin/log?limit=100"),
  ];
}

/** @param {import("../support/client.mjs").Client} client @param {Subjects} subjects @returns {Promise<Answer[]>} */
export async function askAll(client, subjects) {
  const answers = [];
  for (const { by, path } of questions(subjects)) {
    const key = subjects.people[by]?.key;
    const headers = { "X-Admin-Token": ADMIN_TOKEN };
    const { status, body } = await client.call("GET", path, undefined, key === undefined ? { headers } : { key });
    answers.push({ by, path, status, body });
  }
  return answers;
}
