/** Real texts from posted to paid: one requester, two workers that need no model, and a table that shows it. */
import { readFile } from "node:fs/promises";
import type { JsonObject } from "../../machines/vocabulary.ts";
import { ApiError, type DemoAccount, DemoApi, type DemoBalance, type DemoTask } from "./api.ts";
import { extract } from "./extractor.ts";
import { LiveTable } from "./table.ts";

const TEXTS = new URL("../../../examples/texts/", import.meta.url);
const BUDGET = 20;
const POLL_MS = 150;
/** What each worker wants of a budget; ben is cheaper where there is much to fill in. */
const WORKERS = [
  { name: "ada", share: 0.6, shareOfMany: 0.8 },
  { name: "ben", share: 0.75, shareOfMany: 0.65 },
] as const;
const MANY_FIELDS = 6;
const TERMINAL = new Set(["SETTLED", "EXPIRED", "CANCELLED"]);

interface Example {
  readonly file: string;
  readonly kind: string;
  readonly schema: JsonObject;
  readonly example_output: JsonObject;
  readonly rules?: readonly JsonObject[];
}

interface Party {
  readonly name: string;
  readonly account: DemoAccount;
  readonly api: DemoApi;
}

async function join(base: string, name: string, run: string): Promise<Party> {
  const account = await new DemoApi(base).call<DemoAccount>("POST", "/auth/register", {
    email: `${name}-${run}@demo.example`,
    source: "demo",
  });
  return { name, account, api: new DemoApi(base, account.api_key) };
}

/** Runs the demo against the platform at `base`; `run` tells this run's accounts from those of others. */
export async function runExamples(base: string, run: string, output: NodeJS.WriteStream): Promise<void> {
  const print = (line: string) => output.write(`${line}\n`);
  const examples: readonly Example[] = JSON.parse(await readFile(new URL("tasks.json", TEXTS), "utf8"));
  const requester = await join(base, "requester", run);
  const workers = await Promise.all(WORKERS.map(async (worker) => ({ ...worker, ...(await join(base, worker.name, run)) })));
  await requester.api.call("POST", "/credits/topup", { amount_credits: BUDGET * examples.length });

  let open = true;
  const working = workers.map(async ({ api, account, share, shareOfMany }) => {
    while (open) {
      await workOnce(api, account.account_id, (task) =>
        Object.keys(task.example_output).length < MANY_FIELDS ? share : shareOfMany,
      );
      await wait(POLL_MS);
    }
  });
  // The workers ask for work before there is any, so that the market knows that they are there.
  await wait(2 * POLL_MS);
  const posted = await Promise.all(examples.map((example) => post(requester.api, example)));
  try {
    await watch(requester.api, posted, workers, output);
  } finally {
    open = false;
    await Promise.all(working);
  }

  print("");
  for (const { name, api } of [requester, ...workers]) {
    const { credits_balance, credits_frozen } = await api.call<DemoBalance>("GET", "/credits/balance");
    print(`${name.padEnd(10)} ${String(credits_balance).padStart(5)} NC available, ${credits_frozen} NC held`);
  }
}

async function post(api: DemoApi, { file, kind, schema, example_output, rules = [] }: Example) {
  const input_data = await readFile(new URL(file, TEXTS), "utf8");
  const { id } = await api.call<DemoTask>("POST", "/tasks", { input_data, schema, example_output, rules, budget: BUDGET });
  return { id, text: `${file.replace(/\.txt$/, "")} (${kind})` };
}

async function watch(
  api: DemoApi,
  posted: readonly { readonly id: string; readonly text: string }[],
  workers: readonly Party[],
  output: NodeJS.WriteStream,
): Promise<void> {
  const names = new Map(workers.map(({ name, account }) => [account.account_id, name]));
  const table = new LiveTable(output);
  for (;;) {
    const tasks = await Promise.all(
      posted.map(async ({ id, text }) => ({ text, ...(await api.call<DemoTask>("GET", `/tasks/${id}`)) })),
    );
    table.draw(
      tasks.map(({ text, status, awarded_price, awarded_to, result_data }) => {
        const result = result_data === null ? (names.get(awarded_to ?? "") ?? "") : JSON.stringify(result_data);
        return { text, state: status, price: awarded_price === null ? "" : String(awarded_price), result };
      }),
    );
    if (tasks.every(({ status }) => TERMINAL.has(status))) return;
    await wait(POLL_MS);
  }
}

/** One round of a worker: bid on what is open, do what is awarded. */
async function workOnce(api: DemoApi, account: string, shareOf: (task: DemoTask) => number): Promise<void> {
  const open = await api.call<readonly DemoTask[]>("GET", "/tasks/available?task_type=json_extraction");
  await Promise.all(
    open.map((task) =>
      unlessRefused(() =>
        api.call("POST", `/tasks/${task.id}/bid`, { bid_credits: Math.ceil(task.max_budget_credits * shareOf(task)) }),
      ),
    ),
  );
  const { items } = await api.call<{ items: readonly DemoTask[] }>("GET", "/tasks?role=worker&status=AWARDED&limit=50");
  for (const task of items.filter(({ awarded_to }) => awarded_to === account)) {
    const result = extract(task.input_data ?? "", task.validation_schema, task.example_output);
    await unlessRefused(() => api.call("POST", `/tasks/${task.id}/submit`, { result_data: result }));
  }
}

/** Others are quicker at times: a refusal is an answer, and the next round sees what is left. */
async function unlessRefused(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
