/** Tasks that a pull has won and its client has not got: they go to others, and it counts for nobody. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { pullAndLeave } from "../support/leaving.ts";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { startPrivate } from "../support/servers.mjs";

const TYPE = "analysis";
/** Longer than a client with a key may take to ask again. */
const REPEAT_MS = 6_000;
const TRIES = 200;

let server: Awaited<ReturnType<typeof startPrivate>>;
let market: Market;
let requester: Party;

beforeAll(async () => {
  server = await startPrivate("nats");
  market = await Market.start({ AWARDS_BY_TIER: "100,100,100,100,1000", FLEET_NATS_URL: server.url });
  requester = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 100_000 }, requester);
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(market.alarms()).toEqual([]);
  await market.stop();
  await server.stop();
});

const post = async (more: object = {}): Promise<string> =>
  (await market.ok("POST", "/tasks", { ...ORDER, task_type: TYPE, ...more }, requester)).id;

interface Event {
  readonly event: string;
  readonly data: { readonly how?: string };
}

/** How a task came back from its workers, in order. */
async function returnsOf(id: string): Promise<readonly (string | undefined)[]> {
  const { items } = await market.ok("GET", `/tasks/${id}/events?limit=100`, undefined, requester);
  return items.filter(({ event }: Event) => event === "AwardReturned").map(({ data }: Event) => data.how);
}

/** Lets clients leave at every moment around the award, until one has left between award and answer; gives its worker and task. */
async function leaveTooSoon(
  idempotencyKey: string | undefined,
  won: (id: string, worker: Party) => Promise<boolean>,
): Promise<{ readonly worker: Party; readonly id: string }> {
  const id = await post({ pending_pool_hours: 2 });
  for (let tries = 0; tries < TRIES; tries += 1) {
    const worker = await market.register();
    await pullAndLeave(market.port, TYPE, tries % 20, { ...worker, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
    await sleep(50);
    if (await won(id, worker)) return { worker, id };
    // The client had it all before it left: it is this worker's, so another task is tried.
    if ((await market.task(id, requester)).awarded_to === worker.id) return leaveTooSoon(idempotencyKey, won);
  }
  throw new Error("no client has left between an award and its answer");
}

test("a client that leaves between award and answer gives the task back at once; another worker does it, and nobody is worse off", async () => {
  const { worker, id } = await leaveTooSoon(undefined, async (task) => (await returnsOf(task)).length > 0);
  expect(await returnsOf(id)).toEqual(["UNDELIVERED"]);
  expect(await market.task(id, requester)).toMatchObject({ awarded_to: null, auto_retries_left: 3 });
  expect(await market.ok("GET", "/account/reputation", undefined, worker)).toMatchObject({ reputation: 0, tasks_failed: 0 });
  const other = await market.register();
  const { tasks } = await market.ok("POST", "/work/pull", { task_types: [TYPE], wait_ms: 20_000 }, other);
  expect(tasks).toMatchObject([{ id }]);
  await market.submit(id, other, GOOD);
  await market.until(id, requester, "SETTLED");
});

test("with a key it may ask again and has the task for good; if it does not ask, the task is given back", async () => {
  const isHeld = async (id: string, worker: Party) => {
    const { status, awarded_to: to } = await market.task(id, requester);
    return status === "AWARDED" && to === worker.id;
  };
  // Whether the answer was flushed or not: it is asked for again, so it stays.
  const [kept, left] = [randomUUID(), randomUUID()];
  const first = await leaveTooSoon(kept, isHeld);
  const options = { ...first.worker, idempotencyKey: kept };
  const { tasks } = await market.ok("POST", "/work/pull", { task_types: [TYPE], wait_ms: 0 }, options);
  expect(tasks).toMatchObject([{ id: first.id }]);
  await sleep(REPEAT_MS);
  expect(await market.task(first.id, requester)).toMatchObject({ status: "AWARDED", awarded_to: first.worker.id });
  await market.submit(first.id, first.worker, GOOD);
  await market.until(first.id, requester, "SETTLED");

  for (let tries = 0; tries < 20; tries += 1) {
    const { worker, id } = await leaveTooSoon(`${left}${tries}`, isHeld);
    await sleep(REPEAT_MS);
    if ((await returnsOf(id)).join() === "UNDELIVERED") {
      expect((await market.call("POST", `/tasks/${id}/submit`, { result_data: GOOD }, worker)).status).toBe(403);
      return;
    }
  }
  throw new Error("no client with a key has left between an award and its answer");
});

test("what an answer has brought stays with its worker, though it asks again and leaves before it has that answer", async () => {
  const [worker, idempotencyKey] = [await market.register(), randomUUID()];
  const id = await post({ task_type: "json_extraction" });
  const options = { ...worker, idempotencyKey };
  const { tasks } = await market.ok("POST", "/work/pull", { task_types: ["json_extraction"], wait_ms: 20_000 }, options);
  expect(tasks).toMatchObject([{ id }]);
  for (let tries = 0; tries < 40; tries += 1) await pullAndLeave(market.port, "json_extraction", tries % 8, options);
  await sleep(REPEAT_MS);
  expect([await returnsOf(id), await market.task(id, requester)]).toMatchObject([[], { awarded_to: worker.id }]);
  await market.submit(id, worker, GOOD);
});

test("what a fleet's pull wins while its server is away goes to others, at once or when a key could not be used any more", async () => {
  // One for each worker, so that what the first gives back is not won by the second.
  const types = ["data_transformation", "text_generation"];
  const [one, other] = [await market.register(), await market.register()];
  const fleets = await Promise.all([one, other].map((party) => Fleet.connect(server.url, party, { reconnect: false })));
  const asked = fleets.map((fleet, n) => {
    const body = { task_types: types.slice(n, n + 1), max_tasks: 1, wait_ms: 5_000 };
    return fleet.ask("work.pull", body, n === 0 ? {} : { idempotencyKey: randomUUID() }).catch(() => undefined);
  });
  const areWaiting = async () => {
    const ask = (type: string) => market.ok("POST", "/tasks/validate", { ...ORDER, task_type: type }, requester);
    const looks = await Promise.all(types.map(ask));
    return looks.every((look) => look.workers_online > 0) ? true : undefined;
  };
  await eventually(areWaiting, "both to wait");
  await server.kill();
  await Promise.all(asked);
  const ids = await Promise.all(types.map((type) => post({ task_type: type, pending_pool_hours: 2 })));
  const areReturned = async () => {
    const returns = await Promise.all(ids.map(returnsOf));
    return returns.every((one) => one.includes("UNDELIVERED")) ? true : undefined;
  };
  await eventually(areReturned, "both to be given back");
  await server.start();
  const body = { task_types: types, max_tasks: 2, wait_ms: 5_000 };
  const { tasks } = await market.ok("POST", "/work/pull", body, await market.register());
  expect(tasks.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
});

test("several types share the room of an answer, so that whatever is awarded is told", async () => {
  const input = "x".repeat(10_000);
  const types = ["translation", "text_classification", "text_generation"];
  const ids: string[] = [];
  for (const type of types) for (let n = 0; n < 20; n += 1) ids.push(await post({ task_type: type, input_data: input }));
  const worker = await market.register();
  const got: string[] = [];
  let pulls = 0;
  for (; got.length < ids.length && pulls < 20; pulls += 1) {
    const { tasks } = await market.ok("POST", "/work/pull", { task_types: types, max_tasks: 100, wait_ms: 5_000 }, worker);
    expect(Buffer.byteLength(JSON.stringify(tasks))).toBeLessThan(524_288 + 1_024);
    got.push(...tasks.map(({ id }: { id: string }) => id));
    const [row] =
      await market.database`select count(*)::int as awarded from tasks where worker = ${worker.id} and status = 'AWARDED'`;
    expect(row?.["awarded"]).toBe(got.length);
  }
  expect(got.toSorted()).toEqual(ids.toSorted());
  // All of them are more than one answer holds.
  expect(pulls).toBeGreaterThan(1);
});
