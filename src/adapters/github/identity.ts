/** GitHub as identity provider: OAuth with PKCE (RFC 7636), and the profile that the score is computed from. */
import { type Identity, type IdentityProfile, IdentityRefused, IdentityUnavailable } from "../../../gateway/ports/identity.ts";

export interface GitHubSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  /** https://github.com, or a compatible server. */
  readonly baseUrl: string;
  /** https://api.github.com, or a compatible server. */
  readonly apiUrl: string;
  /** The redirect URI of the OAuth app. */
  readonly callbackUrl: string;
}

const TIMEOUT_MS = 10_000;
/** Used if a rate limit does not say when it ends (s). */
const RETRY_AFTER_S = 60;
const RETRY_AFTER_S_MAX = 3_600;
const CONTRIBUTIONS = "query { viewer { contributionsCollection { contributionCalendar { totalContributions } } } }";

type Fields = { readonly [name: string]: unknown };

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

export class GitHubIdentity implements Identity {
  readonly #settings: GitHubSettings;

  constructor(settings: GitHubSettings) {
    this.#settings = settings;
  }

  authorizeUrl(state: string, challenge: string): string {
    const { baseUrl, clientId, callbackUrl } = this.#settings;
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: callbackUrl,
      scope: "read:user",
      state,
      code_challenge: challenge,
      code_challenge_method: "S256",
    });
    return `${baseUrl}/login/oauth/authorize?${query}`;
  }

  async exchange(code: string, verifier: string): Promise<string> {
    const { baseUrl, clientId, clientSecret, callbackUrl } = this.#settings;
    const body = { client_id: clientId, client_secret: clientSecret, code, redirect_uri: callbackUrl, code_verifier: verifier };
    const answer = await this.#ask(`${baseUrl}/login/oauth/access_token`, "POST", body, null);
    const { access_token: token, error } = fieldsOf(answer);
    // GitHub reports a wrong code with status 200.
    if (typeof token !== "string" || token === "")
      throw new IdentityRefused(typeof error === "string" ? error : "GitHub gave no token");
    return token;
  }

  async profile(token: string): Promise<IdentityProfile> {
    const { apiUrl } = this.#settings;
    const [user, graph] = await Promise.all([
      this.#ask(`${apiUrl}/user`, "GET", null, token),
      this.#ask(`${apiUrl}/graphql`, "POST", { query: CONTRIBUTIONS }, token),
    ]);
    const { id, login, created_at: created, public_repos: repos, public_gists: gists, followers } = fieldsOf(user);
    if (typeof id !== "number" || typeof login !== "string")
      throw new IdentityUnavailable("a profile without an id", RETRY_AFTER_S);
    const viewer = fieldsOf(fieldsOf(fieldsOf(graph)["data"])["viewer"]);
    const calendar = fieldsOf(fieldsOf(viewer["contributionsCollection"])["contributionCalendar"]);
    const createdAt = typeof created === "string" ? Date.parse(created) : Number.NaN;
    return {
      id: String(id),
      login,
      createdAt: Number.isFinite(createdAt) ? createdAt : Date.now(),
      works: numberOf(repos) + numberOf(gists),
      followers: numberOf(followers),
      contributions: numberOf(calendar["totalContributions"]),
    };
  }

  async #ask(url: string, method: "GET" | "POST", body: object | null, token: string | null): Promise<unknown> {
    const response = await fetch(url, {
      method,
      headers: {
        Accept: "application/json",
        "User-Agent": "NexusToken",
        ...(body === null ? {} : { "Content-Type": "application/json" }),
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: body === null ? null : JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new IdentityUnavailable("GitHub does not answer", RETRY_AFTER_S, { cause: error });
    });
    if (response.ok) {
      return response.json().catch((error: unknown) => {
        throw new IdentityUnavailable("GitHub did not answer with JSON", RETRY_AFTER_S, { cause: error });
      });
    }
    await response.body?.cancel();
    if (response.status === 401) throw new IdentityRefused("the token is no longer valid");
    throw new IdentityUnavailable(`GitHub answered ${response.status}`, retryAfterOf(response.headers));
  }
}

/** How long to wait before asking GitHub again (s): its Retry-After, or until its rate limit resets. */
function retryAfterOf(headers: Headers): number {
  const told = Number(headers.get("retry-after") ?? Number.NaN);
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN) - Date.now() / 1_000;
  const seconds = [told, reset].find((value) => Number.isFinite(value) && value > 0) ?? RETRY_AFTER_S;
  return Math.min(RETRY_AFTER_S_MAX, Math.ceil(seconds));
}
