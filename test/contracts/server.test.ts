/** The HTTP server and what a process undoes when it ends. */
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Finalizers } from "../../src/app/finalizers.ts";
import { serveHttp } from "../../src/app/server/server.ts";
import { SILENT } from "../support/world.ts";

const LONG_MS = 120_000;

function opened(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
  });
}

function answerTo(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1" }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

describe("a server that closes", () => {
  test("waits for what is under way, and neither for kept connections nor for those that were opened in case of need", async () => {
    let release: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await serveHttp(
      (request, response) => {
        if (request.url === "/kept") return void response.end("kept");
        arrived();
        void begun.then(() => response.end("done"));
      },
      0,
      "127.0.0.1",
    );
    const spare = await opened(server.port);
    const kept = await opened(server.port);
    kept.write("GET /kept HTTP/1.1\r\nHost: test\r\n\r\n");
    await new Promise((resolve) => kept.once("data", resolve));
    const slow = answerTo(server.port);
    await held;
    const gone = [spare, kept].map((socket) => new Promise((resolve) => socket.on("error", () => {}).once("close", resolve)));
    const closed = server.close(LONG_MS);
    await Promise.all(gone);
    release();
    expect(await slow).toBe("done");
    await closed;
    // Shorter than the time after which Node itself ends a connection that says nothing.
  }, 8_000);

  test("answers as it is told last", async () => {
    const server = await serveHttp((_, response) => void response.end("starting"), 0, "127.0.0.1");
    expect(await answerTo(server.port)).toBe("starting");
    server.answer((_, response) => void response.end("started"));
    expect(await answerTo(server.port)).toBe("started");
    await server.close(0);
  });
});

describe("closing", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("takes the newest step first, and each although another one fails, once", async () => {
    const closing = new Finalizers(SILENT);
    const taken: string[] = [];
    closing.add(async () => taken.push("database"));
    closing.add(async () => {
      taken.push("shards");
      throw new Error("the database is away");
    });
    closing.add(async () => taken.push("port"));
    await Promise.all([closing.run(), closing.run()]);
    expect(taken).toEqual(["port", "shards", "database"]);
  });

  test("leaves a step behind that hangs", async () => {
    vi.useFakeTimers();
    const closing = new Finalizers(SILENT);
    const taken: string[] = [];
    closing.add(async () => taken.push("database"));
    closing.add(() => new Promise(() => {}));
    const run = closing.run();
    await vi.advanceTimersByTimeAsync(60_000);
    await run;
    expect(taken).toEqual(["database"]);
  });

  test("undoes at once what is begun after it", async () => {
    const closing = new Finalizers(SILENT);
    const taken: string[] = [];
    closing.add(async () => {
      closing.add(async () => taken.push("late"));
    });
    await closing.run();
    closing.add(async () => taken.push("later"));
    await closing.run();
    expect(taken).toEqual(["late", "later"]);
  });
});

describe("what never becomes a request", () => {
  const head = "GET / HTTP/1.1\r\nHost: test\r\n";
  test.each([
    ["what is not HTTP", "what?\r\n\r\n", 400, "MALFORMED_REQUEST"],
    ["a NUL in a header", `${head}A: \u0000\r\n\r\n`, 400, "MALFORMED_REQUEST"],
    ["two lengths", `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, "MALFORMED_REQUEST"],
    ["headers of 20 KB", `${head}A: ${"a".repeat(20_000)}\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
    ["an address of 20 KB", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: test\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
    ["another expectation", `${head}Expect: 200-ok\r\n\r\n`, 417, "EXPECTATION_FAILED"],
  ])("is told why in a problem document: %s", async (_about, bytes, status, code) => {
    const server = await serveHttp((_request, response) => response.end("taken"), 0, "127.0.0.1");
    const socket = await opened(server.port);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    socket.write(bytes);
    await closed;
    await server.close(LONG_MS);
    const [headers = "", body = ""] = text.split("\r\n\r\n");
    expect(headers).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(headers).toContain("application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ status, code, type: "about:blank", detail: expect.stringMatching(/.{20}/) });
  });
});
