/** What the others may not see, in every answer that there is: words that only some may read are planted, and looked for everywhere. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, Market, type Party } from "../support/market.ts";
import { Receiver } from "../support/receiver.ts";
import { Listener } from "../support/stream.ts";

const INPUT = "words-of-the-input-behind-its-preview";
const CALLBACK = "path-of-the-callback";
const RESULT = "words-of-the-result";
type Stage = "open" | "awarded" | "rejected" | "settled";
const STAGES: readonly Stage[] = ["open", "awarded", "rejected", "settled"];

let market: Market;
let receiver: Receiver;
let paths: readonly string[];
let ann: Party;
let wes: Party;
let lou: Party;
let sid: Party;
let task: string;
let bids: { readonly wes: string; readonly lou: string };
const listeners = new Map<Party, Listener>();
/** What each of them could read at each stage, from every address there is. */
const read = new Map<string, string>();

const everyone = () => [ann, wes, lou, sid];

async function lookAround(stage: Stage): Promise<void> {
  for (const party of everyone()) {
    const answers = await Promise.all(paths.map((path) => market.client.call("GET", path, undefined, { key: party.key })));
    const text = answers.map(({ body }, n) => `${paths[n]} ${typeof body === "string" ? body : JSON.stringify(body)}`).join("\n");
    read.set(`${stage} ${party.id}`, text);
  }
}

beforeAll(async () => {
  receiver = await Receiver.start();
  market = await Market.start({ ALLOW_PRIVATE_CALLBACKS: "true", ROUTING_WINDOW_MS: "8000" });
  [ann, wes, lou, sid] = [await market.register(), await market.register(), await market.register(), await market.register()];
  const { paths: described } = (await market.call("GET", "//openapi.json")).body;
  for (const party of everyone()) {
    const listener = new Listener(market.port, "/events/stream", party.key);
    listeners.set(party, listener);
    // Who listens is there, so that no bid ends the window early.
    await eventually(async () => (listener.comments > 0 ? true : undefined), "the stream to open");
  }
  task = await market.post(ann, {
    input_data: `${"x".repeat(200)} ${INPUT}`,
    callback_url: receiver.url(`/${CALLBACK}`),
    quality_preference: "cheapest",
  });
  paths = Object.entries<Record<string, { security?: unknown[] }>>(described)
    .filter(([path, methods]) => methods["get"] !== undefined && !/stream|wait|github|oauth|admin/.test(path))
    .map(([path]) => `/${path}`.replace(/\{\w+\}/g, task));
  const bid = async (party: Party, bid_credits: number) =>
    (await market.ok("POST", `/tasks/${task}/bid`, { bid_credits }, party)).bid_id as string;
  bids = { lou: await bid(lou, 17), wes: await bid(wes, 9) };
  await lookAround("open");
  await market.until(task, ann, "AWARDED");
  await lookAround("awarded");
  await market.submit(task, wes, { company: 5, note: RESULT });
  await lookAround("rejected");
  await market.submit(task, wes, { company: RESULT });
  await market.until(task, ann, "SETTLED");
  await eventually(async () => (receiver.at(`/${CALLBACK}`).length > 0 ? true : undefined), "the webhook");
  await eventually(async () => (listeners.get(ann)?.about(task).includes("task.terminal") ? true : undefined), "the end");
  await lookAround("settled");
});
afterAll(async () => {
  for (const listener of listeners.values()) listener.close();
  await market.stop();
  await receiver.stop();
});

/** What each of them must never read. */
const hidden = (): readonly (readonly [string, Party, readonly string[]])[] => {
  const secretsOf = (...others: readonly Party[]) =>
    others.flatMap(({ key, email, webhookSecret }) => [key, email, webhookSecret]);
  return [
    ["the requester", ann, secretsOf(wes, lou, sid)],
    ["the worker", wes, [CALLBACK, lou.id, bids.lou, ...secretsOf(ann, lou, sid)]],
    ["who lost", lou, [CALLBACK, INPUT, RESULT, wes.id, bids.wes, ann.id, ...secretsOf(ann, wes, sid)]],
    ["a stranger", sid, [CALLBACK, INPUT, RESULT, wes.id, lou.id, bids.wes, bids.lou, ann.id, ...secretsOf(ann, wes, lou)]],
  ];
};

test("every list and every view was looked at, and shows what is for its reader", () => {
  expect(paths.length).toBeGreaterThan(12);
  const settled = (party: Party) => read.get(`settled ${party.id}`) ?? "";
  for (const word of [INPUT, CALLBACK, RESULT, wes.id, lou.id, bids.lou]) expect(settled(ann)).toContain(word);
  for (const word of [INPUT, RESULT, ann.id, bids.wes]) expect(settled(wes)).toContain(word);
  expect(read.get(`open ${lou.id}`)).toContain(task);
});

describe.each(STAGES)("when the task is %s", (stage) => {
  test.each([0, 1, 2, 3])("who stands around reads nothing that is not theirs, anywhere (%i)", (n) => {
    const [who, party, words] = hidden()[n] ?? ["", sid, []];
    const lines = (read.get(`${stage} ${party.id}`) ?? "").split("\n");
    expect(lines.length).toBeGreaterThan(12);
    const found = words.flatMap((word) =>
      lines.filter((line) => line.includes(word)).map((line) => `${who}: ${word} in ${line}`),
    );
    expect(found).toEqual([]);
  });
});

test("no stream tells anybody what is not theirs", () => {
  for (const [who, party, words] of hidden()) {
    const events = listeners.get(party)?.events ?? [];
    const text = JSON.stringify(events);
    expect([who, words.filter((word) => text.includes(word))]).toEqual([who, []]);
  }
  expect(listeners.get(wes)?.about(task)).toEqual(["task.new", "task.awarded"]);
  expect(listeners.get(sid)?.about(task)).toEqual(["task.new"]);
});

test("no refusal tells the loser, or a stranger, what the task is about or who has it", async () => {
  const attempts: readonly (readonly [string, string, unknown])[] = [
    ["POST", `/tasks/${task}/bid`, { bid_credits: 3 }],
    ["POST", `/tasks/${task}/start`, undefined],
    ["POST", `/tasks/${task}/submit`, { result_data: {} }],
    ["POST", `/tasks/${task}/rating`, { rating: 5 }],
    ["POST", `/tasks/${task}/deliveries`, undefined],
    ["DELETE", `/tasks/${task}`, undefined],
  ];
  for (const [who, party, words] of hidden().slice(1)) {
    for (const [method, path, body] of attempts) {
      const reply = await market.client.call(method, path, body, { key: party.key });
      expect([who, method, path, reply.status >= 400]).toEqual([who, method, path, true]);
      const text = JSON.stringify(reply.body);
      expect([who, path, words.filter((word) => text.includes(word))]).toEqual([who, path, []]);
    }
  }
});

test("the webhook tells its receiver of the task and its result, and of nobody", () => {
  const [received] = receiver.at(`/${CALLBACK}`);
  expect(JSON.parse(received?.raw ?? "{}")).toMatchObject({ task_id: task, status: "SETTLED", result_data: { company: RESULT } });
  const all = `${received?.raw} ${JSON.stringify(received?.headers)}`;
  for (const { id, key, email, webhookSecret } of everyone()) {
    for (const word of [id, key, email, webhookSecret]) expect(all).not.toContain(word);
  }
});

describe("rows of one millisecond", () => {
  let requester: Party;
  const posted: string[] = [];
  const AT = 1_900_000_000_000;
  beforeAll(async () => {
    requester = await market.register();
    await market.ok("POST", "/credits/topup", { amount_credits: 500 }, requester);
    for (let n = 0; n < 7; n += 1) posted.push(await market.post(requester, { task_type: "analysis" }));
    for (const id of posted) await market.until(id, requester, "PENDING_POOL");
    await market.database`update tasks set created_at = ${AT}, updated_at = ${AT} where id = any(${posted})`;
  });

  test.each([1, 2, 3, 6, 7])("are listed once each, in pages of %i", async (limit) => {
    const listed: string[] = [];
    for (let query: string | null = ""; query !== null; ) {
      const page: { items: { id: string }[]; next_cursor: string | null } = await market.ok(
        "GET",
        `/tasks?limit=${limit}${query}`,
        undefined,
        requester,
      );
      expect(page.items.length).toBeLessThanOrEqual(limit);
      listed.push(...page.items.map(({ id }) => id));
      query = page.next_cursor === null ? null : `&cursor=${encodeURIComponent(page.next_cursor)}`;
      expect(listed.length).toBeLessThan(20);
    }
    expect(listed).toEqual(posted.toSorted().toReversed());
  });

  test.each([1, 2, 3, 7])("are offered once each, in pages of %i", async (limit) => {
    const listed: string[] = [];
    for (let query: string | null = ""; query !== null; ) {
      const path = `/tasks/available?task_type=analysis&limit=${limit}${query}`;
      const reply = await market.call("GET", path, undefined, sid);
      listed.push(...reply.body.map(({ id }: { id: string }) => id));
      const [, cursor] = /cursor=([\w%-]+)>; rel="next"/.exec(String(reply.headers["link"] ?? "")) ?? [];
      query = cursor === undefined ? null : `&cursor=${cursor}`;
      expect(listed.length).toBeLessThan(20);
    }
    expect(listed).toEqual(posted.toSorted());
  });

  test.each([AT, AT + 1])("are told once each to a stream that begins, whatever it goes on after (%i)", async (last) => {
    const headers = { "Last-Event-ID": String(last) };
    const listener = new Listener(market.port, "/events/stream?task_type=analysis", lou.key, headers);
    await eventually(async () => (posted.every((id) => listener.about(id).length > 0) ? true : undefined), "all of them");
    const marker = await market.post(requester, { task_type: "analysis", input_data: randomUUID() });
    await eventually(async () => (listener.about(marker).length > 0 ? true : undefined), "the next one");
    expect(posted.map((id) => listener.about(id))).toEqual(posted.map(() => ["task.new"]));
    listener.close();
  });
});
