/** What requesters could do to workers, and workers to requesters, once; see docs/trust.md. Each attack here costs its victim nothing. */
import { beforeEach, describe, expect, test } from "vitest";
import { account } from "../../machines/account/index.ts";
import { BIDS_MAX } from "../../machines/eligibility.ts";
import { PROVEN_SETTLEMENTS } from "../../machines/market/settings.ts";
import { task } from "../../machines/task/index.ts";
import type { TaskId } from "../../machines/vocabulary.ts";
import { person, World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.host.start();
  for (let n = 1; n <= 12; n += 1) await world.answer(world.register(n, 10_000));
});

/** An actor's state, folded from what was committed. */
function taskOf(id: TaskId) {
  const facts = world.journal.actors.get(`task:${id}`)?.facts ?? [];
  return facts.reduce((state, fact) => task.evolve(state, task.upcast(fact)).state, task.initial(id));
}
function accountOf(n: number) {
  const facts = world.journal.actors.get(`account:${person(n)}`)?.facts ?? [];
  return facts.reduce((state, fact) => account.evolve(state, account.upcast(fact)).state, account.initial(person(n)));
}
const status = (id: TaskId) => taskOf(id).value;

async function posted(count: number, changes: Parameters<World["post"]>[2] = {}): Promise<readonly TaskId[]> {
  const ids = Array.from({ length: count }, () => world.newTask());
  for (const id of ids) await world.answer(world.post(1, id, changes));
  return ids;
}

describe("a worker who takes everything and delivers nothing", () => {
  test("has three texts to read, and then rests for an hour: of forty tasks it gets three", async () => {
    const ids = await posted(40, { maxSeconds: 10, autoRetry: 0 });
    for (const id of ids) await world.answer(world.bid(2, id, 1, [person(2)]));
    expect(ids.filter((id) => status(id) === "AWARDED")).toHaveLength(3);
    await world.pass(60_000);
    expect(accountOf(2).hasTag("cooling")).toBe(true);
    const before = accountOf(2).context.reputation;
    for (const id of ids) await world.answer(world.bid(2, id, 1, [person(2)]));
    await world.pass(60_000);
    expect(accountOf(2).context.reputation).toBe(before);
    expect(ids.filter((id) => taskOf(id).context.failures.length > 0)).toHaveLength(3);
    expect(await world.broken()).toEqual([]);
  });
});

describe("a requester who keeps workers busy with what it cancels", () => {
  test("takes no slot of theirs: eight that have bid on a task may have as many awards as before", async () => {
    const [id] = await posted(1, { quality: "cheapest" });
    if (id === undefined) throw new Error("one was posted");
    for (let n = 2; n <= 9; n += 1) expect(await world.answer(world.bid(n, id, 10 + n))).toMatchObject({ ok: true });
    for (let n = 2; n <= 9; n += 1) expect(accountOf(n).context.slots).toEqual({});
    await world.answer(world.ask("task", id, { type: "cancel", requester: person(1) }));
    for (let n = 2; n <= 9; n += 1) expect(accountOf(n).context).toMatchObject({ slots: {}, reputation: 0 });
    expect(await world.broken()).toEqual([]);
  });
});

describe("a hundred bids at the full budget", () => {
  test("close a task to nobody: one that is better takes the place of one of them, and wins", async () => {
    for (let n = 100; n < 100 + BIDS_MAX; n += 1) await world.answer(world.register(n, 0));
    const [id] = await posted(1, { quality: "cheapest" });
    if (id === undefined) throw new Error("one was posted");
    for (let n = 100; n < 100 + BIDS_MAX; n += 1) await world.answer(world.bid(n, id, 20));
    expect(taskOf(id).context.bids).toHaveLength(BIDS_MAX);
    expect(await world.answer(world.bid(2, id, 19))).toMatchObject({ ok: true, value: { status: "PENDING" } });
    expect(taskOf(id).context.bids).toHaveLength(BIDS_MAX);
    await world.pass(4_000);
    expect(taskOf(id).context.award).toMatchObject({ worker: person(2), credits: 19 });
  });
});

describe("a requester whose tasks nobody can do", () => {
  /** Four tasks with a result that nobody guesses, failed by three workers each. */
  async function impossible(): Promise<void> {
    const ids = await posted(4, { autoRetry: 2, poolHours: 72, schema: { const: "unguessed" }, exampleOutput: "unguessed" });
    for (const id of ids) {
      for (const n of [2, 3, 4]) {
        await world.answer(world.bid(n, id, 12, [person(n)]));
        for (let tries = 0; tries < 3; tries += 1) await world.answer(world.submit(n, id, true));
        // Whoever cools down may bid after that.
        await world.pass(accountOf(n).hasTag("cooling") ? 3_600_000 : 0);
      }
    }
    expect(ids.map(status)).toEqual(["EXPIRED", "EXPIRED", "EXPIRED", "EXPIRED"]);
  }

  const verify = async (n: number) => {
    const github = { id: `${n}`, login: `p${n}`, score: 1, token: "t" };
    await world.answer(world.ask("account", person(n), { type: "linkGitHub", github }));
  };

  /** Has a worker paid as often by somebody else as makes it proven, less `less`. */
  async function pay(n: number, less = 0): Promise<void> {
    for (let done = 0; done < PROVEN_SETTLEMENTS - less; done += 1) {
      const id = world.newTask();
      await world.answer(world.post(12, id));
      await world.answer(world.bid(n, id, 12, [person(n)]));
      await world.answer(world.submit(n, id, true));
      await world.settle();
    }
  }

  test("harms none of the workers once two proven ones have tried, through a crash as well", async () => {
    for (const n of [2, 3]) {
      await verify(n);
      await pay(n);
    }
    const before = [2, 3, 4].map((n) => accountOf(n).context);
    await impossible();
    await world.crash();
    await world.pass(10_000);
    for (const [index, n] of [2, 3, 4].entries()) {
      const { reputation, failuresInRow, tally } = accountOf(n).context;
      expect({ reputation, failuresInRow, tally }).toEqual({
        reputation: before[index]?.reputation,
        failuresInRow: 0,
        tally: before[index]?.tally,
      });
      expect(accountOf(n).hasTag("cooling")).toBe(false);
    }
    // It has settled nothing, and four of its tasks have ended after an award.
    const id = world.newTask();
    await world.answer(world.post(1, id));
    expect(taskOf(id).context.requesterScore).toBe(0.64);
    expect(await world.broken()).toEqual([]);
  });

  test("harms them where one of the two was paid nine times", async () => {
    await verify(2);
    await verify(3);
    await pay(2);
    await pay(3, 1);
    await impossible();
    expect(accountOf(4).context.reputation).toBe(-8);
    expect(accountOf(3).context.reputation).toBe(PROVEN_SETTLEMENTS - 1 - 8);
  });

  test("ends its task after one try more where judging runs to its deadline, and that costs nobody anything", async () => {
    world.judge = () => ({ because: "slow", unjudged: "too slow", killed: true });
    const [id] = await posted(1);
    if (id === undefined) throw new Error("one was posted");
    await world.answer(world.bid(2, id, 12, [person(2)]));
    expect(await world.answer(world.submit(2, id, true))).toMatchObject({ ok: true, value: { ends: false } });
    expect(await world.answer(world.submit(2, id, true))).toMatchObject({ ok: true, value: { ends: true } });
    await world.settle();
    expect(status(id)).toBe("EXPIRED");
    expect(accountOf(2).context).toMatchObject({ reputation: 0, slots: {} });
    expect(accountOf(1).context).toMatchObject({ unfulfilled: 1, held: 0 });
    expect(await world.broken()).toEqual([]);
  });
});
