/** Messages from one actor to another are taken in the order in which they were sent (O1, O2, A5), whatever the network does. */
import { expect, test } from "vitest";
import { Outbox } from "../../actors/effects/outbox.ts";
import type { Committer } from "../../actors/host/commit.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import { type Journal, type OutboxMessage, StoreUnavailable } from "../../actors/ports/journal.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person, SILENT, World } from "../support/world.ts";

const TASK = taskId(id(90));
const [FIRST, SECOND, THIRD] = [id(901), id(902), id(903)];
const TOO_EARLY = { ok: false, refusal: { refused: "UNAVAILABLE", detail: expect.stringContaining("has not arrived yet") } };

async function started(): Promise<World> {
  const world = new World();
  await world.host.start();
  await world.answer(world.register(1));
  return world;
}

/** A message of a task to an account, which was sent after another one. */
function tell(world: World, commandId: string, after?: string): Promise<CommandResult> {
  const stars = Number(commandId.slice(-1));
  return world.host.request({
    to: { kind: "account", id: person(1) },
    command: { type: "rated", task: TASK, taskType: "x", stars },
    commandId,
    origin: "actor",
    delivery: "first",
    deadline: Number.MAX_SAFE_INTEGER,
    ...(after === undefined ? {} : { after }),
  });
}

const taken = (world: World) =>
  world.journal.actors.get(`account:${person(1)}`)?.facts.flatMap(({ type, cause }) => (type === "Rated" ? [cause] : []));

test("a message that has overtaken the one before it is turned away until that one has come", async () => {
  const world = await started();
  expect(await world.answer(tell(world, SECOND, FIRST))).toEqual(TOO_EARLY);
  const both = [tell(world, FIRST), tell(world, SECOND, FIRST), tell(world, THIRD, SECOND)];
  expect(await Promise.all(both.map((one) => world.answer(one)))).toEqual(both.map(() => ({ ok: true, value: null })));
  expect(taken(world)).toEqual([FIRST, SECOND, THIRD]);
});

test("one that came in order is turned away with the one before it, when that could not be taken", async () => {
  const world = await started();
  await world.crash();
  const { load } = world.journal;
  world.journal.load = async () => {
    world.journal.load = load;
    throw new StoreUnavailable("away");
  };
  const [first, second] = [tell(world, FIRST), tell(world, SECOND, FIRST)];
  expect(await world.answer(first)).toMatchObject({ refusal: { refused: "UNAVAILABLE" } });
  expect(await world.answer(second)).toEqual(TOO_EARLY);
  expect(taken(world)).toEqual([]);
});

test("one that is sent again by itself needs nobody before it, even where nothing is remembered", async () => {
  const world = await started();
  await world.answer(tell(world, FIRST));
  await world.crash();
  expect(await world.answer(tell(world, SECOND, FIRST))).toEqual(TOO_EARLY);
  expect(await world.answer(tell(world, SECOND))).toMatchObject({ ok: true });
  expect(taken(world)).toEqual([FIRST, SECOND]);
});

/** An outbox whose messages stay on their way until they are answered. */
function make() {
  const sent: (Envelope & { readonly answer: (result: CommandResult) => void })[] = [];
  const request = (envelope: Envelope) =>
    new Promise<CommandResult>((resolve) => {
      sent.push({ ...envelope, answer: resolve });
    });
  const committer = { delivered() {}, dead() {} } as unknown as Committer;
  const outbox = new Outbox({ request }, committer, new ManualClock(), SILENT, () => 0);
  const turns = async () => {
    for (let n = 0; n < 30; n += 1) await Promise.resolve();
  };
  return { outbox, sent, turns };
}

const message = (n: number): OutboxMessage => ({
  ...{ id: id(900 + n), from: { kind: "task", id: id(1) }, seq: n, leg: 0, to: { kind: "batch", id: id(2) } },
  command: { type: "turns", count: n },
});

test("each message says which one before it is not answered yet, and none where the last one is", async () => {
  const { outbox, sent, turns } = make();
  for (const n of [1, 2, 3]) void outbox.send(message(n), "first", false);
  expect(sent.map(({ after }) => after)).toEqual([undefined, FIRST, SECOND]);
  // The third is taken, so those before it have come too, whatever became of their answers.
  sent[2]?.answer({ ok: true, value: null });
  await turns();
  void outbox.send(message(4), "first", false);
  expect(sent.at(-1)?.after).toBeUndefined();
});

test("what is to be sent waits until all is read that the shard's owner before left, and goes behind it", async () => {
  const { outbox, sent, turns } = make();
  let read: (rows: readonly OutboxMessage[]) => void = () => {};
  const journal = { outbox: () => new Promise((resolve) => (read = resolve)) } as unknown as Journal;
  const resumed = outbox.resume(journal, 0);
  void outbox.send(message(3), "first", false);
  await turns();
  expect(sent).toEqual([]);
  read([message(1), message(2), message(3)]);
  expect(await resumed).toBe(3);
  expect(sent.map(({ commandId, delivery, after }) => [commandId, delivery, after])).toEqual([
    [FIRST, "again", undefined],
    [SECOND, "again", FIRST],
    [THIRD, "first", SECOND],
  ]);
});

test("what waited for rows that could not be read is forgotten with its shard, and read again with it", async () => {
  const { outbox, sent, turns } = make();
  const away = { outbox: () => Promise.reject(new StoreUnavailable("away")) } as unknown as Journal;
  const resumed = outbox.resume(away, 0).catch((error: unknown) => error);
  void outbox.send(message(2), "first", false);
  expect(await resumed).toBeInstanceOf(StoreUnavailable);
  outbox.drop(0);
  await turns();
  expect(sent).toEqual([]);
  await outbox.resume({ outbox: async () => [message(1), message(2)] } as unknown as Journal, 0);
  expect(sent.map(({ commandId }) => commandId)).toEqual([FIRST, SECOND]);
});
