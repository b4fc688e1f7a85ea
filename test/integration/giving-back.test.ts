/** Awards that are given back or extended, as workers and requesters see it, on a cluster. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BAD, eventually, GOOD, Market, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;

beforeAll(async () => {
  market = await Market.start({}, "cluster");
  ann = await market.register("ann");
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});

afterAll(async () => {
  await eventually(
    async () => ((await market.audit()).every(({ wrong }) => wrong.length === 0) ? true : undefined),
    "the books to be right",
  );
  expect(market.alarms()).toEqual([]);
  await market.stop();
});

const reputation = (worker: Party) => market.ok("GET", "/account/reputation", undefined, worker);
const release = (id: string, worker: Party, body: object = {}, headers: Record<string, string> = {}) =>
  market.call("POST", `/tasks/${id}/release`, body, { ...worker, headers });

describe("an award that is given back at once", () => {
  test("is free the first time and says so again; the task goes to somebody else, and its requester reads why", async () => {
    const [bob, cyd] = [await market.register(), await market.register()];
    const id = await market.awarded(ann, bob);
    const headers = { "Idempotency-Key": randomUUID() };
    const free = { id, status: "RELEASED", free: true, why: "FREE" };
    const first = await release(id, bob, { reason: "not my language" }, headers);
    expect([first.status, first.body]).toMatchObject([200, free]);
    expect((await release(id, bob, { reason: "not my language" }, headers)).body).toMatchObject(free);
    expect((await release(id, bob)).body).toMatchObject(free);
    expect(await reputation(bob)).toMatchObject({ reputation: 0 });
    expect((await market.call("POST", `/tasks/${id}/bid`, {}, bob)).body).toMatchObject({ code: "FAILED_THIS_TASK" });
    expect((await market.call("POST", `/tasks/${id}/submit`, { result_data: GOOD }, bob)).status).toBe(403);
    expect(await market.task(id, ann)).toMatchObject({ error_code: "RELEASED", auto_retries_left: 3, awarded_to: null });
    const { items } = await market.ok("GET", `/tasks/${id}/events`, undefined, ann);
    expect(items).toContainEqual(
      expect.objectContaining({
        event: "AwardReturned",
        by: bob.id,
        data: { awarded_to: bob.id, how: "FREE", reason: "not my language" },
      }),
    );
    await market.ok("POST", `/tasks/${id}/bid`, {}, cyd);
    await market.until(id, cyd, "AWARDED");
    expect(await market.submit(id, cyd, GOOD)).toMatchObject({ status: "COMPLETED" });
    await market.until(id, ann, "SETTLED");
    // Who gave it back can still see what became of it, and nothing that is not his.
    expect(await market.task(id, bob)).toMatchObject({
      status: "SETTLED",
      result_data: null,
      input_data: null,
      awarded_to: null,
    });
  });

  test("is refused under a key that gave it back for another reason, at once and later; under another key it is done already", async () => {
    const bob = await market.register();
    const id = await market.awarded(ann, bob);
    const headers = { "Idempotency-Key": randomUUID() };
    expect((await release(id, bob, { reason: "too long" }, headers)).status).toBe(200);
    for (const body of [{ reason: "too short" }, {}]) {
      const other = await release(id, bob, body, headers);
      expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    }
    expect((await release(id, bob, { reason: "too long" }, headers)).body).toMatchObject({ free: true });
    expect((await release(id, bob, {}, { "Idempotency-Key": randomUUID() })).body).toMatchObject({ free: true });
  });

  test("counts as a failure when it happens too often, also when both are asked for at once; the slot is free either way", async () => {
    const bob = await market.register();
    const tasks = await Promise.all([market.awarded(ann, bob), market.awarded(ann, bob), market.awarded(ann, bob)]);
    expect((await market.call("POST", `/tasks/${await market.post(ann)}/bid`, {}, bob)).body).toMatchObject({
      code: "TOO_MANY_AWARDS",
    });
    const answers = await Promise.all(tasks.map((id) => release(id, bob)));
    expect(answers.map(({ body }) => body.why).sort()).toEqual(["FREE", "TOO_MANY", "TOO_MANY"]);
    for (const { body } of answers) expect(body.free).toBe(body.why === "FREE");
    await eventually(async () => ((await reputation(bob)).reputation === -4 ? true : undefined), "both failures to count");
    await market.awarded(ann, bob);
  });

  test("is refused after a submission, of somebody else's task, and of one that is not there", async () => {
    const [bob, cyd] = [await market.register(), await market.register()];
    const id = await market.awarded(ann, bob);
    expect((await release(id, cyd)).body).toMatchObject({ status: 403, code: "NOT_AWARDED_TO_YOU" });
    await market.submit(id, bob, BAD);
    expect((await release(id, bob)).body).toMatchObject({ status: 409, code: "ALREADY_SUBMITTED" });
    expect((await release(randomUUID(), bob)).body).toMatchObject({ status: 404, code: "TASK_UNKNOWN" });
    expect((await release(id, bob, { reason: "x".repeat(501) })).body).toMatchObject({
      status: 422,
      errors: [{ field: "reason" }],
    });
  });

  test("is not pulled by its worker again, however often it asks", async () => {
    const bob = await market.register();
    const pull = async (wait: number): Promise<string[]> =>
      (await market.ok("POST", "/work/pull", { wait_ms: wait, max_tasks: 3 }, bob)).tasks.map(({ id }: { id: string }) => id);
    const [pulled] = await Promise.all([pull(10_000), market.post(ann)]);
    const [won = ""] = pulled;
    expect((await release(won, bob)).body).toMatchObject({ free: true });
    const others = await pull(0);
    expect(others).not.toContain(won);
    expect((await market.call("POST", `/tasks/${won}/bid`, {}, bob)).body).toMatchObject({ code: "FAILED_THIS_TASK" });
  });
});

describe("an award that is extended", () => {
  const extend = (id: string, worker: Party, seconds: number, headers: Record<string, string> = {}) =>
    market.call("POST", `/tasks/${id}/extend`, { seconds }, { ...worker, headers });

  test("has more time, once for each key, and as much as its requester allows", async () => {
    const bob = await market.register();
    const id = await market.awarded(ann, bob, { max_extension_seconds: 100 });
    const before = Date.parse((await market.task(id, bob)).expires_at);
    const headers = { "Idempotency-Key": randomUUID() };
    const first = await extend(id, bob, 60, headers);
    expect(first.body).toEqual({ id, expires_at: new Date(before + 60_000).toISOString(), seconds_left: 40 });
    expect((await extend(id, bob, 60, headers)).body).toEqual(first.body);
    const other = await extend(id, bob, 30, headers);
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    expect(await market.task(id, ann)).toMatchObject({ expires_at: first.body.expires_at, max_extension_seconds: 100 });
    const more = await extend(id, bob, 41);
    expect(more.body).toMatchObject({ status: 422, code: "EXTENSION_TOO_LONG", errors: [{ field: "seconds" }] });
    expect(more.body.detail).toContain("at most 40");
    expect((await extend(id, bob, 40)).body).toMatchObject({ seconds_left: 0 });
  });

  test("takes a result that comes between the old deadline and the new one", async () => {
    const bob = await market.register();
    const id = await market.awarded(ann, bob, { max_seconds: 1, max_extension_seconds: 60 });
    const before = Date.parse((await market.task(id, bob)).expires_at);
    await extend(id, bob, 60);
    await eventually(async () => (Date.now() > before + 500 ? true : undefined), "the first deadline to be over");
    expect(await market.submit(id, bob, GOOD)).toMatchObject({ status: "COMPLETED" });
  });

  test("needs a requester who allows it; the most that one can allow is an hour", async () => {
    const bob = await market.register();
    const id = await market.awarded(ann, bob);
    expect((await market.task(id, bob)).max_extension_seconds).toBe(0);
    expect((await extend(id, bob, 1)).body).toMatchObject({
      code: "EXTENSION_TOO_LONG",
      detail: expect.stringContaining("allows no extension"),
    });
    await market.post(ann, { max_extension_seconds: 3_600 });
    for (const wrong of [-1, 3_601, 1.5]) {
      const { body } = await market.call(
        "POST",
        "/tasks",
        { input_data: "x", schema: {}, example_output: {}, budget: 5, max_extension_seconds: wrong },
        ann,
      );
      expect(body).toMatchObject({ status: 422, errors: [{ field: "max_extension_seconds" }] });
    }
    for (const wrong of [0, 3_601]) expect((await extend(id, bob, wrong)).body).toMatchObject({ errors: [{ field: "seconds" }] });
  });
});
