/** Bodies however they are sent: too large, in pieces, after asking, where none is wanted. The answer arrives, and the connection ends or goes on. */
import { execFile } from "node:child_process";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LINGER_BYTES } from "../../gateway/http/middleware/linger.ts";
import { Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;
beforeAll(async () => {
  market = await Market.start();
  ann = await market.register();
});
afterAll(async () => {
  expect(market.log()).not.toMatch(/bug|"level":60/);
  await market.stop();
});

const head = (...lines: readonly string[]) => {
  const all = ["Host: x", `X-API-Key: ${ann.key}`, "Content-Type: application/json", ...lines];
  return `POST /api/v1/tasks HTTP/1.1\r\n${all.join("\r\n")}\r\n\r\n`;
};

interface Spoken {
  readonly text: string;
  readonly sent: number;
  /** Whether the other side ended the connection. */
  readonly ended: boolean;
}

/** Sends a head, then pieces until the connection ends or `enough` says so. */
function keepSending(start: string, piece: Buffer, enough: (text: string) => boolean = () => false): Promise<Spoken> {
  return new Promise((resolve) => {
    const socket: Socket = connect(market.port, "127.0.0.1");
    let text = "";
    let ended = false;
    const more = () => {
      while (!socket.destroyed && piece.length > 0 && socket.write(piece)) if (socket.bytesWritten > 2 ** 30) socket.destroy();
    };
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (enough(text)) socket.destroy();
    });
    socket.on("end", () => {
      ended = true;
    });
    socket.on("error", () => {
      ended = true;
    });
    socket.on("close", () => resolve({ text, sent: socket.bytesWritten, ended }));
    socket.on("drain", more);
    socket.write(start);
    more();
  });
}

const SLACK_BYTES = 16_777_216;

describe("a body that is too large", () => {
  const piece = Buffer.alloc(65_536, 0x20);
  const chunk = Buffer.concat([Buffer.from("10000\r\n"), piece, Buffer.from("\r\n")]);
  test.each([
    ["by its length", () => head("Content-Length: 10000000000"), piece],
    ["in chunks", () => head("Transfer-Encoding: chunked"), chunk],
  ])("is answered whole while it is being sent, and the connection ends: %s", async (_, start, body) => {
    const { text, sent, ended } = await keepSending(start(), body);
    const [headers = "", answer = ""] = text.split("\r\n\r\n");
    expect(headers).toMatch(/^HTTP\/1\.1 413/);
    expect(headers).toMatch(/\r\nConnection: close/i);
    expect(headers).toMatch(/application\/problem\+json/);
    expect(JSON.parse(answer)).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
    expect(ended).toBe(true);
    expect(sent).toBeLessThan(LINGER_BYTES + SLACK_BYTES);
  });

  test("with a wrong key is answered too", async () => {
    const start = head("Content-Length: 10000000000").replace(ann.key, "0".repeat(64));
    const { text } = await keepSending(start, piece);
    expect(text).toMatch(/^HTTP\/1\.1 401[\s\S]*API_KEY_INVALID/);
  });

  test("is answered to fetch, whole and as a stream", async () => {
    const url = `http://127.0.0.1:${market.port}/api/v1/tasks`;
    const headers = { "X-API-Key": ann.key, "Content-Type": "application/json" };
    for (let round = 0; round < 3; round += 1) {
      const whole = await fetch(url, { method: "POST", headers, body: Buffer.alloc(10_000_000, 0x20) });
      expect([whole.status, JSON.parse(await whole.text()).code]).toEqual([413, "BODY_TOO_LARGE"]);
    }
    const pieces = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(piece));
      },
    });
    const streamed = await fetch(url, { method: "POST", headers, body: pieces, duplex: "half" } as RequestInit);
    expect([streamed.status, JSON.parse(await streamed.text()).code]).toEqual([413, "BODY_TOO_LARGE"]);
  });

  test.each([[[]], [["-H", "Expect:"]], [["-H", "Transfer-Encoding: chunked"]]])("is answered to curl %j", async (more) => {
    const answer = await curl(["-X", "POST", "--data-binary", "@-", ...more], Buffer.alloc(20_000_000, 0x20));
    expect(answer).toMatch(/BODY_TOO_LARGE[\s\S]*413$/);
  });
});

describe("an answer that has no body", () => {
  test("reaches who sends one with its request all the same", async () => {
    const { etag = "" } = (await market.client.call("GET", "//docs")).headers;
    const never = "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
    const answered = (text: string) => text.includes("\r\n\r\n");
    const preflight = await keepSending(`OPTIONS /api/v1/tasks HTTP/1.1\r\nHost: x\r\n${never}`, Buffer.alloc(0), answered);
    expect(preflight.text).toMatch(/^HTTP\/1\.1 204/);
    const known = `GET /docs HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\n${never}`;
    expect((await keepSending(known, Buffer.alloc(0), answered)).text).toMatch(/^HTTP\/1\.1 304/);
  });
});

function curl(args: readonly string[], input: Buffer): Promise<string> {
  const url = `http://127.0.0.1:${market.port}/api/v1/tasks`;
  const headers = ["-H", `X-API-Key: ${ann.key}`, "-H", "Content-Type: application/json"];
  return new Promise((resolve) => {
    const child = execFile("curl", ["-s", "-w", "%{http_code}", ...headers, ...args, url], (_error, stdout) => resolve(stdout));
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

describe("who asks first whether to send (Expect: 100-continue)", () => {
  test("is told to where the body will be read", async () => {
    const body = JSON.stringify(ORDER);
    const start = `${head("Expect: 100-continue", `Content-Length: ${body.length}`)}${body}`;
    const { text } = await keepSending(start, Buffer.alloc(0), (answer) => answer.includes("201 Created"));
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201/);
  });

  test("is told what is wrong instead where it will not", async () => {
    const { text, ended } = await keepSending(head("Expect: 100-continue", "Content-Length: 10000000"), Buffer.alloc(0));
    expect([text.slice(0, 12), ended]).toEqual(["HTTP/1.1 413", true]);
    const wrong = head("Expect: 100-continue", "Content-Length: 10").replace("application/json", "text/plain");
    expect((await keepSending(wrong, Buffer.alloc(0))).text).toMatch(/^HTTP\/1\.1 415/);
  });
});

describe("a body where none is wanted", () => {
  const once = (answer: string) => (answer.match(/HTTP\/1\.1 /g) ?? []).length >= 2;
  test.each(["GET", "DELETE", "HEAD", "OPTIONS"])("does not keep %s or the next request from being answered", async (method) => {
    const first = `${method} /api/v1/credits/balance HTTP/1.1\r\nHost: x\r\nX-API-Key: ${ann.key}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`;
    const next = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    const { text } = await keepSending(first + next, Buffer.alloc(0), once);
    expect(text).toMatch(/^HTTP\/1\.1 (200|204|405)[\s\S]*HTTP\/1\.1 200/);
  });

  test.each(["GET", "DELETE", "HEAD", "OPTIONS"])(
    "does not keep %s from being answered when it is still being sent",
    async (method) => {
      for (const sent of ["Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 1000000\r\n\r\nhello"]) {
        const start = `${method} /api/v1/credits/balance HTTP/1.1\r\nHost: x\r\nX-API-Key: ${ann.key}\r\n${sent}`;
        const { text } = await keepSending(start, Buffer.alloc(0), (answer) => answer.includes("\r\n\r\n"));
        expect(text).toMatch(/^HTTP\/1\.1 (200|204|405)/);
      }
    },
  );

  test.each([
    ["chunked and empty, without a type", ["Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["chunked and empty, of another type", ["Transfer-Encoding: chunked", "Content-Type: text/plain"], "0\r\n\r\n"],
    ["of length 0", ["Content-Length: 0"], ""],
    ["of length 00", ["Content-Length: 00"], ""],
    ["of length 0 and a form", ["Content-Length: 0", "Content-Type: application/x-www-form-urlencoded"], ""],
    ["blank", ["Content-Length: 2", "Content-Type: application/json"], "\r\n"],
    ["a null", ["Content-Length: 4", "Content-Type: application/json"], "null"],
    ["absent", [], ""],
  ])("a POST whose body is %s is taken", async (_, lines, body) => {
    const all = ["Host: x", `X-API-Key: ${ann.key}`, "Connection: close", ...lines].join("\r\n");
    const start = `POST /api/v1/auth/rotate-key HTTP/1.1\r\n${all}\r\n\r\n${body}`;
    const { text } = await keepSending(start, Buffer.alloc(0));
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    ann = { ...ann, key: /"api_key":"([0-9a-f]{64})"/.exec(text)?.[1] ?? "" };
  });

  test("a POST that needs one says which fields", async () => {
    const start = `POST /api/v1/credits/topup HTTP/1.1\r\nHost: x\r\nX-API-Key: ${ann.key}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect((await keepSending(start, Buffer.alloc(0))).text).toMatch(/^HTTP\/1\.1 422[\s\S]*amount_credits/);
  });
});
