/** GitHub accounts that speak for their owners (guide: OAuth), against a server that behaves like GitHub. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { githubScore, priorOf } from "../../machines/market/github.ts";
import { CLIENT_ID, CLIENT_SECRET, GitHubServer, type GitHubUser } from "../support/github.ts";
import { eventually, Market, type Party } from "../support/market.ts";

const YEAR_MS = 365.25 * 24 * 3_600_000;

let github: GitHubServer;
let market: Market;
let ann: Party;
beforeAll(async () => {
  github = new GitHubServer();
  const url = await github.start();
  market = await Market.start({
    GITHUB_BASE_URL: url,
    GITHUB_API_URL: url,
    GITHUB_CLIENT_ID: CLIENT_ID,
    GITHUB_CLIENT_SECRET: CLIENT_SECRET,
    PUBLIC_URL: "https://nexus.test.example",
  });
});
afterAll(async () => {
  await market.stop();
  github.stop();
});
beforeEach(async () => {
  ann = await market.register();
});

let ids = 0;
function user(changes: Partial<GitHubUser> = {}): GitHubUser {
  ids += 1;
  const created_at = new Date(Date.now() - 6 * YEAR_MS).toISOString();
  const counts = { public_repos: 40, public_gists: 10, followers: 500, contributions: 500 };
  return { id: ids, login: `octo${ids}`, created_at, ...counts, ...changes };
}

const begin = async (party = ann) =>
  (await market.ok("GET", "/oauth/github/authorize", undefined, party)).authorize_url as string;
const back = ({ code, state }: { code: string; state: string }) =>
  market.call("GET", `/oauth/github/callback?${new URLSearchParams({ code, state })}`);

async function linked(party: Party, who: GitHubUser): Promise<void> {
  expect((await back(github.allow(await begin(party), who))).status).toBe(200);
}

test("the flow links the account, shows its score, and keeps the token encrypted", async () => {
  const url = await begin();
  expect(new URL(url).searchParams.get("redirect_uri")).toBe("https://nexus.test.example/api/v1/oauth/github/callback");
  const who = user();
  const reply = await back(github.allow(url, who));
  expect([reply.status, reply.body]).toEqual([200, { account_id: ann.id, github_login: who.login, github_score: 100 }]);
  const info = await market.ok("GET", "/credits/credit-info", undefined, ann);
  expect(info).toMatchObject({ github_login: who.login, github_score: 100 });
  const [token = ""] = [...github.tokens].filter(([, { id }]) => id === who.id).map(([name]) => name);
  const rows = await market.database<{ body: object }[]>`select body from journal where entity = ${ann.id}`;
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(market.log()).not.toContain(token);
});

test("a state is good once, for its own account, and only as we made it", async () => {
  const granted = github.allow(await begin(), user());
  const bob = await market.register();
  const foreign = await market.call("POST", "/oauth/github/link", granted, bob);
  expect([foreign.status, foreign.body.code]).toEqual([400, "OAUTH_STATE_INVALID"]);
  expect((await market.call("POST", "/oauth/github/link", granted, ann)).status).toBe(200);
  for (const state of [granted.state, "rubbish", `${ann.id}.x.y`, granted.state.replace(ann.id, bob.id)]) {
    const again = await back({ code: github.allow(await begin(bob), user()).code, state });
    expect([again.status, again.body.code]).toEqual([400, "OAUTH_STATE_INVALID"]);
  }
  const first = github.allow(await begin(), user());
  await begin();
  expect((await back(first)).body.code).toBe("OAUTH_STATE_INVALID");
});

test("a code that is none, or belongs to another flow, links nothing", async () => {
  const { state } = github.allow(await begin(), user());
  expect((await back({ code: "none", state })).body.code).toBe("OAUTH_FAILED");
  const other = github.allow(await begin(await market.register()), user());
  const mine = github.allow(await begin(), user());
  // PKCE: the code of another flow does not fit our verifier.
  expect((await back({ code: other.code, state: mine.state })).body.code).toBe("OAUTH_FAILED");
  const denied = await market.call(
    "GET",
    `/oauth/github/callback?${new URLSearchParams({ error: "access_denied", state: mine.state })}`,
  );
  expect([denied.status, denied.body.detail]).toEqual([400, expect.stringContaining("access_denied")]);
  expect((await market.ok("GET", "/credits/credit-info", undefined, ann)).github_login).toBeNull();
});

test("refresh looks again; GitHub's errors and limits are told as they are, and change nothing", async () => {
  const nothing = await market.call("POST", "/oauth/github/refresh", undefined, ann);
  expect([nothing.status, nothing.body.code]).toEqual([409, "GITHUB_NOT_LINKED"]);
  const who = user({ followers: 0, contributions: 0 });
  await linked(ann, who);
  const [token = ""] = [...github.tokens].filter(([, { id }]) => id === who.id).map(([name]) => name);
  github.tokens.set(token, { ...who, contributions: 250 });
  const before = await market.ok("GET", "/credits/credit-info", undefined, ann);
  const refreshed = await market.ok("POST", "/oauth/github/refresh", undefined, ann);
  expect(refreshed.github_score).toBeGreaterThan(before.github_score);
  github.failing = [403, { message: "API rate limit exceeded" }, { "Retry-After": "77" }];
  const limited = await market.call("POST", "/oauth/github/refresh", undefined, ann);
  expect([limited.status, limited.body.code, limited.headers["retry-after"]]).toEqual([503, "GITHUB_UNAVAILABLE", "77"]);
  github.failing = [502, "bad gateway"];
  expect((await market.call("POST", "/oauth/github/refresh", undefined, ann)).status).toBe(503);
  github.failing = null;
  github.tokens.delete(token);
  const lost = await market.call("POST", "/oauth/github/refresh", undefined, ann);
  expect([lost.status, lost.body.code]).toEqual([409, "GITHUB_LINK_LOST"]);
  expect((await market.ok("GET", "/credits/credit-info", undefined, ann)).github_score).toBe(refreshed.github_score);
});

test("one GitHub account is one identity, across every account that is linked to it, or to one that is", async () => {
  const [bob, cyd] = [await market.register(), await market.register()];
  const [shared, other] = [user(), user()];
  await linked(ann, shared);
  await linked(bob, other);
  await linked(cyd, other);
  await linked(bob, shared);
  const task = await market.post(ann);
  for (const party of [bob, cyd]) {
    const code = await eventually(async () => {
      const reply = await market.call("POST", `/tasks/${task}/bid`, {}, party);
      return reply.status === 403 ? reply.body.code : undefined;
    }, "them to be known as one");
    expect(code).toBe("OWN_TASK");
  }
});

test("where GitHub is not set up: 503 that says so", async () => {
  const bare = await Market.start();
  const party = await bare.register();
  const reply = await bare.call("GET", "/oauth/github/authorize", undefined, party);
  expect([reply.status, reply.body.code]).toEqual([503, "GITHUB_NOT_CONFIGURED"]);
  await bare.stop();
});

describe("the score", () => {
  const AT = Date.UTC(2026, 0, 1);
  const nobody = { createdAt: AT, works: 0, followers: 0, contributions: 0 };
  test("is 0 for nobody, 100 for the best, and each part has its share", () => {
    expect(githubScore(nobody, AT)).toBe(0);
    expect(githubScore({ createdAt: AT - 5 * YEAR_MS, works: 50, followers: 500, contributions: 500 }, AT)).toBe(100);
    expect(githubScore({ ...nobody, createdAt: AT - 5 * YEAR_MS }, AT)).toBe(30);
    expect(githubScore({ ...nobody, works: 1_000 }, AT)).toBe(25);
    expect(githubScore({ ...nobody, followers: 1_000_000 }, AT)).toBe(20);
    expect(githubScore({ ...nobody, contributions: 10_000 }, AT)).toBe(25);
    expect(githubScore({ createdAt: AT + YEAR_MS, works: -5, followers: -5, contributions: -5 }, AT)).toBe(0);
  });
  test("is where a newcomer starts", () => {
    expect([priorOf(null), priorOf(0), priorOf(50), priorOf(100)]).toEqual([0.5, 0.5, 0.6, 0.7]);
  });
});
