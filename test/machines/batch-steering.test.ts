/** A batch that is paused, resumed and cancelled: what it asks of its account, and what it makes of messages that come late. */
import { describe, expect, test } from "vitest";
import { batch as entity } from "../../machines/batch/index.ts";
import { WAIT_MAX_MS } from "../../machines/batch/machine.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const [REQUESTER, OTHER] = [person(1), person(2)];
const BATCH = id(50);
const AT = 1_000_000;
type Command = Parameters<typeof entity.decide>[1];

const task = (item: number) => taskId(id(100 + item));
const open = (count: number, atOnce = 2): Command => ({
  ...{ type: "openBatch", requester: REQUESTER, request: id(8), template: order(), atOnce, perMinute: 60 },
  items: Array.from({ length: count }, (_, n) => ({ task: task(n), inputData: `${n}` })),
});
const turns = (count: number): Command => ({ type: "turns", count });
const ended = (item: number): Command => ({ type: "itemEnded", item, status: "SETTLED" });
const refused = (item: number): Command => ({ type: "itemRefused", item, code: "ACCOUNT_FROZEN", detail: "Frozen." });
const postponed = (item: number | null): Command => ({ type: "itemPostponed", item, reason: "credits", until: null });
const steer = (type: "pause" | "resume" | "cancel", requester = REQUESTER): Command => ({ type, requester });
const [pause, resume, cancel] = [steer("pause"), steer("resume"), steer("cancel")];
const queueLeft: Command = { type: "queueLeft" };
const patience: Command = { type: "timer", name: "patience", due: AT };

const lived = (...commands: readonly Command[]) => new Life(entity, BATCH).through(commands.map((command) => [command, AT]));
const shown = (life: ReturnType<typeof lived>) => life.fork().do({ type: "show", requester: REQUESTER }, AT).decision.reply;
const leaving = tell("account", REQUESTER, { type: "leaveQueue", batch: BATCH });
const cancelling = (...items: readonly number[]) =>
  tell("account", REQUESTER, { type: "batchCancelled", batch: BATCH, tasks: items.map(task) });

const STATES = {
  RUNNING: lived(open(3)),
  PAUSED: lived(open(3), pause, queueLeft),
  CANCELLING: lived(open(3), cancel),
  DONE: lived(open(1), ended(0)),
  CANCELLED: lived(open(1), postponed(0), cancel),
} as const;

test.each([
  ["RUNNING", { pause: "BatchPaused", resume: "", cancel: "BatchCancelled" }],
  ["PAUSED", { pause: "", resume: "BatchResumed+ItemsStarted", cancel: "BatchCancelled" }],
  ["CANCELLING", { pause: "BATCH_ENDED", resume: "BATCH_ENDED", cancel: "" }],
  ["CANCELLED", { pause: "BATCH_ENDED", resume: "BATCH_ENDED", cancel: "" }],
  ["DONE", { pause: "BATCH_ENDED", resume: "BATCH_ENDED", cancel: "BATCH_ENDED" }],
] as const)("a batch that is %s takes from its requester %j, and nothing from anybody else", (name, expected) => {
  const state = STATES[name];
  expect(shown(state)).toMatchObject({ status: name });
  for (const type of ["pause", "resume", "cancel"] as const) {
    expect(state.tries(steer(type), AT)).toBe(expected[type]);
    expect(state.refuses(steer(type, OTHER), AT).refused).toBe("BATCH_UNKNOWN");
  }
  const restored = entity.restore(BATCH, JSON.parse(JSON.stringify(entity.persist(state.state, 2))));
  expect([restored.value, restored.context]).toEqual([state.state.value, state.state.context]);
  expect(entity.finished(restored)).toBe(name === "DONE" || name === "CANCELLED");
});

test("a batch that was never opened is unknown", () => {
  for (const command of [pause, resume, cancel]) expect(lived().refuses(command, AT).refused).toBe("BATCH_UNKNOWN");
  expect(lived().tries(queueLeft, AT)).toBe("");
});

test("what a batch replies to its requester is the same when the command comes again", () => {
  const { decision, facts } = lived(open(3)).do(pause, AT);
  expect(decision).toMatchObject({ reply: { batch: BATCH }, afterDelivery: true });
  for (const type of ["pause", "resume", "cancel"] as const) {
    expect(entity.recall({ type, requester: REQUESTER }, facts, STATES.PAUSED.state)).toEqual({ batch: BATCH });
  }
  expect(STATES.DONE.refuses(cancel, AT).detail).toContain("DONE");
});

describe("a batch that is paused", () => {
  test("asks to leave the queue, and waits for nothing any more", () => {
    const life = lived(open(3), postponed(0));
    expect(shown(life)).toMatchObject({ waitsFor: "credits", givesUpAt: AT + WAIT_MAX_MS });
    expect(life.do(pause, AT + 5).effects).toEqual([forget("patience"), leaving]);
    expect(shown(life)).toMatchObject({ status: "PAUSED", waiting: 3, waitsFor: null, nextAt: null, givesUpAt: null });
    expect(life.tries(patience, AT + WAIT_MAX_MS)).toBe("TIMER_STALE");
  });

  test("starts nothing: not when items end, not when an earlier call comes, not when it has left the queue", () => {
    const life = lived(open(5), turns(1), pause);
    expect([life.do(turns(2), AT).types, life.do(ended(0), AT).types]).toEqual(["", "ItemEnded"]);
    expect(life.do(queueLeft, AT)).toMatchObject({ types: "QueueLeft", effects: [] });
    expect([life.do(turns(2), AT).types, life.do(ended(1), AT).types]).toEqual(["", "ItemEnded"]);
    expect(shown(life)).toMatchObject({ status: "PAUSED", open: 0, waiting: 3, settled: 2 });
  });

  test("lets an item that was asked for before open, or wait with the others", () => {
    const life = lived(open(3), turns(1), pause);
    expect(life.do(postponed(1), AT)).toMatchObject({ types: "ItemPostponed", effects: [] });
    expect(life.do(postponed(null), AT).types).toBe("");
    expect(shown(life)).toMatchObject({ open: 1, waiting: 2, waitsFor: null });
    life.do(ended(0), AT);
    expect(shown(life)).toMatchObject({ settled: 1, waiting: 2 });
  });

  test("is done when its last item ends", () => {
    const life = lived(open(1), pause);
    expect(life.do(ended(0), AT).effects).toEqual([tell("account", REQUESTER, { type: "batchEnded", batch: BATCH })]);
    expect([shown(life), life.tries(queueLeft, AT)]).toMatchObject([{ status: "DONE" }, ""]);
  });

  test("refuses of a frozen account only what it had asked for; the others are refused when it is resumed", () => {
    const life = lived(open(3), pause, refused(0));
    expect(shown(life)).toMatchObject({ status: "PAUSED", refused: 1, waiting: 2 });
    life.through([queueLeft, resume, refused(1)].map((command) => [command, AT]));
    expect(shown(life)).toMatchObject({ status: "DONE", refused: 3 });
  });
});

describe("a batch that is resumed", () => {
  test("asks anew, behind those that wait, and waits another 7 days from then on", () => {
    const life = lived(open(3), postponed(0), pause, queueLeft);
    const { types, effects } = life.do(resume, AT + 9);
    expect(types).toBe("BatchResumed+ItemsStarted");
    expect(effects).toMatchObject([{ command: { type: "holdItem", task: task(0), ask: { want: 1, called: false } } }]);
    expect(life.do(postponed(0), AT + 10).effects).toEqual([remind("patience", AT + 10 + WAIT_MAX_MS)]);
  });

  test("before it has left the queue asks for nothing until it has, whatever it is told of before", () => {
    const life = lived(open(4, 3), turns(1), pause, resume);
    for (const [command, types] of [
      [turns(2), ""],
      [postponed(1), "ItemPostponed"],
      [ended(0), "ItemEnded"],
    ] as const) {
      expect(life.do(command, AT)).toMatchObject({ types, effects: [] });
    }
    expect(shown(life)).toMatchObject({ status: "RUNNING", open: 0, waiting: 3, waitsFor: null });
    const { types, effects } = life.do(queueLeft, AT);
    expect(types).toBe("QueueLeft+ItemsStarted");
    expect(effects).toMatchObject([{ command: { task: task(1), ask: { want: 2, called: false } } }]);
    expect(life.tries(queueLeft, AT)).toBe("");
  });

  test("and paused again meanwhile asks to leave once, and is not resumed by the answer", () => {
    const life = lived(open(3), pause, resume);
    expect(life.do(pause, AT).effects).toEqual([]);
    expect(life.do(queueLeft, AT).types).toBe("QueueLeft");
    expect(life.do(resume, AT).types).toBe("BatchResumed+ItemsStarted");
    expect(life.do(pause, AT).effects).toEqual([leaving]);
  });
});

describe("a batch that is cancelled", () => {
  test("cancels what waits at once, and has its account cancel what is open", () => {
    const life = lived(open(5, 3), turns(1), ended(0));
    expect(life.do(cancel, AT).effects).toEqual([cancelling(1)]);
    expect(shown(life)).toMatchObject({ status: "CANCELLING", settled: 1, open: 1, cancelled: 3, waiting: 0, waitsFor: null });
    life.do({ type: "itemEnded", item: 1, status: "CANCELLED" }, AT);
    expect(shown(life)).toMatchObject({ status: "CANCELLED", open: 0, cancelled: 4 });
  });

  test("with nothing open is cancelled at once, and its timer is gone", () => {
    const life = lived(open(3), postponed(0));
    expect(life.do(cancel, AT).effects).toEqual([forget("patience"), cancelling()]);
    expect(shown(life)).toMatchObject({ status: "CANCELLED", cancelled: 3 });
  });

  test("cancels an item that the account put off meanwhile, and starts no other one", () => {
    const life = lived(open(5, 3), turns(1), cancel);
    for (const late of [turns(3), postponed(null), queueLeft]) expect(life.tries(late, AT)).toBe("");
    expect(life.do(postponed(0), AT)).toMatchObject({ types: "ItemEnded", effects: [] });
    expect(life.tries(postponed(0), AT)).toBe("");
    expect(life.do(refused(1), AT).types).toBe("ItemRefused");
    expect(shown(life)).toMatchObject({ status: "CANCELLED", cancelled: 4, refused: 1 });
  });

  test("waits for those that are awarded, and counts how they end", () => {
    const life = lived(open(4, 2), turns(1), cancel, ended(0));
    expect(shown(life)).toMatchObject({ status: "CANCELLING", settled: 1, open: 1, cancelled: 2 });
    life.do({ type: "itemEnded", item: 1, status: "EXPIRED" }, AT);
    expect(shown(life)).toMatchObject({ status: "CANCELLED", settled: 1, expired: 1, cancelled: 2 });
  });

  test("while it is paused, and before it has left the queue, is cancelled alike", () => {
    for (const before of [[pause], [pause, queueLeft], [pause, resume]]) {
      const life = lived(open(3), turns(1), ...before);
      expect(life.do(cancel, AT).effects).toEqual([cancelling(0, 1)]);
      expect(life.tries(queueLeft, AT)).toBe("");
      expect(shown(life)).toMatchObject({ status: "CANCELLING", cancelled: 1, open: 2 });
    }
  });
});
