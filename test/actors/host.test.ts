import { describe, expect, test } from "vitest";
import { Committer } from "../../actors/host/commit.ts";
import { LIMITS } from "../../actors/limits.ts";
import type { CommandResult } from "../../actors/message.ts";
import type { Batch, Journal } from "../../actors/ports/journal.ts";
import { credits } from "../../machines/vocabulary.ts";
import { order, person, SILENT, World } from "../support/world.ts";

async function registered(people = 1, grant = 50): Promise<World> {
  const world = new World();
  await world.host.start();
  for (let n = 1; n <= people; n += 1) await world.answer(world.register(n, grant));
  return world;
}

const topUp = (world: World, amount: number, commandId?: string, n = 1) =>
  world.ask("account", person(n), { type: "topUp", topup: world.nextId(), amount: credits(amount) }, commandId);

/** Holds commits back until the function that it gives is called. */
function holdCommits(world: World): () => void {
  let open: () => void = () => {};
  world.journal.gate = new Promise((resolve) => {
    open = () => {
      world.journal.gate = undefined;
      resolve();
    };
  });
  return open;
}

describe("the output gate", () => {
  test("no answer leaves before its commit, and neither does a refusal that stands on it", async () => {
    const world = await registered();
    const open = holdCommits(world);
    const answered: string[] = [];
    const note = (name: string) => (answer: CommandResult) =>
      answered.push(`${name}: ${answer.ok ? "ok" : answer.refusal.refused}`);
    void world.post(1, world.newTask(), { budget: order().budget }).then(note("first"));
    void world.post(1, world.newTask()).then(note("second"));
    void world.post(1, world.newTask()).then(note("third"));
    await world.settle();
    expect(answered).toEqual([]);
    open();
    await world.settle();
    expect(answered).toEqual(["third: INSUFFICIENT_CREDITS", "first: ok", "second: ok"]);
  });

  test("commands of one actor are decided in order while the first commit is still under way, and go out in few commits", async () => {
    const world = await registered();
    const before = world.journal.appends;
    const answers = await Promise.all(Array.from({ length: 200 }, () => topUp(world, 1)));
    const balances = answers.map((answer) => (answer.ok ? (answer.value as { available: number }).available : 0));
    expect(balances).toEqual(Array.from({ length: 200 }, (_, index) => 51 + index));
    expect(world.journal.appends - before).toBeLessThan(5);
  });
});

describe("a commit that fails", () => {
  test("because its outcome is lost is repeated until it is known, and applied once", async () => {
    const world = await registered();
    world.journal.faults.push("lost", "lost");
    expect(await world.answer(topUp(world, 5))).toMatchObject({ ok: true, value: { available: 55 } });
    expect(world.row("account", person(1))["available"]).toBe(55);
    expect(await world.broken()).toEqual([]);
  });

  test("because the journal is away: what waits is refused with UNAVAILABLE, and all goes on when it is back", async () => {
    const world = await registered();
    world.journal.faults.push("refused", "refused");
    const first = topUp(world, 5);
    await world.settle();
    expect(await world.answer(topUp(world, 7))).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE" } });
    expect(world.host.healthy).toBe(false);
    expect(await world.answer(first)).toMatchObject({ ok: true });
    expect(world.host.healthy).toBe(true);
    expect(await world.answer(topUp(world, 1))).toMatchObject({ value: { available: 56 } });
  });

  test("behind one whose outcome is not known yet does not take that one's effects with it", async () => {
    const world = await registered(2);
    const task = world.newTask();
    world.journal.faults.push("lost");
    const posted = world.post(1, task);
    await new Promise((resolve) => setImmediate(resolve));
    // Both stand on the hold that is being committed; the outage turns them away.
    const turnedAway = [topUp(world, 1), topUp(world, 2)];
    await world.settle();
    for (const asked of turnedAway) expect(await world.answer(asked)).toMatchObject({ refusal: { refused: "UNAVAILABLE" } });
    expect(await world.answer(posted)).toMatchObject({ ok: true });
    expect(world.row("task", task)["status"]).toBe("ROUTING");
    await world.pass(200);
    expect(world.journal.messages.size).toBe(0);
    expect(await world.answer(topUp(world, 4))).toMatchObject({ value: { available: 34 } });
    expect(await world.broken()).toEqual([]);
  });

  test("because another writer was first: the actor loads again, and everything is decided anew", async () => {
    const world = await registered();
    const other = world.makeHost();
    await other.start();
    const mine = await world.answer(topUp(world, 1));
    expect(mine).toMatchObject({ value: { available: 51 } });
    const theirs = other.request({
      to: { kind: "account", id: person(1) },
      command: { type: "topUp", topup: world.nextId(), amount: credits(10) },
      commandId: world.nextId(),
      origin: "client",
      delivery: "first",
      deadline: world.clock.now() + 1_000,
    });
    expect(await world.answer(theirs)).toMatchObject({ value: { available: 61 } });
    const again = await Promise.all([world.answer(topUp(world, 100)), world.answer(topUp(world, 1_000))]);
    expect(again).toMatchObject([{ value: { available: 161 } }, { value: { available: 1_161 } }]);
    expect(world.row("account", person(1))["available"]).toBe(1_161);
    expect(await world.broken()).toEqual([]);
  });

  test("for good, which is a bug: only the actor that it is about is refused", async () => {
    const world = await registered(2);
    const append = world.journal.append.bind(world.journal);
    world.journal.append = async (batch) => {
      if (batch.entries.some(({ address }) => address.id === person(1))) throw new Error("this entry is poison");
      return append(batch);
    };
    const poisoned = [topUp(world, 1), topUp(world, 2)];
    const neighbour = world.ask("account", person(2), { type: "topUp", topup: world.nextId(), amount: credits(3) });
    expect(await world.answer(neighbour)).toMatchObject({ value: { available: 53 } });
    for (const asked of poisoned) expect(await world.answer(asked)).toMatchObject({ refusal: { refused: "INTERNAL" } });
    world.journal.append = append;
    expect(await world.answer(topUp(world, 4))).toMatchObject({ value: { available: 54 } });
    expect(await world.broken()).toEqual([]);
  });

  test("for good: what its actor decided on top of it is decided anew without it", async () => {
    const world = await registered();
    const append = world.journal.append.bind(world.journal);
    world.journal.append = async (batch) => {
      if (JSON.stringify(batch.entries).includes('"amount":13')) throw new Error("this entry is poison");
      return append(batch);
    };
    // More of them than an actor is tried again for other reasons.
    const amounts = Array.from({ length: 40 }, (_, n) => (n % 4 === 1 ? 13 : 1));
    const answers = await Promise.all(amounts.map((amount) => topUp(world, amount)));
    const told = answers.map((answer) => (answer.ok ? "ok" : answer.refusal.refused));
    expect(told).toEqual(amounts.map((amount) => (amount === 13 ? "INTERNAL" : "ok")));
    expect(world.row("account", person(1))["available"]).toBe(80);
    expect(await world.broken()).toEqual([]);
  });

  /** Commands of as many accounts as there are in `people`, all in one commit, of which those with this amount cannot be written. */
  async function ride(people: readonly number[], amounts: readonly number[]) {
    const world = await registered(Math.max(...people), 0);
    const append = world.journal.append.bind(world.journal);
    const tried: number[] = [];
    const open = holdCommits(world);
    const first = topUp(world, 1);
    world.journal.append = async (batch) => {
      await world.journal.gate;
      tried.push(batch.entries.length);
      if (batch.entries.some(({ facts }) => JSON.stringify(facts).includes(`"amount":${POISON}`))) throw new Error("22P05");
      return append(batch);
    };
    await world.settle();
    const asked = amounts.map((amount, index) =>
      world.ask("account", person(people[index] ?? 1), { type: "topUp", topup: world.nextId(), amount: credits(amount) }),
    );
    await world.settle();
    open();
    const answers = await Promise.all([first, ...asked].map((one) => world.answer(one)));
    expect(await world.broken()).toEqual([]);
    const refused = answers.slice(1).flatMap((answer, index) => (answer.ok ? [] : [{ index, code: answer.refusal.refused }]));
    const balance = (n: number) => world.row("account", person(n))["available"];
    return { refused, balance, tried };
  }
  const POISON = 666;

  test.each([0, 3, 19])("for good, for one of 20 commands of one account (number %i): the 19 others are taken", async (bad) => {
    const amounts = Array.from({ length: 20 }, (_, index) => (index === bad ? POISON : 10));
    const { refused, balance } = await ride(
      amounts.map(() => 1),
      amounts,
    );
    expect(refused).toEqual([{ index: bad, code: "INTERNAL" }]);
    expect(balance(1)).toBe(1 + 19 * 10);
  });

  test("for good, for one of 64 accounts: it is found in a few tries, and the others are taken", async () => {
    const people = Array.from({ length: 64 }, (_, index) => index + 1);
    const { refused, balance, tried } = await ride(
      people,
      people.map((n) => (n === 41 ? POISON : 10)),
    );
    expect(refused).toEqual([{ index: 40, code: "INTERNAL" }]);
    expect(people.filter((n) => balance(n) === (n === 1 ? 11 : 10))).toEqual(people.filter((n) => n !== 41));
    expect(balance(41)).toBe(0);
    expect(tried).toContain(64);
    // Two halves at each of six levels, and what was held back before.
    expect(tried.length).toBeLessThanOrEqual(2 * 6 + 3);
  });

  test("for good, more often than a command is tried: what was decided behind all of them is still taken", async () => {
    const amounts = [...Array.from({ length: 2 * LIMITS.triesMax }, () => POISON), 10, POISON, 20];
    const { refused, balance } = await ride(
      amounts.map(() => 1),
      amounts,
    );
    expect(refused.map(({ index }) => index)).toEqual(amounts.flatMap((amount, index) => (amount === POISON ? [index] : [])));
    expect(balance(1)).toBe(31);
  });

  test("for good, because of what a refused message is marked with: commands are taken all the same, and it is not tried for ever", async () => {
    const world = await registered();
    const tried: number[] = [];
    const append = async ({ entries, dead }: Batch) => {
      if (dead.length > 0) {
        tried.push(entries.length);
        throw new Error("22P05");
      }
      return new Set<string>();
    };
    const journal: Journal = Object.assign(Object.create(world.journal), { append });
    const fenced = () => {};
    const committer = new Committer(
      { journal, clock: world.clock, ids: { next: () => world.nextId() }, log: SILENT, fenced },
      { writers: 1 },
    );
    const outcomes: string[] = [];
    const entry = { address: { kind: "account" as const, id: person(1) }, after: 1, facts: [], cause: null, postings: [] };
    committer.dead(world.nextId(), "a reason that cannot be written");
    committer.submit({ ...entry, messages: [], timers: [], row: null, parts: [], snapshot: undefined }, (outcome) =>
      outcomes.push(outcome),
    );
    await world.settle();
    expect(outcomes).toEqual(["committed"]);
    expect(tried).toEqual([1, 0]);
    await committer.flush();
  });
});

describe("a command that comes again", () => {
  test("gets the first answer, from memory and, after a restart, from the journal", async () => {
    const world = await registered();
    const command = world.nextId();
    const first = await world.answer(topUp(world, 5, command));
    expect(await world.answer(topUp(world, 5, command))).toEqual(first);
    await world.answer(topUp(world, 5));
    await world.crash();
    expect(await world.answer(topUp(world, 5, command))).toEqual(first);
    expect(world.row("account", person(1))["available"]).toBe(60);
  });

  test("after a refusal is decided anew", async () => {
    const world = await registered(1, 10);
    const [command, task] = [world.nextId(), world.newTask()];
    expect(await world.answer(world.post(1, task, {}, command))).toMatchObject({ refusal: { refused: "INSUFFICIENT_CREDITS" } });
    await world.answer(topUp(world, 20));
    expect(await world.answer(world.post(1, task, {}, command))).toMatchObject({ ok: true });
  });
});

describe("bounds", () => {
  test("a full mailbox refuses at once with OVERLOADED", async () => {
    const world = await registered();
    // The actor is busy loading while all of this arrives.
    await world.pass(LIMITS.idleMs + 2 * LIMITS.sweepMs);
    expect(world.host.stats.actors).toBe(0);
    const asked = Array.from({ length: LIMITS.mailboxMax + 1 }, () => topUp(world, 1));
    const answers = await Promise.all(asked.map((one) => world.answer(one)));
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused).toHaveLength(1);
    expect(refused).toMatchObject([{ refusal: { refused: "OVERLOADED", reason: { why: "MAILBOX_FULL" } } }]);
    expect(world.row("account", person(1))["available"]).toBe(50 + LIMITS.mailboxMax);
  });

  test("a host with too many requests under way refuses at once with OVERLOADED, and says how many that is", async () => {
    const world = await registered(6);
    const asked = Array.from({ length: LIMITS.inFlightMax + 1 }, (_, n) => topUp(world, 1, undefined, 1 + (n % 6)));
    const answers = await Promise.all(asked.map((one) => world.answer(one)));
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused).toMatchObject([
      { refusal: { refused: "OVERLOADED", reason: { why: "NODE_FULL", most: LIMITS.inFlightMax } } },
    ]);
  });

  test("an actor that is not used leaves memory, and comes back as it was", async () => {
    const world = await registered(3);
    expect(world.host.stats.actors).toBe(3);
    await world.pass(LIMITS.idleMs + 2 * LIMITS.sweepMs);
    expect(world.host.stats.actors).toBe(0);
    expect(await world.answer(topUp(world, 1))).toMatchObject({ value: { available: 51 } });
  });

  test("a long history is not read again from its beginning: there is a snapshot", async () => {
    const world = await registered();
    await Promise.all(Array.from({ length: LIMITS.snapshotEvery + 20 }, () => topUp(world, 1)));
    const stored = await world.journal.load({ kind: "account", id: person(1) });
    expect(stored.snapshot?.seq).toBeGreaterThanOrEqual(LIMITS.snapshotEvery);
    await world.crash();
    expect(await world.answer(topUp(world, 1))).toMatchObject({ value: { available: 51 + LIMITS.snapshotEvery + 20 } });
    expect(await world.broken()).toEqual([]);
  });

  test("a finished task leaves memory at once, and one that nobody opened never stays", async () => {
    const world = await registered(2);
    const task = world.newTask();
    await world.answer(world.post(1, task));
    await world.answer(world.bid(2, task, 10, [person(2)]));
    await world.answer(world.submit(2, task, true));
    await world.answer(world.ask("task", world.nextId(), { type: "cancel", requester: person(1) }));
    await world.settle();
    expect(world.row("task", task)["status"]).toBe("SETTLED");
    expect(world.host.stats).toMatchObject({ actors: 2, timers: 0 });
  });
});

describe("a bug in one actor", () => {
  test("refuses that command, and the actor and its neighbours go on", async () => {
    const world = await registered(2);
    const task = world.newTask();
    await world.answer(world.post(1, task));
    // As JSON it has no type: within a process nobody checks whether a bid has all its fields.
    const broken = JSON.parse(JSON.stringify({ type: "bid", bid: world.nextId(), worker: person(2) }));
    expect(await world.answer(world.ask("task", task, broken))).toMatchObject({ refusal: { refused: "INTERNAL" } });
    expect(await world.answer(world.bid(2, task, 10))).toMatchObject({ ok: true });
    expect(await world.broken()).toEqual([]);
  });
});

describe("stopping", () => {
  test("finishes what is under way and refuses what comes after", async () => {
    const world = await registered();
    const open = holdCommits(world);
    const underWay = topUp(world, 5);
    await world.settle();
    const stopped = world.host.stop(1_000);
    expect(await topUp(world, 6)).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
    open();
    expect(await world.answer(underWay)).toMatchObject({ ok: true });
    await world.pass(1_000);
    await stopped;
    expect(world.row("account", person(1))["available"]).toBe(55);
  });
});

describe("a shard that is closed", () => {
  test("is closed although other shards never stop to commit, and what was begun for it is committed", async () => {
    const world = await registered(2);
    let loaded = true;
    let others = 0;
    const load = async () => {
      while (loaded) {
        await world.ask("account", person(2), { type: "topUp", topup: world.nextId(), amount: credits(1) });
        others += 1;
      }
    };
    const loops = Array.from({ length: 20 }, load);
    await world.settle();
    const asked = topUp(world, 5);
    let closed = false;
    const closing = world.host.close(world.host.shardOf(person(1)), 1_000).then(() => {
      closed = true;
    });
    expect(await world.answer(asked)).toMatchObject({ ok: true, value: { available: 55 } });
    for (let steps = 0; !closed && steps < 50; steps += 1) await world.pass(20);
    expect(closed).toBe(true);
    expect(others).toBeGreaterThan(20);
    expect(world.row("account", person(1))["available"]).toBe(55);
    expect(await topUp(world, 1)).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
    loaded = false;
    await Promise.all([closing, ...loops]);
  });

  test("does not wait long for a webhook that hangs; the next owner sends it again", async () => {
    const world = await registered(1);
    const sent: string[] = [];
    world.deliver = (delivery) => {
      sent.push(delivery.message);
      return new Promise(() => {});
    };
    const task = world.newTask();
    await world.answer(world.post(1, task, { callbackUrl: "https://example.com/hook" }));
    await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
    await world.pass(100);
    expect(sent).toEqual([task]);
    const shard = world.host.shardOf(task);
    const from = world.clock.now();
    let closed = 0;
    void world.host.close(shard, LIMITS.closeMs).then(() => {
      closed = world.clock.now();
    });
    await world.pass(LIMITS.closeMs);
    expect(closed - from).toBeLessThan(LIMITS.closeMs);
    await world.host.open([shard]);
    await world.pass(100);
    expect(sent).toEqual([task, task]);
  });
});
