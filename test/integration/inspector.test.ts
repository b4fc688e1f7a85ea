/** Live actors, as Stately's inspector sees them. */
import { createServer } from "node:net";
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { createInspectorServer } from "@statelyai/inspect/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { LiveActor } from "../../actors/host/live.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { accountId, credits } from "../../machines/vocabulary.ts";
import { connectInspector } from "../../src/app/inspector.ts";
import { readConfig } from "../../src/app/settings/config.ts";

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

test("an inspector is shown facts and states, and nothing that may be secret", async () => {
  const port = await freePort();
  const relay = createInspectorServer({ port, autoOpen: false });
  onTestFinished(() => relay.stop());
  const url = `ws://127.0.0.1:${port}`;
  const inspector = await connectInspector(url, log);
  onTestFinished(() => inspector.stop());
  const actor = new LiveActor(account, "00000000-0000-4000-8000-00000000000a", undefined, inspector.inspect);
  onTestFinished(() => actor.stop());
  const registered: AccountFact = {
    type: "Registered",
    account: accountId("00000000-0000-4000-8000-00000000000a"),
    email: "a@example.com",
    source: null,
    keyHash: "hidden-key-hash",
    grant: credits(100),
    at: 1,
  };
  const rotated: AccountFact = { type: "KeyRotated", keyHash: "hidden-new-hash", before: "hidden-key-hash", at: 2 };
  actor.send(registered);
  actor.send(rotated);
  const seen: StatelyInspectionEvent[] = [];
  // The relay keeps what came before somebody looks.
  createWebSocketReceiver({ server: url }).subscribe((event) => seen.push(event));
  await vi.waitFor(() => expect(JSON.stringify(seen)).toContain("KeyRotated"), { timeout: 20_000 });
  expect(JSON.stringify(seen)).toContain("a@example.com");
  expect(JSON.stringify(seen)).not.toContain("hidden-");
});

test("it is shown to this machine only, and in production to nobody", () => {
  expect(() => readConfig({ INSPECTOR_URL: "ws://127.0.0.1:8080", NODE_ENV: "production" })).toThrow(
    'INSPECTOR_URL ("ws://127.0.0.1:8080") must be unset where NODE_ENV is production.',
  );
  expect(readConfig({ INSPECTOR_URL: "ws://127.0.0.1:8080" }).inspectorUrl).toBe("ws://127.0.0.1:8080");
  for (const url of ["ws://example.com:8080", "wss://127.0.0.1:8080", "ws://127.0.0.1.example.com:8080", "8080"]) {
    expect(() => readConfig({ INSPECTOR_URL: url })).toThrow(
      `INSPECTOR_URL ("${url}") must be a web socket of this machine, like ws://127.0.0.1:8080.`,
    );
  }
});
