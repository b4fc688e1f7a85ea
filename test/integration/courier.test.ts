/** What the courier has after a thousand attempts is what it had before the first: whatever became of them. */
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../src/adapters/system/clock.ts";
import { randomIds as ids } from "../../src/adapters/system/ids.ts";
import { WebhookCourier } from "../../src/adapters/webhooks/courier.ts";
import { Receiver } from "../support/receiver.ts";
import { id } from "../support/world.ts";

/** Attempts that may be under way at one host. */
const PER_HOST = 16;
const ROUNDS = 1_000;

let receiver: Receiver;
let closedPort: number;
beforeAll(async () => {
  receiver = await Receiver.start();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  closedPort = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
});
afterAll(() => receiver.stop());

const make = (allowPrivate = true) => new WebhookCourier({ allowPrivate, secretOf: () => "whsec_c2VjcmV0", clock, ids });
const delivery = (url: string) => ({ task: id(1), account: id(2), message: id(1), attempt: 1, url, body: { event: "x" } });

/** Makes so many attempts, as many at once as a host may have. */
async function rounds(courier: WebhookCourier, url: string): Promise<ReadonlyMap<string, number>> {
  const results = new Map<string, number>();
  for (let n = 0; n < ROUNDS; n += PER_HOST) {
    const outcomes = await Promise.all(Array.from({ length: PER_HOST }, () => courier.deliver(delivery(url))));
    for (const outcome of outcomes) {
      const result = outcome?.result ?? "turned away";
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  }
  return results;
}

describe("a thousand attempts at one host give back every place that they took", () => {
  const made = Math.ceil(ROUNDS / PER_HOST) * PER_HOST;

  test("when they are taken, refused, redirected, or the connection is cut", async () => {
    const courier = make();
    let n = 0;
    receiver.answer = (response) => {
      n += 1;
      if (n % 4 === 0) response.socket?.destroy();
      else response.writeHead([200, 500, 302][n % 4] ?? 200, { Location: "/elsewhere" }).end();
    };
    const results = await rounds(courier, receiver.url("/rounds"));
    expect(results.get("turned away")).toBeUndefined();
    expect((results.get("delivered") ?? 0) + (results.get("failed") ?? 0)).toBe(made);
    receiver.answer = (response) => response.writeHead(200).end();
    expect(await courier.deliver(delivery(receiver.url("/rounds")))).toMatchObject({ result: "delivered", status: 200 });
  });

  test("when nobody answers there, or the address is one that may not be called", async () => {
    expect(await rounds(make(), `http://127.0.0.1:${closedPort}/`)).toEqual(new Map([["failed", made]]));
    expect(await rounds(make(false), receiver.url("/private"))).toEqual(new Map([["failed", made]]));
    expect(receiver.at("/private")).toEqual([]);
  });
});

test("a host has sixteen attempts under way; the seventeenth waits, another host does not, and an end makes room", async () => {
  const courier = make();
  const held: (() => void)[] = [];
  receiver.answer = (response) => held.push(() => response.writeHead(200).end());
  const underWay = Array.from({ length: PER_HOST }, () => courier.deliver(delivery(receiver.url("/held"))));
  expect(await courier.deliver(delivery(receiver.url("/held")))).toBeNull();
  const other = courier.deliver(delivery(receiver.url("/held", "localhost")));
  while (held.length < PER_HOST + 1) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const answer of held) answer();
  expect((await Promise.all([...underWay, other])).every((outcome) => outcome?.result === "delivered")).toBe(true);
  receiver.answer = (response) => response.writeHead(200).end();
  expect(await courier.deliver(delivery(receiver.url("/held")))).toMatchObject({ result: "delivered" });
});

test.each([
  [199, "failed"],
  [200, "delivered"],
  [299, "delivered"],
  [300, "failed"],
  [404, "failed"],
  [410, "gone"],
  [500, "failed"],
])("an answer %i is %s", async (status, result) => {
  receiver.answer = (response) => {
    // Node makes a 1xx no answer of its own; a receiver writes it by hand.
    if (status < 200) response.socket?.end(`HTTP/1.1 ${status} X\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n`);
    else response.writeHead(status).end();
  };
  expect(await make().deliver(delivery(receiver.url("/status")))).toMatchObject({ result });
});
