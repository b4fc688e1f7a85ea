/** Who has a port already, as `nexus start` and `nexus demo` tell their users. */
import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { createStartingApp } from "../../gateway/http/app.ts";
import { identifyServer } from "../../src/app/running-server.ts";
import { freePort } from "../support/servers.mjs";
import { SILENT } from "../support/world.ts";

let server: Server | undefined;

afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

async function serving(listener: RequestListener): Promise<string> {
  const port = await freePort();
  const made = createServer(listener);
  server = made;
  await new Promise((resolve) => made.listen(port, "127.0.0.1", () => resolve(undefined)));
  return `http://127.0.0.1:${port}`;
}

test("a platform that is starting is known by the code of its answer, whatever its sentence is", async () => {
  expect(await identifyServer(await serving(createStartingApp(() => "Not yet.", SILENT).callback()))).toBe("nexus");
});

test("another server is none, whatever it says in its answer", async () => {
  const body = JSON.stringify({ detail: "This process is busy.", code: "BUSY" });
  expect(await identifyServer(await serving((_, response) => response.writeHead(503).end(body)))).toBe("other");
});

test("where nobody listens nobody answers", async () => {
  expect(await identifyServer(`http://127.0.0.1:${await freePort()}`)).toBe("nobody");
});
