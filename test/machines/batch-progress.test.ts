/** What a batch tells of itself: how far it is, a page of its items, what it waits for; and what it makes of late messages. */
import { describe, expect, test } from "vitest";
import { batch as entity } from "../../machines/batch/index.ts";
import { olderReply, readReply } from "../../machines/incoming.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const [REQUESTER, OTHER] = [person(1), person(2)];
const BATCH = id(50);
const AT = 1_000_000;
const DAY_MS = 86_400_000;
type Command = Parameters<typeof entity.decide>[1];

const open = (count: number, atOnce = 2): Command => ({
  ...{ type: "openBatch", requester: REQUESTER, request: id(8), template: order(), atOnce, perMinute: 60 },
  items: Array.from({ length: count }, (_, n) => ({ task: taskId(id(100 + n)), inputData: `${n}` })),
});
const turns = (count: number): Command => ({ type: "turns", count });
const ended = (item: number, status: "SETTLED" | "EXPIRED" | "CANCELLED"): Command => ({ type: "itemEnded", item, status });
const refused = (item: number, code: "INSUFFICIENT_CREDITS" | "ACCOUNT_FROZEN" = "INSUFFICIENT_CREDITS"): Command => ({
  ...{ type: "itemRefused", item, code, detail: "None." },
});
const postponed = (item: number | null, reason: "pace" | "credits" | null, until: number | null = null): Command => ({
  ...{ type: "itemPostponed", item, reason, until },
});
const lived = (...commands: readonly Command[]) => new Life(entity, BATCH).through(commands.map((command) => [command, AT]));
/** What its requester is told after these commands. */
const shown = (commands: readonly Command[], page: object = {}, at = AT) =>
  lived(...commands).do({ type: "show", requester: REQUESTER, ...page }, at).decision.reply;
const statuses = (reply: unknown) => (reply as { items: { status: string }[] }).items.map(({ status }) => status);

describe("how far a batch is", () => {
  const COMMANDS = [open(6, 5), turns(9), ended(0, "SETTLED"), ended(1, "EXPIRED"), ended(2, "CANCELLED"), refused(3)];

  test("is told by the number of items of each status, which are listed with what kept them from opening", () => {
    const reply = shown(COMMANDS);
    expect(reply).toMatchObject({
      ...{ batch: BATCH, status: "RUNNING", total: 6, waiting: 0, open: 2, settled: 1, expired: 1, cancelled: 1, refused: 1 },
      ...{ waitsFor: null, nextAt: null, givesUpAt: null, next: null },
    });
    expect(statuses(reply)).toEqual(["SETTLED", "EXPIRED", "CANCELLED", "REFUSED", "OPEN", "OPEN"]);
    expect(reply).toMatchObject({
      items: [{ task: id(100), error: null }, {}, {}, { error: { code: "INSUFFICIENT_CREDITS", detail: "None." } }, {}, {}],
    });
    expect(readReply("batch", "show", reply)).toEqual(reply);
    const message = { to: { kind: "batch", id: BATCH }, command: { type: "show", requester: REQUESTER } } as const;
    expect(readReply("batch", "show", olderReply(message, reply))).toEqual(reply);
  });

  test.each([
    [{ from: 0, limit: 2 }, 2, 2],
    [{ from: 2, limit: 3 }, 3, 5],
    [{ from: 4, limit: 2 }, 2, null],
    [{ from: 5 }, 1, null],
    [{ from: 6, limit: 2 }, 0, null],
  ])("is told of the page %j, and where the next one begins", (page, count, next) => {
    const reply = shown(COMMANDS, page);
    expect([statuses(reply).length, reply]).toMatchObject([count, { next, total: 6 }]);
    expect(statuses(reply)).toEqual(statuses(shown(COMMANDS)).slice(page.from, page.from + count));
  });

  test("is nobody's business but the requester's", () => {
    expect(lived(open(1)).refuses({ type: "show", requester: OTHER }, AT).refused).toBe("BATCH_UNKNOWN");
    expect(lived().refuses({ type: "show", requester: REQUESTER }, AT).refused).toBe("BATCH_UNKNOWN");
  });
});

test.each<[string, readonly Command[], object]>([
  ["the pace, until it lets the next one open", [postponed(0, "pace", AT + 500)], { waitsFor: "pace", nextAt: AT + 500 }],
  ["credits, for a week", [postponed(0, "credits")], { waitsFor: "credits", givesUpAt: AT + 7 * DAY_MS }],
  ["its turn, for a week", [postponed(0, null)], { waitsFor: "turn", givesUpAt: AT + 7 * DAY_MS }],
  ["nothing once it is called", [postponed(0, "credits"), turns(1)], { waitsFor: null }],
  [
    "credits still, if others are before it as well",
    [postponed(0, "credits"), postponed(1, null)],
    { waitsFor: "credits", givesUpAt: AT + 7 * DAY_MS },
  ],
])("a batch waits for %s", (_what, commands, waits) => {
  expect(shown([open(3), ...commands])).toMatchObject({ nextAt: null, givesUpAt: null, ...waits });
});

test("a time to go on that is over is told as now", () => {
  expect(shown([open(3), postponed(0, "pace", AT + 500)], {}, AT + 900)).toMatchObject({ nextAt: AT + 900 });
});

describe("a batch", () => {
  test("opens once", () => {
    expect(lived(open(1)).tries(open(1), AT)).toBe("BATCH_EXISTS");
  });

  test("starts nothing where it has no room, and says when it is called that it wants more", () => {
    expect(lived(open(3, 1)).tries(turns(2), AT)).toBe("");
    const queued = lived(open(3, 2));
    expect(queued.do(turns(0), AT).facts).toMatchObject([{ type: "ItemsStarted", items: [], want: 1, called: true }]);
  });

  test("hears nothing more of an item that has ended, and nothing at all once it is done", () => {
    const running = lived(open(3, 2), turns(1), ended(0, "SETTLED"));
    for (const late of [ended(0, "EXPIRED"), refused(0), refused(0, "ACCOUNT_FROZEN"), postponed(0, "credits")]) {
      expect(running.tries(late, AT)).toBe("");
    }
    const done = lived(open(1), ended(0, "SETTLED"));
    for (const late of [turns(3), postponed(null, "credits"), ended(0, "SETTLED"), refused(0)]) {
      expect(done.tries(late, AT)).toBe("");
    }
  });

  test("of a frozen account refuses what waits, if anything does", () => {
    expect(lived(open(3)).tries(refused(0, "ACCOUNT_FROZEN"), AT)).toBe("ItemRefused+WaitingRefused");
    expect(lived(open(1)).tries(refused(0, "ACCOUNT_FROZEN"), AT)).toBe("ItemRefused");
    expect(lived(open(3)).tries(refused(0), AT)).toBe("ItemRefused+ItemsStarted");
  });

  test("takes no timer but its own, and that only while it waits for what may never come", () => {
    const week = AT + 7 * DAY_MS;
    const timer = (name: string): Command => ({ type: "timer", name, due: AT });
    const waits = lived(open(3), postponed(0, "credits"));
    expect(waits.tries(timer("patience"), week)).toBe("WaitingRefused");
    expect([waits.tries(timer("other"), week), waits.tries(timer("patience"), week - 1)]).toEqual(["TIMER_STALE", "TIMER_STALE"]);
    expect(lived(open(3)).tries(timer("patience"), week)).toBe("TIMER_STALE");
    expect(lived(open(3), postponed(0, "pace", week)).tries(timer("patience"), week)).toBe("TIMER_STALE");
    expect(waits.do(timer("patience"), week).facts).toMatchObject([
      { code: "INSUFFICIENT_CREDITS", detail: expect.stringContaining("waited 7 days") },
    ]);
  });

  test("stays in memory while it runs", () => {
    expect([lived(), lived(open(1)), lived(open(1), ended(0, "SETTLED"))].map(({ state }) => entity.finished(state))).toEqual([
      true,
      false,
      true,
    ]);
  });
});
