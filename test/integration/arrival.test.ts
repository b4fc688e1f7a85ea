/** What counts against a task's deadline is when the request came, not when its body had been read. */
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GOOD, Market, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;

beforeAll(async () => {
  market = await Market.start();
  ann = await market.register();
});
afterAll(() => market.stop());

/** Begins to submit: all but the last byte. The function that it gives sends that, and has the answer. */
async function begin(id: string, worker: Party): Promise<() => Promise<{ readonly status: number; readonly body: string }>> {
  const body = JSON.stringify({ result_data: GOOD });
  const headers = { "X-API-Key": worker.key, "Content-Type": "application/json", "Content-Length": body.length };
  const path = `/api/v1/tasks/${id}/submit`;
  const outgoing = request({ host: "127.0.0.1", port: market.client.port, method: "POST", path, headers });
  const answered = new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      let text = "";
      incoming.on("data", (chunk) => {
        text += chunk;
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body: text }));
    });
  });
  await new Promise<void>((resolve) => void outgoing.write(body.slice(0, -1), () => resolve()));
  return () => {
    outgoing.end(body.slice(-1));
    return answered;
  };
}

test("a submission that begins before the deadline and ends after it is paid; one that begins after it is refused", async () => {
  const worker = await market.register();
  const id = await market.awarded(ann, worker, { max_seconds: 1 });
  const finish = await begin(id, worker);
  // The last moment of the award, by the platform's own word.
  const until = Date.parse((await market.task(id, worker)).expires_at);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - Date.now()) + 100));
  const late = await market.call("POST", `/tasks/${id}/submit`, { result_data: GOOD }, worker);
  expect([late.status, late.body.code]).toEqual([409, "TIMEOUT"]);
  const { status, body } = await finish();
  expect([status, JSON.parse(body).status]).toEqual([200, "COMPLETED"]);
  await market.until(id, ann, "SETTLED");
});
