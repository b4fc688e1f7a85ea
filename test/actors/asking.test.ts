/** A task asks a worker's account whether it takes an award: answers in time, late and never, owners that change, and crashes. */
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import { NOT_OWNER } from "../../actors/message.ts";
import { refuse } from "../../machines/refusal.ts";
import type { TaskId } from "../../machines/vocabulary.ts";
import { person, World } from "../support/world.ts";

const WAIT_MS = 1_000;
const ASK_MS = 2_000;
const BEFORE = refuse("UNAVAILABLE", "not now");

let world: World;
/** Whom accounts were asked for, in order. */
let asked: string[];
beforeEach(async () => {
  world = new World();
  asked = [];
  await world.host.start();
  for (const n of [1, 2, 3]) await world.answer(world.register(n, 1_000));
});

/** What becomes of the questions to accounts; undefined lets them pass. */
function questions(become: (envelope: Envelope, n: number) => Promise<CommandResult> | undefined): void {
  world.carry = (envelope, host) => {
    const { to, command } = envelope;
    if (command.type !== "offer" || command.asked !== true) return host.request(envelope);
    asked.push(to.id);
    return become(envelope, asked.length) ?? host.request(envelope);
  };
}
const never = () => new Promise<CommandResult>(() => {});

async function pooled(): Promise<TaskId> {
  const task = world.newTask();
  await world.answer(world.post(1, task));
  await world.pass(3_000);
  expect(world.row("task", task)["status"]).toBe("PENDING_POOL");
  return task;
}
const status = (task: TaskId) => world.row("task", task)["status"];
const factsOf = (task: TaskId) => (world.journal.actors.get(`task:${task}`)?.facts ?? []).map(({ type }) => type);
const slotsOf = async (n: number) => {
  const { facts } = await world.journal.load({ kind: "account", id: person(n) });
  return facts.map(({ type }) => type).filter((type) => type.startsWith("Offer"));
};
/** Everything that was begun has come to its end, and the books are right. */
async function sound(): Promise<void> {
  world.carry = (envelope, host) => host.request(envelope);
  await world.pass(2 * LIMITS.refusedTimerMs);
  expect(await world.broken()).toEqual([]);
  expect(world.journal.messages.size).toBe(0);
}

describe("a bid that can win at once", () => {
  test("has won when it is answered, and its worker has a slot for it", async () => {
    const task = await pooled();
    questions(() => undefined);
    expect(await world.bid(2, task, 10)).toMatchObject({ ok: true, value: { status: "AWARDED" } });
    expect([status(task), asked, await slotsOf(2)]).toEqual(["AWARDED", [person(2)], ["OfferTaken"]]);
    await world.answer(world.submit(2, task, true));
    await sound();
    expect(status(task)).toBe("SETTLED");
  });

  test("is answered after a second when its account is silent, is asked about again, and wins", async () => {
    const task = await pooled();
    questions((_, n) => (n < 3 ? never() : undefined));
    let answer: CommandResult | undefined;
    void world.bid(2, task, 10).then((given) => {
      answer = given;
    });
    await world.pass(WAIT_MS - 1);
    expect(answer).toBeUndefined();
    await world.pass(1);
    expect(answer).toMatchObject({ ok: true, value: { status: "PENDING" } });
    await world.pass(ASK_MS);
    expect([asked.length, status(task)]).toEqual([2, "PENDING_POOL"]);
    // The second question, by its timer, ends after its time; then the timer fires again.
    await world.pass(ASK_MS + LIMITS.retryMaxMs - 1);
    expect(asked.length).toBe(2);
    await world.pass(1);
    expect([asked.length, status(task)]).toEqual([3, "AWARDED"]);
    expect(factsOf(task).slice(-2)).toEqual(["BidPlaced", "Awarded"]);
    await sound();
    expect(asked.length).toBe(3);
  });

  test("that was PENDING is so whenever it is asked for again, whatever has become of it", async () => {
    const task = await pooled();
    const commandId = world.nextId();
    const again = () => world.answer(world.ask("task", task, bidOf(commandId), commandId));
    questions((_, n) => (n === 1 ? never() : undefined));
    const first = await again();
    expect(first).toEqual({ ok: true, value: { bid: commandId, status: "PENDING" } });
    expect(await again()).toEqual(first);
    await world.pass(ASK_MS + 10);
    expect(status(task)).toBe("AWARDED");
    expect(await again()).toEqual(first);
    await world.crash();
    await world.pass(200_000);
    expect(factsOf(task)).toContain("AwardTimedOut");
    expect(await again()).toEqual(first);
    expect(factsOf(task).filter((type) => type === "BidPlaced")).toHaveLength(1);
    await sound();
  });

  test("is asked about again, within its time, while nobody owns its account or others write to it", async () => {
    const task = await pooled();
    questions((_, n) => (n <= 3 ? Promise.resolve({ ok: false, refusal: NOT_OWNER }) : undefined));
    expect(await world.answer(world.bid(2, task, 10))).toMatchObject({ ok: true, value: { status: "AWARDED" } });
    expect(asked.length).toBe(4);
    const other = await pooled();
    questions(() => Promise.resolve({ ok: false, refusal: NOT_OWNER }));
    expect(await world.answer(world.bid(2, other, 10))).toMatchObject({ ok: true, value: { status: "PENDING" } });
    await sound();
  });

  test("is answered with its no at once, and leaves nothing", async () => {
    const tasks = [await pooled(), await pooled(), await pooled(), await pooled()] as const;
    questions(() => undefined);
    for (const task of tasks.slice(0, 3)) expect(await world.answer(world.bid(2, task, 10))).toMatchObject({ ok: true });
    const reason = { why: "AWARDS_FULL", tier: 1, most: 3 };
    expect(await world.bid(2, tasks[3], 10)).toMatchObject({ ok: false, refusal: { refused: "TOO_MANY_AWARDS", reason } });
    expect(factsOf(tasks[3]).at(-1)).toBe("PoolEntered");
    expect(await world.answer(world.bid(3, tasks[3], 10))).toMatchObject({ ok: true, value: { status: "AWARDED" } });
    await sound();
  });

  test("of which the reply is lost, or of which the yes is late, still wins, once", async () => {
    const [lost, late] = [await pooled(), await pooled()];
    questions((envelope) => {
      void world.host.request(envelope);
      return never();
    });
    const first = world.answer(world.bid(2, lost, 10));
    expect(await first).toMatchObject({ ok: true, value: { status: "AWARDED" } });
    let pass: () => void = () => {};
    questions((envelope) => {
      const waits = new Promise<void>((resolve) => {
        pass = resolve;
      });
      return waits.then(() => world.host.request(envelope));
    });
    const second = world.bid(2, late, 10);
    await world.pass(WAIT_MS);
    expect(await second).toMatchObject({ ok: true, value: { status: "PENDING" } });
    pass();
    await world.settle();
    expect(status(late)).toBe("AWARDED");
    await sound();
    expect(factsOf(late).filter((type) => type === "Awarded")).toHaveLength(1);
    expect(await slotsOf(2)).toEqual(["OfferTaken", "OfferTaken"]);
  });

  test("of which the yes comes when somebody else has the task frees its slot", async () => {
    const task = await pooled();
    let pass: () => void = () => {};
    questions((envelope) => {
      if (envelope.to.id !== person(2)) return undefined;
      return new Promise<void>((resolve) => {
        pass = resolve;
      }).then(() => world.host.request(envelope));
    });
    const slow = world.bid(2, task, 10);
    await world.settle();
    expect(await world.answer(world.bid(3, task, 11))).toMatchObject({ ok: true, value: { status: "AWARDED" } });
    pass();
    expect(await world.answer(slow)).toMatchObject({ ok: false, refusal: { refused: "TASK_NOT_OPEN" } });
    await world.settle();
    expect(await slotsOf(2)).toEqual(["OfferTaken", "OfferFreed"]);
    await sound();
  });

  test("is asked about anew by the next owner of its task, if its shard is closed while its account is asked", async () => {
    const task = await pooled();
    questions((_, n) => (n === 1 ? never() : undefined));
    const commandId = world.nextId();
    const command = bidOf(commandId);
    const first = world.ask("task", task, command, commandId);
    await world.settle();
    const shard = world.host.shardOf(task);
    const closed = world.host.close(shard, 100);
    await world.pass(WAIT_MS);
    await closed;
    expect(await first).toMatchObject({ ok: false, refusal: { refused: "NOT_OWNER" } });
    await world.host.open([shard]);
    expect(await world.answer(world.ask("task", task, command, commandId))).toMatchObject({
      ok: true,
      value: { status: "AWARDED" },
    });
    await sound();
  });
});

function bidOf(bid: string) {
  const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
  return { type: "bid", bid, worker: person(2), credits: null, standing, online: null } as const;
}

describe("the end of the window", () => {
  const bids = async (...workers: readonly number[]) => {
    const task = world.newTask();
    await world.answer(world.post(1, task, { quality: "cheapest" }));
    for (const [n, worker] of workers.entries()) await world.answer(world.bid(worker, task, 10 + n));
    return task;
  };

  test("asks the next account while one is silent, and both again when none has answered", async () => {
    const task = await bids(2, 3);
    questions(never);
    await world.pass(3_000 + 2 * ASK_MS);
    expect(asked).toEqual([person(2), person(3)]);
    await world.pass(LIMITS.retryMaxMs);
    expect(asked).toEqual([person(2), person(3), person(2)]);
    questions((envelope) => (envelope.to.id === person(2) ? never() : undefined));
    await world.pass(ASK_MS);
    expect([status(task), world.row("task", task)["worker"]]).toEqual(["AWARDED", person(3)]);
    await sound();
  });

  test("is not over twice: its timer is gone with the award, and asks nobody any more", async () => {
    const task = await bids(2);
    questions(() => undefined);
    await world.pass(3_000);
    expect(status(task)).toBe("AWARDED");
    await world.answer(world.submit(2, task, true));
    await world.pass(2 * LIMITS.refusedTimerMs);
    expect([asked, world.host.stats.timers]).toEqual([[person(2)], 0]);
    await sound();
  });

  test("is decided after a crash while its account was asked, and after one before the task had the yes", async () => {
    const task = await bids(2);
    questions(never);
    await world.pass(3_000 + 10);
    expect(asked).toEqual([person(2)]);
    questions(() => undefined);
    await world.crash();
    await world.settle();
    expect(status(task)).toBe("AWARDED");

    const second = await bids(3);
    world.carry = (envelope, host) =>
      envelope.command.type === "standingBid" ? Promise.resolve({ ok: false, refusal: BEFORE }) : host.request(envelope);
    await world.pass(3_000 + 10);
    expect([status(second), await slotsOf(3)]).toEqual(["ROUTING", ["OfferTaken"]]);
    expect(await world.broken()).toEqual([]);
    world.carry = (envelope, host) => host.request(envelope);
    await world.crash();
    await world.pass(LIMITS.retryMaxMs);
    expect(status(second)).toBe("AWARDED");
    expect(await slotsOf(3)).toEqual(["OfferTaken"]);
    await sound();
  });

  test("waits for an account that a newer version wrote, and asks the others meanwhile", async () => {
    const task = await bids(2, 3);
    const account = world.journal.actors.get(`account:${person(2)}`);
    const [fact] = account?.facts ?? [];
    if (fact === undefined) throw new Error("it has a fact");
    Object.assign(fact, { version: 99 });
    await world.crash();
    await world.pass(3_000);
    expect(world.row("task", task)["worker"]).toBe(person(3));
    Object.assign(fact, { version: 1 });
    await sound();
  });
});

test("an account that is asked twice at once about one bid has one slot, and the task one award", async () => {
  const task = await pooled();
  questions((envelope) => {
    void world.host.request({ ...envelope, commandId: world.nextId() });
    return undefined;
  });
  expect(await world.answer(world.bid(2, task, 10))).toMatchObject({ ok: true, value: { status: "AWARDED" } });
  await sound();
  expect(await slotsOf(2)).toEqual(["OfferTaken"]);
  expect(factsOf(task).filter((type) => type === "Awarded")).toHaveLength(1);
});
