/** What clients see, over real HTTP on a real PostgreSQL. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import { BAD, eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;
let bob: Party;

beforeAll(async () => {
  market = await Market.start();
  ann = await market.register("ann");
  bob = await market.register("bob");
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, ann);
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  await market.stop();
});

describe("a task", () => {
  test("goes from posted to paid, and everyone sees what is theirs to see", async () => {
    const worker = await market.register();
    const stranger = await market.register();
    const before = await market.balance(ann);
    const created = await market.call("POST", "/tasks", ORDER, ann);
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.body).toMatchObject({
      status: "ROUTING",
      task_type: "json_extraction",
      input_data: ORDER.input_data,
      validation_schema: ORDER.schema,
      max_budget_credits: 20,
      max_execution_seconds: 120,
      quality_preference: "balanced",
      auto_retries_left: 3,
      awarded_to: null,
      result_data: null,
    });
    expect(await market.balance(ann)).toMatchObject({
      credits_balance: before.credits_balance - 20,
      credits_frozen: before.credits_frozen + 20,
    });
    expect((await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: 12 }, worker)).status).toMatch(/PENDING|AWARDED/);
    expect(await market.until(id, worker, "AWARDED")).toMatchObject({ awarded_to: worker.id, awarded_price: 12 });
    expect((await market.call("GET", `/tasks/${id}`, undefined, stranger)).status).toBe(404);
    expect(await market.ok("POST", `/tasks/${id}/start`, undefined, worker)).toEqual({ id, status: "EXECUTING" });
    expect(await market.submit(id, worker, BAD)).toMatchObject({
      status: "REJECTED",
      error_code: "SCHEMA_MISMATCH",
      retries_left: 2,
      errors: [{ field: "company" }],
    });
    expect(await market.submit(id, worker, GOOD)).toMatchObject({ status: "COMPLETED", error_code: null, errors: [] });
    expect(await market.until(id, ann, "SETTLED")).toMatchObject({ result_data: GOOD, awarded_price: 12, error_code: null });
    await eventually(async () => ((await market.balance(worker)).credits_balance === 62 ? true : undefined), "the payout");
    expect((await market.balance(ann)).credits_balance).toBe(before.credits_balance - 13);
    expect((await market.call("GET", `/tasks/${id}`, undefined, stranger)).status).toBe(404);
    expect(await market.ok("GET", "/account/reputation", undefined, worker)).toMatchObject({
      reputation: 1,
      task_count: 1,
      is_frozen: false,
      cooldown_until: null,
    });
  });

  test("keeps its text for its parties: a bidder sees a preview until the award", async () => {
    const text = `${"secret ".repeat(60)}😀 end`;
    const worker = await market.register();
    const id = await market.post(ann, { input_data: text, max_seconds: 60 });
    const [seen] = (await market.ok("GET", "/tasks/available?limit=200", undefined, worker)).filter(
      (task: { id: string }) => task.id === id,
    );
    expect(seen).toMatchObject({ input_data: null, callback_url: null, requester_id: null });
    expect(seen.input_data_preview.length).toBeLessThan(text.length);
    expect(await market.task(id, worker)).toMatchObject({ input_data: null });
    await market.ok("POST", `/tasks/${id}/bid`, {}, worker);
    expect(await market.until(id, worker, "AWARDED")).toMatchObject({ input_data: text, input_data_preview: text });
  });

  test("is not offered to its requester, nor to who bid on it", async () => {
    const id = await market.post(ann, { pending_pool_hours: 1 });
    const offered = async (party: Party) =>
      (await market.ok("GET", "/tasks/available?limit=200", undefined, party)).some((task: { id: string }) => task.id === id);
    expect(await offered(bob)).toBe(true);
    expect(await offered(ann)).toBe(false);
    const own = await market.call("POST", `/tasks/${id}/bid`, {}, ann);
    expect([own.status, own.body.code]).toEqual([403, "OWN_TASK"]);
    await market.ok("POST", `/tasks/${id}/bid`, {}, bob);
    const twice = await market.call("POST", `/tasks/${id}/bid`, {}, bob);
    expect(twice.status).toBe(409);
    expect(["ALREADY_BID", "TASK_NOT_OPEN"]).toContain(twice.body.code);
    expect(await offered(bob)).toBe(false);
  });

  test("takes short and long names of its fields, and refuses both when they differ", async () => {
    const { schema, budget, ...rest } = ORDER;
    const long = {
      validation_schema: schema,
      max_budget_credits: budget,
      max_execution_seconds: 30,
      validation_rules: [{ type: "min_length", field: "company", min: 2 }],
    };
    const created = await market.ok("POST", "/tasks", { ...rest, ...long }, ann);
    expect(created).toMatchObject({ ...long, validation_rules: long.validation_rules });
    const both = await market.call("POST", "/tasks", { ...ORDER, ...long, max_seconds: 30 }, ann);
    expect(both.status).toBe(201);
    for (const [field, value] of Object.entries({ schema: {}, budget: 21, max_seconds: 31, rules: [] })) {
      const odd = await market.call("POST", "/tasks", { ...rest, ...long, [field]: value }, ann);
      expect([odd.status, odd.body.errors[0].field]).toEqual([422, field]);
    }
  });

  test("waits in the pool when nobody bids, where the first bid wins at once", async () => {
    const id = await market.post(ann);
    await market.until(id, ann, "PENDING_POOL");
    const worker = await market.register();
    expect(await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: 20 }, worker)).toMatchObject({ status: "AWARDED" });
    expect(await market.task(id, worker)).toMatchObject({ status: "AWARDED", awarded_price: 20 });
    await market.submit(id, worker, GOOD);
    // At the cap the payout gives way: 20 - 1.
    await eventually(async () => ((await market.balance(worker)).credits_balance === 69 ? true : undefined), "the payout");
  });

  test("reopens for others after three wrong results, and expires when its retries are used up", async () => {
    const before = await market.balance(ann);
    const [first, second] = [await market.register(), await market.register()];
    const id = await market.awarded(ann, first, { auto_retry: 1 });
    for (const left of [2, 1])
      expect(await market.submit(id, first, BAD)).toMatchObject({ status: "REJECTED", retries_left: left });
    expect(await market.submit(id, first, BAD)).toMatchObject({ status: "FAILED", retries_left: 0 });
    const again = await market.call("POST", `/tasks/${id}/bid`, {}, first);
    expect([again.status, again.body.code]).toEqual([409, "FAILED_THIS_TASK"]);
    await market.ok("POST", `/tasks/${id}/bid`, {}, second);
    await market.until(id, second, "AWARDED");
    for (let tries = 0; tries < 3; tries += 1) await market.submit(id, second, BAD);
    expect(await market.until(id, ann, "EXPIRED")).toMatchObject({ result_data: null, error_code: "SCHEMA_MISMATCH" });
    await eventually(
      async () => ((await market.balance(ann)).credits_balance === before.credits_balance ? true : undefined),
      "the refund",
    );
    await eventually(
      async () => ((await market.ok("GET", "/account/reputation", undefined, first)).reputation === -2 ? true : undefined),
      "the reputation",
    );
  });

  test("times out, tells the late worker so, and reopens", async () => {
    const worker = await market.register();
    const id = await market.awarded(ann, worker, { max_seconds: 1 });
    await eventually(async () => ((await market.task(id, ann)).error_code === "TIMEOUT" ? true : undefined), "the time-out");
    const late = await market.call("POST", `/tasks/${id}/submit`, { result_data: GOOD }, worker);
    expect([late.status, late.body.code]).toEqual([409, "TIMEOUT"]);
    expect(["ROUTING", "PENDING_POOL"]).toContain((await market.task(id, ann)).status);
  });

  test("is cancelled before its award and not after; all of the budget comes back", async () => {
    const before = await market.balance(ann);
    const id = await market.post(ann);
    const foreign = await market.call("DELETE", `/tasks/${id}`, undefined, bob);
    expect(foreign.status).toBe(403);
    expect(await market.ok("DELETE", `/tasks/${id}`, undefined, ann)).toMatchObject({ id, status: "CANCELLED" });
    expect(await market.balance(ann)).toEqual(before);
    expect(await market.ok("DELETE", `/tasks/${id}`, undefined, ann)).toMatchObject({ status: "CANCELLED" });
    const late = await market.awarded(ann, await market.register());
    const refused = await market.call("DELETE", `/tasks/${late}`, undefined, ann);
    expect([refused.status, refused.body.code]).toEqual([409, "TASK_NOT_CANCELLABLE"]);
  });

  test("that is paid for but not opened yet is told as such to its requester, and to nobody else", async () => {
    const [requester, stranger] = [await market.register(), await market.register()];
    const task = randomUUID();
    await market.database`
      insert into outbox (shard, id, sender_kind, sender, seq, leg, receiver_kind, receiver, command)
      values (${shardOf(requester.id, 128)}, ${randomUUID()}, 'account', ${requester.id}, 9, 0, 'task', ${task}, '{}')`;
    for (const method of ["GET", "DELETE"]) {
      const reply = await market.call(method, `/tasks/${task}`, undefined, requester);
      expect([reply.status, reply.body.code, reply.headers["retry-after"]]).toEqual([503, "UNAVAILABLE", "1"]);
      expect((await market.call(method, `/tasks/${task}`, undefined, stranger)).status).toBe(404);
    }
    await market.database`delete from outbox where receiver = ${task}`;
    expect((await market.call("GET", `/tasks/${task}`, undefined, requester)).status).toBe(404);
  });

  test("shows its ledger to its two parties: each transfer sums to 0, and each sees its own", async () => {
    const worker = await market.register();
    const id = await market.awarded(ann, worker, {}, { bid_credits: 10 });
    await market.submit(id, worker, GOOD);
    await eventually(async () => ((await market.balance(worker)).credits_balance === 60 ? true : undefined), "the payout");
    for (const party of [ann, worker]) {
      const { items, fee } = await market.ok("GET", `/tasks/${id}/ledger`, undefined, party);
      expect(items.length).toBeGreaterThan(0);
      expect(items.reduce((sum: number, { amount }: { amount: number }) => sum + amount, 0)).toBe(0);
      expect(fee).toBe(1);
      const owners = new Set(items.map(({ owner }: { owner: string | null }) => owner));
      owners.delete(null);
      expect([...owners]).toEqual([party.id]);
    }
    const stranger = await market.register();
    for (const path of ["ledger", "events", "deliveries"]) {
      expect((await market.call("GET", `/tasks/${id}/${path}`, undefined, stranger)).status).toBe(404);
    }
  });

  test("tells its history: what, when, by whom; other bids to the requester only", async () => {
    let [first, second] = [ann, ann];
    const bothBid = async () => {
      // Anew each time: who gets a task alone has one slot less.
      [first, second] = [await market.register(), await market.register()];
      // Whoever asks for work is online, so that the first bid does not end the window.
      for (const party of [first, second, bob]) await market.ok("GET", "/tasks/available", undefined, party);
      const task = await market.post(ann);
      const bids = await Promise.all(
        [first, second].map((worker) => market.call("POST", `/tasks/${task}/bid`, { bid_credits: 9 }, worker)),
      );
      return bids.every(({ status }) => status === 200) ? task : undefined;
    };
    const id = await eventually(bothBid, "two bids within one window");
    const { awarded_to: winner } = await market.until(id, ann, "AWARDED");
    const events = async (party: Party) => (await market.ok("GET", `/tasks/${id}/events`, undefined, party)).items;
    const mine = await events(ann);
    expect(mine.map(({ event }: { event: string }) => event).slice(0, 2)).toEqual(["Opened", "RoutingStarted"]);
    expect(mine.filter(({ event }: { event: string }) => event === "BidPlaced")).toHaveLength(2);
    const worker = winner === first.id ? first : second;
    const theirs = await events(worker);
    expect(theirs.filter(({ event }: { event: string }) => event === "BidPlaced")).toHaveLength(1);
  });
});

describe("an Idempotency-Key", () => {
  test("creates one task, however often and however many at once", async () => {
    const party = await market.register();
    const idempotencyKey = randomUUID();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => market.call("POST", "/tasks", ORDER, { key: party.key, idempotencyKey })),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(all.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await market.balance(party)).credits_balance).toBe(30);
    const other = await market.call("POST", "/tasks", { ...ORDER, budget: 21 }, { key: party.key, idempotencyKey });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    expect((await market.balance(party)).credits_balance).toBe(30);
    const someoneElse = await market.register();
    const theirs = await market.ok("POST", "/tasks", ORDER, { key: someoneElse.key, idempotencyKey });
    expect(theirs.id).not.toBe(all[0]?.body.id);
  });

  test("gives the first answer again for a top-up, a bid and a submission, also after a restart", async () => {
    const [requester, worker] = [await market.register(), await market.register()];
    const keys = { topup: randomUUID(), bid: randomUUID(), submit: randomUUID() };
    const topup = () =>
      market.call("POST", "/credits/topup", { amount_credits: 7 }, { key: requester.key, idempotencyKey: keys.topup });
    const id = await market.post(requester);
    const bid = (credits = 11) =>
      market.call("POST", `/tasks/${id}/bid`, { bid_credits: credits }, { key: worker.key, idempotencyKey: keys.bid });
    const submit = (result: unknown = GOOD) =>
      market.call("POST", `/tasks/${id}/submit`, { result_data: result }, { key: worker.key, idempotencyKey: keys.submit });
    const first = [await topup(), await bid()];
    await market.until(id, worker, "AWARDED");
    first.push(await submit());
    await market.until(id, requester, "SETTLED");
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await Promise.all([topup(), bid(), submit()])).map(({ body }) => body)).toEqual(first.map(({ body }) => body));
    await market.halt("SIGKILL");
    await market.restart();
    expect((await Promise.all([topup(), bid(), submit()])).map(({ body }) => body)).toEqual(first.map(({ body }) => body));
    const others = await Promise.all([bid(12), submit({ company: "Other" })]);
    expect(others.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([422, "IDEMPOTENCY_MISMATCH"]));
    expect((await market.balance(requester)).credits_balance).toBe(50 + 7 - 12);
  });
});

describe("money", () => {
  test("is never spent twice: of many tasks at once, as many are taken as the balance pays for", async () => {
    const party = await market.register();
    const all = await Promise.all(
      Array.from({ length: 30 }, () => market.call("POST", "/tasks", { ...ORDER, budget: 9 }, party)),
    );
    expect(all.filter(({ status }) => status === 201)).toHaveLength(5);
    const refused = all.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(new Set(["402 INSUFFICIENT_CREDITS"]));
    expect(await market.balance(party)).toMatchObject({ credits_balance: 5, credits_frozen: 45 });
  });

  test("of a cancellation and bids at once, exactly one wins, and nothing is lost", async () => {
    const party = await market.register();
    const workers = await Promise.all(Array.from({ length: 4 }, () => market.register()));
    for (let round = 0; round < 10; round += 1) {
      const id = await market.post(party);
      await market.until(id, party, "PENDING_POOL");
      const [cancelled, ...bids] = await Promise.all([
        market.call("DELETE", `/tasks/${id}`, undefined, party),
        ...workers.map((worker) => market.call("POST", `/tasks/${id}/bid`, {}, worker)),
      ]);
      const won = bids.filter(({ status, body }) => status === 200 && body.status === "AWARDED");
      expect(won.length + (cancelled?.status === 200 ? 1 : 0)).toBe(1);
      if (won.length === 0) continue;
      const { awarded_to: winner } = await market.task(id, party);
      await market.submit(id, workers.find((worker) => worker.id === winner) ?? party, GOOD);
      await market.until(id, party, "SETTLED");
      await market.ok("POST", "/credits/topup", { amount_credits: 20 }, party);
    }
  });
});

describe("POST /tasks/validate", () => {
  test("says what would be refused and creates nothing", async () => {
    const party = await market.register();
    const good = await market.ok("POST", "/tasks/validate", ORDER, party);
    expect(good).toMatchObject({ valid: true, errors: [] });
    expect(good.schema_cost).toBeGreaterThan(0);
    const bad = await market.ok("POST", "/tasks/validate", { ...ORDER, example_output: BAD }, party);
    expect(bad).toMatchObject({ valid: false, errors: [{ field: "example_output.company", code: "INVALID_EXAMPLE" }] });
    const dear = await market.ok("POST", "/tasks/validate", { ...ORDER, budget: 1_000 }, party);
    expect(dear.errors).toMatchObject([{ field: "budget", code: "INSUFFICIENT_CREDITS" }]);
    expect((await market.ok("GET", "/tasks", undefined, party)).items).toEqual([]);
  });
});

describe("the platform", () => {
  test("answers its health and the versions that clients should have", async () => {
    expect((await market.call("GET", "//health")).body).toEqual({ status: "ok" });
    const { body } = await market.call("GET", "/heartbeat");
    expect(body.min_sdk_version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(body.latest_sdk_version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("has no secret in its journal or its log", async () => {
    const rows = await market.database<{ text: string }[]>`
      select body::text as text from journal union all select row_to_json(a)::text from accounts a
      union all select command::text from outbox union all select state::text from snapshots`;
    const stored = rows.map(({ text }) => text).join("\n");
    for (const secret of [ann.key, bob.key, ann.webhookSecret, bob.webhookSecret]) {
      expect(stored).not.toContain(secret);
      expect(market.log()).not.toContain(secret);
    }
  });

  test("refuses simulated top-ups in production", async () => {
    const production = await Market.start({ NODE_ENV: "production" });
    const party = await production.register();
    const { status, body } = await production.call("POST", "/credits/topup", { amount_credits: 10 }, party);
    expect([status, body.code]).toEqual([403, "TOPUP_DISABLED"]);
    await production.stop();
  });
});
