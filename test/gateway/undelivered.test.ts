/** Tasks that pulls have won and no client has got: when they are given back, and when not. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { Router } from "../../actors/router.ts";
import { DELIVERED_MAX, DELIVERED_MS, Delivered } from "../../gateway/live/delivered.ts";
import { ASK_MS, PENDING_MAX, REPEAT_MS, Undelivered, type Won } from "../../gateway/live/undelivered.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person, SILENT } from "../support/world.ts";

const worker = person(1);
const won = (pull: string, ...numbers: readonly number[]): Won => ({ worker, pull, tasks: numbers.map((n) => taskId(id(n))) });

let clock: ManualClock;
let asked: { readonly to: string; readonly command: unknown; readonly answer: (refused?: "UNAVAILABLE") => void }[];
let told: Signal[];
/** Whether signals get lost. */
let deaf: boolean;
let gateways: Undelivered[];
let undelivered: Undelivered;
let other: Undelivered;

/** A router that notes what it is asked, and answers when it is told to. */
const router: Pick<Router, "ask"> = {
  ask: (to, command) =>
    new Promise((resolve) => {
      const answer = (refused: "NOT_AWARDED_TO_YOU" | "UNAVAILABLE" = "NOT_AWARDED_TO_YOU") =>
        resolve({ ok: false, refusal: { refused, detail: "" } });
      asked.push({ to: to.id, command, answer });
    }),
};

function send(signal: Signal): void {
  told.push(signal);
  if (deaf) return;
  for (const gateway of gateways) {
    if (signal.type === "undelivered") gateway.hearUndelivered(signal);
    if (signal.type === "kept") gateway.hearKept(signal);
  }
}

beforeEach(() => {
  clock = new ManualClock();
  [asked, told, deaf] = [[], [], false];
  const make = (gateway: string) => new Undelivered({ router, signals: { send }, clock, log: SILENT, gateway });
  [undelivered, other] = [make("g1"), make("g2")];
  gateways = [undelivered, other];
});

const returned = () => asked.map(({ to }) => to);
function pass(ms: number): void {
  const until = clock.now() + ms;
  for (let next = clock.next; next !== null && next <= until; next = clock.next) clock.to(next);
  clock.to(until);
}
/** The answer with these was lost, or has left whole. */
const lose = (one: Won, at = undelivered) => at.answer(one, false)(false);
const deliver = (one: Won, at = undelivered) => at.answer(one, false)(true);

test("each task is given back as what its pull has won, by its worker", async () => {
  undelivered.giveBack(won("p", 1, 2));
  const command = { type: "giveBack", worker, reason: null, undelivered: "p" };
  expect(asked).toMatchObject([
    { to: id(1), command },
    { to: id(2), command },
  ]);
  expect(undelivered.size).toBe(1);
  for (const { answer } of asked) answer();
  await turn();
  expect(undelivered.size).toBe(0);
  undelivered.giveBack(won("p"));
  expect([undelivered.size, told]).toEqual([0, []]);
});

test("a client has so long to ask again, and then all that it has not got is given back together", () => {
  lose(won("p", 1));
  pass(REPEAT_MS - ASK_MS - 1);
  lose(won("p", 2));
  pass(REPEAT_MS - 1);
  expect([returned(), undelivered.size]).toEqual([[], 1]);
  pass(1);
  expect(returned()).toEqual([id(1), id(2)]);
});

test("what is in an answer that is not known to have left is not given back, and then only if it has not", () => {
  const slow = undelivered.answer(won("p", 1), false);
  lose(won("p", 1));
  pass(10 * REPEAT_MS);
  expect(asked).toEqual([]);
  slow(false);
  pass(REPEAT_MS);
  expect(returned()).toEqual([id(1)]);
});

describe("a task that does not answer whether it has taken its award back", () => {
  /** What was asked last is refused, for now. */
  const refuse = async () => {
    asked.at(-1)?.answer("UNAVAILABLE");
    await turn();
    pass(500);
    await turn();
  };

  test("is asked again for a minute, and no longer", async () => {
    undelivered.giveBack(won("p", 1));
    for (let n = 0; n < 120; n += 1) await refuse();
    expect([asked.length, undelivered.size]).toEqual([121, 1]);
    await refuse();
    expect([asked.length, undelivered.size, clock.next]).toEqual([121, 0, null]);
  });

  test.each(["here", "elsewhere"])("is not asked again once its pull is asked again %s", async (where) => {
    undelivered.giveBack(won("p", 1, 2));
    (where === "here" ? undelivered : other).answer(won("p", 2), true);
    for (const { answer } of [...asked]) answer("UNAVAILABLE");
    await turn();
    pass(500);
    await turn();
    expect(returned()).toEqual([id(1), id(2), id(1)]);
    (where === "here" ? undelivered : other).answer(won("p", 1), true);
    await refuse();
    expect([returned().length, undelivered.size]).toEqual([3, 0]);
  });
});

describe("asked again at the same gateway", () => {
  test("before it was given back, it is in the new answer, and given back if that is lost, too", () => {
    lose(won("p", 1));
    pass(REPEAT_MS - 1);
    const again = undelivered.answer(won("p", 1), true);
    pass(REPEAT_MS);
    expect(asked).toEqual([]);
    again(false);
    pass(REPEAT_MS);
    expect(returned()).toEqual([id(1)]);
  });

  test.each(["before", "after"])("%s an answer was lost, what another one has delivered stays with its worker", (when) => {
    const first = undelivered.answer(won("p", 1), false);
    const repeat = undelivered.answer(won("p", 1, 2), true);
    if (when === "before") first(true);
    repeat(false);
    if (when === "after") first(true);
    pass(10 * REPEAT_MS);
    expect(returned()).toEqual([id(2)]);
  });

  test("what was delivered stays, whatever a later answer could not hold, or a look finds", () => {
    deliver(won("p", 1));
    undelivered.giveBackUnkept(won("p", 1, 2));
    pass(ASK_MS);
    expect(returned()).toEqual([id(2)]);
  });
});

describe("asked again at another gateway", () => {
  test("what is in an answer there, or was delivered there, is not given back here", () => {
    deliver(won("delivered", 1), other);
    const slow = other.answer(won("slow", 2), false);
    for (const one of [won("delivered", 1), won("slow", 2), won("lost", 3)]) lose(one);
    undelivered.giveBackUnkept(won("delivered", 1, 4));
    pass(REPEAT_MS);
    // Together with what waits already.
    expect(returned()).toEqual([id(3), id(4)]);
    slow(false);
    pass(REPEAT_MS);
    expect(returned()).toEqual([id(3), id(4), id(2)]);
  });

  test("at the last moment, the task stays, because the gateway says so without being asked", () => {
    lose(won("p", 1));
    pass(REPEAT_MS - 1);
    const again = other.answer(won("p", 1), true);
    pass(1);
    expect([asked, told.at(-1)]).toEqual([[], { type: "kept", pull: "p", gateway: "g2", tasks: [id(1)] }]);
    again(true);
    pass(REPEAT_MS);
    expect([asked, undelivered.size, other.size]).toEqual([[], 0, 0]);
  });

  test("and lost there, too, it is given back when its client has had the time to ask once more, once", () => {
    lose(won("p", 1));
    pass(REPEAT_MS / 2);
    lose(won("p", 1), other);
    pass(REPEAT_MS - 1);
    expect(asked).toEqual([]);
    pass(1);
    expect(returned()).toEqual([id(1)]);
    expect([undelivered.size, other.size]).toEqual([0, 1]);
    pass(10 * REPEAT_MS);
    expect(asked).toHaveLength(1);
  });

  test("both at once, neither waits for the other", () => {
    lose(won("p", 1));
    lose(won("p", 1), other);
    pass(REPEAT_MS);
    expect(returned().length).toBeGreaterThan(0);
  });

  test("delivered there and repeated here, it is not taken back because the repeat was lost", () => {
    deliver(won("p", 1), other);
    undelivered.answer(won("p", 1), true)(false);
    pass(10 * REPEAT_MS);
    expect(asked).toEqual([]);
  });

  test("another pull's task is nobody else's to keep", () => {
    deliver(won("other", 1), other);
    lose(won("p", 1));
    pass(REPEAT_MS);
    expect(returned()).toEqual([id(1)]);
  });

  test("without a word from there, because it gets lost, it is given back all the same", () => {
    deliver(won("p", 1), other);
    deaf = true;
    lose(won("p", 1));
    pass(REPEAT_MS);
    expect(returned()).toEqual([id(1)]);
  });
});

describe("a pull that is open", () => {
  test.each(["here", "elsewhere"])("%s is told to look for what would be given back, and keeps it", (where) => {
    let looks = 0;
    const close = (where === "here" ? undelivered : other).open("p", () => {
      looks += 1;
    });
    undelivered.giveBackUnkept(won("p", 1));
    pass(REPEAT_MS);
    expect([asked, looks]).toEqual([[], 1]);
    close();
    undelivered.giveBackUnkept(won("p", 1));
    pass(REPEAT_MS);
    expect([returned(), looks]).toEqual([[id(1)], 1]);
  });

  test("is not disturbed for what was delivered, or for another pull", () => {
    const fail = () => {
      throw new Error("it has nothing to look for");
    };
    deliver(won("p", 1), other);
    other.open("p", fail);
    undelivered.open("q", fail);
    undelivered.giveBackUnkept(won("p", 1));
    pass(ASK_MS);
    expect(asked).toEqual([]);
  });

  test("under its id twice is told twice, and closed once is open still", () => {
    const looks: number[] = [];
    const close = [1, 2].map((n) => undelivered.open("p", () => looks.push(n)));
    lose(won("p", 1));
    close[0]?.();
    lose(won("p", 1));
    expect(looks).toEqual([1, 2, 2]);
  });
});

test("what would be too many to wait for is given back at once", () => {
  for (let n = 0; n < PENDING_MAX; n += 1) lose(won(`p${n}`, n));
  lose(won("p0", 0));
  expect(returned()).toEqual([]);
  lose(won("one more", 99_999));
  expect(returned()).toEqual([id(99_999)]);
});

test("deliveries are remembered for so long, and so many of them", () => {
  const delivered = new Delivered(clock);
  const has = (n: number) => delivered.has("p", taskId(id(n)));
  delivered.add("p", won("p", 1).tasks);
  pass(DELIVERED_MS - 1);
  expect([has(1), has(2), delivered.has("q", taskId(id(1)))]).toEqual([true, false, false]);
  pass(1);
  expect(has(1)).toBe(false);
  for (let n = 10; n < 10 + DELIVERED_MAX; n += 1) delivered.add("p", won("p", n).tasks);
  expect([delivered.size, has(10)]).toEqual([DELIVERED_MAX, true]);
  delivered.add("p", won("p", 10).tasks);
  delivered.add("p", won("p", 1).tasks);
  expect([delivered.size, has(10), has(11)]).toEqual([DELIVERED_MAX, true, false]);
});

describe("a gateway that stops", () => {
  test("gives back what waits as soon as the others have been asked, and waits until it is done", async () => {
    lose(won("p", 1));
    deliver(won("kept", 3), other);
    lose(won("kept", 3));
    let isOver = false;
    const drained = undelivered.drain(2_000).then(() => {
      isOver = true;
    });
    lose(won("q", 2));
    pass(ASK_MS);
    expect(returned()).toEqual([id(1), id(2)]);
    await turn();
    expect(isOver).toBe(false);
    for (const { answer } of asked) answer();
    await drained;
    expect(clock.next).toBeNull();
  });

  test("is done when another one keeps what it has", async () => {
    lose(won("p", 1));
    const drained = undelivered.drain(2_000);
    other.answer(won("p", 1), true);
    await drained;
    expect([undelivered.size, asked, clock.next]).toEqual([0, [], null]);
  });

  test("waits no longer than it may, as often as it is told to", async () => {
    undelivered.giveBack(won("p", 1));
    const drained = [undelivered.drain(2_000), undelivered.drain(3_000)];
    pass(2_000);
    await drained[0];
    pass(1_000);
    await drained[1];
    expect(undelivered.size).toBe(1);
    await other.drain(2_000);
  });
});
