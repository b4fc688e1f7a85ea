/** Real texts from posted to paid: one requester, four workers without a model, and a table of the tasks. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { hasEnded } from "../../../machines/task/tags.ts";
import type { JsonObject } from "../../../machines/vocabulary.ts";
import { ApiError, type DemoAccount, DemoApi, type DemoBalance, type DemoTask } from "./api.ts";
import { type DemoEvent, listen } from "./events.ts";
import { extract } from "./extractor.ts";
import { LiveTable } from "./table.ts";

const TEXTS = new URL("../../../../examples/texts/", import.meta.url);
const TASK_TYPE = "json_extraction";
const BUDGET = 20;
/** Posted prices, and how many tasks each worker takes at a time: ada is the cheapest, the others take the rest. */
const WORKERS = [
  { name: "ada", price: 12, max_concurrent: 2 },
  { name: "ben", price: 14, max_concurrent: 3 },
  { name: "cyd", price: 14, max_concurrent: 3 },
  { name: "dee", price: 15, max_concurrent: 3 },
] as const;
/** How long gateways cache posted prices (ms). */
const KNOWN_MS = 1_000;
/** A task that no posted price has won by then gets a manual bid (ms). */
const UNWON_MS = 4_000;
const LOOK_MS = 500;
/** The demo gives up if no task makes progress for this long (ms). */
const STILL_MS_MAX = 180_000;
/** A payment may arrive this much later than the end of its task (ms). */
const PAID_MS = 500;
const WITHDRAW_MS = 2_000;

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

interface Worker extends Party {
  readonly price: number;
}

/** A task of this run. */
interface Posted {
  readonly id: string;
  readonly text: string;
  readonly postedAt: number;
  bids: number;
}

export interface DemoOptions {
  /** Base URL of the platform. */
  readonly base: string;
  /** Distinguishes the accounts of this run from others. */
  readonly run: string;
  readonly output: NodeJS.WriteStream;
  readonly stop: AbortSignal;
}

/**
 * Runs the demo; gives the requester's account. Rejects with a sentence if it cannot finish, or with the reason of `stop`. Its
 * workers are offline again when it ends in any way.
 */
export async function runExamples(options: DemoOptions): Promise<string> {
  const over = new AbortController();
  const stop = AbortSignal.any([options.stop, over.signal]);
  const withdrawals: (() => Promise<unknown>)[] = [];
  try {
    return await new Demo({ ...options, stop }, withdrawals).run(over);
  } catch (error) {
    options.stop.throwIfAborted();
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    over.abort();
    await Promise.all(withdrawals.map((withdraw) => withdraw().catch(() => {})));
  }
}

class Demo {
  readonly #options: DemoOptions;
  readonly #withdrawals: (() => Promise<unknown>)[];
  readonly #table: LiveTable;
  readonly #posted: Posted[] = [];
  /** The latest state of every task. */
  readonly #latest = new Map<string, DemoTask>();
  readonly #names = new Map<string, string>();
  #movedAt = performance.now();

  constructor(options: DemoOptions, withdrawals: (() => Promise<unknown>)[]) {
    this.#options = options;
    this.#withdrawals = withdrawals;
    this.#table = new LiveTable(options.output);
  }

  async run(over: AbortController): Promise<string> {
    const { output, stop } = this.#options;
    const examples: readonly Example[] = JSON.parse(await readFile(new URL("tasks.json", TEXTS), "utf8"));
    const requester = await this.#join("requester");
    await requester.api.call("POST", "/credits/topup", { amount_credits: BUDGET * examples.length });
    const workers: Worker[] = [];
    const fail = (error: unknown) => over.abort(error);
    for (const { name, ...terms } of WORKERS) {
      const worker = { ...(await this.#join(name)), price: terms.price };
      workers.push(worker);
      await this.#offer(worker, terms);
      await this.#attend(worker, "task.new,task.awarded", fail, ({ type, task }) => {
        if (type === "task.awarded") void this.#work(worker, task).catch(fail);
      });
    }
    await this.#attend(requester, "task.terminal", fail, ({ task }) => this.#see(task));
    await sleep(KNOWN_MS, undefined, { signal: stop });
    await Promise.all(examples.map((example) => this.#post(requester.api, example)));
    await this.#finish(workers);
    await sleep(PAID_MS, undefined, { signal: stop });
    output.write("\n");
    for (const { name, api } of [requester, ...workers]) {
      const { credits_balance, credits_frozen } = await api.call<DemoBalance>("GET", "/credits/balance");
      output.write(`${name.padEnd(10)} ${String(credits_balance).padStart(5)} NC available, ${credits_frozen} NC held\n`);
    }
    this.#checkSettled();
    return requester.account.account_id;
  }

  async #join(name: string): Promise<Party> {
    const { base, run, stop } = this.#options;
    const body = { email: `${name}-${run}@demo.example`, source: "demo" };
    const account = await new DemoApi(base, "", stop).call<DemoAccount>("POST", "/auth/register", body);
    this.#names.set(account.account_id, name);
    return { name, account, api: new DemoApi(base, account.api_key, stop) };
  }

  /** Posts a price, and withdraws it when the demo is over. */
  async #offer({ account, api }: Party, terms: { readonly price: number; readonly max_concurrent: number }): Promise<void> {
    const { base } = this.#options;
    const { id } = await api.call<{ id: string }>("POST", "/capabilities", { task_type: TASK_TYPE, ...terms });
    this.#withdrawals.push(() => {
      const late = new DemoApi(base, account.api_key, AbortSignal.timeout(WITHDRAW_MS));
      return late.call("PATCH", `/capabilities/${id}/availability`, { available: false });
    });
  }

  /** Resolves when the stream is open. */
  #attend({ api }: Party, topics: string, fail: (error: unknown) => void, hear: (event: DemoEvent) => void): Promise<void> {
    const { stop } = this.#options;
    return new Promise((resolve, reject) => {
      stop.addEventListener("abort", () => reject(stop.reason), { once: true });
      void listen(api, topics, stop, resolve, hear).catch(fail);
    });
  }

  async #post(api: DemoApi, { file, kind, schema, example_output, rules = [] }: Example): Promise<void> {
    const input_data = await readFile(new URL(file, TEXTS), "utf8");
    const order = { task_type: TASK_TYPE, input_data, schema, example_output, rules, budget: BUDGET };
    const task = await api.call<DemoTask>("POST", "/tasks", order);
    this.#posted.push({ id: task.id, text: `${file.replace(/\.txt$/, "")} (${kind})`, postedAt: performance.now(), bids: 0 });
    this.#see(task);
  }

  /** Works on an awarded task: reads the text and submits a result. Events may arrive twice. */
  async #work({ account, api }: Party, task: DemoTask): Promise<void> {
    const known = this.#latest.get(task.id);
    this.#see(task);
    if (known?.awarded_to === account.account_id) return;
    const result_data = extract(task.input_data ?? "", task.validation_schema, task.example_output);
    await unlessRefused(() => api.call("POST", `/tasks/${task.id}/submit`, { result_data }));
  }

  /** Records the state of a task, unless a newer one is known, and shows it. */
  #see(task: DemoTask): void {
    const known = this.#latest.get(task.id);
    if (known !== undefined && known.updated_at > task.updated_at) return;
    this.#latest.set(task.id, task);
    this.#movedAt = performance.now();
    this.#table.draw(this.#posted.flatMap(({ id, text }) => this.#rowOf(text, this.#latest.get(id))));
  }

  #rowOf(text: string, task: DemoTask | undefined) {
    if (task === undefined) return [];
    const { status, awarded_price, awarded_to, result_data } = task;
    const result = result_data === null ? (this.#names.get(awarded_to ?? "") ?? "") : JSON.stringify(result_data);
    return [{ text, state: status, price: awarded_price === null ? "" : String(awarded_price), result }];
  }

  /** Waits until every task has ended; tasks that no posted price wins get manual bids, from one worker after the other. */
  async #finish(workers: readonly Worker[]): Promise<void> {
    for (;;) {
      const open = this.#posted.filter(({ id }) => {
        const task = this.#latest.get(id);
        return task === undefined || !hasEnded(task.status);
      });
      if (open.length === 0) return;
      const now = performance.now();
      if (now - this.#movedAt > STILL_MS_MAX) {
        throw new Error(
          `${open.length} of ${this.#posted.length} tasks have not ended within ${STILL_MS_MAX / 1_000} s; look at the platform's log.`,
        );
      }
      for (const task of open) {
        const won = this.#latest.get(task.id)?.awarded_to ?? null;
        const worker = workers[task.bids % workers.length];
        if (won !== null || worker === undefined || now - task.postedAt < UNWON_MS * (task.bids + 1)) continue;
        task.bids += 1;
        await unlessRefused(() => worker.api.call("POST", `/tasks/${task.id}/bid`, { bid_credits: worker.price }));
      }
      await sleep(LOOK_MS, undefined, { signal: this.#options.stop });
    }
  }

  #checkSettled(): void {
    const ends = this.#posted.map(({ id }) => this.#latest.get(id)?.status);
    const unpaid = ends.filter((end) => end !== "SETTLED");
    if (unpaid.length > 0) {
      throw new Error(`${unpaid.length} of ${ends.length} tasks were not settled; the state of each is in the table above.`);
    }
  }
}

/** Another worker may have been quicker: a refusal is not an error here. */
async function unlessRefused(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
