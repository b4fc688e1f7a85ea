/** The checks of the books: sound ones pass, and each thing that may be wrong with them is found, and nothing else is. */
import { beforeEach, describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { debtFloor } from "../../machines/account/power.ts";
import { auditBooks, type LedgerTotals, type PendingMessage, type StoredHistory } from "../../machines/audit/books.ts";
import { entitiesUnder } from "../../machines/entities.ts";
import type { StoredFact } from "../../machines/fact.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, order, person, World } from "../support/world.ts";

interface Stored {
  readonly accounts: readonly StoredHistory[];
  readonly tasks: readonly StoredHistory[];
  readonly totals: LedgerTotals;
  readonly messages: readonly PendingMessage[];
}
type Change = (stored: Stored) => Stored;

const [REQUESTER, WORKER, NEWCOMER] = [person(1), person(2), person(9)];
const AT = 1_000_000;
/** Tasks of one requester: done and paid, still open, and cancelled. */
const [DONE, OPEN, CANCELLED] = [taskId(id(101)), taskId(id(102)), taskId(id(103))];
/** One that two verified workers failed, so that it cost them nothing. */
const UNSOLVED = taskId(id(104));
const OTHER = person(4);

let sound: Stored;
beforeEach(async () => {
  const world = new World();
  world.entities = entitiesUnder({ ...MARKET_RULES, provenSettlements: 0 });
  world.host = world.makeHost();
  await world.host.start();
  for (const n of [1, 2]) await world.answer(world.register(n, n === 1 ? 100 : 50));
  await world.answer(world.post(1, DONE, { callbackUrl: "https://example.com/hook" }));
  await world.answer(world.bid(2, DONE, 12, [WORKER]));
  await world.answer(world.submit(2, DONE, true));
  await world.settle();
  await world.answer(world.post(1, OPEN));
  await world.answer(world.post(1, CANCELLED));
  await world.answer(world.ask("task", CANCELLED, { type: "cancel", requester: REQUESTER }));
  await world.settle();
  for (const n of [3, 4, 5]) await world.answer(world.register(n));
  await world.answer(world.post(5, UNSOLVED));
  for (const n of [3, 4]) {
    const github = { id: `${n}`, login: `p${n}`, score: 1, token: "t" };
    await world.answer(world.ask("account", person(n), { type: "linkGitHub", github }));
    await world.answer(world.bid(n, UNSOLVED, 12, [person(n)]));
    for (let tries = 0; tries < 3; tries += 1) await world.answer(world.submit(n, UNSOLVED, false));
  }
  await world.settle();
  const books = world.journal.books();
  const all = async (kind: "account" | "task") => {
    const found: StoredHistory[] = [];
    for await (const history of books.actors(kind)) found.push({ ...history, facts: await factsOf(history) });
    return found;
  };
  sound = {
    accounts: await all("account"),
    tasks: await all("task"),
    totals: await books.ledger(),
    messages: await books.pending(),
  };
});

async function factsOf({ facts }: StoredHistory): Promise<readonly StoredFact[]> {
  const found: StoredFact[] = [];
  for await (const fact of facts) found.push(fact);
  return found;
}

async function audit({ accounts, tasks, totals, messages }: Stored) {
  return auditBooks({
    async *actors(kind) {
      yield* kind === "account" ? accounts : kind === "task" ? tasks : [];
    },
    ledger: async () => totals,
    pending: async () => messages,
    honeypots: async () => ({ taken: new Map([["2026-01-31", 30]]), isHouse: (one) => one === NEWCOMER }),
  });
}
/** What is found wrong. */
const wrong = async (stored: Stored) => (await audit(stored)).flatMap((finding) => finding.wrong);

const facts = (history: StoredHistory) => history.facts as readonly StoredFact[];
const changed = (histories: readonly StoredHistory[], of: string, changes: (history: StoredHistory) => Partial<StoredHistory>) =>
  histories.map((history) => (history.id === of ? { ...history, ...changes(history) } : history));
const withAccount =
  (of: string, changes: (history: StoredHistory) => Partial<StoredHistory>): Change =>
  (stored) => ({ ...stored, accounts: changed(stored.accounts, of, changes) });
const withTask =
  (of: string, changes: (history: StoredHistory) => Partial<StoredHistory>): Change =>
  (stored) => ({ ...stored, tasks: changed(stored.tasks, of, changes) });
const withTotals =
  (changes: Partial<LedgerTotals>): Change =>
  (stored) => ({ ...stored, totals: { ...stored.totals, ...changes } });
const withMessage =
  (receiver: string, command: CarriedCommand, dead: string | null = null): Change =>
  (stored) => ({ ...stored, messages: [...stored.messages, { id: id(900), receiver, command, dead }] });
const both =
  (...changes: readonly Change[]): Change =>
  (stored) =>
    changes.reduce((before, change) => change(before), stored);

/** The facts without those of a type about a task; numbered anew. */
const without = (history: StoredHistory, type: string, about?: string) =>
  facts(history)
    .filter((fact) => fact.type !== type || (about !== undefined && !JSON.stringify(fact.body).includes(about)))
    .map((fact, n) => ({ ...fact, seq: n + 1 }));
const balances = (available: number, held: number) => ({ row: { available, held }, ledger: { available, held } });
/** An account of its own facts, whose row and ledger say the same. */
const newcomer = (own: readonly AccountFact[], [available, held]: readonly [number, number]): Change => {
  const stored = own.map((fact, n) => ({ seq: n + 1, type: fact.type, version: 1, body: fact, at: fact.at }));
  const history = { id: NEWCOMER, facts: stored, snapshot: null, timers: [], ...balances(available, held) };
  return (before) => ({ ...before, accounts: [...before.accounts, history] });
};
const registered: AccountFact = {
  ...{ type: "Registered", account: NEWCOMER, email: "e", source: null, keyHash: "k", grant: credits(50), at: AT },
};
const FLOOR = debtFloor(account.evolve(account.initial(NEWCOMER), registered).state.context, AT);

const work = { taskType: "json_extraction", firstTry: true, durationMs: 1, allowedMs: 2 } as const;
const earn: CarriedCommand = {
  ...{ type: "earn", task: DONE, requester: REQUESTER, requesterIdentity: REQUESTER, payout: credits(12) },
  ...work,
};
const settle: CarriedCommand = {
  ...{ type: "settle", task: OPEN, budget: credits(20), payout: credits(12), fee: credits(1), refund: credits(7) },
  ...{ worker: WORKER, workerIdentity: WORKER },
  ...work,
};
const settled: CarriedCommand = { type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) };
const release: CarriedCommand = { type: "release", task: CANCELLED, budget: credits(20) };
const open = (task: typeof DONE): CarriedCommand => ({
  ...{ type: "open", task, requester: NEWCOMER, marks: [], order: order(), offers: [], createdAt: AT },
});

const adjusted = { type: "Adjusted", adjustment: id(6), amount: credits(40), reason: "honeypot", at: AT } as const;

test("sound books pass, and each guarantee has been checked", async () => {
  const findings = await audit(sound);
  expect(findings.flatMap((finding) => finding.wrong)).toEqual([]);
  const checked = Object.fromEntries(findings.map((finding) => [finding.promise.slice(0, 9), finding.checked]));
  // Every transfer, the sum of all, and transit; two accounts twice and their snapshots; and so on.
  expect(checked).toMatchObject({ "1 every t": sound.totals.transfers + 2, "4 availab": 4 });
  expect(findings.filter((finding) => finding.checked === 0)).toEqual([]);
});

describe("what honeypots mint", () => {
  const got = (amount: number, day = "2026-01-31") => ({
    ...adjusted,
    adjustment: `${day} ${id(7)}`,
    amount: credits(amount),
  });
  const house = (...own: readonly ReturnType<typeof got>[]): Change =>
    newcomer([registered, ...own], [50 + own.reduce((sum, { amount }) => sum + amount, 0), 0]);
  const mint = (...all: Parameters<typeof got>[]) => house(...all.map((one) => got(...one)));
  const stranger: Change = (stored) => ({
    ...stored,
    accounts: stored.accounts.map((history) => (history.id === NEWCOMER ? { ...history, id: person(8) } : history)),
  });
  test.each<[string, Change, readonly RegExp[]]>([
    ["all of what was taken out of the day's budget", mint([10], [20]), []],
    ["more than that", mint([10], [21]), [/31 NC on 2026-01-31, and 30 NC were taken/]],
    ["on a day whose budget nothing was taken of", mint([1, "2026-02-01"]), [/1 NC on 2026-02-01, and 0 NC/]],
    ["for an account that is not of the house", both(mint([10]), stranger), [/is not of the house/]],
    ["by an operator, whatever the reason says", both(house({ ...adjusted, adjustment: id(7) }), stranger), []],
  ])("%s", async (_, change, found) => {
    const sentences = await wrong(change(sound));
    expect(sentences).toEqual(found.map((pattern) => expect.stringMatching(pattern)));
  });

  test("the house is nobody's counterparty", async () => {
    const earned: AccountFact = { ...work, type: "Earned", task: DONE, requester: NEWCOMER, payout: credits(0), at: AT };
    const history = newcomer([registered, earned], [50, 0]);
    expect(await wrong(both(history, stranger)(sound))).toContainEqual(expect.stringContaining("of the house, and somebody's"));
    const known: AccountFact = { ...earned, honeypot: { passed: true, due: AT } };
    const counted = await wrong(both(newcomer([registered, known], [50, 0]), stranger)(sound));
    expect(counted.filter((sentence) => sentence.includes("of the house"))).toEqual([]);
  });
});

describe("the ledger", () => {
  test.each<[string, Change, readonly RegExp[]]>([
    ["a transfer that does not sum to 0", withTotals({ unbalanced: ["t1"] }), [/transfer t1 /]],
    ["a ledger that does not", withTotals({ total: 1 }), [/sum to 1 NC/]],
    ["credits in transit that nobody is to get", withTotals({ transit: 12 }), [/transit is 12 NC, and 0 NC/]],
    ["and none, while somebody is to get them", withMessage(WORKER, earn), [/transit is 0 NC, and 12 NC/]],
    ["no more than what is in flight", both(withTotals({ transit: 12 }), withMessage(WORKER, earn)), []],
    ["no payment of another kind is in flight", withMessage(REQUESTER, settle), []],
  ])("%s", async (_about, change, found) => {
    expect(await wrong(change(sound))).toEqual(found.map((one) => expect.stringMatching(one)));
  });
});

describe("an account", () => {
  const saved = (available: number, held: number) =>
    withAccount(REQUESTER, (history) => {
      let state = account.initial(REQUESTER);
      for (const fact of facts(history)) state = account.evolve(state, account.upcast(fact)).state;
      const { value, context } = account.persist(state, 1) as { value: unknown; context: object };
      return { snapshot: { seq: facts(history).length, state: { value, context: { ...context, available, held } } } };
    });
  const hold = (budget: number): AccountFact => ({ type: "Held", task: DONE, budget: credits(budget), at: AT });

  test.each<[string, Change, readonly RegExp[]]>([
    ["whose row has another balance", withAccount(REQUESTER, () => ({ row: { available: 1, held: 20 } })), [/the row says/]],
    ["whose row holds another sum", withAccount(REQUESTER, () => ({ row: { available: 67, held: 1 } })), [/the row says/]],
    ["that has no row", withAccount(REQUESTER, () => ({ row: null })), [/the row says null/]],
    ["whose entries have another sum", withAccount(REQUESTER, () => ({ ledger: { available: 1, held: 20 } })), [/the ledger/]],
    ["whose entries hold another sum", withAccount(REQUESTER, () => ({ ledger: { available: 67, held: 1 } })), [/the ledger/]],
    ["that has no entries", withAccount(WORKER, () => ({ ledger: null })), [/the ledger says null/]],
    ["whose snapshot is right", saved(67, 20), []],
    ["whose snapshot has another balance", saved(1, 20), [/its snapshot/]],
    ["whose snapshot holds another sum", saved(67, 1), [/its snapshot/]],
    [
      "of whose journal a fact is missing",
      withAccount(WORKER, (history) => ({ facts: facts(history).map((fact) => ({ ...fact, seq: fact.seq + 1 })) })),
      [/has no fact 1, but 2/, /has no fact 2, but 3/, /has no fact 3, but 4/],
    ],
    [
      "that was paid twice",
      both(
        withAccount(WORKER, (history) => ({
          facts: [...facts(history), { ...(facts(history).at(-1) as StoredFact), seq: facts(history).length + 1 }],
          ...balances(74, 0),
        })),
      ),
      [/was paid twice/],
    ],
  ])("%s", async (_about, change, found) => {
    expect(await wrong(change(sound))).toEqual(found.map((one) => expect.stringMatching(one)));
  });

  test("may hold down to its credit line, and not one credit below it", async () => {
    const held = (budget: number): Change =>
      both(newcomer([registered, hold(budget)], [50 - budget, budget]), withMessage(DONE, open(DONE)));
    const line = 50 - FLOOR;
    const below = async (budget: number) => (await wrong(held(budget)(sound))).filter((one) => one.includes("after its fact"));
    expect(await below(line)).toEqual([]);
    expect(await below(line + 1)).toEqual([expect.stringContaining(`had ${FLOOR - 1} NC after its fact 2`)]);
  });

  test("may hold down to the line that it can use by the terms of that hold, whatever its rating gives", async () => {
    const identity = { requires: "identity", multiple: 10, holdMs: 5 } as const;
    const earned = (n: number): AccountFact => ({
      ...{ type: "Earned", task: taskId(id(700 + n)), requester: person(20 + n), payout: credits(0), at: AT },
      ...work,
    });
    const paid: AccountFact = {
      ...{ type: "PaymentChanged", payment: "p", change: 1, amount: credits(3), customer: null, at: AT },
      after: { bought: 3, refunded: 0, disputes: {}, paidAt: AT },
    };
    const known = [registered, paid, ...Array.from({ length: 10 }, (_, n) => earned(n))];
    const below = async (budget: number, later: number, terms: object) => {
      const held: AccountFact = { ...hold(budget), ...terms, at: AT + later };
      const change = newcomer([...known, held], [53 - budget, budget]);
      const found = await wrong(both(change, withMessage(DONE, open(DONE)))(sound));
      return found.filter((one) => one.includes("after its fact"));
    };
    expect(await below(5_053, 5, {})).toEqual([]);
    expect(await below(5_054, 5, {})).toEqual([expect.stringContaining("had -5001 NC after its fact 13")]);
    expect(await below(83, 5, { terms: identity })).toEqual([]);
    expect(await below(84, 5, { terms: identity })).toEqual([expect.stringContaining("had -31 NC after its fact 13")]);
    expect(await below(83, 4, { terms: identity })).toEqual([expect.stringContaining("had -30 NC after its fact 13")]);
  });

  const unopened = newcomer([registered, { ...hold(20), task: taskId(id(150)) } as AccountFact], [30, 20]);
  const taken = (of: typeof DONE): Change =>
    newcomer(
      [
        registered,
        {
          ...{ type: "OfferTaken", task: of, bid: id(51), capability: id(70), price: credits(5), at: AT },
          standing: { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5 },
        },
      ],
      [50, 0],
    );
  test.each<[string, Change, readonly RegExp[]]>([
    ["that holds for a task that is not there", unopened, [/holds 20 NC for .*, which is no open task/]],
    ["unless that is to be opened", both(unopened, withMessage(id(150), open(taskId(id(150))))), []],
    ["that keeps a slot for a task that has ended", taken(CANCELLED), [/reserves a slot/]],
    ["unless it is to be freed", both(taken(CANCELLED), withMessage(NEWCOMER, { type: "freed", task: CANCELLED })), []],
    ["but not for another task", both(taken(CANCELLED), withMessage(NEWCOMER, { type: "freed", task: OPEN })), [/reserves/]],
  ])("%s", async (_about, change, found) => {
    expect(await wrong(change(sound))).toEqual(found.map((one) => expect.stringMatching(one)));
  });
});

describe("a task", () => {
  const notHeld = withAccount(REQUESTER, (history) => ({ facts: without(history, "Held", OPEN), ...balances(87, 0) }));
  const notReleased = withAccount(REQUESTER, (history) => ({ facts: without(history, "Released"), ...balances(47, 40) }));
  const notPaid = withAccount(WORKER, (history) => ({ facts: without(history, "Earned"), ...balances(50, 0) }));
  const notTold = withTask(DONE, (history) => ({
    facts: without({ ...history, facts: without(history, "WebhookAttempted") }, "Settled"),
    row: { status: "COMPLETED" },
  }));
  const notSent = withTask(DONE, (history) => ({ facts: without(history, "WebhookAttempted") }));
  const opened = (changes: (body: { readonly order: object }) => object) =>
    withTask(OPEN, (history) => ({
      facts: facts(history).map((fact) =>
        fact.type === "Opened"
          ? { ...fact, body: { ...(fact.body as object), ...changes(fact.body as { order: object }) } }
          : fact,
      ),
    }));

  test.each<[string, Change, readonly RegExp[]]>([
    ["whose row has another status", withTask(OPEN, () => ({ row: { status: "SETTLED" } })), [/its row says/]],
    ["that has no row", withTask(OPEN, () => ({ row: null })), [/its row says null/]],
    ["for which nothing is held", notHeld, [/nothing is held for it/]],
    ["for which another sum is held", opened(({ order }) => ({ order: { ...order, budget: 21 } })), [/holds 20 NC .* at 21 NC/]],
    ["for which another account holds", opened(() => ({ requester: WORKER })), [/holds 20 NC/]],
    ["that has ended and is held for", notReleased, [/holds 20 NC for .*, which is CANCELLED/]],
    ["unless the hold is to be released", both(notReleased, withMessage(REQUESTER, release)), []],
    ["whose worker is not paid", notPaid, [/its worker was not paid/, /reserves a slot for .*, which is SETTLED/]],
    ["unless the payment is in flight", both(notPaid, withMessage(WORKER, earn), withTotals({ transit: 12 })), []],
    ["that is divided and does not hear of it", notTold, [/nothing is held for it/, /nothing will move it on/]],
    ["unless it is to be told", both(notTold, withMessage(DONE, settled)), []],
    ["that is open and has neither timer nor message", withTask(OPEN, () => ({ timers: [] })), [/nothing will move it on/]],
    [
      "unless it is to be divided",
      both(
        withTask(OPEN, () => ({ timers: [] })),
        withMessage(REQUESTER, settle),
      ),
      [],
    ],
    ["whose webhook was not sent", notSent, [/its webhook was neither sent nor will be/]],
    [
      "unless it will be",
      both(
        notSent,
        withTask(DONE, () => ({ timers: ["webhook"] })),
      ),
      [],
    ],
    [
      "for which another timer does not do",
      both(
        notSent,
        withTask(DONE, () => ({ timers: ["pool"] })),
      ),
      [/its webhook/],
    ],
  ])("%s", async (_about, change, found) => {
    expect(await wrong(change(sound))).toEqual(found.map((one) => expect.stringMatching(one)));
  });
});

describe("a penalty that is taken back", () => {
  const twice = (history: StoredHistory) => {
    const all = facts(history);
    const excused = all.filter(({ type }) => type === "Excused");
    return [...all, ...excused].map((fact, n) => ({ ...fact, seq: n + 1 }));
  };
  const excuse: CarriedCommand = {
    ...{ type: "excuse", task: UNSOLVED, taskType: "json_extraction" },
    ...{ outcome: "FAILED_VALIDATION", reason: "UNSOLVED", requesterIdentity: person(5) },
  };
  const lost = withAccount(OTHER, (history) => ({ facts: without(history, "Excused") }));

  test.each<[string, Change, readonly RegExp[]]>([
    ["twice", withAccount(OTHER, (history) => ({ facts: twice(history) })), [/was taken back twice, or there was none/]],
    [
      "of no failure",
      withAccount(OTHER, (history) => ({ facts: without(history, "Failed") })),
      [/reserves a slot/, /twice, or there was none/],
    ],
    ["nowhere, though the end of the task says so", lost, [/whose penalty was not taken back/]],
    ["on its way", both(lost, withMessage(OTHER, excuse)), []],
    [
      "without an end that says so",
      withTask(UNSOLVED, (history) => ({
        facts: facts(history).map((fact) => (fact.type === "Expired" ? { ...fact, body: { type: "Expired", at: AT } } : fact)),
      })),
      [/no end of a task says why/, /no end of a task says why/],
    ],
  ])("%s", async (_, change, told) => {
    const found = await wrong(change(sound));
    expect(found).toEqual(told.map((pattern) => expect.stringMatching(pattern)));
  });
});

test("a message that was refused for good is told", async () => {
  expect(await wrong(withMessage(REQUESTER, release, "there is no hold")(sound))).toEqual([
    expect.stringMatching(/message .* was refused: there is no hold/),
  ]);
});
