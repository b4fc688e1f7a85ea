/** The API client of the demo, which keeps within the platform's rate limits. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject, JsonValue, TaskStatus } from "../../../machines/vocabulary.ts";

export interface DemoTask {
  readonly id: string;
  readonly status: TaskStatus;
  readonly input_data: string | null;
  readonly validation_schema: JsonObject;
  readonly example_output: JsonValue;
  readonly awarded_to: string | null;
  readonly awarded_price: number | null;
  readonly result_data: unknown;
  readonly updated_at: string;
}

export interface DemoAccount {
  readonly account_id: string;
  readonly api_key: string;
}

export interface DemoBalance {
  readonly credits_balance: number;
  readonly credits_frozen: number;
}

interface ProblemBody {
  readonly detail?: string;
  readonly code?: string;
}

/** Calls per second with one key; a platform allows 10 by default. */
const CALLS_PER_SECOND = 8;
const SECOND_MS = 1_000;
/** If a limit asks for a longer wait than this, the demo gives up (s). */
const RETRY_AFTER_S_MAX = 60;
/** Timeout of a call (ms). */
const ANSWER_MS = 30_000;

/** A refusal, with the platform's own sentence. */
export class ApiError extends Error {
  readonly code: string;

  constructor(detail: string, code: string) {
    super(detail);
    this.code = code;
  }
}

/** Lets at most CALLS_PER_SECOND calls pass in any second, in order. */
class Pace {
  readonly #recent: number[] = [];
  #last: Promise<void> = Promise.resolve();

  turn(stop: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#wait(stop));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #wait(stop: AbortSignal): Promise<void> {
    const earliest = this.#recent.length < CALLS_PER_SECOND ? undefined : this.#recent.shift();
    const ms = earliest === undefined ? 0 : earliest + SECOND_MS - performance.now();
    if (ms > 0) await sleep(ms, undefined, { signal: stop });
    this.#recent.push(performance.now());
  }
}

/** Calls the platform at `base` with one account's key, until `stop`. */
export class DemoApi {
  readonly #base: string;
  readonly #key: string;
  readonly #stop: AbortSignal;
  readonly #pace = new Pace();

  constructor(base: string, key: string, stop: AbortSignal) {
    this.#base = base;
    this.#key = key;
    this.#stop = stop;
  }

  /**
   * Gives the body of the answer. After a 429 or 503 it waits as Retry-After says and sends the request again. Throws ApiError
   * with the platform's own sentence.
   */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = {
      "Idempotency-Key": randomUUID(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    };
    for (;;) {
      await this.#pace.turn(this.#stop);
      const ended = AbortSignal.any([this.#stop, AbortSignal.timeout(ANSWER_MS)]);
      const { response, answer } = await this.#fetch(
        method,
        path,
        headers,
        body === undefined ? null : JSON.stringify(body),
        ended,
      );
      if (response.ok) return answer as T;
      const { detail = `The platform answered ${method} ${path} with HTTP ${response.status}.`, code = "" } =
        answer as ProblemBody;
      const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
      const passing = (response.status === 429 || response.status === 503) && seconds <= RETRY_AFTER_S_MAX;
      if (!passing) throw new ApiError(detail, code);
      await sleep(seconds * SECOND_MS, undefined, { signal: this.#stop });
    }
  }

  /** Opens the stream of these topics; `last` is the id of the last event received, or "". Throws ApiError if it is refused. */
  async stream(topics: string, last: string): Promise<AsyncIterable<Uint8Array>> {
    await this.#pace.turn(this.#stop);
    const headers = { Accept: "text/event-stream", ...(last === "" ? {} : { "Last-Event-ID": last }) };
    const path = `/events/stream?topics=${topics}`;
    const response = await this.#reach(path, { headers: { "X-API-Key": this.#key, ...headers }, signal: this.#stop });
    if (response.ok && response.body !== null) return response.body;
    const { detail = `HTTP ${response.status}`, code = "" } = (await response.json()) as ProblemBody;
    throw new ApiError(detail, code);
  }

  async #fetch(method: string, path: string, headers: { [name: string]: string }, body: string | null, signal: AbortSignal) {
    const key = this.#key === "" ? {} : { "X-API-Key": this.#key };
    const response = await this.#reach(path, { method, headers: { ...headers, ...key }, body, signal });
    const text = await response.text();
    try {
      const answer: unknown = JSON.parse(text);
      return { response, answer };
    } catch {
      throw new Error(`The server at ${this.#base} is not a NexusToken; set PORT to another port and run the demo again.`);
    }
  }

  async #reach(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#base}/api/v1${path}`, init);
    } catch (error) {
      this.#stop.throwIfAborted();
      throw new Error(`The platform at ${this.#base} no longer answers; look at its log and run the demo again.`, {
        cause: error,
      });
    }
  }
}
