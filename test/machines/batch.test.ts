/** Batches and their account, as facts, commands and what they lead to. */
import { describe, expect, test } from "vitest";
import { RUNNING_BATCHES_MAX } from "../../machines/account/batches.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { CALL_MS, callsAt, nextCall, paceAllows, waitsFor, withOpened } from "../../machines/account/turns.ts";
import type { Opened } from "../../machines/account/waiting.ts";
import type { EntityKind } from "../../machines/address.ts";
import type { BatchFact } from "../../machines/batch/events.ts";
import { batch } from "../../machines/batch/index.ts";
import { WAIT_MAX_MS } from "../../machines/batch/machine.ts";
import type { Effect } from "../../machines/effect.ts";
import type { Entity } from "../../machines/entity.ts";
import type { AnyFact } from "../../machines/fact.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CommandOf, CommandType } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { credits, type Millis, taskId } from "../../machines/vocabulary.ts";
import { id, order, person } from "../support/world.ts";

const AT = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const ME = person(1);
const BATCH = id(50);
const OTHER = id(51);

/** What a command does to what these facts have led to: the facts or the refusal, their effects, and the state. */
function when<K extends EntityKind, T extends CommandType<K>, S, F extends AnyFact, V>(
  entity: Entity<K, S, F, V>,
  of: string,
  given: readonly F[],
  command: CommandOf<K, T>,
  at: Millis,
) {
  let state = given.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(of));
  // As after a crash: what a snapshot keeps is all that is known.
  state = entity.restore(of, JSON.parse(JSON.stringify(entity.persist(state, FORMATS[entity.kind]))));
  const decision = entity.decide(state, command, at, at);
  if (isRefusal(decision))
    return { facts: [] as readonly F[], refused: decision.refused, effects: [] as Effect[], state, reply: null };
  const effects: Effect[] = [...(decision.carry ?? [])];
  for (const fact of decision.facts) {
    const evolved = entity.evolve(state, fact);
    state = evolved.state;
    effects.push(...evolved.effects);
  }
  return { facts: decision.facts, refused: null, effects, state, reply: decision.reply };
}

const told = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.type === "tell" ? [effect.command] : []));
const timers = (effects: readonly Effect[]) => effects.filter(({ type }) => type !== "tell");

describe("the pace", () => {
  const noted = (times: readonly Millis[], perMinute = 60) =>
    times.reduce<readonly Opened[]>((opened, at) => withOpened(opened, perMinute, at), []);

  test("lets the 60th open at once and the 61st when the first is 60 s old, not a moment before", () => {
    const opened = noted([AT, ...Array.from({ length: 58 }, (_, n) => AT + 1 + n)]);
    expect(paceAllows(opened, 60, AT + 100)).toBe(AT + 100);
    const full = withOpened(opened, 60, AT + 100);
    expect(paceAllows(full, 60, AT + 100)).toBe(AT + MINUTE_MS);
    expect(paceAllows(full, 60, AT + MINUTE_MS - 1)).toBe(AT + MINUTE_MS);
    expect(paceAllows(full, 60, AT + MINUTE_MS)).toBe(AT + MINUTE_MS);
    expect(paceAllows(withOpened(full, 60, AT + MINUTE_MS), 60, AT + MINUTE_MS)).toBe(AT + MINUTE_MS + 1);
  });

  test("is none at 0, and a smaller one than before waits for as many as are too many", () => {
    const opened = noted([AT, AT + 1, AT + 2]);
    expect(paceAllows(opened, 0, AT + 3)).toBe(AT + 3);
    expect(paceAllows(opened, 1, AT + 3)).toBe(AT + 2 + MINUTE_MS);
  });

  test("counts what a clock that goes back a little has noted already, and not what one an hour ahead has", () => {
    expect(paceAllows(noted([AT + 500, AT]), 2, AT + 1)).toBe(AT + MINUTE_MS);
    expect(paceAllows(noted([AT + 3_600_000]), 1, AT)).toBe(AT);
  });

  test("is noted in few entries however high it is, never as earlier than it was", () => {
    const times = Array.from({ length: 5_000 }, (_, n) => AT + n * 36);
    const opened = noted(times, 100_000);
    expect(opened.length).toBeLessThanOrEqual((2 * MINUTE_MS) / 250 + 1);
    const last = times.at(-1) ?? 0;
    const true_ = times.filter((at) => at > last - MINUTE_MS).length;
    const count = opened.filter((one) => one.at > last - MINUTE_MS).reduce((sum, one) => sum + one.count, 0);
    expect(count).toBeGreaterThanOrEqual(true_);
  });
});

const registered = (grant: number): AccountFact[] => [
  { type: "Registered", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(grant), at: AT - 1 },
];
const item = (n: number, ask: { perMinute?: number; want?: number; called?: boolean } = {}, of = BATCH) =>
  ({
    type: "holdItem",
    task: taskId(id(100 + n)),
    order: order({ budget: credits(20), batch: { id: of, item: n } }),
    ask: { perMinute: 2, want: 0, called: false, ...ask },
  }) satisfies CommandOf<"account">;
const held = (n: number, at = AT, perMinute = 2): AccountFact => ({
  ...{ type: "Held", task: taskId(id(200 + n)), budget: credits(20), perMinute, at },
});
const waits = (of: string, want: number, more: object = {}): AccountFact => ({
  ...{ type: "BatchWaits", batch: of, item: null, want, budget: credits(20), perMinute: 2 },
  ...{ reason: "pace", until: AT + MINUTE_MS, at: AT },
  ...more,
});
const account_ = (given: readonly AccountFact[], command: CommandOf<"account">, at = AT) => when(account, ME, given, command, at);

describe("an account", () => {
  test("holds an item's budget and opens its task, counting it against the pace", () => {
    const { facts, effects } = account_(registered(50), item(0));
    expect(facts).toEqual([expect.objectContaining({ type: "Held", perMinute: 2 })]);
    expect(told(effects)).toEqual([expect.objectContaining({ type: "open" })]);
  });

  test("puts an item off for the pace, says until when, and sets its timer for that moment", () => {
    const { facts, effects } = account_([...registered(100), held(1), held(2, AT + 5)], item(0, { want: 3 }), AT + 6);
    expect(facts).toEqual([
      expect.objectContaining({ type: "BatchWaits", item: 0, want: 4, reason: "pace", until: AT + MINUTE_MS }),
    ]);
    expect(told(effects)).toEqual([{ type: "itemPostponed", item: 0, reason: "pace", until: AT + MINUTE_MS }]);
    expect(timers(effects)).toEqual([{ type: "remind", name: "turns", at: AT + MINUTE_MS }]);
  });

  test("tells a batch that may open more that it waits all the same: another of the account may take what is left", () => {
    const { facts, effects } = account_(registered(1_000), item(0, { want: 3 }));
    expect(facts).toEqual([
      expect.objectContaining({ type: "Held" }),
      expect.objectContaining({ type: "BatchWaits", item: null, want: 3, reason: null, until: null }),
    ]);
    expect(told(effects)).toContainEqual({ type: "itemPostponed", item: null, reason: null, until: null });
  });

  test.each([
    ["credits", registered(19)],
    ["suspension", [...registered(10), ...debt()]],
  ] as const)("puts one off for %s, and sets no timer for it", (reason, given) => {
    const { facts, effects } = account_(given, item(0), AT + 8 * 86_400_000);
    expect(facts).toEqual([expect.objectContaining({ type: "BatchWaits", item: 0, reason, until: null })]);
    expect(timers(effects)).toEqual([]);
  });

  test("lets the 10,000th task open and no more, neither asked for nor called", () => {
    const { state } = account_([...registered(1_000), waits(BATCH, 5, { perMinute: 0 })], { type: "batchEnded", batch: OTHER });
    const having = (openTasks: number) => ({ ...state.context, openTasks });
    const one = { budget: credits(20), perMinute: 0 };
    const waiting = [9_998, 9_999, 10_000].map((open) => waitsFor(having(open), null, one, AT));
    expect(waiting).toEqual([null, null, "open_tasks"]);
    const called = [9_996, 9_999, 10_000].map((open) => callsAt(having(open), null, AT).map(({ count }) => count));
    expect(called).toEqual([[4], [1], []]);
    expect([nextCall(having(9_999), AT), nextCall(having(10_000), AT)]).toEqual([AT, null]);
  });

  test("calls for as many as the credits cover soon after they come, at most four times a second", () => {
    const given = [...registered(10), waits(BATCH, 5, { reason: "credits", perMinute: 0, until: null })];
    const { effects, state } = account_(given, { type: "topUp", topup: id(9), amount: credits(35) });
    expect(timers(effects)).toEqual([{ type: "remind", name: "turns", at: AT }]);
    expect(callsAt(state.context, null, AT)).toEqual([{ batch: BATCH, count: 2 }]);
    const before: AccountFact = { type: "BatchesCalled", calls: [], at: AT - 100 };
    const again = account_([...given, before], { type: "topUp", topup: id(9), amount: credits(35) });
    expect(timers(again.effects)).toEqual([{ type: "remind", name: "turns", at: AT - 100 + CALL_MS }]);
    const few = account_(given, { type: "topUp", topup: id(9), amount: credits(9) });
    expect(few.effects).toEqual([]);
  });

  test("divides what the pace leaves, and those that were called are in the queue no more", () => {
    const given = [...registered(1_000), ...[BATCH, OTHER, id(52)].map((of) => waits(of, 50, { perMinute: 30 }))];
    const { facts, effects, state } = account_(given, { type: "timer", name: "turns", due: AT }, AT);
    expect(facts).toEqual([
      { type: "BatchesCalled", calls: [BATCH, OTHER, id(52)].map((of) => ({ batch: of, count: 10 })), at: AT },
    ]);
    expect(told(effects)).toEqual(Array.from({ length: 3 }, () => ({ type: "turns", count: 10 })));
    expect([state.context.waiting, timers(effects)]).toEqual([[], [{ type: "forget", name: "turns" }]]);
  });

  test("lets nobody pass those that wait, but the one that was called, and calls it at once if they cannot open", () => {
    const given = [...registered(1_000), held(1), waits(OTHER, 1)];
    expect(account_(given, item(0), AT + 1).facts).toEqual([expect.objectContaining({ type: "BatchWaits", reason: null })]);
    expect(account_(given, item(0, { called: true }), AT + 1).facts).toEqual([expect.objectContaining({ type: "Held" })]);
    expect(account_(given, item(0, {}, OTHER), AT + 1).facts).toEqual([expect.objectContaining({ type: "Held" })]);
    const dear = [...registered(30), waits(OTHER, 1, { budget: credits(40), reason: "credits", until: null })];
    const behind = account_(dear, item(0), AT + 1);
    expect(timers(behind.effects)).toEqual([{ type: "remind", name: "turns", at: AT + 1 }]);
    expect(callsAt(behind.state.context, null, AT + 1)).toEqual([{ batch: BATCH, count: 1 }]);
  });

  test("that is frozen refuses, and calls those that wait so that they hear it", () => {
    const given = [...registered(10), waits(BATCH, 5, { reason: "credits", until: null })];
    const { effects, state } = account_(given, { type: "freeze", reason: "abuse" });
    expect(timers(effects)).toEqual([{ type: "remind", name: "turns", at: AT }]);
    expect(callsAt(state.context, "frozen", AT)).toEqual([{ batch: BATCH, count: 1 }]);
    const frozen: AccountFact[] = [...registered(10), { type: "Frozen", reason: "abuse", at: AT }];
    expect(account_(frozen, item(0, { want: 4 })).facts).toEqual([
      expect.objectContaining({ type: "ItemHoldRefused", code: "ACCOUNT_FROZEN" }),
    ]);
  });

  test("puts an item off for credits that a version from before the pace asks for, and holds it to no pace", () => {
    const { ask: _, ...before } = item(0);
    expect(account_(registered(19), before).facts).toEqual([
      expect.objectContaining({ type: "BatchWaits", item: 0, want: 1, reason: "credits" }),
    ]);
    expect(account_([...registered(100), held(1), held(2)], before).facts).toEqual([expect.objectContaining({ type: "Held" })]);
  });

  test("runs 20 batches and no more, and tells each what it is to open", () => {
    const what = { batch: BATCH, request: id(8), template: order(), items: [], atOnce: 1, perMinute: 60 };
    const start = { type: "startBatch", ...what, fresh: true } as const;
    const running = (count: number): AccountFact[] =>
      Array.from({ length: count }, (_, n) => ({ type: "BatchStarted", batch: id(60 + n), request: id(60 + n), at: AT }));
    const last = account_([...registered(0), ...running(RUNNING_BATCHES_MAX - 1)], start);
    expect([last.reply, told(last.effects)]).toEqual([
      { batch: BATCH, request: id(8) },
      [expect.objectContaining({ type: "openBatch", requester: ME, perMinute: 60 })],
    ]);
    const full = [...registered(0), ...running(RUNNING_BATCHES_MAX)];
    expect(account_(full, start).refused).toBe("TOO_MANY_BATCHES");
    expect(account_([...full, { type: "BatchEnded", batch: id(60), at: AT }], start).refused).toBeNull();
    expect(account_([...registered(0), { type: "Frozen", at: AT }], start).refused).toBe("ACCOUNT_FROZEN");
    expect(account_(full, { type: "batchEnded", batch: id(99) }).facts).toEqual([]);
  });

  test("reads holds and snapshots of before: they count against no pace, and nothing waits", () => {
    const { perMinute: _, ...before } = held(1) as Extract<AccountFact, { type: "Held" }>;
    const state = [...registered(50), before].reduce((s, fact) => account.evolve(s, fact).state, account.initial(ME));
    expect(state.context.opened).toEqual([]);
    const { value, context } = account.persist(state, 1) as { value: string; context: Record<string, unknown> };
    const { opened: _o, waiting: _w, batches: _b, calledAt: _c, ...old } = context;
    expect(account.restore(ME, { value, context: old }).context).toEqual(state.context);
  });
});

/** A debt that is too old. */
function debt(): AccountFact[] {
  return [
    { type: "Adjusted", adjustment: id(8), amount: credits(-60), reason: "fraud", at: AT },
    { type: "Suspended", at: AT + 7 * 86_400_000 },
  ];
}

const items = (count: number) => Array.from({ length: count }, (_, n) => ({ task: taskId(id(100 + n)), inputData: `${n}` }));
const opening = (count: number, atOnce: number): BatchFact[] => [
  { type: "BatchOpened", requester: ME, request: BATCH, template: order(), items: items(count), atOnce, perMinute: 60, at: AT },
];
const batch_ = (given: readonly BatchFact[], command: CommandOf<"batch">, at = AT) => when(batch, BATCH, given, command, at);
const first: BatchFact = { type: "ItemsStarted", items: [0], want: 3, called: false, at: AT };
const postponed: BatchFact = { type: "ItemPostponed", item: 0, reason: "credits", until: null, at: AT };

describe("a batch", () => {
  test("asks for one item and says how many more it wants, then waits to be called", () => {
    const open = {
      type: "openBatch",
      requester: ME,
      request: BATCH,
      template: order(),
      items: items(10),
      atOnce: 4,
      perMinute: 60,
    } as const;
    const { facts, effects, state } = batch_([], open);
    expect(facts[1]).toEqual({ type: "ItemsStarted", items: [0], want: 3, called: false, at: AT });
    expect(told(effects)).toEqual([
      expect.objectContaining({ type: "holdItem", ask: { perMinute: 60, want: 3, called: false } }),
    ]);
    expect(state.context.queued).toBe(true);
  });

  test("opens as many as it is called for, as far as it has room, and says again what it still wants", () => {
    const { effects } = batch_([...opening(10, 4), first], { type: "turns", count: 2 });
    expect(told(effects)).toEqual([
      expect.objectContaining({ ask: { perMinute: 60, want: 0, called: true } }),
      expect.objectContaining({ ask: { perMinute: 60, want: 1, called: true } }),
    ]);
    const all = batch_([...opening(10, 4), first], { type: "turns", count: 9 });
    expect(all.facts).toEqual([expect.objectContaining({ items: [1, 2, 3], want: 0 })]);
    expect(all.state.context.queued).toBe(false);
  });

  test("starts nothing when one ends while it waits, and the next one when it does not", () => {
    const ended = { type: "itemEnded", item: 0, status: "SETTLED" } as const;
    const two: BatchFact = { ...first, items: [0, 1], want: 2 };
    expect(batch_([...opening(10, 4), two], ended).facts.map(({ type }) => type)).toEqual(["ItemEnded"]);
    const free: BatchFact = { ...first, want: 0 };
    expect(batch_([...opening(10, 1), free], ended).facts.map(({ type }) => type)).toEqual(["ItemEnded", "ItemsStarted"]);
  });

  test("asks for the next one with none open, though it waits: an account of a version before would never call", () => {
    const ended = { type: "itemEnded", item: 0, status: "SETTLED" } as const;
    expect(batch_([...opening(10, 4), first], ended).facts).toEqual([
      expect.objectContaining({ type: "ItemEnded" }),
      expect.objectContaining({ type: "ItemsStarted", items: [1], want: 3, called: false }),
    ]);
    const refused = { type: "itemRefused", item: 0, code: "INSUFFICIENT_CREDITS", detail: "None." } as const;
    expect(batch_([...opening(10, 4), first], refused).facts[1]).toMatchObject({ type: "ItemsStarted", items: [1] });
  });

  test("waits as long behind other batches, which may leave nothing and say nothing", () => {
    const given = [...opening(2, 2), { ...first, want: 1 }];
    const { effects, state } = batch_(given, { type: "itemPostponed", item: 0, reason: null, until: null });
    expect(state.context.waits).toEqual({ reason: "turn", until: null, since: AT });
    expect(timers(effects)).toEqual([{ type: "remind", name: "patience", at: AT + WAIT_MAX_MS }]);
    const timer = { type: "timer", name: "patience", due: AT + WAIT_MAX_MS } as const;
    const behind = { ...postponed, reason: null };
    expect(batch_([...given, behind], timer, AT + WAIT_MAX_MS - 1).refused).toBe("TIMER_STALE");
    expect(batch_([...given, behind], timer, AT + WAIT_MAX_MS).state.value).toBe("DONE");
  });

  test("waits for credits 7 days and not a moment less, then refuses what waits and ends", () => {
    const given = [...opening(2, 2), { ...first, want: 1 }];
    const { effects } = batch_(given, { type: "itemPostponed", item: 0, reason: "credits", until: null });
    expect(timers(effects)).toEqual([{ type: "remind", name: "patience", at: AT + WAIT_MAX_MS }]);
    const timer = { type: "timer", name: "patience", due: AT + WAIT_MAX_MS } as const;
    expect(batch_([...given, postponed], timer, AT + WAIT_MAX_MS - 1).refused).toBe("TIMER_STALE");
    const end = batch_([...given, postponed], timer, AT + WAIT_MAX_MS);
    expect(end.facts).toEqual([expect.objectContaining({ type: "WaitingRefused", code: "INSUFFICIENT_CREDITS" })]);
    expect(end.state.value).toBe("DONE");
    expect(told(end.effects)).toEqual([{ type: "batchEnded", batch: BATCH }]);
    expect(timers(end.effects)).toEqual([{ type: "forget", name: "patience" }]);
  });

  test("that waits for the pace has no end to wait for, and one that is called waits no more", () => {
    const given = [...opening(2, 2), { ...first, want: 1 }];
    const paced = batch_(given, { type: "itemPostponed", item: 0, reason: "pace", until: AT + 9 });
    expect(timers(paced.effects)).toEqual([]);
    const called = batch_([...given, postponed], { type: "turns", count: 2 });
    expect(timers(called.effects)).toEqual([{ type: "forget", name: "patience" }]);
    expect(called.state.context.waits).toBeNull();
  });

  test("of a frozen account refuses all that wait with the first", () => {
    const refused = { type: "itemRefused", item: 0, code: "ACCOUNT_FROZEN", detail: "Frozen." } as const;
    const { facts, state } = batch_([...opening(5, 2), first], refused);
    expect(facts.map(({ type }) => type)).toEqual(["ItemRefused", "WaitingRefused"]);
    expect(state.value).toBe("DONE");
  });

  test("takes no word of others that wait once it has asked for the last of them, and so leaves no timer behind", () => {
    const given: BatchFact[] = [...opening(2, 2), { type: "ItemsStarted", items: [0, 1], want: 0, called: true, at: AT }];
    const late = { type: "itemPostponed", item: null, reason: null, until: null } as const;
    expect(batch_(given, late)).toMatchObject({ facts: [], effects: [] });
    expect(timers(batch_([...opening(2, 2), { ...first, items: [0], want: 1 }], late).effects)).toEqual([
      { type: "remind", name: "patience", at: AT + 7 * 86_400_000 },
    ]);
  });

  test("hears nothing of items that are not open", () => {
    const done: BatchFact = { type: "ItemEnded", item: 0, status: "SETTLED", at: AT };
    const late = { type: "itemPostponed", item: 0, reason: "pace", until: AT } as const;
    expect(batch_([...opening(5, 2), first, done], late).facts).toEqual([]);
    expect(batch_([...opening(1, 1), { ...first, want: 0 }, done], { type: "turns", count: 3 }).facts).toEqual([]);
  });

  test("that was opened before there was a pace replays, goes on without one, and its snapshot loads", () => {
    const [{ perMinute: _p, ...opened }] = opening(3, 2) as [Extract<BatchFact, { type: "BatchOpened" }>];
    const given: BatchFact[] = [opened, { type: "ItemsStarted", items: [0, 1], at: AT }];
    const { facts, effects } = batch_(given, { type: "itemEnded", item: 1, status: "EXPIRED" });
    expect(facts[1]).toMatchObject({ type: "ItemsStarted", items: [2], want: 0 });
    expect(told(effects)).toEqual([expect.objectContaining({ ask: { perMinute: 0, want: 0, called: false } })]);
    const state = given.reduce((before, fact) => batch.evolve(before, fact).state, batch.initial(BATCH));
    const { perMinute: _m, queued: _q, waits: _w, ...old } = state.context;
    expect(batch.restore(BATCH, { value: "RUNNING", context: old }).context).toEqual(state.context);
  });
});
