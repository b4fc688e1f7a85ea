/** A whole node with matchers: tasks and workers find each other by what is told after commits, and nothing depends on it. */
import { beforeEach, describe, expect, test } from "vitest";
import { Host } from "../../actors/host/host.ts";
import { matcherAt } from "../../actors/matching/queues.ts";
import type { OpenTasks } from "../../actors/ports/open-tasks.ts";
import { readReply } from "../../machines/incoming.ts";
import type { Pulled } from "../../machines/matcher/protocol.ts";
import type { PullWaiter } from "../../machines/matcher/vocabulary.ts";
import { isTaskSpec } from "../../machines/task/commands.ts";
import { id, order, person, SILENT, STANDING, World } from "../support/world.ts";

const TYPE = order().taskType;
const REQUESTER = 1;
const [ANN, BOB] = [2, 3];

let world: World;
/** New tasks that gateways were told of. */
let told: string[];
/** Whether announcements are lost. */
let lost: boolean;
let pulls: number;

/** The index cannot be read here: whatever is found is found by announcements. */
const away = () => Promise.reject(new Error("away"));
const AWAY: OpenTasks = { page: away, read: away, going: async () => null };

function host(withMatching: boolean): Host {
  const made: Host = new Host({
    entities: world.entities,
    journal: world.journal,
    validator: { judge: (question, where) => world.judge(question, where) },
    calls: { make: async () => null },
    clock: world.clock,
    ids: { next: () => world.nextId() },
    log: SILENT,
    writers: 1,
    transport: { request: async (envelope) => (lost && envelope.to.kind === "matcher" ? LOST : made.request(envelope)) },
    ...(withMatching
      ? { matching: { index: AWAY, partitions: 1, notices: { newTask: (_gateway, { row }) => void told.push(row.id) } } }
      : {}),
  });
  return made;
}

const LOST = { ok: false, refusal: { refused: "UNAVAILABLE", detail: "lost" } } as const;

beforeEach(async () => {
  world = new World();
  [told, lost, pulls] = [[], false, 0];
  world.host.abandon();
  world.host = host(true);
  await world.host.start();
  for (const n of [REQUESTER, ANN, BOB]) expect(await world.answer(world.register(n, 500))).toMatchObject({ ok: true });
});

/** A pull of this worker; `got` is there once it is answered. */
function pull(n: number, ms: number, most = 1) {
  pulls += 1;
  const now = world.clock.now();
  const wait: PullWaiter = {
    kind: "pull",
    id: `pull ${pulls}`,
    worker: person(n),
    gateway: "g1",
    standing: STANDING,
    since: now,
    until: now + ms,
    price: null,
    minPrice: 1,
    most,
    bytesMost: 500_000,
    bytesShare: 500_000,
  };
  const one: { got: Pulled | undefined; refused: boolean } = { got: undefined, refused: false };
  const envelope = { commandId: world.nextId(), origin: "client", delivery: "first", deadline: now + 60_000 } as const;
  void world.host.request({ to: matcherAt(TYPE, 0), command: { type: "pull", wait }, ...envelope }).then((answer) => {
    one.got = answer.ok ? readReply("matcher", "pull", answer.value) : undefined;
    one.refused = !answer.ok;
  });
  return one;
}

const idsOf = (got: Pulled | undefined) => got?.tasks.map(({ row }) => row.id);
const post = async (changes = {}) => {
  const task = world.newTask();
  expect(await world.answer(world.post(REQUESTER, task, changes))).toMatchObject({ ok: true });
  // The announcement arrives after the answer.
  await world.settle();
  return task;
};

describe("a worker that waits gets a task", () => {
  test("that opens, whole and awarded, with its slot reserved", async () => {
    const waiting = pull(ANN, 10_000);
    const task = await post();
    await world.settle();
    expect(waiting.got).toMatchObject({ why: "awarded", tasks: [{ row: { id: task, status: "AWARDED", worker: person(ANN) } }] });
    expect(isTaskSpec(waiting.got?.tasks[0]?.order)).toBe(true);
    expect(await world.broken()).toEqual([]);
  });

  test("that is there already, in its window or in the pool", async () => {
    const first = await post({ quality: "balanced" });
    const one = pull(ANN, 0);
    await world.pass(100);
    expect(idsOf(one.got)).toEqual([first]);
    const pooled = await post();
    await world.pass(4_000);
    const other = pull(BOB, 0);
    await world.pass(100);
    expect(idsOf(other.got)).toEqual([pooled]);
  });

  test("that another worker failed, as soon as it reopens, and not who failed it", async () => {
    const task = await post();
    const one = pull(ANN, 0);
    await world.pass(100);
    expect(idsOf(one.got)).toEqual([task]);
    const again = pull(ANN, 60_000);
    const other = pull(BOB, 60_000);
    for (let tries = 0; tries < 3; tries += 1) await world.answer(world.submit(ANN, task, false));
    await world.settle();
    expect([idsOf(other.got), again.got]).toEqual([[task], undefined]);
  });

  test("as soon as it has a slot again: the fourth when one of three is done", async () => {
    const tasks = [await post(), await post(), await post(), await post()];
    const first = pull(ANN, 0, 3);
    await world.pass(100);
    expect(idsOf(first.got)).toHaveLength(3);
    const waiting = pull(ANN, 60_000);
    await world.pass(3_000);
    expect(waiting.got).toBeUndefined();
    const done = first.got?.tasks[0]?.row.id ?? "";
    const [, , , left] = [...(idsOf(first.got) ?? []), ...tasks.filter((one) => !idsOf(first.got)?.includes(one))];
    await world.answer(
      world.ask("task", done, { type: "submit", submission: id(900), worker: person(ANN), result: { name: "Ada" } }),
    );
    await world.settle();
    expect(idsOf(waiting.got)).toEqual([left]);
    expect(await world.broken()).toEqual([]);
  });
});

describe("a task", () => {
  test("goes to one of two that wait, and the other gets the next one", async () => {
    const both = [pull(ANN, 60_000), pull(BOB, 60_000)];
    const first = await post();
    await world.settle();
    expect(both.filter(({ got }) => got !== undefined)).toHaveLength(1);
    const second = await post();
    await world.settle();
    expect(both.flatMap(({ got }) => idsOf(got)).toSorted()).toEqual([first, second].toSorted());
  });

  test("that is awarded by hand, or cancelled, is proposed to nobody any more", async () => {
    const [byHand, cancelled] = [await post(), await post()];
    await world.answer(world.bid(BOB, byHand, 5, []));
    await world.answer(world.ask("task", cancelled, { type: "cancel", requester: person(REQUESTER) }));
    const late = pull(ANN, 1_000);
    await world.pass(1_200);
    expect(late.got).toEqual({ why: "over", tasks: [], missing: 0 });
  });

  test("is told once to who listens, and whoever bids by hand is waited for", async () => {
    const until = world.clock.now() + 60_000;
    const listener = {
      kind: "manual",
      id: "g1/bob",
      worker: person(BOB),
      gateway: "g1",
      standing: STANDING,
      since: 0,
      until,
      announce: true,
    } as const;
    const command = { type: "present", posted: [], manual: [listener], renewed: [], until } as const;
    const envelope = { commandId: world.nextId(), origin: "client", delivery: "first", deadline: until } as const;
    await world.host.request({ to: matcherAt(TYPE, 0), command, ...envelope });
    const waiting = pull(ANN, 60_000);
    const task = await post();
    await world.settle();
    expect([told, waiting.got]).toEqual([[task], undefined]);
    // Its bid is the better one, and nobody else is left to wait for.
    await world.answer(world.bid(BOB, task, 5));
    await world.pass(4_000);
    expect(world.row("task", task)).toMatchObject({ status: "AWARDED", worker: person(BOB) });
    expect(told).toEqual([task]);
  });
});

describe("when announcements are lost, or there is no matcher", () => {
  test("tasks open, collect bids and enter the pool as ever", async () => {
    lost = true;
    const task = await post();
    await world.pass(4_000);
    expect(world.row("task", task)).toMatchObject({ status: "PENDING_POOL" });
    expect(await world.answer(world.bid(ANN, task, 5))).toMatchObject({ ok: true, value: { status: "AWARDED" } });
  });

  test("a host without any says that they are not here", async () => {
    world.host = host(false);
    await world.host.start();
    const asked = pull(ANN, 1_000);
    await world.settle();
    expect(asked.refused).toBe(true);
    const task = await post();
    await world.answer(world.bid(ANN, task, 5, []));
    expect(world.row("task", task)).toMatchObject({ status: "AWARDED" });
  });
});

test("a node that stops sends those that wait to the next one, and leaves no timer of a matcher behind", async () => {
  const waiting = pull(ANN, 60_000);
  await world.settle();
  await world.host.stop(0);
  await world.settle();
  expect(waiting.refused).toBe(true);
  expect(world.clock.next).toBeNull();
});
