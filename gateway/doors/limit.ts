/** Rate limits (guide: Rate Limits): counting, the response headers, and the 429. */
import { Problem } from "../http/problems.ts";
import type { Allowance, Limiter, LimitName } from "../ports/limiter.ts";

const ABOUT: { readonly [N in LimitName]: string } = {
  requests: "requests with this API key",
  tasks: "tasks created with this API key",
  visits: "requests without an API key from this address",
  registrations: "registrations from this address",
  failures: "wrong keys, tokens or codes from this address",
  recoveries: "recovery codes for one account or from one address",
};

/** Where headers of the answer are set, whether it will be a success or an error. */
export interface AnswerHeaders {
  readonly set: (name: string, value: string) => void;
}

/** Takes one from each of the limits; throws a Problem (429) if one is exceeded. The headers of the answer say what is left. */
export async function limit(answer: AnswerHeaders, limiter: Limiter, key: string, names: readonly LimitName[]): Promise<void> {
  const taken = await Promise.all(names.map((name) => limiter.take(name, key)));
  const limited = taken.filter((allowance) => allowance.limit > 0);
  tell(answer, limited);
  const passed = limited.filter(({ allowed }) => !allowed);
  const [worst] = passed.toSorted((a, b) => b.resetMs - a.resetMs);
  if (worst !== undefined) throw tooMany(worst);
}

/** Takes nothing, but throws a Problem (429) if the limit is used up. */
export async function refuseWhenUsedUp(answer: AnswerHeaders, limiter: Limiter, key: string, name: LimitName): Promise<void> {
  const allowance = await limiter.look(name, key);
  if (allowance.allowed) return;
  tell(answer, [allowance]);
  throw tooMany(allowance);
}

/** Takes one from a limit that is not shown in headers; throws a Problem (429) if it is exceeded. */
export async function spend(limiter: Limiter, name: LimitName, key: string): Promise<void> {
  const allowance = await limiter.take(name, key);
  if (!allowance.allowed) throw tooMany(allowance);
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4. */
function tell(answer: AnswerHeaders, limited: readonly Allowance[]): void {
  if (limited.length === 0) return;
  const seconds = (ms: number) => Math.ceil(ms / 1_000);
  answer.set("RateLimit-Policy", limited.map(({ name, limit: most, windowS }) => `"${name}";q=${most};w=${windowS}`).join(", "));
  answer.set("RateLimit", limited.map(({ name, left, resetMs }) => `"${name}";r=${left};t=${seconds(resetMs)}`).join(", "));
}

function tooMany({ name, limit: most, windowS, resetMs }: Allowance): Problem {
  const retryAfter = Math.max(1, Math.ceil(resetMs / 1_000));
  const window = windowS === 1 ? "a second" : windowS === 60 ? "a minute" : "an hour";
  const detail = `More than ${most} ${ABOUT[name]} in ${window}; try again in ${retryAfter} s.`;
  return new Problem(429, "RATE_LIMITED", detail, { retryAfter });
}
