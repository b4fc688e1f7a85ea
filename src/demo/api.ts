/** The few calls of the API that the demo makes. */
export interface DemoTask {
  readonly id: string;
  readonly status: string;
  readonly input_data: string | null;
  readonly validation_schema: { [key: string]: never };
  readonly example_output: { [key: string]: never };
  readonly max_budget_credits: number;
  readonly awarded_to: string | null;
  readonly awarded_price: number | null;
  readonly result_data: unknown;
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

export class ApiError extends Error {
  readonly code: string;

  constructor(detail: string, code: string) {
    super(detail);
    this.code = code;
  }
}

/** Calls the platform at `base` with one account's key. */
export class DemoApi {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key = "") {
    this.#base = base;
    this.#key = key;
  }

  /** Gives the answer's body, whose shape the contract fixes; throws ApiError with the platform's own sentence. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#base}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", ...(this.#key === "" ? {} : { "X-API-Key": this.#key }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer as T;
    const { detail = `HTTP ${response.status}`, code = "" } = answer as ProblemBody;
    throw new ApiError(detail, code);
  }
}
