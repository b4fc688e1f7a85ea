/** The audit of slots: each is for an award or a bid by a posted price, or becomes one or is freed by a message in flight. */
import { beforeEach, describe, expect, test } from "vitest";
import { auditBooks, type PendingMessage, type StoredHistory } from "../../machines/audit/books.ts";
import type { StoredFact } from "../../machines/fact.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, order, person, STANDING, World } from "../support/world.ts";

const [WORKER, OTHER] = [person(2), person(3)];
const AT = 1_000_000;
/** Tasks of one requester: awarded by bid, open with a bid by posted price, open without, and done. */
const [AWARDED, OFFERED, OPEN, DONE] = [taskId(id(101)), taskId(id(102)), taskId(id(103)), taskId(id(104))];

type Histories = { readonly [kind in "account" | "task"]: readonly StoredHistory[] };
let sound: Histories;

beforeEach(async () => {
  const world = new World();
  await world.host.start();
  for (const n of [1, 2, 3]) await world.answer(world.register(n, 100));
  const price = credits(10);
  const own = { id: id(70), taskType: "json_extraction", description: "", tags: [], createdAt: AT };
  const capability = { ...own, price, available: true, concurrency: 2 };
  await world.answer(world.ask("account", OTHER, { type: "registerCapability", capability }));
  for (const task of [AWARDED, OPEN, DONE]) await world.answer(world.post(1, task));
  for (const task of [AWARDED, DONE]) await world.answer(world.bid(2, task, 12, [WORKER]));
  await world.answer(world.submit(2, DONE, true));
  const offers = [{ worker: OTHER, bid: id(80) }];
  const offered = { type: "hold", task: OFFERED, order: order({ quality: "cheapest" }), offers, fresh: true } as const;
  await world.answer(world.ask("account", person(1), offered));
  await world.settle();
  sound = { account: await all(world, "account"), task: await all(world, "task") };
});

async function all(world: World, kind: "account" | "task"): Promise<readonly StoredHistory[]> {
  const found: StoredHistory[] = [];
  for await (const history of world.journal.books().actors(kind)) found.push({ ...history, facts: await listed(history) });
  return found;
}

async function listed({ facts }: StoredHistory): Promise<readonly StoredFact[]> {
  const found: StoredFact[] = [];
  for await (const fact of facts) found.push(fact);
  return found;
}

const factsOf = ({ facts }: StoredHistory) => (Array.isArray(facts) ? (facts as readonly StoredFact[]) : []);

/** What is wrong with the slots when these messages are in flight. */
async function wrong(histories: Histories, ...inFlight: readonly (readonly [string, CarriedCommand])[]) {
  const messages = inFlight.map(([receiver, command], n): PendingMessage => ({ id: id(900 + n), receiver, command, dead: null }));
  const findings = await auditBooks({
    async *actors(kind) {
      if (kind !== "batch") yield* histories[kind];
    },
    ledger: async () => ({ transfers: 0, entries: 0, unbalanced: [], total: 0, transit: 0 }),
    pending: async () => messages,
  });
  return findings.find(({ promise }) => promise.includes("slots"))?.wrong;
}

/** With other facts of one actor, numbered anew. */
function changed(kind: keyof Histories, of: string, change: (facts: readonly StoredFact[]) => readonly StoredFact[]): Histories {
  const histories = sound[kind].map((history) =>
    history.id === of ? { ...history, facts: change(factsOf(history)).map((fact, n) => ({ ...fact, seq: n + 1 })) } : history,
  );
  return { ...sound, [kind]: histories };
}

/** The worker has a slot for one more task. */
const withSlot = (task: typeof OPEN, asked?: true) =>
  changed("account", WORKER, (facts) => {
    const taken = { type: "OfferTaken", task, bid: id(81), capability: "", price: credits(12), standing: STANDING, at: AT };
    const body = asked === undefined ? taken : { ...taken, asked };
    return [...facts, { seq: 0, type: "OfferTaken", version: 1, body, at: AT }];
  });
const withoutSlots = () => changed("account", WORKER, (facts) => facts.filter(({ type }) => type !== "OfferTaken"));
const yes = (worker: typeof WORKER): CarriedCommand => ({
  ...{ type: "standingBid", bid: id(81), worker, credits: credits(12), standing: STANDING, asked: true },
});
const freed = (task: typeof OPEN): CarriedCommand => ({ type: "freed", task, bid: id(81) });

test("slots of awards and of bids by posted prices are as they should be; a task that is done has none", async () => {
  const slots = sound.account.flatMap((history) => factsOf(history).filter(({ type }) => type === "OfferTaken"));
  expect(slots.map(({ body }) => (body as { readonly task: string }).task).sort()).toEqual([AWARDED, OFFERED, DONE].sort());
  expect(await wrong(sound)).toEqual([]);
});

describe("an award", () => {
  const noSlot = [expect.stringMatching(`task ${AWARDED} is awarded to ${WORKER}, which has no slot`)];

  test("without its slot is found, whatever is in flight", async () => {
    expect(await wrong(withoutSlots())).toEqual(noSlot);
    expect(await wrong(withoutSlots(), [WORKER, freed(AWARDED)])).toEqual(noSlot);
  });

  test("that came without one, from before awards had slots, is none the worse for it", async () => {
    const tasks = changed("task", AWARDED, (facts) =>
      facts.map((fact) => (fact.type === "Awarded" ? { ...fact, body: { ...(fact.body as object), slot: undefined } } : fact)),
    );
    expect(await wrong({ ...withoutSlots(), task: tasks.task })).toEqual([]);
  });
});

describe("a slot", () => {
  test.each([
    ["a task that is open", OPEN, "ROUTING"],
    ["a task that has ended", DONE, "SETTLED"],
  ])("for %s is found, unless its yes or its end is in flight for this task and this worker", async (_name, task, status) => {
    const stray = [expect.stringMatching(`account ${WORKER} reserves a slot for task ${task}, which is ${status}`)];
    const state = withSlot(task);
    expect(await wrong(state)).toEqual(stray);
    expect(await wrong(state, [task, yes(WORKER)])).toEqual([]);
    expect(await wrong(state, [WORKER, freed(task)])).toEqual([]);
    const fail = { type: "fail", task, taskType: "json_extraction", outcome: "TIMED_OUT" } as const;
    expect(await wrong(state, [WORKER, fail])).toEqual([]);
    expect(await wrong(state, [task, yes(OTHER)])).toEqual(stray);
    expect(await wrong(state, [AWARDED, yes(WORKER)])).toEqual(stray);
    expect(await wrong(state, [OTHER, freed(task)])).toEqual(stray);
    expect(await wrong(state, [WORKER, freed(AWARDED)])).toEqual(stray);
  });

  test("for an open task with somebody else's bid by posted price, or award, is found", async () => {
    expect(await wrong(withSlot(OFFERED))).toEqual([expect.stringMatching(`account ${WORKER} .*, which is ROUTING`)]);
    const other = changed("account", OTHER, (facts) => {
      const taken = { type: "OfferTaken", task: AWARDED, bid: id(82), capability: "", price: 12, standing: STANDING, at: AT };
      return [...facts, { seq: 0, type: "OfferTaken", version: 1, body: taken, at: AT }];
    });
    expect(await wrong(other)).toEqual([expect.stringMatching(`account ${OTHER} .*, which is AWARDED`)]);
  });

  test("is for a bid by posted price only while the task is open, and not for a bid by hand", async () => {
    const more = (of: string, type: string, body: object) =>
      changed("task", of, (facts) => [...facts, { seq: 0, type, version: 1, body: { type, ...body, at: AT }, at: AT }]).task;
    const cancelled = more(OFFERED, "Cancelled", {});
    expect(await wrong({ ...sound, task: cancelled })).toEqual([
      expect.stringMatching(`account ${OTHER} .*, which is CANCELLED`),
    ]);
    const bid = { id: id(81), worker: WORKER, credits: credits(12), quality: 0.5 };
    const byHand = more(OPEN, "BidPlaced", { bid });
    expect(await wrong({ ...withSlot(OPEN), task: byHand })).toEqual([expect.stringMatching(`account ${WORKER} .*${OPEN}`)]);
  });

  test("may outlast the right result until its worker is paid, and be gone before the task hears of that", async () => {
    const completed = changed("task", DONE, (facts) => facts.filter(({ type }) => type !== "Settled"));
    expect(await wrong(completed)).toEqual([]);
    const unpaid = changed("account", WORKER, (facts) => facts.filter(({ type }) => type !== "Earned"));
    expect(await wrong({ ...unpaid, task: completed.task })).toEqual([]);
    expect(await wrong(unpaid)).toEqual([expect.stringMatching(`${DONE}, which is SETTLED`)]);
  });

  test("for something that is no task is found", async () => {
    const nothing = taskId(id(199));
    expect(await wrong(withSlot(nothing))).toEqual([`account ${WORKER} reserves a slot for ${nothing}, which is no task`]);
  });
});
