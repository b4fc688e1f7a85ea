/** Linking a GitHub account (guide: OAuth), by OAuth with a single-use state and PKCE. */
import Type from "typebox";
import { OAUTH_MS } from "../../machines/account/decide.ts";
import { githubScore } from "../../machines/market/github.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { keyed, open } from "../http/operation.ts";
import { Problem, problemOf } from "../http/problems.ts";
import { IdentityRefused, IdentityUnavailable } from "../ports/identity.ts";
import { AuthorizeUrl, GitHubLinked } from "../schemas/oauth.ts";
import type { Services } from "../services.ts";
import { matchIdentity } from "./identity-match.ts";

function identityOf({ identity }: Services) {
  if (identity !== null) return identity;
  const detail = "GitHub is not set up on this platform; the operator must set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.";
  throw new Problem(503, "GITHUB_NOT_CONFIGURED", detail, { retryAfter: 3_600 });
}

/** Throws `refused` if GitHub does not accept the code or token. */
async function reaching<T>(work: Promise<T>, refused: Problem): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof IdentityRefused) throw refused;
    if (!(error instanceof IdentityUnavailable)) throw error;
    const detail = "GitHub does not answer, or its rate limit is reached; try again after the time in Retry-After.";
    throw new Problem(503, "GITHUB_UNAVAILABLE", detail, { retryAfter: error.retryAfterS });
  }
}

const CODE_REFUSED = new Problem(
  400,
  "OAUTH_FAILED",
  "GitHub does not accept this code; start again with GET /api/v1/oauth/github/authorize.",
);
const TOKEN_REFUSED = new Problem(
  409,
  "GITHUB_LINK_LOST",
  "GitHub no longer accepts our token; link again with GET /api/v1/oauth/github/authorize.",
);
const STATE_WRONG = new Problem(
  400,
  "OAUTH_STATE_INVALID",
  "This state is invalid, used, or older than 10 minutes; start again with GET /api/v1/oauth/github/authorize.",
);

const authorize = keyed(
  {
    id: "authorizeGitHub",
    tag: "OAuth",
    method: "get",
    path: "/api/v1/oauth/github/authorize",
    acts: true,
    summary: "Start linking a GitHub account",
    description: "Open `authorize_url` in a browser within 10 minutes. A new one invalidates the previous one.",
    answers: { 200: { about: "The page to open", schema: AuthorizeUrl } },
  },
  async function authorizeGitHub({ account, services }) {
    const identity = identityOf(services);
    const { secrets, router } = services;
    const state = secrets.oauthState(account);
    const command = { type: "startOAuth", stateHash: secrets.stateHash(state) } as const;
    const answer = await router.ask({ kind: "account", id: account }, command);
    if (!answer.ok) throw problemOf(answer.refusal);
    const url = identity.authorizeUrl(state, secrets.pkceChallenge(state));
    return { status: 200, body: { authorize_url: url, state, expires_in: OAUTH_MS / 1_000 } };
  },
);

const Code = { code: Type.String({ minLength: 1, maxLength: 500 }), state: Type.String({ minLength: 1, maxLength: 500 }) };

const callback = open(
  {
    id: "completeGitHubLink",
    tag: "OAuth",
    method: "get",
    path: "/api/v1/oauth/github/callback",
    acts: true,
    summary: "Callback of GitHub's authorization page",
    query: Type.Object({
      code: Type.Optional(Code.code),
      state: Code.state,
      error: Type.Optional(Type.String({ maxLength: 200, description: "Set if there is no code" })),
      error_description: Type.Optional(Type.String({ maxLength: 1_000 })),
      error_uri: Type.Optional(Type.String({ maxLength: 1_000 })),
    }),
    answers: { 200: { about: "The account is linked", schema: GitHubLinked } },
  },
  async function completeGitHubLink({ query, services }) {
    identityOf(services);
    const account = services.secrets.accountOfState(query.state);
    if (account === undefined) throw STATE_WRONG;
    if (query.code === undefined) {
      throw new Problem(
        400,
        "OAUTH_FAILED",
        `GitHub gave no code (${query.error ?? "no reason"}); start again and allow access.`,
      );
    }
    return { status: 200, body: await link(services, account, query.code, query.state) };
  },
);

const linkByHand = keyed(
  {
    id: "linkGitHub",
    tag: "OAuth",
    method: "post",
    path: "/api/v1/oauth/github/link",
    summary: "Link GitHub with a code that your client received",
    description: "For clients that receive the redirect themselves: send what GitHub put into the query.",
    body: Type.Object(Code),
    answers: { 200: { about: "The account is linked", schema: GitHubLinked } },
  },
  async function linkGitHub({ account, body, services }) {
    identityOf(services);
    if (services.secrets.accountOfState(body.state) !== account) throw STATE_WRONG;
    return { status: 200, body: await link(services, account, body.code, body.state) };
  },
);

/** The state is used up first, whatever happens then. */
async function link(services: Services, account: AccountId, code: string, state: string) {
  const { router, secrets } = services;
  const used = await router.ask({ kind: "account", id: account }, { type: "useOAuth", stateHash: secrets.stateHash(state) });
  if (!used.ok && used.refusal.refused === "OAUTH_STATE_INVALID") throw STATE_WRONG;
  if (!used.ok) throw problemOf(used.refusal);
  const identity = identityOf(services);
  const token = await reaching(identity.exchange(code, secrets.pkceVerifier(state)), CODE_REFUSED);
  return take(services, account, token, CODE_REFUSED);
}

/** Reads the profile with the token and links it to the account. */
async function take(services: Services, account: AccountId, token: string, refused: Problem) {
  const { router, secrets, clock } = services;
  const profile = await reaching(identityOf(services).profile(token), refused);
  const score = githubScore(profile, clock.now());
  const { id, login, createdAt } = profile;
  const mark = secrets.mark("github", id);
  const github = { id, login, score, token: secrets.seal(token), createdAt, mark };
  const answer = await router.ask({ kind: "account", id: account }, { type: "linkGitHub", github });
  if (!answer.ok) throw problemOf(answer.refusal);
  // Only now that the account has this mark: of two that link one GitHub account at a time, one finds the other.
  const match = await matchIdentity(services, mark, account);
  const marked = await router.ask({ kind: "account", id: account }, { type: "mark", ...match });
  if (!marked.ok) throw problemOf(marked.refusal);
  return { account_id: account, github_login: login, github_score: score };
}

const refresh = keyed(
  {
    id: "refreshGitHub",
    tag: "OAuth",
    method: "post",
    path: "/api/v1/oauth/github/refresh",
    summary: "Update the GitHub score",
    answers: { 200: { about: "The current score", schema: GitHubLinked } },
  },
  async function refreshGitHub({ account, services }) {
    identityOf(services);
    const row = await services.reads.account(account);
    const token = row?.github == null ? undefined : services.secrets.unseal(row.github.token);
    if (token === undefined) {
      throw new Problem(409, "GITHUB_NOT_LINKED", "No GitHub account is linked; start with GET /api/v1/oauth/github/authorize.");
    }
    return { status: 200, body: await take(services, account, token, TOKEN_REFUSED) };
  },
);

export const oauthRoutes = [authorize, callback, linkByHand, refresh];
