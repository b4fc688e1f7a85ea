/** Who comes back to a stream has lost nothing: of awards and ends, over HTTP, through restarts, with every id there ever was. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";
import { Listener, type StreamEvent } from "../support/stream.ts";

const MISSED = 300;
/** For tests that start processes, or make hundreds of requests (ms). */
const LONG_MS = 180_000;
const ORIGIN = "https://page.example";
const SHIFTED = new URL("../support/shifted-clock.mjs", import.meta.url);

let market: Market;
const listeners: Listener[] = [];
beforeAll(async () => {
  market = await Market.start({ CORS_ORIGINS: ORIGIN });
});
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});
afterAll(() => market.stop());

async function listen(key: string, query = "", headers: Record<string, string> = {}): Promise<Listener> {
  const listener = new Listener(market.port, `/events/stream${query}`, key, headers);
  listeners.push(listener);
  await eventually(async () => (listener.status !== 0 ? true : undefined), "an answer");
  if (listener.status === 200) await eventually(async () => (listener.lastId !== "" ? true : undefined), "the stream to open");
  return listener;
}

/** Waits until a listener has heard this many events. */
const heard = (listener: Listener, count: number) =>
  eventually(async () => (listener.events.length >= count ? listener.events : undefined), `${count} events`);

/** An account with plenty of credits. */
async function requester(): Promise<Party> {
  const party = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, party);
  return party;
}

async function cancelled(requester: Party): Promise<string> {
  const task = await market.post(requester, { budget: 5 });
  await market.ok("DELETE", `/tasks/${task}`, undefined, requester);
  return task;
}

const tasksOf = (events: readonly StreamEvent[]) => events.map(({ task }) => task.id);
const ids = (events: readonly StreamEvent[]) => events.map(({ id }) => Number(id));
const ENDS = "?topics=task.terminal";

test(
  "300 ends while away are told in order, each once",
  async () => {
    const ann = await requester();
    const before = await listen(ann.key, ENDS);
    const first = await cancelled(ann);
    await heard(before, 1);
    before.close();
    const missed: string[] = [];
    for (let n = 0; n < MISSED; n += 20) missed.push(...(await Promise.all(Array.from({ length: 20 }, () => cancelled(ann)))));
    const after = await listen(ann.key, ENDS, { "Last-Event-ID": before.lastId });
    const events = await heard(after, MISSED);
    expect(events).toHaveLength(MISSED);
    expect(new Set(tasksOf(events))).toEqual(new Set(missed));
    expect(ids(events)).toEqual(ids(events).toSorted((a, b) => a - b));
    // From the middle on, what comes after that alone; in the query as in the header, which counts for more.
    const middle = events[149]?.id ?? "";
    const rest = events.slice(150).map(({ id }) => id);
    const byQuery = await listen(ann.key, `${ENDS}&last_event_id=${middle}`);
    const byBoth = await listen(ann.key, `${ENDS}&last_event_id=${events[298]?.id}`, { "Last-Event-ID": middle });
    for (const one of [byQuery, byBoth]) expect((await heard(one, 150)).map(({ id }) => id)).toEqual(rest);
    // From the beginning: all there ever was.
    const all = await heard(await listen(ann.key, ENDS, { "Last-Event-ID": "0" }), MISSED + 1);
    expect(tasksOf(all)[0]).toBe(first);
  },
  LONG_MS,
);

test(
  "a gateway that is killed costs no event, of a client neither that had not got one yet",
  async () => {
    const ann = await requester();
    const before = await listen(ann.key, ENDS);
    expect(before.events).toEqual([]);
    await market.halt("SIGKILL");
    await before.ended;
    await market.restart();
    const missed = [await cancelled(ann), await cancelled(ann)];
    expect(tasksOf(await heard(await listen(ann.key, ENDS, { "Last-Event-ID": before.lastId }), 2))).toEqual(missed);
  },
  LONG_MS,
);

test("an id of before, a time, begins with what was within ten seconds before it", async () => {
  const ann = await market.register();
  const task = await cancelled(ann);
  const since = (ms: number) => listen(ann.key, ENDS, { "Last-Event-ID": String(Date.now() + ms) });
  expect(tasksOf(await heard(await since(0), 1))).toEqual([task]);
  const later = await since(3_600_000);
  const next = await cancelled(ann);
  expect(tasksOf(await heard(later, 1))).toEqual([next]);
});

test("an award while away is told, by hand or by a posted price, delivered or not; one that is over is not", async () => {
  const [ann, bob] = [await requester(), await market.register()];
  const before = await listen(bob.key, "?topics=task.awarded");
  before.close();
  const held = await market.awarded(ann, bob);
  const delivered = await market.awarded(ann, bob);
  await market.submit(delivered, bob, GOOD);
  const lost = await market.awarded(ann, bob);
  for (let tries = 0; tries < 3; tries += 1) await market.submit(lost, bob, { company: 7 });
  const events = await heard(await listen(bob.key, "?topics=task.awarded", { "Last-Event-ID": before.lastId }), 2);
  expect(tasksOf(events)).toEqual([held, delivered]);
  expect(events[0]?.task).toMatchObject({ status: "AWARDED", awarded_to: bob.id });
});

test("an old task that ends late is told, and so is the award that it had", async () => {
  const [ann, bob] = [await requester(), await market.register()];
  const old = await market.awarded(ann, bob);
  for (let n = 0; n < 30; n += 1) await cancelled(ann);
  const anns = await listen(ann.key, ENDS);
  anns.close();
  await market.submit(old, bob, GOOD);
  await market.until(old, ann, "SETTLED");
  const events = await heard(await listen(ann.key, ENDS, { "Last-Event-ID": anns.lastId }), 1);
  expect(events.map(({ task: { id, status } }) => [id, status])).toEqual([[old, "SETTLED"]]);
});

test("events have names where that is asked for, and are otherwise as they were", async () => {
  const ann = await market.register();
  const [plain, named] = [await listen(ann.key, ENDS), await listen(ann.key, `${ENDS}&named=1`)];
  const task = await cancelled(ann);
  expect(await heard(plain, 1)).toMatchObject([{ type: "task.terminal", task: { id: task } }]);
  expect(plain.events[0]).not.toHaveProperty("name");
  expect(await heard(named, 1)).toMatchObject([{ name: "task.terminal", type: "task.terminal", task: { id: task } }]);
});

test.each(["x", "1e3", "-1", "1234567890123456"])("the id %j is refused, with the field that it came in", async (id) => {
  const ann = await market.register();
  const header = await market.call("GET", "/events/stream", undefined, { ...ann, headers: { "Last-Event-ID": id } });
  const query = await market.call("GET", `/events/stream?last_event_id=${id}`, undefined, ann);
  expect([header, query].map(({ status, body }) => [status, body.errors[0].field])).toEqual([
    [422, "Last-Event-ID"],
    [422, "last_event_id"],
  ]);
});

test(
  "a browser opens a stream with a ticket, from another origin and without a key, and reconnects after the minute",
  async () => {
    const ann = await market.register();
    const { ticket, opens_seconds, lasts_seconds } = await market.ok("POST", "/events/ticket", undefined, ann);
    expect([opens_seconds, lasts_seconds]).toEqual([60, 3_600]);
    const query = `${ENDS}&ticket=${encodeURIComponent(ticket)}`;
    const url = `http://127.0.0.1:${market.port}/api/v1/events/stream${query}`;
    const answer = await fetch(url, { headers: { Origin: ORIGIN } });
    expect([answer.status, ...["access-control-allow-origin", "cache-control"].map((name) => answer.headers.get(name))]).toEqual([
      200,
      ORIGIN,
      "no-store, no-transform",
    ]);
    await answer.body?.cancel();
    const before = await listen("", query);
    const first = await cancelled(ann);
    expect(tasksOf(await heard(before, 1))).toEqual([first]);
    expect(Math.floor(Number(before.lastId))).toBeGreaterThan(0);
    before.close();
    const missed = await cancelled(ann);
    // Two minutes later, at another process.
    await market.halt("SIGTERM");
    await market.restart({ NODE_OPTIONS: `--import ${SHIFTED.href}`, CLOCK_SHIFT_MS: "120000" });
    expect((await listen("", query)).status).toBe(401);
    expect((await listen("", query, { "Last-Event-ID": "0" })).status).toBe(401);
    const again = await listen("", query, { "Last-Event-ID": before.lastId });
    expect(tasksOf(await heard(again, 1))).toEqual([missed]);
    // With its key the stream ends, and the ticket is worth nothing more.
    const { api_key: key } = await market.ok("POST", "/auth/rotate-key", undefined, ann);
    await again.ended;
    expect((await listen("", query, { "Last-Event-ID": before.lastId })).status).toBe(401);
    // The number in the id is good for whom has the new key.
    expect(tasksOf(await heard(await listen(key, ENDS, { "Last-Event-ID": before.lastId }), 1))).toEqual([missed]);
    expect(market.log()).not.toContain(ticket);
  },
  LONG_MS,
);

test("a ticket opens the stream and nothing else", async () => {
  const ann = await market.register();
  const { ticket } = await market.ok("POST", "/events/ticket", undefined, ann);
  const other = await market.call("GET", `/tasks?ticket=${ticket}`, undefined, {});
  expect([other.status, other.body.code]).toEqual([401, "API_KEY_MISSING"]);
  const wrong = await market.call("GET", "/events/stream?ticket=x", undefined, {});
  expect([wrong.status, wrong.body.code]).toEqual([401, "TICKET_INVALID"]);
});
