/** How new tasks are told to streams: to how many, to which, and with how many writes. */
import { beforeEach, describe, expect, test } from "vitest";
import { GATHER_MS, NewTasks } from "../../gateway/live/new-tasks.ts";
import { PushSink } from "../../gateway/live/push.ts";
import { SseSink } from "../../gateway/live/sse.ts";
import { EventStream, type Sink } from "../../gateway/live/stream.ts";
import { Turns } from "../../gateway/live/turns.ts";
import { ManualClock } from "../support/clock.ts";
import { HearingFleet } from "../support/gateways.ts";
import { openTask, readEvents } from "../support/journals.ts";
import { id, person } from "../support/world.ts";

interface Named {
  readonly name: string;
  turn: number;
}

/** Streams of so many workers, each with so many, named by both. */
const streamsOf = (workers: number, each: number) =>
  Array.from({ length: workers }, (_, worker) => Array.from({ length: each }, (_, n) => ({ name: `${worker}.${n}`, turn: 0 })));
const names = (streams: readonly { readonly name: string }[]) => streams.map(({ name }) => name).toSorted();

function streamInto(sink: Sink): EventStream {
  const common = { account: person(2), keyHash: "key", address: "198.51.100.1", taskTypes: null };
  return new EventStream({ ...common, topics: ["task.new"] }, sink);
}

describe("of a task hears", () => {
  test("every stream, where there are not more than may", () => {
    const turns = new Turns<Named>();
    const workers = streamsOf(3, 4);
    for (let tasks = 0; tasks < 3; tasks += 1) expect(names(turns.choose(workers, 12))).toEqual(names(workers.flat()));
  });

  test("one stream of each worker, and second ones of as many as there is room for, before any third one", () => {
    const turns = new Turns<Named>();
    const workers = [...streamsOf(5, 1), ...streamsOf(3, 10)];
    for (let tasks = 0; tasks < 50; tasks += 1) {
      const chosen = turns.choose(workers, 10);
      const counts = workers.map((streams) => chosen.filter((one) => streams.includes(one)).length);
      expect(chosen).toHaveLength(10);
      expect(counts.slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
      expect(counts.slice(5).toSorted()).toEqual([1, 2, 2]);
    }
  });

  test("each stream of a worker as often as its others, and each worker's second one as often as those of others", () => {
    const turns = new Turns<Named>();
    const workers = streamsOf(20, 10);
    const heard = new Map<string, number>();
    for (let tasks = 0; tasks < 1_000; tasks += 1) {
      for (const { name } of turns.choose(workers, 32)) heard.set(name, (heard.get(name) ?? 0) + 1);
    }
    const counts = [...heard.values()];
    expect(counts).toHaveLength(200);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(32_000);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
  });

  test("the same streams each time that the same is asked in the same order", () => {
    const run = () => {
      const turns = new Turns<Named>();
      const workers = streamsOf(7, 5);
      return Array.from({ length: 20 }, () => turns.choose(workers, 11).map(({ name }) => name));
    };
    expect(run()).toEqual(run());
  });

  test("a worker's only stream always, whatever others have", () => {
    const turns = new Turns<Named>();
    const [only] = streamsOf(1, 1);
    if (only === undefined) throw new Error("there is one");
    const workers = [...streamsOf(31, 10), only];
    for (let tasks = 0; tasks < 100; tasks += 1) expect(turns.choose(workers, 32)).toContain(only[0]);
  });
});

describe("a stream", () => {
  let clock: ManualClock;
  let newTasks: NewTasks;
  let stream: EventStream;
  let writes: string[];

  beforeEach(() => {
    clock = new ManualClock();
    newTasks = new NewTasks(clock);
    const sink = new SseSink({ named: false, proof: null });
    stream = streamInto(sink);
    writes = [];
    sink.out.on("data", (chunk) => writes.push(String(chunk)));
  });

  const tell = (...tasks: readonly number[]) => {
    for (const n of tasks) newTasks.tell(openTask(n), [[stream]], 32);
  };
  const heard = () => readEvents(writes.join("")).map(({ task }) => task);
  const pass = async (ms: number) => {
    clock.to(clock.now() + ms);
    await new Promise((resolve) => setImmediate(resolve));
  };

  test("is told of a first task at once, and of those that follow soon together", async () => {
    tell(1, 2, 3, 4);
    await pass(0);
    expect(heard()).toEqual([id(1)]);
    await pass(GATHER_MS);
    expect([writes.length, heard()]).toEqual([2, [1, 2, 3, 4].map((n) => id(n))]);
    // It was told within the last time.
    tell(5);
    await pass(0);
    expect(writes).toHaveLength(2);
    await pass(GATHER_MS);
    await pass(GATHER_MS);
    tell(6);
    await pass(0);
    expect(heard()).toEqual([1, 2, 3, 4, 5, 6].map((n) => id(n)));
  });

  test("is told what was gathered before anything else, under the id that it had then", async () => {
    tell(1, 2);
    await stream.send("task.awarded", JSON.stringify({ type: "task.awarded", task: { id: id(3) } }), 9);
    await pass(0);
    expect(readEvents(writes.join("")).map(({ id: at, task }) => [at, task])).toEqual([
      ["0", id(1)],
      ["0", id(2)],
      ["9", id(3)],
    ]);
  });

  test("is told what was gathered before it ends", async () => {
    tell(1, 2, 3);
    stream.end("gateway");
    await pass(0);
    expect(heard()).toEqual([1, 2, 3].map((n) => id(n)));
  });

  test("keeps no more than 64 KB back", async () => {
    for (let n = 1; n <= 4; n += 1) {
      const { row, order } = openTask(n);
      newTasks.tell({ row, order: { ...order, schema: { $comment: "x".repeat(30_000) } } }, [[stream]], 32);
    }
    await pass(0);
    expect(heard()).toEqual([1, 2, 3, 4].map((n) => id(n)));
  });

  test("that has gone leaves no timer behind", async () => {
    tell(1, 2);
    newTasks.forget(stream);
    expect(clock.next).toBeNull();
    tell(3);
    for (let n = 0; n < 3; n += 1) await pass(GATHER_MS);
    expect(clock.next).toBeNull();
  });
});

test("a fleet is pushed each task at once, in a message of its own, and nothing later", () => {
  const clock = new ManualClock();
  const newTasks = new NewTasks(clock);
  const fleet = new HearingFleet();
  const listening = streamInto(new PushSink(fleet.line, clock));
  for (const n of [1, 2, 3]) newTasks.tell(openTask(n), [[listening]], 32);
  expect(fleet.take()).toEqual([1, 2, 3].map((n) => [0, id(n)]));
  clock.to(clock.now() + GATHER_MS);
  expect([fleet.take(), clock.next]).toEqual([[], null]);
});
