/** A local server that behaves like GitHub: OAuth with PKCE, a profile, its errors and its limits. */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

export const CLIENT_ID = "client-local";
export const CLIENT_SECRET = "secret-local";

export interface GitHubUser {
  readonly id: number;
  readonly login: string;
  readonly created_at: string;
  readonly public_repos: number;
  readonly public_gists: number;
  readonly followers: number;
  readonly contributions: number;
}

interface Grant {
  readonly user: GitHubUser;
  readonly challenge: string;
  readonly redirect: string;
}

type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>];

export class GitHubServer {
  /** What the API answers instead, while it is set. */
  failing: Answer | null = null;
  readonly tokens = new Map<string, GitHubUser>();
  readonly #grants = new Map<string, Grant>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(([status, body, headers = {}]) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** What a person does on GitHub's page: allows the access. Gives the query that GitHub sends back with. */
  allow(authorizeUrl: string, user: GitHubUser): { readonly code: string; readonly state: string } {
    const query = new URL(authorizeUrl).searchParams;
    if (query.get("client_id") !== CLIENT_ID || query.get("code_challenge_method") !== "S256") throw new Error("a wrong request");
    const code = randomUUID();
    const challenge = query.get("code_challenge") ?? "";
    this.#grants.set(code, { user, challenge, redirect: query.get("redirect_uri") ?? "" });
    return { code, state: query.get("state") ?? "" };
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (request.url === "/login/oauth/access_token") return this.#exchange(JSON.parse(text));
    if (this.failing !== null) return this.failing;
    const user = this.tokens.get(request.headers.authorization?.replace("Bearer ", "") ?? "");
    if (user === undefined) return [401, { message: "Bad credentials" }];
    const { contributions, ...profile } = user;
    if (request.url === "/user") return [200, profile];
    if (request.url !== "/graphql") return [404, { message: "Not Found" }];
    const contributionCalendar = { totalContributions: contributions };
    return [200, { data: { viewer: { contributionsCollection: { contributionCalendar } } } }];
  }

  #exchange(given: Record<string, string>): Answer {
    const grant = this.#grants.get(given["code"] ?? "");
    this.#grants.delete(given["code"] ?? "");
    const challenge = createHash("sha256")
      .update(given["code_verifier"] ?? "")
      .digest("base64url");
    const known = given["client_id"] === CLIENT_ID && given["client_secret"] === CLIENT_SECRET;
    if (!known) return [200, { error: "incorrect_client_credentials" }];
    if (grant === undefined || grant.challenge !== challenge || grant.redirect !== given["redirect_uri"]) {
      return [200, { error: "bad_verification_code" }];
    }
    const token = `gho_${randomUUID()}`;
    this.tokens.set(token, grant.user);
    return [200, { access_token: token, token_type: "bearer", scope: "read:user" }];
  }
}
