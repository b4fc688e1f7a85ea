/** What a worker sees of what it failed, and what the market shows of a requester. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BAD, eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start();
});
afterAll(async () => {
  await market.stop();
});

const get = (path: string, who: Party) => market.ok("GET", path, undefined, who);

/** Fails a task: three wrong results. */
async function fail(id: string, worker: Party): Promise<void> {
  for (let n = 0; n < 3; n += 1) await market.submit(id, worker, BAD);
}

describe("who has failed a task", () => {
  let [requester, failed, next, loser]: Party[] = [];
  let id = "";
  beforeAll(async () => {
    [requester, failed, next, loser] = await Promise.all([1, 2, 3, 4].map(() => market.register()));
    id = await market.awarded(requester as Party, failed as Party);
    await fail(id, failed as Party);
    await market.ok("POST", `/tasks/${id}/bid`, {}, next);
    await market.until(id, next as Party, "AWARDED");
    await market.submit(id, next as Party, GOOD);
    await market.until(id, requester as Party, "SETTLED");
  });

  test("sees how the task is, and what went wrong with its own work, but not the text, the parties and the result", async () => {
    expect(await get(`/tasks/${id}`, failed as Party)).toMatchObject({
      ...{ status: "SETTLED", error_code: "SCHEMA_MISMATCH" },
      ...{ input_data: null, requester_id: null, awarded_to: null, result_data: null, awarded_price: null },
    });
  });

  test("sees its part of the history: the errors of its results, and what they cost; nothing of the others' work", async () => {
    const { items } = await get(`/tasks/${id}/events`, failed as Party);
    const events = items as { event: string; by: string | null; data: { [name: string]: unknown } }[];
    const rejected = events.filter(({ event }) => event === "ResultRejected");
    expect(rejected).toHaveLength(3);
    expect(rejected[0]?.data["errors"]).toEqual([expect.objectContaining({ field: expect.stringContaining("company") })]);
    expect(events.find(({ event }) => event === "AwardFailed")?.data).toMatchObject({ reputation_change: -2 });
    const told = JSON.stringify(events);
    for (const secret of [requester?.id, next?.id, "payout", "ResultAccepted", "Settled"]) expect(told).not.toContain(secret);
  });

  test("sees in its bids what became of the award", async () => {
    const { items } = await get("/bids", failed as Party);
    expect(items[0]).toMatchObject({
      status: "WON",
      award: { outcome: "FAILED", error_code: "SCHEMA_MISMATCH", reputation_change: -2, penalty_taken_back: null },
    });
    expect(items[0].award.errors).toHaveLength(1);
    expect((await get("/bids", next as Party)).items[0].award).toMatchObject({ outcome: "SETTLED", reputation_change: 1 });
  });

  test("sees in its reputation which task changed it, when and how", async () => {
    const { reputation, recent_changes: changes } = await get("/account/reputation", failed as Party);
    expect(reputation).toBe(-2);
    expect(changes).toEqual([{ at: expect.any(String), event: "FAILED_VALIDATION", task_id: id, change: -2, detail: null }]);
    expect((await get("/account/reputation", next as Party)).recent_changes).toMatchObject([{ event: "DELIVERED", change: 1 }]);
  });

  test("is told more than a stranger, who finds no history", async () => {
    expect((await market.call("GET", `/tasks/${id}/events`, undefined, loser)).status).toBe(404);
    const { items } = await get(`/tasks/${id}/events`, requester as Party);
    expect(JSON.stringify(items)).toContain("Settled");
    expect(JSON.stringify(items)).not.toContain('"errors"');
  });
});

describe("a requester's score", () => {
  test("is that of a newcomer at first, falls with a task that nobody could do, and is shown wherever the task is", async () => {
    const [requester, worker, other] = await Promise.all([1, 2, 3].map(() => market.register()));
    if (requester === undefined || worker === undefined || other === undefined) throw new Error("three are registered");
    const first = await market.ok("POST", "/tasks", { ...ORDER, auto_retry: 0 }, requester);
    expect(first.requester_score).toBe(0.9);
    await market.ok("POST", `/tasks/${first.id}/bid`, {}, worker);
    await market.until(first.id, worker, "AWARDED");
    await fail(first.id, worker);
    await market.until(first.id, requester, "EXPIRED");
    await market.holds(requester, 0);
    const second = await market.ok("POST", "/tasks", ORDER, requester);
    expect(second.requester_score).toBe(0.82);
    const open = await eventually(async () => {
      const all: { id: string; requester_score: number }[] = await get("/tasks/available", other);
      return all.find(({ id }) => id === second.id);
    }, "the task to be listed");
    expect(open.requester_score).toBe(0.82);
    expect(await market.task(second.id, other)).toMatchObject({ requester_score: 0.82 });
    await market.ok("DELETE", `/tasks/${second.id}`, undefined, requester);
    await market.holds(requester, 0);
    expect(await market.ok("POST", "/tasks", ORDER, requester)).toMatchObject({ requester_score: 0.82 });
  });

  test("and the least time keep a pull from what its worker does not take unseen; a bid by hand takes it", async () => {
    const [requester, worker] = await Promise.all([market.register(), market.register()]);
    const capability = { task_type: "analysis", min_requester_score: 0.91 };
    const registered = await market.ok("POST", "/capabilities", capability, worker);
    expect(registered).toMatchObject({ min_seconds: 10, min_requester_score: 0.91 });
    const id = await market.post(requester, { task_type: "analysis" });
    const pull = { task_types: ["analysis"], wait_ms: 500 };
    expect((await market.ok("POST", "/work/pull", pull, worker)).tasks).toEqual([]);
    await market.ok("POST", "/capabilities", { ...capability, min_requester_score: 0.9 }, worker);
    const got = await market.ok("POST", "/work/pull", { ...pull, wait_ms: 10_000 }, worker);
    expect(got.tasks).toMatchObject([{ id, requester_score: 0.9 }]);
    const short = await market.post(requester, { task_type: "analysis", max_seconds: 9 });
    expect((await market.ok("POST", "/work/pull", pull, worker)).tasks).toEqual([]);
    await market.ok("POST", `/tasks/${short}/bid`, {}, worker);
    await market.until(short, worker, "AWARDED");
  });
});
