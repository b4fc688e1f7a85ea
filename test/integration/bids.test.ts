/** Bids and what becomes of them, over HTTP: each worker sees its own, and nobody else's. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";

/** Long enough that no window ends by itself. */
const WINDOW_MS = "600000";
let market: Market;
let ann: Party;
/** Is online all the time and never bids, so that rounds wait for it. */
let idler: Party;

beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: WINDOW_MS }, "cluster");
  [ann, idler] = [await market.register("ann"), await market.register("idler")];
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(market.alarms()).toEqual([]);
  await market.stop();
});

const online = (...workers: readonly Party[]) =>
  Promise.all(workers.map((worker) => market.ok("GET", "/tasks/available", undefined, worker)));
const bid = (id: string, worker: Party, price: number) => market.ok("POST", `/tasks/${id}/bid`, { bid_credits: price }, worker);
const bidsOf = async (worker: Party, query = "") => (await market.ok("GET", `/bids${query}`, undefined, worker)).items;
const open = async () => {
  await online(idler);
  return market.post(ann);
};

describe("a worker's bids", () => {
  test("are told as they are placed, withdrawn, lost and won, with the task for all who bid, to nobody else", async () => {
    const [bob, cyd, stranger] = [await market.register(), await market.register(), await market.register()];
    const id = await open();
    const placed = await bid(id, bob, 9);
    expect(placed.status).toBe("PENDING");
    const pending = { bid_id: placed.bid_id, task_id: id, task_type: "json_extraction", bid_credits: 9, via: "hand" };
    expect(await bidsOf(bob)).toMatchObject([{ ...pending, status: "PENDING", reason: null, detail: null }]);
    const withdrawn = { bid_id: placed.bid_id, status: "WITHDRAWN" };
    for (let times = 0; times < 2; times += 1) {
      expect(await market.ok("DELETE", `/tasks/${id}/bid`, undefined, bob)).toEqual(withdrawn);
    }
    expect(await bidsOf(bob)).toMatchObject([{ ...pending, status: "WITHDRAWN" }]);
    const again = await bid(id, bob, 8);
    expect((await market.call("DELETE", `/tasks/${id}/bid`, undefined, bob)).body).toMatchObject({
      status: 409,
      code: "ALREADY_ANSWERED",
    });
    expect((await market.call("DELETE", `/tasks/${id}/bid`, undefined, cyd)).body).toMatchObject({
      status: 404,
      code: "BID_UNKNOWN",
    });
    const better = await bid(id, cyd, 5);
    await market.ok("POST", `/tasks/${id}/pass`, undefined, idler);
    await market.until(id, cyd, "AWARDED");
    expect(await bidsOf(bob)).toMatchObject([
      { bid_id: again.bid_id, status: "LOST" },
      { bid_id: placed.bid_id, status: "WITHDRAWN" },
    ]);
    expect(await bidsOf(cyd)).toMatchObject([{ bid_id: better.bid_id, status: "WON", bid_credits: 5 }]);
    expect(await bidsOf(bob, "?status=LOST")).toMatchObject([{ bid_id: again.bid_id }]);
    expect((await market.call("DELETE", `/tasks/${id}/bid`, undefined, bob)).body).toMatchObject({
      status: 409,
      code: "TASK_NOT_OPEN",
    });
    await market.submit(id, cyd, GOOD);
    await market.until(id, ann, "SETTLED");
    expect(await market.task(id, bob)).toMatchObject({
      status: "SETTLED",
      awarded_to: null,
      awarded_price: null,
      result_data: null,
    });
    expect((await market.call("GET", `/tasks/${id}`, undefined, stranger)).status).toBe(404);
    expect(await bidsOf(stranger)).toEqual([]);
  });

  test("end with the task: cancelled; and are listed by pages, the newest first", async () => {
    const bob = await market.register();
    const placed: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const id = await open();
      placed.unshift((await bid(id, bob, 10 + n)).bid_id);
      if (n === 2) await market.ok("DELETE", `/tasks/${id}`, undefined, ann);
    }
    const seen: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { items: { bid_id: string }[]; next_cursor: string | null } = await market.ok(
        "GET",
        `/bids?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
        undefined,
        bob,
      );
      seen.push(page.items.map(({ bid_id }) => bid_id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([placed.slice(0, 2), placed.slice(2, 4), placed.slice(4)]);
    expect(await bidsOf(bob, "?status=CANCELLED")).toMatchObject([{ bid_id: placed[2] }]);
    expect((await market.call("GET", "/bids?cursor=nonsense", undefined, bob)).body).toMatchObject({
      status: 422,
      errors: [{ field: "cursor" }],
    });
    expect((await market.call("GET", "/bids?status=GONE", undefined, bob)).body).toMatchObject({
      status: 422,
      errors: [{ field: "status" }],
    });
  });

  test("that cannot be taken when they win are declined, with the reason, and the next best wins", async () => {
    const [bob, cyd] = [await market.register(), await market.register()];
    const ids = await Promise.all([0, 1, 2, 3].map(open));
    for (const id of ids) await bid(id, bob, 5);
    const [last = ""] = ids.slice(-1);
    await bid(last, cyd, 9);
    for (const id of ids.slice(0, 3)) {
      await market.ok("POST", `/tasks/${id}/pass`, undefined, idler);
      await market.until(id, bob, "AWARDED");
    }
    await online(idler);
    await market.ok("POST", `/tasks/${last}/pass`, undefined, idler);
    await market.until(last, cyd, "AWARDED");
    const [declined] = await bidsOf(bob, "?status=DECLINED");
    expect(declined).toMatchObject({
      task_id: last,
      reason: "AWARDS_FULL",
      detail: expect.stringContaining("3 tasks in progress"),
    });
  });

  test("at a posted price and for a pull are among them", async () => {
    const [bob, cyd] = [await market.register(), await market.register()];
    const pulled = market.ok("POST", "/work/pull", { wait_ms: 10_000 }, cyd);
    const first = await market.post(ann);
    await market.ok("POST", `/tasks/${first}/pass`, undefined, idler);
    const won = (await pulled).tasks.map(({ id }: { id: string }) => id);
    expect(won).toEqual([first]);
    expect(await bidsOf(cyd)).toMatchObject([{ via: "pull", task_id: first, status: "WON" }]);
    await market.ok(
      "POST",
      "/capabilities",
      { task_type: "json_extraction", description: "d", price: 7, max_concurrent: 3 },
      bob,
    );
    await online(bob);
    await open();
    const posted = await eventually(async () => (await bidsOf(bob))[0], "the bid at the posted price");
    expect(posted).toMatchObject({ via: "posted", bid_credits: 7 });
  });
});

describe("a worker who passes", () => {
  const pass = (id: string, worker: Party) => market.call("POST", `/tasks/${id}/pass`, undefined, worker);

  test("is not waited for: the round ends when all others have answered, and passing again changes nothing", async () => {
    const bob = await market.register();
    const id = await open();
    await bid(id, bob, 9);
    expect((await market.task(id, bob)).status).toBe("ROUTING");
    for (let times = 0; times < 2; times += 1) expect((await pass(id, idler)).status).toBeLessThan(500);
    await market.until(id, bob, "AWARDED");
  });

  test("must be one who could bid, and have no bid there", async () => {
    const bob = await market.register();
    const id = await open();
    expect((await pass(id, ann)).body).toMatchObject({ status: 403, code: "OWN_TASK" });
    await bid(id, bob, 9);
    expect((await pass(id, bob)).body).toMatchObject({
      status: 409,
      code: "ALREADY_BID",
      detail: expect.stringContaining("DELETE"),
    });
    expect((await pass(randomUUID(), bob)).body).toMatchObject({ status: 404, code: "TASK_UNKNOWN" });
    await market.ok("DELETE", `/tasks/${id}`, undefined, ann);
    expect((await pass(id, idler)).body).toMatchObject({ status: 409, code: "TASK_NOT_OPEN" });
  });
});
