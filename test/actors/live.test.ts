/** Actors of XState, as a host runs them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ActorRefLike } from "xstate";
import { LiveActor } from "../../actors/host/live.ts";
import { LIMITS } from "../../actors/limits.ts";
import { accountMachine } from "../../machines/account/machine.ts";
import { ENTITIES } from "../../machines/entities.ts";
import { logicOf } from "../../machines/statechart.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task } from "../../machines/task/index.ts";
import { credits, type JsonValue, taskId } from "../../machines/vocabulary.ts";
import { id, order, person, World } from "../support/world.ts";

const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on("uncaughtException", note);
});
afterEach(() => {
  process.off("uncaughtException", note);
});

/** Whatever XState would throw from a timer of its own has been thrown. */
const timersOfXState = () => new Promise((resolve) => setTimeout(resolve, 20));

/** An account whose key cannot be replaced: the action throws. */
const BROKEN = {
  ...ENTITIES.account,
  logic: logicOf(
    accountMachine.provide({
      actions: {
        replaceKey: () => {
          throw new Error("a bug");
        },
      },
    }),
  ),
};

async function brokenWorld(): Promise<World> {
  const world = new World();
  world.entities = { ...world.entities, account: BROKEN };
  world.host = world.makeHost();
  await world.host.start();
  for (const n of [1, 2]) await world.answer(world.register(n));
  return world;
}

const rotate = (world: World) => world.ask("account", person(1), { type: "rotateKey", presented: "hash1", keyHash: "hash9" });
const topUp = (world: World, n: number, amount: number) =>
  world.ask("account", person(n), { type: "topUp", topup: world.nextId(), amount: credits(amount) });

describe("an action that throws", () => {
  test("is answered INTERNAL, ends no process, and touches neither its own actor's state nor its neighbours", async () => {
    const world = await brokenWorld();
    expect(await world.answer(rotate(world))).toMatchObject({ refusal: { refused: "INTERNAL" } });
    await timersOfXState();
    expect(uncaught).toEqual([]);
    expect(await world.answer(topUp(world, 1, 5))).toMatchObject({ value: { available: 55 } });
    expect(await world.answer(topUp(world, 2, 7))).toMatchObject({ value: { available: 57 } });
    expect(world.row("account", person(1))["keyHash"]).toBe("hash1");
    expect(await world.broken()).toEqual([]);
  });

  test("takes nothing away that was decided before it and is not committed yet", async () => {
    const world = await brokenWorld();
    let open = () => {};
    world.journal.gate = new Promise((resolve) => {
      open = () => {
        world.journal.gate = undefined;
        resolve();
      };
    });
    const answers = Promise.all([topUp(world, 1, 5), rotate(world), topUp(world, 1, 6)]);
    await world.settle();
    open();
    await world.settle();
    expect(await answers).toMatchObject([
      { value: { available: 55 } },
      { refusal: { refused: "INTERNAL" } },
      { value: { available: 61 } },
    ]);
    expect(await world.broken()).toEqual([]);
  });
});

const TASK = taskId(id(500));
const AT = 1_800_000_000_000;
const OPENED: TaskFact = { type: "Opened", task: TASK, requester: person(1), marks: [], order: order(), createdAt: AT, at: AT };
const ROUTING: TaskFact = { type: "RoutingStarted", until: AT + 9, at: AT };

test("an actor that is evicted, idle or at its end, is stopped, so that an inspector does not show it as alive", async () => {
  const world = new World();
  const seen = new Set<ActorRefLike>();
  world.inspect = ({ actorRef }) => seen.add(actorRef);
  const statuses = () => [...seen].map((actor) => actor.getSnapshot().status);
  world.host = world.makeHost();
  await world.host.start();
  await world.register(1, 100);
  const posted = world.newTask();
  await world.post(1, posted);
  expect(statuses()).toEqual(["active", "active"]);
  await world.ask("task", posted, { type: "cancel", requester: person(1) });
  await world.pass(1_000);
  expect(statuses()).toEqual(["active", "stopped"]);
  await world.pass(LIMITS.idleMs + 2 * LIMITS.sweepMs);
  expect(world.host.stats.actors).toBe(0);
  expect(statuses()).toEqual(["stopped", "stopped"]);
});

describe("a live actor", () => {
  test("emits nothing of what is replayed, and of each fact that is sent what that one sets off", () => {
    const live = new LiveActor(task, TASK, undefined, undefined);
    live.replay(OPENED);
    live.replay(ROUTING);
    expect(live.send({ type: "PoolEntered", until: AT + 99, at: AT + 9 } as TaskFact)).toEqual([
      { type: "forget", name: "routing" },
      { type: "remind", name: "pool", at: AT + 99 },
    ]);
    const bid = { id: id(9), worker: person(2), credits: credits(10), quality: 0.5 };
    expect(live.send({ type: "BidPlaced", bid, at: AT + 10 } as TaskFact)).toEqual([
      { type: "remind", name: "routing", at: AT + 2_010 },
    ]);
  });

  test("does not take a fact that does not fit its state, and is over then", async () => {
    const live = new LiveActor(task, TASK, undefined, undefined);
    live.send(OPENED);
    expect(() => live.send({ type: "AwardTimedOut", at: AT } as TaskFact)).toThrow(/CREATED.*AwardTimedOut/);
    await timersOfXState();
    expect(uncaught).toEqual([]);
  });

  test("is restored as it was, though a stranger's JSON looks like a reference to an actor of XState", () => {
    const known: JsonValue = { sessionId: "x:0", send: 1, ref: 2, id: "x" };
    const exampleOutput: JsonValue = { list: [{ xstate$$type: 1, id: "x" }] };
    const live = new LiveActor(task, TASK, undefined, undefined);
    live.send({ ...OPENED, order: order({ exampleOutput, known }) } as TaskFact);
    const stored: unknown = JSON.parse(JSON.stringify(task.persist(live.state, 1)));
    const restored = new LiveActor(task, TASK, task.restore(TASK, stored), undefined);
    expect(restored.state.context.order).toEqual(order({ exampleOutput, known }));
    restored.send(ROUTING);
    expect(restored.state.context.order).toEqual(order({ exampleOutput, known }));
  });
});
