/** The event stream (contract: SSE). */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";
import { Listener } from "../support/stream.ts";

const TOKEN = "operators-secret-of-this-test";

let market: Market;
const listeners: Listener[] = [];
beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN: TOKEN });
});
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});
afterAll(() => market.stop());

async function listen(party: Party, query = "", headers: Record<string, string> = {}): Promise<Listener> {
  const listener = new Listener(market.port, `/events/stream${query}`, party.key, headers);
  listeners.push(listener);
  await eventually(async () => (listener.status === 200 && listener.comments > 0 ? true : undefined), "the stream to open");
  return listener;
}

const heard = (listener: Listener, task: string, types: readonly string[]) =>
  eventually(
    async () => (types.every((type) => listener.about(task).includes(type)) ? true : undefined),
    `${types.join(", ")} of ${task}`,
  );

test("tells workers of new tasks, the winner of its award, the requester of the end, and nobody of what is not theirs", async () => {
  const [ann, bob, cyd] = [await market.register(), await market.register(), await market.register()];
  const [anns, bobs, cyds] = [await listen(ann), await listen(bob), await listen(cyd)];
  const task = await market.post(ann);
  await Promise.all([heard(bobs, task, ["task.new"]), heard(cyds, task, ["task.new"])]);
  expect(bobs.events.find(({ task: { id } }) => id === task)?.task).toMatchObject({ input_data: null, awarded_to: null });
  await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 5 }, bob);
  await heard(bobs, task, ["task.awarded"]);
  await market.submit(task, bob, GOOD);
  await heard(anns, task, ["task.terminal"]);
  expect(anns.events.find(({ type }) => type === "task.terminal")?.task).toMatchObject({ status: "SETTLED", result_data: GOOD });
  expect(anns.about(task)).toEqual(["task.terminal"]);
  expect(bobs.about(task)).toEqual(["task.new", "task.awarded"]);
  expect(cyds.about(task)).toEqual(["task.new"]);
});

test("topics and types choose; a stream is presence, so that a standing price is asked", async () => {
  const [ann, bob] = [await market.register(), await market.register()];
  await market.ok("POST", "/capabilities", { task_type: "analysis", price: 6 }, bob);
  const bobs = await listen(bob, "?topics=task.new,task.awarded&task_type=analysis");
  const only = await listen(bob, "?topics=task.awarded");
  const other = await market.post(ann);
  const task = await market.post(ann, { task_type: "analysis" });
  await heard(bobs, task, ["task.awarded"]);
  await heard(only, task, ["task.awarded"]);
  expect(only.about(task)).toEqual(["task.awarded"]);
  expect(bobs.about(other)).toEqual([]);
});

test("goes on after the last event that was heard", async () => {
  const [ann, bob] = [await market.register(), await market.register()];
  const before = await listen(ann, "?topics=task.terminal");
  const first = await market.post(ann);
  await market.ok("DELETE", `/tasks/${first}`, undefined, ann);
  await heard(before, first, ["task.terminal"]);
  const last = before.events.at(-1)?.id ?? "";
  before.close();
  const missed = await market.post(ann);
  await market.ok("DELETE", `/tasks/${missed}`, undefined, ann);
  const after = await listen(ann, "?topics=task.terminal", { "Last-Event-ID": last });
  await heard(after, missed, ["task.terminal"]);
  // Of the moment of its last event everything is told again; of later ones, and to others, nothing.
  const later = await listen(ann, "?topics=task.terminal", { "Last-Event-ID": String(Number(after.events.at(-1)?.id) + 1) });
  expect([later.about(first), later.about(missed)]).toEqual([[], []]);
  expect((await listen(bob, "?topics=task.terminal", { "Last-Event-ID": last })).events).toEqual([]);
});

test("ends when its key is rotated, when it is recovered, and when its account is frozen", async () => {
  const [ann, bob, cyd, dan] = [
    await market.register(),
    await market.register(),
    await market.register(),
    await market.register(),
  ];
  const [anns, bobs, cyds, dans] = [await listen(ann), await listen(bob), await listen(cyd), await listen(dan)];
  let ended: readonly Listener[] = [];
  for (const listener of [anns, bobs, cyds, dans]) void listener.ended.then(() => (ended = [...ended, listener]));
  const { api_key: key } = await market.ok("POST", "/auth/rotate-key", undefined, ann);
  await anns.ended;
  await market.ok("POST", "/auth/recover", { email: bob.email });
  const code = await eventually(async () => /"recovery_code":"(\d{6})"/.exec(market.log())?.[1], "the code in the log");
  await market.ok("POST", "/auth/verify-recover", { email: bob.email, code });
  await bobs.ended;
  const headers = { "X-Admin-Token": TOKEN };
  await market.ok("POST", `/admin/accounts/${cyd.id}/freeze`, { reason: "abuse" }, { headers });
  await cyds.ended;
  expect(ended).toEqual([anns, bobs, cyds]);
  // The others, and who has the new key, go on.
  const again = await listen({ ...ann, key });
  const task = await market.post(await market.register());
  await Promise.all([heard(again, task, ["task.new"]), heard(dans, task, ["task.new"])]);
  expect((await market.call("GET", "/events/stream", undefined, cyd)).status).toBe(403);
});

test("refuses what it cannot do, and ends when the platform stops", async () => {
  const ann = await market.register();
  const wrong = await market.call("GET", "/events/stream?topics=task.old", undefined, ann);
  expect([wrong.status, wrong.body.errors[0].field]).toEqual([422, "topics"]);
  const rubbish = await market.call("GET", "/events/stream", undefined, { ...ann, headers: { "Last-Event-ID": "x" } });
  expect(rubbish.status).toBe(422);
  for (let n = 0; n < 10; n += 1) await listen(ann);
  const eleventh = await market.call("GET", "/events/stream", undefined, ann);
  expect([eleventh.status, eleventh.body.code]).toEqual([429, "TOO_MANY_STREAMS"]);
  listeners[0]?.close();
  await eventually(async () => {
    const again = new Listener(market.port, "/events/stream", ann.key);
    await eventually(async () => (again.status === 0 ? undefined : true), "an answer");
    listeners.push(again);
    return again.status === 200 ? true : undefined;
  }, "the place of the one that was closed");
  const stopped = market.halt("SIGTERM");
  await Promise.all(listeners.map(({ ended }) => ended));
  expect(new Set(await stopped)).toEqual(new Set([0]));
  await market.restart();
});
