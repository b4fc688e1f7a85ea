/** What is told of workers whose price stands, of how a task went wrong, and of a task that was created just now. */
import { describe, expect, test } from "vitest";
import { showHistory } from "../../gateway/show/history.ts";
import { mayBid, showCreated, showTask } from "../../gateway/show/task.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, STRANGER] = [person(1), person(2), person(4)];
const AT = 1_700_000_000_000;
const NOW = new Date(AT).toISOString();
const SPEC = order({ callbackUrl: "https://requester.example/hook", autoRetry: 1 });
const opened: readonly TaskFact[] = [
  { type: "Opened", task: TASK, requester: REQUESTER, marks: ["mail:a"], order: SPEC, offers: [], createdAt: AT, at: AT },
  { type: "RoutingStarted", until: AT + 3_000, at: AT },
];
const rowAfter = (facts: readonly TaskFact[]) => {
  const row = entity.row(
    TASK,
    facts.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(TASK)),
  );
  if (row === undefined) throw new Error("an opened task has a row");
  return { row, order: SPEC };
};

describe("a history", () => {
  const seen = (fact: TaskFact, who: typeof WORKER, operator = false) => {
    const viewer = { account: who, requester: REQUESTER, party: true, preference: "best", budget: 20, operator } as const;
    return showHistory({ items: [{ seq: 7, fact }], worker: WORKER, next: null }, viewer);
  };
  const declined: TaskFact = { type: "OfferDeclined", worker: WORKER, reason: { why: "NO_SLOT", slots: 2 }, at: AT };
  const shown = (by: string | null, event: string, data: object) => [{ seq: 7, event, at: NOW, by, data }];

  test("tells why a worker declined to that worker and to operators, and to nobody else", () => {
    const why = { reason: "NO_SLOT", detail: expect.stringContaining("2") };
    expect(seen(declined, WORKER)).toEqual(shown(WORKER, "OfferDeclined", why));
    expect(seen(declined, REQUESTER, true)).toEqual(shown(WORKER, "OfferDeclined", why));
    for (const other of [REQUESTER, STRANGER]) expect(seen(declined, other)).toEqual([]);
    const untold: TaskFact = { type: "OfferDeclined", worker: WORKER, at: AT };
    expect(seen(untold, WORKER)).toEqual(shown(WORKER, "OfferDeclined", {}));
  });

  test("tells nobody of a bid that came too late to be one", () => {
    const dropped: TaskFact = { type: "StandingBidDropped", worker: WORKER, at: AT };
    for (const who of [REQUESTER, WORKER, STRANGER]) expect(seen(dropped, who, true)).toEqual([]);
  });

  test.each<[TaskFact, string, object, object]>([
    [
      { type: "AwardFailed", code: "RULE_VIOLATION", at: AT },
      "platform",
      { awarded_to: WORKER, error_code: "RULE_VIOLATION" },
      { awarded_to: null, error_code: "RULE_VIOLATION" },
    ],
    [{ type: "Expired", reason: "for operators alone", at: AT }, "platform", {}, {}],
    [{ type: "Cancelled", at: AT }, REQUESTER, {}, {}],
    [{ type: "PoolEntered", until: AT, at: AT }, "platform", { until: NOW }, { until: NOW }],
  ])("tells its parties, and a stranger less, of $type", (fact, by, data, toStranger) => {
    expect(seen(fact, REQUESTER)).toEqual(shown(by, fact.type, data));
    const cost = fact.type === "AwardFailed" ? { reputation_change: -2 } : {};
    expect(seen(fact, WORKER)).toEqual(shown(by, fact.type, { ...data, ...cost }));
    expect(seen(fact, STRANGER)).toEqual(shown(by, fact.type, toStranger));
  });
});

test("what was created just now is shown as it is read a moment later", () => {
  expect(showCreated(TASK, REQUESTER, SPEC, { id: TASK, createdAt: AT })).toEqual(showTask(rowAfter(opened), REQUESTER));
});

test("a worker may bid on what takes bids, if nothing is known that keeps it from that", () => {
  const registered: AccountFact = {
    ...{ type: "Registered", account: WORKER, email: "w", source: null, keyHash: "k", grant: credits(0), at: AT },
  };
  const marked: AccountFact = { type: "Marked", marks: ["mail:a"], kin: [], at: AT };
  const worker = (...facts: readonly AccountFact[]) => {
    const row = account.row(
      WORKER,
      facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(WORKER)),
    );
    if (row === undefined) throw new Error("a registered account has a row");
    return row;
  };
  const cancelled: TaskFact = { type: "Cancelled", at: AT };
  expect(mayBid(rowAfter(opened), worker(registered))).toBe(true);
  expect(mayBid(rowAfter(opened), worker(registered, marked))).toBe(false);
  expect(mayBid(rowAfter([...opened, cancelled]), worker(registered))).toBe(false);
});
