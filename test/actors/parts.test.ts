/** The rows of which an entity has several: a commit writes those that have changed, whatever became of the commits before. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Batch } from "../../actors/ports/journal.ts";
import { credits } from "../../machines/vocabulary.ts";
import { id, person, World } from "../support/world.ts";

const ME = person(1);
const TYPES = [0, 1, 2];

let world: World;
/** The ids of the parts that each append was to write. */
let appends: (readonly string[])[];
beforeEach(async () => {
  world = new World();
  appends = [];
  const append = world.journal.append.bind(world.journal);
  world.journal.append = (batch: Batch) => {
    appends.push(batch.entries.flatMap(({ parts }) => parts.map((part) => part.id)));
    return append(batch);
  };
  await world.host.start();
  await world.answer(world.register(1));
  for (const n of TYPES) await world.answer(register(n));
  await world.settle();
  appends.length = 0;
});

const capabilityOf = (n: number) => id(500 + n);
const all = TYPES.map(capabilityOf);

function register(n: number, price = 8) {
  const what = { taskType: `t${n}`, description: "", tags: [], price: credits(price), concurrency: 1, available: true };
  return world.ask("account", ME, { type: "registerCapability", capability: { ...what, id: capabilityOf(n) } });
}

const topUp = (amount = 5) => world.ask("account", ME, { type: "topUp", topup: world.nextId(), amount: credits(amount) });
const freeze = () => world.ask("account", ME, { type: "freeze", reason: "a test" });

/** The rows of the capabilities as they are stored. */
const rows = () => [...(world.journal.actors.get(`account:${ME}`)?.parts.values() ?? [])];

describe("a commit writes of an account's capabilities", () => {
  test("none where none has changed", async () => {
    await world.answer(topUp());
    await world.answer(topUp());
    expect(appends).toEqual([[], []]);
  });

  test("the one that has changed", async () => {
    await world.answer(register(1, 9));
    await world.answer(topUp());
    expect(appends).toEqual([[capabilityOf(1)], []]);
    expect(rows()).toMatchObject([{ price: 8 }, { price: 9 }, { price: 8 }]);
  });

  test("all when the account's status changes", async () => {
    await world.answer(freeze());
    expect(appends).toEqual([all]);
    expect(rows()).toMatchObject([{ active: false }, { active: false }, { active: false }]);
  });

  test("each change, in several entries of one batch", async () => {
    const asked = [register(0, 9), topUp(), register(0, 10), register(2, 11)];
    for (const answer of asked) await world.answer(answer);
    expect(appends.flat()).toEqual([capabilityOf(0), capabilityOf(0), capabilityOf(2)]);
    expect(rows()).toMatchObject([{ price: 10 }, { price: 8 }, { price: 11 }]);
  });

  test("all at first after it was loaded, and then what has changed", async () => {
    await world.crash();
    await world.answer(topUp());
    await world.answer(topUp());
    expect(appends).toEqual([all, []]);
  });

  test("the same when its answer was lost and it is sent again", async () => {
    world.journal.faults.push("lost", "refused");
    const [first, second] = [register(1, 9), topUp()];
    await world.settle();
    await world.answer(first);
    await world.answer(second);
    const [sent, again] = appends;
    expect([sent, again]).toEqual([[capabilityOf(1)], [capabilityOf(1)]]);
    expect(rows()).toMatchObject([{ price: 8 }, { price: 9 }, { price: 8 }]);
  });

  test("all after one that failed because another writer was first: what it was to write is not there", async () => {
    const other = world.makeHost();
    await other.start();
    const deadline = world.clock.now() + 10_000;
    const command = { type: "topUp", topup: world.nextId(), amount: credits(5) } as const;
    const envelope = { to: { kind: "account", id: ME }, command, commandId: world.nextId(), deadline } as const;
    await world.answer(other.request({ ...envelope, origin: "client", delivery: "first" }));
    await other.stop(0);
    appends.length = 0;
    await world.answer(register(1, 9));
    expect(appends).toEqual([[capabilityOf(1)], all]);
    expect(rows()).toMatchObject([{ price: 8 }, { price: 9 }, { price: 8 }]);
  });
});
