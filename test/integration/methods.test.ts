/** HEAD, OPTIONS, pages of other origins, and clients behind proxies, over every route there is. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPERATIONS } from "../../gateway/routes/index.ts";
import { eventually, Market, ORDER, type Party } from "../support/market.ts";

const ADMIN_TOKEN = "an-operators-token-of-some-length";
const ORIGIN = "https://app.example.com";

let market: Market;
let ann: Party;
beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN, CORS_ORIGINS: `${ORIGIN}, http://localhost:5173`, ROUTING_WINDOW_MS: "0" });
  ann = await market.register();
});
afterAll(async () => {
  expect(market.log()).not.toMatch(/bug|"level":60/);
  await market.stop();
});

const operator = { "X-Admin-Token": ADMIN_TOKEN };
const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
  market.client.call(method, `/${path}`, undefined, { key: ann.key, headers: { ...operator, ...headers } });

describe("HEAD", () => {
  test("answers for every route that GET has, and changes nothing", async () => {
    const task = await market.post(ann);
    await market.until(task, ann, "PENDING_POOL");
    const facts = async () => (await market.database`select count(*)::int as n from journal`)[0]?.["n"];
    const before = await facts();
    const query: { readonly [id: string]: string } = { completeGitHubLink: "?state=x&code=y", adminFindAccount: `?id=${ann.id}` };
    for (const { method, path, id } of OPERATIONS) {
      if (method !== "get") continue;
      const full = path.replace("{id}", path.includes("/tasks/") ? task : ann.id) + (query[id] ?? "");
      const { status, body, headers } = await ask("HEAD", full);
      expect([id, status < 500, body]).toEqual([id, true, ""]);
      if (id === "streamEvents" || id === "authorizeGitHub" || id === "completeGitHubLink")
        expect([id, status]).toEqual([id, 200]);
      else expect([id, status, headers["content-type"]]).toEqual([id, ...(await got(full))]);
    }
    expect(await facts()).toBe(before);
  });

  const got = async (path: string) => {
    const { status, headers } = await ask("GET", path);
    return [status, headers["content-type"]];
  };

  test("of the open tasks is no sign of presence", async () => {
    const online = async () => (await market.ok("POST", "/tasks/validate", ORDER, ann)).workers_online;
    const bob = await market.register();
    const before = await online();
    await market.client.call("HEAD", "/tasks/available", undefined, bob);
    await market.client.call("HEAD", "/events/stream", undefined, bob);
    expect(await online()).toBe(before);
    await market.client.call("GET", "/tasks/available", undefined, bob);
    await eventually(async () => ((await online()) === before + 1 ? true : undefined), "the worker to be online");
  });

  test("checks what it was given, and who asks", async () => {
    expect((await ask("HEAD", "/api/v1/oauth/github/callback")).status).toBe(422);
    expect((await ask("HEAD", "/api/v1/tasks/available?limit=0")).status).toBe(422);
    expect((await market.client.call("HEAD", "/events/stream")).status).toBe(401);
  });
});

describe("another method than a path has", () => {
  test("is told what there is", async () => {
    const every = new Map<string, string[]>();
    for (const { method, path } of OPERATIONS) every.set(path, [...(every.get(path) ?? []), method.toUpperCase()]);
    for (const [path, taken] of every) {
      const full = path.replace("{id}", ann.id);
      const options = await ask("OPTIONS", full);
      expect([path, options.status]).toEqual([path, 204]);
      const allowed = String(options.headers["allow"]).split(", ");
      for (const method of taken) expect([path, allowed]).toEqual([path, expect.arrayContaining([method, "OPTIONS"])]);
      for (const method of ["TRACE", "PUT", "PROPFIND"]) {
        const { status, headers } = await ask(method, full);
        expect([path, method, status, headers["allow"]]).toEqual([path, method, 405, allowed.join(", ")]);
      }
    }
    expect((await ask("OPTIONS", "/nothing")).status).toBe(404);
    expect((await ask("PUT", "/nothing")).status).toBe(404);
    const long = await ask("GET", `/${"x".repeat(5_000)}`);
    expect([long.status, long.body.detail.length < 400]).toEqual([404, true]);
  });
});

describe("a page of another origin", () => {
  const preflight = (origin: string, path = "/api/v1/tasks") =>
    market.client.call("OPTIONS", `/${path}`, undefined, {
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key,x-api-key",
      },
    });

  test("is let in where an operator says so: preflight without a key, answers, errors and streams", async () => {
    for (const origin of [ORIGIN, "http://localhost:5173"]) {
      const { status, headers } = await preflight(origin);
      expect([status, headers["access-control-allow-origin"]]).toEqual([204, origin]);
      expect(headers["access-control-allow-headers"]).toBe("content-type,idempotency-key,x-api-key");
      expect(headers["access-control-allow-methods"]).toMatch(/POST.*PATCH.*DELETE/);
      expect(headers["access-control-allow-credentials"]).toBeUndefined();
      expect(headers["vary"]).toContain("Origin");
    }
    const good = await ask("GET", "/api/v1/tasks?page=2", { Origin: ORIGIN });
    expect([good.status, good.headers["access-control-allow-origin"]]).toEqual([200, ORIGIN]);
    for (const name of ["RateLimit", "Retry-After", "X-Request-Id", "X-Nexus-Ignored", "Link"]) {
      expect(good.headers["access-control-expose-headers"]).toContain(name);
    }
    for (const [method, path] of [
      ["GET", "/nothing"],
      ["GET", "/api/v1/tasks/7"],
      ["PUT", "/api/v1/tasks"],
      ["GET", "/api/v1/tasks/%zz"],
    ] as const) {
      const { status, headers } = await ask(method, path, { Origin: ORIGIN });
      expect([path, status >= 400, headers["access-control-allow-origin"]]).toEqual([path, true, ORIGIN]);
    }
    const stream = await fetch(`http://127.0.0.1:${market.port}/api/v1/events/stream`, {
      headers: { "X-API-Key": ann.key, Origin: ORIGIN },
    });
    expect([stream.status, stream.headers.get("access-control-allow-origin")]).toEqual([200, ORIGIN]);
    await stream.body?.cancel();
  });

  test("is not where none does", async () => {
    for (const origin of [
      "https://evil.example",
      `${ORIGIN}.evil.example`,
      "https://app.example.com:8443",
      "null",
      `x${ORIGIN}`,
    ]) {
      const { status, headers } = await preflight(origin);
      expect([origin, status, headers["access-control-allow-origin"]]).toEqual([origin, 204, undefined]);
      const { headers: answered } = await ask("GET", "/api/v1/tasks", { Origin: origin });
      expect([answered["access-control-allow-origin"], answered["vary"]]).toEqual([undefined, expect.stringContaining("Origin")]);
    }
  });
});

test("without CORS_ORIGINS no answer speaks of origins; with * every page is let in", async () => {
  for (const [settings, allowed] of [
    [{}, undefined],
    [{ CORS_ORIGINS: "*" }, "*"],
  ] as const) {
    const other = await Market.start(settings);
    const { headers } = await other.client.call("GET", "//health", undefined, { headers: { Origin: ORIGIN } });
    expect(headers["access-control-allow-origin"]).toBe(allowed);
    await other.stop();
  }
});

test("behind a trusted proxy wrong keys are counted by the address that it saw, with whatever port", async () => {
  const behind = await Market.start({ TRUST_PROXY: "1", RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "5" });
  const wrong = (forwardedFor: string) =>
    behind.client.call("GET", "/tasks", undefined, {
      key: randomBytes(32).toString("hex"),
      headers: { "X-Forwarded-For": forwardedFor },
    });
  const statuses: number[] = [];
  for (let n = 0; n < 12; n += 1) statuses.push((await wrong(`198.51.100.${n}, 203.0.113.9:${50_001 + n}`)).status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(7);
  expect((await wrong("203.0.113.10:50001")).status).toBe(401);
  const six: number[] = [];
  for (let n = 0; n < 7; n += 1) six.push((await wrong(`[2001:db8::${n + 1}]:${443 + n}`)).status);
  expect(six.filter((status) => status === 429)).toHaveLength(2);
  await behind.stop();
});

test("characters that no header may have end the request with a 4xx, in every header that is read", async () => {
  const names = [
    "X-API-Key",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-SDK-Version",
    "X-SDK-Source",
    "X-Forwarded-For",
    "X-Admin-Token",
  ];
  for (const name of [...names, "Content-Type", "Origin", "Expect"]) {
    for (const value of ["a\u0000b", "\u00ff\u00fe", "a\u0001b", "x".repeat(20_000)]) {
      const text = await new Promise<string>((resolve) => {
        const socket = connect(market.port, "127.0.0.1");
        let heard = "";
        socket.on("data", (chunk) => {
          heard += chunk.toString();
        });
        socket.on("close", () => resolve(heard));
        socket.on("error", () => {});
        const head = `POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${value}\r\nContent-Length: 2\r\n\r\n{}`;
        socket.write(Buffer.from(head, "latin1"));
      });
      expect([name, value.slice(0, 5), text.slice(0, 15)]).toEqual([
        name,
        value.slice(0, 5),
        expect.stringMatching(/^(HTTP\/1.1 4\d\d|$)/),
      ]);
    }
  }
});
