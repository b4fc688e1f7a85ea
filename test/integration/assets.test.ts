/** What is served as it is: the pages, the documents, the icon. */
import { request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Market } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start();
});
afterAll(() => market.stop());

interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: market.port, path, headers, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
    })
      .once("error", reject)
      .end();
  });
}

const LARGE = ["/openapi.json", "/llms.txt", "/llms-full.txt", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"];
const SMALL = ["/docs", "/docs/start.js", "/favicon.svg", "/favicon.ico"];

test.each(LARGE)("%s comes in br, gzip or plain, as the client takes it, and is the same in all", async (path) => {
  const plain = await ask(path);
  expect(plain.status).toBe(200);
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.headers["vary"]).toContain("Accept-Encoding");
  const br = await ask(path, { "Accept-Encoding": "gzip, deflate, br, zstd" });
  expect(br.headers["content-encoding"]).toBe("br");
  expect(brotliDecompressSync(br.body).equals(plain.body)).toBe(true);
  const gzip = await ask(path, { "Accept-Encoding": "gzip;q=1, br;q=0" });
  expect(gzip.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
  for (const accept of ["identity", "", "deflate", "gzip;q=0, br;q=0", "nonsense;;q"]) {
    expect((await ask(path, { "Accept-Encoding": accept })).headers["content-encoding"], accept).toBeUndefined();
  }
  for (const { headers, body } of [br, gzip]) {
    expect(Number(headers["content-length"])).toBe(body.length);
    expect(body.length).toBeLessThan(plain.body.length / 2);
  }
  expect(new Set([plain, br, gzip].map(({ headers }) => headers["etag"])).size).toBe(3);
});

test.each([...LARGE, ...SMALL])("%s is not sent again to who has it, and HEAD tells what GET would", async (path) => {
  for (const accept of ["identity", "br", "gzip"]) {
    const first = await ask(path, { "Accept-Encoding": accept });
    const tag = String(first.headers["etag"]);
    expect(tag).toMatch(/^"[\w-]+"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = await ask(path, { "Accept-Encoding": accept, "If-None-Match": known });
      expect([again.status, again.body.length, again.headers["etag"]], known).toEqual([304, 0, tag]);
    }
    expect((await ask(path, { "Accept-Encoding": accept, "If-None-Match": '"other"' })).status).toBe(200);
    const head = await ask(path, { "Accept-Encoding": accept }, "HEAD");
    expect(head.body.length).toBe(0);
    for (const name of ["content-length", "content-type", "content-encoding", "etag", "vary", "cache-control"]) {
      expect(head.headers[name], name).toBe(first.headers[name]);
    }
  }
});

test("the icon is one", async () => {
  const { headers, body } = await ask("/favicon.ico");
  expect(headers["content-type"]).toBe("image/x-icon");
  // ICONDIR, then one picture, a PNG, at the place and of the length that its entry says.
  expect([...body.subarray(0, 6)]).toEqual([0, 0, 1, 0, 1, 0]);
  const [length, place] = [body.readUInt32LE(14), body.readUInt32LE(18)];
  expect(body.length).toBe(place + length);
  expect(body.subarray(place, place + 4).toString("latin1")).toBe("\x89PNG");
});

test("/ is a page for browsers and JSON for everybody else", async () => {
  const browsers = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html",
    "application/json;q=0.5, text/html",
  ];
  for (const accept of browsers) {
    const { status, headers, body } = await ask("/", { Accept: accept });
    expect([status, headers["content-type"]], accept).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers["vary"]).toContain("Accept");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(body.toString()).not.toMatch(/<script|style=|\son\w+=|src="http|href="http/);
  }
  for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9", "image/png"]) {
    const { status, headers, body } = await ask("/", { Accept: accept });
    expect([status, headers["content-type"]], accept).toEqual([200, "application/json; charset=utf-8"]);
    expect(JSON.parse(body.toString())).toMatchObject({ name: "NexusToken", status: "ok", docs: "/docs", api: "/api/v1" });
  }
  expect((await ask("/")).headers["content-type"]).toContain("json");
  const head = await ask("/", { Accept: "text/html" }, "HEAD");
  expect([head.status, head.body.length, head.headers["content-type"]]).toEqual([200, 0, "text/html; charset=utf-8"]);
});

test("/ shows a stranger's Host as text", async () => {
  const { body } = await ask("/", { Accept: "text/html", Host: `"><img src=x onerror=alert(1)>` });
  expect(body.toString()).not.toContain("<img src=x");
});
