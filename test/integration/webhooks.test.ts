/** Webhooks to a real receiver: signed, tried again, to public addresses only. */
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";
import { type Received, Receiver } from "../support/receiver.ts";

let market: Market;
let receiver: Receiver;
let ann: Party;

beforeAll(async () => {
  receiver = await Receiver.start();
  market = await Market.start({ ALLOW_PRIVATE_CALLBACKS: "true" });
  ann = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});

afterAll(async () => {
  await market.stop();
  await receiver.stop();
});

async function settledTask(callback_url: string): Promise<string> {
  const worker = await market.register();
  const id = await market.awarded(ann, worker, { callback_url });
  await market.submit(id, worker, GOOD);
  await market.until(id, ann, "SETTLED");
  return id;
}

async function cancelledTask(callback_url: string): Promise<string> {
  const id = await market.post(ann, { callback_url });
  await market.ok("DELETE", `/tasks/${id}`, undefined, ann);
  return id;
}

const received = (path: string, count: number): Promise<readonly Received[]> =>
  eventually(async () => (receiver.at(path).length >= count ? receiver.at(path) : undefined), `${count} webhooks at ${path}`);

const deliveries = async (id: string) => (await market.ok("GET", `/tasks/${id}/deliveries`, undefined, ann)).items;

const logged = (id: string, count: number) =>
  eventually(async () => {
    const items = await deliveries(id);
    return items.length >= count ? items : undefined;
  }, `${count} deliveries`);

function failing(times: number, status = 500): void {
  let left = times;
  receiver.answer = (response) => {
    left -= 1;
    response.writeHead(left >= 0 ? status : 200).end();
  };
}

describe("a webhook", () => {
  test("tells the end with the guide's body and headers, and can be verified in both ways", async () => {
    receiver.answer = (response) => response.writeHead(204).end();
    const id = await settledTask(receiver.url("/settled"));
    const [one] = await received("/settled", 1);
    if (one === undefined) throw new Error("nothing came");
    const body = JSON.parse(one.raw);
    expect(body).toEqual({
      event: "task.terminal",
      task_id: id,
      status: "SETTLED",
      result_data: GOOD,
      awarded_price: 20,
      created_at: expect.stringMatching(/Z$/),
      timestamp: expect.stringMatching(/Z$/),
    });
    expect(one.headers).toMatchObject({ "x-nexus-event": "task.terminal", "x-nexus-task-id": id, "webhook-id": id });
    const hex = createHmac("sha256", ann.webhookSecret).update(one.raw).digest("hex");
    expect(one.headers["x-nexus-signature"]).toBe(`sha256=${hex}`);
    const standard = new Webhook(ann.webhookSecret);
    expect(standard.verify(one.raw, one.headers as Record<string, string>)).toEqual(body);
    expect(() => standard.verify(`${one.raw} `, one.headers as Record<string, string>)).toThrow();
    expect(await logged(id, 1)).toMatchObject([{ attempt: 1, result: "delivered", status: 204, next_attempt_at: null }]);
  });

  test("tells a cancellation, without a result", async () => {
    receiver.answer = (response) => response.writeHead(200).end();
    await cancelledTask(receiver.url("/cancelled"));
    const [one] = await received("/cancelled", 1);
    expect(JSON.parse(one?.raw ?? "")).toMatchObject({ status: "CANCELLED", result_data: null, awarded_price: null });
  });

  test("is tried again 1 s and 3 s later, under the same webhook-id and a new delivery each", async () => {
    failing(2);
    const id = await cancelledTask(receiver.url("/again"));
    const all = await received("/again", 3);
    expect(new Set(all.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([id]));
    expect(new Set(all.map(({ headers }) => headers["x-nexus-delivery"])).size).toBe(3);
    const log = await logged(id, 3);
    expect(log.map(({ result, status }: { result: string; status: number }) => [result, status])).toEqual([
      ["failed", 500],
      ["failed", 500],
      ["delivered", 200],
    ]);
    expect(log.map(({ delivery_id }: { delivery_id: string }) => delivery_id)).toEqual(
      all.map(({ headers }) => headers["x-nexus-delivery"]),
    );
    const waits = log
      .slice(0, 2)
      .map((one: { at: string; next_attempt_at: string }) => Date.parse(one.next_attempt_at) - Date.parse(one.at));
    expect(waits).toEqual([1_000, 3_000]);
  });

  test("ends with 410, and follows no redirect", async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    const gone = await cancelledTask(receiver.url("/gone"));
    expect(await logged(gone, 1)).toMatchObject([{ result: "gone", status: 410, next_attempt_at: null }]);
    receiver.answer = (response) => response.writeHead(302, { Location: receiver.url("/elsewhere") }).end();
    const moved = await cancelledTask(receiver.url("/moved"));
    expect(await logged(moved, 1)).toMatchObject([{ result: "failed", status: 302 }]);
    receiver.answer = (response) => response.writeHead(200).end();
    await logged(moved, 2);
    expect(receiver.at("/elsewhere")).toEqual([]);
  });

  test("is sent again when its requester asks, once for one Idempotency-Key", async () => {
    receiver.answer = (response) => response.writeHead(200).end();
    const id = await cancelledTask(receiver.url("/resent"));
    await logged(id, 1);
    const options = { key: ann.key, idempotencyKey: "again-1" };
    for (let times = 0; times < 2; times += 1) {
      const { status, body } = await market.call("POST", `/tasks/${id}/deliveries`, undefined, options);
      expect([status, body]).toEqual([202, { id, status: "QUEUED" }]);
    }
    expect(await logged(id, 2)).toHaveLength(2);
    expect(receiver.at("/resent")).toHaveLength(2);
    const other = await market.register();
    expect((await market.call("POST", `/tasks/${id}/deliveries`, undefined, other)).status).toBe(404);
    const open = await market.post(ann, { callback_url: receiver.url("/open") });
    expect((await market.call("POST", `/tasks/${open}/deliveries`, undefined, ann)).body.code).toBe("NOT_ENDED");
  });

  test("that fails while the platform is killed arrives after the next start", async () => {
    receiver.answer = (response) => response.writeHead(503).end();
    const id = await cancelledTask(receiver.url("/killed"));
    await received("/killed", 1);
    await market.halt("SIGKILL");
    receiver.answer = (response) => response.writeHead(200).end();
    await market.restart();
    await received("/killed", 2);
    await eventually(
      async () => ((await deliveries(id)).at(-1)?.result === "delivered" ? true : undefined),
      "the delivery to be known",
    );
  });

  test("a receiver that never ends its answer holds nothing up", async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      response.write("x");
    };
    const id = await cancelledTask(receiver.url("/slow"));
    expect(await logged(id, 1)).toMatchObject([{ result: "delivered", status: 200 }]);
  });
});

describe("by default", () => {
  test("an address that is not public is refused at once, and at the connection, however it is written", async () => {
    const strict = await Market.start({ ALLOW_PRIVATE_CALLBACKS: "true" });
    const party = await strict.register();
    receiver.answer = (response) => response.writeHead(200).end();
    const hosts = [
      "127.0.0.1",
      "localhost",
      "2130706433",
      "0x7f.1",
      "[::ffff:127.0.0.1]",
      "[::1]",
      "0.0.0.0",
      "169.254.169.254",
      "10.0.0.1",
    ];
    const post = (host: string) =>
      strict.call("POST", "/tasks", { ...BODY, callback_url: receiver.url("/private", host) }, party);
    const taken: [string, string][] = [];
    for (const host of hosts) taken.push([host, (await post(host)).body.id]);
    await strict.halt("SIGTERM");
    await strict.restart({ ALLOW_PRIVATE_CALLBACKS: "false" });
    for (const [host, id] of taken) {
      await strict.ok("DELETE", `/tasks/${id}`, undefined, party);
      const [attempt] = await eventually(async () => {
        const { items } = await strict.ok("GET", `/tasks/${id}/deliveries`, undefined, party);
        return items.length > 0 ? items : undefined;
      }, `the attempt at ${host}`);
      expect([host, attempt.result, attempt.status]).toEqual([host, "failed", null]);
      const { status, body } = await post(host);
      expect([host, status, body.errors?.[0]?.field]).toEqual([host, 422, "callback_url"]);
      expect(body.detail).toContain("ALLOW_PRIVATE_CALLBACKS=true");
    }
    expect(receiver.at("/private")).toEqual([]);
    await strict.stop();
  });
});

const BODY = {
  input_data: "x",
  schema: { type: "object" },
  example_output: {},
  budget: 5,
};
