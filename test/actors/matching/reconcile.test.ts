/** A matcher and the index of open tasks: whatever was not heard is found out by comparing them. */
import { afterEach, describe, expect, test } from "vitest";
import { LiveMatching, whole } from "../../support/live-matching.ts";
import { account, inWindow, manual, ordinary, posted, pull, task } from "../../support/matching.ts";

let live = new LiveMatching();
afterEach(() => live.matching.closeAll());

const present = (n: number, change = {}) =>
  live.ask({
    type: "present",
    posted: [posted(n, { until: live.clock.now() + 50_000, ...change })],
    manual: [],
    renewed: [],
    until: live.clock.now() + 50_000,
  });

describe("a matcher that is new", () => {
  test("knows every open task soon, over all pages, and proposes them", async () => {
    live = new LiveMatching();
    live.answer = (_task, { offers }) => ({ outcome: "awarded", worker: account(1), bid: offers[0]?.bid ?? "", task: null });
    for (let n = 0; n < 1_200; n += 1) live.index.set(ordinary(n), task(n));
    await present(1, { free: 2_000, price: 5 });
    await live.pass(200);
    expect(live.pages).toBe(3);
    expect(new Set(live.proposals.map(([one]) => one)).size).toBe(1_200);
  });

  test("tells listeners of what is new, and of nothing old", async () => {
    live = new LiveMatching();
    const now = live.clock.now();
    live.index.set(ordinary(1), inWindow(1, { createdAt: now - 1_000 }));
    live.index.set(ordinary(2), inWindow(2, { createdAt: now - 3_600_000 }));
    const listener = manual(1, { announce: true, until: now + 50_000 });
    await live.ask({ type: "present", posted: [], manual: [listener], renewed: [], until: now + 50_000 });
    await live.pass(100);
    expect(live.told.map(({ task: one }) => one)).toEqual([ordinary(1)]);
  });
});

describe("with each comparison", () => {
  test("a task that was not heard of is found, and one that has ended unheard is dropped", async () => {
    live = new LiveMatching();
    await present(1, { price: 21 });
    await live.ask({ type: "opened", task: task(1), shown: whole(task(1)) });
    live.index.set(ordinary(2), task(2));
    await live.pass(31_000);
    // The one has gone; the other is there for whoever takes it.
    const got = live.ask({ type: "pull", wait: pull(2, { most: 2, until: live.clock.now() + 1_000 }) });
    await live.pass(1_100);
    expect(await got).toMatchObject({ tasks: [{ row: { id: ordinary(2) } }] });
    expect(live.proposals.map(([one]) => one)).toEqual([ordinary(2)]);
  });

  test("a bid that was dropped unheard no longer keeps its worker from the task", async () => {
    live = new LiveMatching();
    const bid = { worker: account(1), credits: 10, quality: 0.5 };
    await live.ask({ type: "opened", task: task(1, { bids: [bid] }) });
    live.index.set(ordinary(1), task(1));
    await present(1);
    expect(live.proposals).toEqual([]);
    await live.pass(31_000);
    expect(live.proposals).toEqual([[ordinary(1), [account(1)]]]);
  });

  test("nothing is dropped that was heard of meanwhile", async () => {
    live = new LiveMatching();
    await present(1, { price: 21 });
    await live.pass(29_900);
    await live.ask({ type: "opened", task: task(1) });
    live.index.set(ordinary(1), task(1));
    await live.pass(40_000);
    await present(1, { price: 5 });
    await live.settle();
    expect(live.proposals).toEqual([[ordinary(1), [account(1)]]]);
  });
});

describe("an index that cannot be read", () => {
  test("is asked again every second, and the matcher goes on with what it hears", async () => {
    live = new LiveMatching();
    live.away = true;
    await present(1);
    live.index.set(ordinary(1), task(1));
    await live.ask({ type: "opened", task: task(1) });
    await live.pass(10_500);
    expect(live.proposals).toHaveLength(1);
    expect(live.pages).toBeGreaterThanOrEqual(10);
    live.away = false;
    live.index.set(ordinary(2), task(2));
    await live.ask({ type: "freed", worker: account(1) });
    await live.pass(1_100);
    expect(live.proposals.map(([one]) => one)).toEqual([ordinary(1), ordinary(2)]);
  });
});

test("the going price is told with proposals, and worked out anew once a minute", async () => {
  live = new LiveMatching();
  live.going = 0.4;
  await present(1, { free: 9 });
  const goings = () => live.asked.flatMap(({ command }) => (command.type === "propose" ? [command.going] : []));
  await live.pass(10);
  live.index.set(ordinary(1), task(1));
  await live.ask({ type: "opened", task: task(1) });
  live.going = 0.6;
  await live.pass(31_000);
  await present(1, { free: 9 });
  live.index.set(ordinary(2), task(2));
  await live.ask({ type: "opened", task: task(2) });
  await live.pass(32_000);
  await present(1, { free: 9 });
  live.index.set(ordinary(3), task(3));
  await live.ask({ type: "opened", task: task(3) });
  await live.settle();
  expect(goings()).toEqual([0.4, 0.4, 0.6]);
});
