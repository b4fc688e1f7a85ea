/** `nexus inspect` beside a platform that runs: why somebody gets no work, and where a task is and why. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import { accountId, taskId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { inspectAccount } from "../../src/app/inspect/account.ts";
import { inspectTask } from "../../src/app/inspect/task.ts";
import { Client } from "../support/client.mjs";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { runNexus, startProcess } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { Receiver } from "../support/receiver.ts";

const TOKEN = "operators-secret-of-this-test";
const headers = { "X-Admin-Token": TOKEN };

let market: Market;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
  market = await Market.start({ ADMIN_TOKEN: TOKEN, ALLOW_PRIVATE_CALLBACKS: "true", ROUTING_WINDOW_MS: "1000" });
});
afterAll(async () => {
  await market.stop();
  await receiver.stop();
});

/** As an operator runs it. */
async function inspect(...args: string[]): Promise<string> {
  const { code, out } = await runNexus(["inspect", ...args], { DATABASE_URL: market.databaseUrl });
  expect([code, out]).toEqual([0, out]);
  return out;
}

/** What it reads and tells, without a process for each look. */
async function accountOf({ id }: Party) {
  const report = await inspectAccount(new Databases([market.database], SHARDS_DEFAULT), accountId(id), Date.now(), MARKET_RULES);
  if (report === undefined) throw new Error(`there is an account ${id}`);
  return { ...report, text: report.sentences.join("\n") };
}
async function taskOf(id: string) {
  const report = await inspectTask(new Databases([market.database], SHARDS_DEFAULT), taskId(id), Date.now(), MARKET_RULES);
  if (report === undefined) throw new Error(`there is a task ${id}`);
  return { ...report, text: report.sentences.join("\n") };
}

const capable = (party: Party, task_type: string, changes: object = {}) =>
  market.ok("POST", "/capabilities", { task_type, price: 8, max_concurrent: 1, ...changes }, party);
const online = (party: Party, type: string) => market.ok("GET", `/tasks/available?task_type=${type}`, undefined, party);
const workOf = (report: { readonly work: readonly { readonly taskType: string }[] }, type: string) =>
  report.work.find(({ taskType }) => taskType === type);

test("a worker with as many tasks in progress as its tier allows is told that it may take no more, and the task is", async () => {
  const [ann, bob] = [await requester(), await market.register()];
  const type = "data_transformation";
  await capable(bob, type, { max_concurrent: 9 });
  for (let n = 0; n < 3; n += 1) {
    const task = await market.post(ann, { task_type: type });
    await market.call("POST", `/tasks/${task}/bid`, {}, bob);
    await market.until(task, ann, "AWARDED");
  }
  const waits = await market.post(ann, { task_type: type });
  const refused = await market.call("POST", `/tasks/${waits}/bid`, {}, bob);
  const most = "You have 3 tasks in progress, as many as skill tier 1 (Unrated) allows at a time; finish one, and bid again.";
  if (refused.status !== 200) expect(refused).toMatchObject({ status: 409, body: { code: "TOO_MANY_AWARDS", detail: most } });
  await market.until(waits, ann, "PENDING_POOL");
  const again = await market.call("POST", `/tasks/${waits}/bid`, {}, bob);
  expect(again).toMatchObject({ status: 409, body: { code: "TOO_MANY_AWARDS", detail: most } });
  const full = { may: 0, mayNot: [{ why: "AWARDS_FULL", count: 1 }] };
  const report = await accountOf(bob);
  expect(workOf(report, type)).toMatchObject({ open: 1, bids: full, offers: full });
  expect(report.text).toContain("the worker has 3 tasks in progress, as many as skill tier 1 allows");
  expect((await taskOf(waits)).workers).toMatchObject({ offers: full });
});

async function requester(name?: string): Promise<Party> {
  const party = await market.register(name);
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, party);
  return party;
}

test("a worker whose slots are taken: it is told what it may take by bids and at its price, and the task why nobody takes it", async () => {
  const [ann, bob] = [await requester(), await market.register()];
  const type = "analysis";
  await capable(bob, type);
  await online(bob, type);
  const works = await market.post(ann, { task_type: type });
  await market.until(works, ann, "AWARDED");
  await online(bob, type);
  const waits = await market.post(ann, { task_type: type });
  await market.until(waits, ann, "PENDING_POOL");
  await online(bob, type);
  const dear = await market.post(ann, { task_type: type, budget: 8, min_skill_rating: 1 });
  const able = await market.post(ann, { task_type: type, min_skill_rating: 2 });
  for (const task of [dear, able]) await market.until(task, ann, "PENDING_POOL");

  const report = JSON.parse(await inspect("account", bob.id, "--json"));
  expect(report.account).toMatchObject({ id: bob.id, email: bob.email, status: "ACTIVE" });
  expect(workOf(report, type)).toMatchObject({
    open: 3,
    capability: { price: 8, available: true, slots: 1, kept: [works] },
    // A tier of exactly the one that is wanted will do.
    bids: { may: 2, mayNot: [{ why: "TIER_TOO_LOW", count: 1 }] },
    offers: {
      may: 0,
      mayNot: [
        { why: "NO_SLOT", count: 2 },
        { why: "TIER_TOO_LOW", count: 1 },
      ],
    },
  });
  expect(JSON.stringify(report)).not.toContain(bob.key);
  const told = await inspect("account", bob.email.toUpperCase());
  expect(told).toContain(`Account ${bob.id} (${bob.email}) is ACTIVE`);
  expect(told).toContain("analysis: by bidding it may take 2, 1 not (skill tier too low: 1, where 2 is wanted).");
  expect(told).toContain(
    "analysis: at its posted price it may take 0, 2 not (every slot is taken: the worker does 1 task at once), 1 not (skill tier too low: 1, where 2 is wanted).",
  );

  const task = await taskOf(waits);
  expect(task).toMatchObject({
    task: { id: waits, status: "PENDING_POOL" },
    workers: { capable: 1, offers: { may: 0, mayNot: [{ why: "NO_SLOT", count: 1 }] }, bids: { may: 1, mayNot: [] } },
    held: 20,
    surroundings: { timers: [{ name: "pool" }] },
  });
  expect(JSON.stringify(task)).not.toContain("Apple");
  const story = await inspect("task", waits.toUpperCase());
  expect(story).toContain("Nobody bid in time, so it waits in the pool until");
  expect(story).toContain(
    "At their posted prices nobody may take it, 1 may not (every slot is taken: the worker does 1 task at once).",
  );
  expect(story).toContain("By bidding 1 may take it.");
  expect(story).toContain("20 NC are held for it on its requester's account.");

  // With the slot that is free again the worker gets the next task at once, and good work has raised its tier.
  await market.submit(works, bob, GOOD);
  const next = await eventually(async () => {
    const { offers, capability } = workOf(await accountOf(bob), type) as {
      offers?: { may: number };
      capability?: { kept: string[] };
    };
    const [kept] = capability?.kept ?? [];
    return kept !== undefined && kept !== works && offers?.may === 0 ? kept : undefined;
  }, "the slot to be used");
  expect([waits, dear, able]).toContain(next);
  const left = [waits, dear, able].find((one) => one !== next) ?? "";
  expect((await taskOf(left)).workers).toMatchObject({
    offers: { may: 0, mayNot: [{ why: "NO_SLOT", count: 1 }] },
    bids: { may: 1 },
  });
});

test("each reason that keeps workers from a task is counted, and each of them is told its own", async () => {
  const name = randomUUID();
  const ann = await requester(name);
  const type = "translation";
  const workers: Record<string, Party> = {};
  for (const role of ["dear", "off", "bidder", "frozen", "cooling", "able"]) workers[role] = await market.register();
  const { dear, off, bidder, frozen, cooling, able } = workers as Record<
    "dear" | "off" | "bidder" | "frozen" | "cooling" | "able",
    Party
  >;
  const twin = await market.register(`${name}+twin`);
  // Three failures in a row, on tasks of another type.
  for (let n = 0; n < 3; n += 1) {
    const task = await market.awarded(ann, cooling, { auto_retry: 0 });
    for (let tries = 0; tries < 3; tries += 1) await market.submit(task, cooling, { company: 7 });
  }
  for (const party of [bidder, frozen, cooling, able, twin, ann]) await capable(party, type);
  await capable(dear, type, { price: 21 });
  await capable(off, type, { available: false });
  await capable(bidder, type, { price: null });
  await capable(able, type, { price: 20 });
  await market.ok("POST", `/admin/accounts/${frozen.id}/freeze`, { reason: "stolen results" }, { headers });
  const task = await market.post(ann, { task_type: type });
  await market.until(task, ann, "PENDING_POOL");

  const { workers: counted, text } = await eventually(async () => {
    const seen = await taskOf(task);
    return seen.unmatched === null ? undefined : seen;
  }, "the matcher to say why");
  expect(text).toMatch(/Its matcher said .*, with 0 workers online, that nobody was online for its type\./);
  if (counted === null) throw new Error("a task that takes bids has its workers counted");
  const sorted = (tally: { readonly mayNot: readonly { readonly why: string; readonly count: number }[] }) =>
    Object.fromEntries(tally.mayNot.map(({ why, count }) => [why, count]));
  expect(sorted(counted.offers)).toEqual({
    OVER_BUDGET: 1,
    CAPABILITY_AWAY: 1,
    NO_POSTED_PRICE: 1,
    FROZEN: 1,
    COOLING: 1,
    ONE_IDENTITY: 1,
    OWN_TASK: 1,
  });
  // A price of exactly the budget will do.
  expect(counted).toMatchObject({ capable: 8, offers: { may: 1 }, atTheirPrice: [able.id] });
  expect(sorted(counted.bids)).toEqual({ FROZEN: 1, COOLING: 1, ONE_IDENTITY: 1, OWN_TASK: 1 });
  expect(counted.bids.may).toBe(4);

  for (const [party, sentences] of [
    [
      frozen,
      [
        /is FROZEN/,
        /It has been frozen since .*, by an operator: "stolen results"\./,
        /POST \/api\/v1\/admin\/accounts\/.*\/unfreeze/,
      ],
    ],
    [
      cooling,
      [
        /is COOLING/,
        /It is cooling down until .* \(in 59 min\), after 3 failures in a row/,
        /failed 3 and ran out of time for 0/,
      ],
    ],
    [
      twin,
      [
        /It is of one identity with 1 account, whose tasks it may not take: /,
        /1 not \(worker and requester are of one identity\)/,
      ],
    ],
    [off, [/its capability is at 8 NC, set to unavailable, so it is offered nothing, 0 of 1 slot reserved\./]],
    [bidder, [/its capability is without a price, so it is offered nothing/, /translation: by bidding it may take 1\./]],
    [dear, [/1 not \(price above the budget: 21 NC, where 20 NC is paid\)/]],
  ] satisfies [Party, RegExp[]][]) {
    const { text } = await accountOf(party);
    for (const sentence of sentences) expect(text).toMatch(sentence);
  }
});

test("a task is told from its posting to its end: its round, its award, its failures, its webhook and its money", async () => {
  receiver.answer = (response) => response.writeHead(503).end();
  const [ann, bob, cyd] = [await requester(), await market.register(), await market.register()];
  const task = await market.awarded(ann, bob, { callback_url: receiver.url("/hook"), auto_retry: 1 }, { bid_credits: 9 });
  expect((await taskOf(task)).text).toMatch(
    new RegExp(`It was awarded to ${bob.id} for 9 NC .*, who has not begun and has until`),
  );
  await market.submit(task, bob, { company: 7 });
  expect((await taskOf(task)).text).toMatch(
    new RegExp(`The last result of worker ${bob.id} was wrong \\(SCHEMA_MISMATCH\\); it may send 2 more results of 3 until`),
  );
  for (let n = 0; n < 2; n += 1) await market.submit(task, bob, { company: 7 });
  await market.ok("POST", `/tasks/${task}/bid`, {}, cyd);
  await market.until(task, cyd, "AWARDED");
  expect((await taskOf(task)).text).toContain(
    `1 award ended without a result: ${bob.id} (SCHEMA_MISMATCH). 0 of 1 automatic retries are left.`,
  );
  await market.submit(task, cyd, GOOD);
  await market.until(task, ann, "SETTLED");
  await eventually(async () => (receiver.at("/hook").length >= 2 ? true : undefined), "two attempts");
  const told = await eventually(async () => {
    const { text } = await taskOf(task);
    return /Attempt [23] at its webhook/.test(text) ? text : undefined;
  }, "the second attempt to be told");
  expect(told).toContain(`Worker ${cyd.id} did it, and was paid`);
  expect(told).toMatch(/at its webhook .*: failed \(.*503.*\); the next is due /);
  expect(told).toContain("Nothing is held for it any more.");

  const ended = await market.post(ann);
  await market.ok("POST", `/admin/tasks/${ended}/expire`, { reason: "asked by mail" }, { headers });
  expect((await taskOf(ended)).text).toMatch(/It expired .*: an operator ended it: "asked by mail"\./);
  const cancelled = await market.post(ann);
  await market.ok("DELETE", `/tasks/${cancelled}`, undefined, ann);
  expect((await taskOf(cancelled)).text).toMatch(/Its requester cancelled it /);
});

test("what is unknown gets a sentence and exit code 1, and nothing else", async () => {
  const nobody = randomUUID();
  const { id } = await market.register();
  for (const [args, sentence] of [
    [["account", nobody], `There is no account ${nobody}. Give its id, or the address that it was registered with.\n`],
    [["task", "rubbish", "--json"], "There is no task rubbish. Give the id that POST /api/v1/tasks answered with.\n"],
    // An account is no task.
    [["task", id], `There is no task ${id}. Give the id that POST /api/v1/tasks answered with.\n`],
  ] satisfies [string[], string][]) {
    expect(await runNexus(["inspect", ...args], { DATABASE_URL: market.databaseUrl })).toEqual({ code: 1, out: sentence });
  }
});

test("why a bid was dropped is told to the worker itself and to operators, and to nobody else", async () => {
  const [ann, bob, cyd] = [await requester(), await market.register(), await market.register()];
  const type = "text_classification";
  // Who is online and has not bid keeps the window open.
  await online(cyd, type);
  const tasks: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    tasks.push(await market.post(ann, { task_type: type }));
    await market.ok("POST", `/tasks/${tasks[n]}/bid`, { bid_credits: 7 }, bob);
  }
  const dropped = await eventually(async () => {
    for (const id of tasks) if ((await market.task(id, ann)).status === "PENDING_POOL") return id;
    return undefined;
  }, "the fourth bid to be dropped");
  const done = tasks.find((id) => id !== dropped) ?? "";
  await market.submit(done, bob, GOOD);
  await market.until(done, ann, "SETTLED");
  await eventually(async () => {
    const { status } = await market.call("POST", `/tasks/${dropped}/bid`, { bid_credits: 7 }, bob);
    return status === 200 ? true : undefined;
  }, "the slot to be free");
  await market.until(dropped, bob, "AWARDED");
  const declines = async (viewer: Party) =>
    (await market.ok("GET", `/tasks/${dropped}/events`, undefined, viewer)).items.filter(
      ({ event }: { event: string }) => event === "OfferDeclined",
    );
  const told = { by: bob.id, data: { reason: "AWARDS_FULL", detail: expect.stringMatching(/^You have 3 tasks in progress/) } };
  expect(await declines(bob)).toMatchObject([told]);
  expect(await declines(ann)).toEqual([]);
  const { events } = await market.ok("GET", `/admin/tasks/${dropped}`, undefined, { headers });
  expect(events.filter(({ event }: { event: string }) => event === "OfferDeclined")).toMatchObject([told]);
});

test("over several databases, whichever an account, its task and its requester are in", async () => {
  const made = await Promise.all([makeDatabase(inject("postgresUrl")), makeDatabase(inject("postgresUrl"))]);
  const settings = { DATABASE_URL: made.map(({ url }) => url).join(","), ROUTING_WINDOW_MS: "50" };
  const platform = await startProcess(settings);
  const client = new Client(platform.port);
  try {
    const place = (id: string) => shardOf(id, SHARDS_DEFAULT) % 2;
    const found = new Map<number, { readonly id: string; readonly key: string; readonly email: string }>();
    while (found.size < 2) {
      const email = `${randomUUID()}@test.example`;
      const { body } = await client.call("POST", "/auth/register", { email });
      if (body.account_id === undefined) throw new Error(JSON.stringify(body));
      found.set(place(body.account_id), { id: body.account_id, key: body.api_key, email });
    }
    const [ann, bob] = [...found.values()];
    if (ann === undefined || bob === undefined) throw new Error("there are two");
    await client.call("POST", "/capabilities", { task_type: "data_extraction", price: 9 }, bob);
    const tasks = new Map<number, string>();
    for (let n = 0; n < 40 && tasks.size < 2; n += 1) {
      const { body } = await client.call("POST", "/tasks", { ...ORDER, budget: 5 }, ann);
      if (body.id === undefined) throw new Error(JSON.stringify(body));
      tasks.set(place(body.id), body.id);
      if (tasks.size < 2) await client.call("DELETE", `/tasks/${body.id}`, undefined, ann);
    }
    for (const who of [bob.id, bob.email, ann.email]) {
      const { code, out } = await runNexus(["inspect", "account", who, "--json"], settings);
      expect([code, JSON.parse(out).account.id]).toEqual([0, who === ann.email ? ann.id : bob.id]);
      expect(JSON.parse(out).openTasks.total).toBeGreaterThan(0);
    }
    for (const task of tasks.values()) {
      const { code, out } = await runNexus(["inspect", "task", task], settings);
      expect([code, out.split("\n")[0]]).toEqual([0, expect.stringContaining(task)]);
    }
  } finally {
    client.close();
    await platform.kill("SIGTERM");
    await Promise.all(made.map(({ drop }) => drop()));
  }
});
