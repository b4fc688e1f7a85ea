/**
 * A worker who waits gets the next task without asking again, however the task comes and however the worker waits. How soon is
 * measured by `npm run bench:next`.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { BAD, eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { startPrivate } from "../support/servers.mjs";
import { Listener } from "../support/stream.ts";

const [TYPE, OTHER_TYPE] = ["json_extraction", "translation"];
const WAIT_MS = 30_000;

let server: Awaited<ReturnType<typeof startPrivate>>;
let market: Market;
let requester: Party;

beforeAll(async () => {
  server = await startPrivate("nats");
  // One award at a time, so that a worker is soon full.
  market = await Market.start({ FLEET_NATS_URL: server.url, AWARDS_BY_TIER: "1,1,1,1,1" });
  requester = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 100_000 }, requester);
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(market.alarms()).toEqual([]);
  await market.stop();
  await server.stop();
});

/** A worker who waits for one task. `won` resolves with its id; `end` comes after that. */
interface Wait {
  readonly won: Promise<string>;
  readonly end: () => Promise<void>;
}

interface Way {
  /** Before the worker waits. */
  readonly prepare: (worker: Party) => Promise<unknown>;
  readonly wait: (worker: Party) => Promise<Wait>;
}

const WAYS: { readonly [name: string]: Way } = {
  "a pull": {
    prepare: async () => {},
    wait: async (worker) => {
      const won = market.ok("POST", "/work/pull", { task_types: [TYPE], wait_ms: WAIT_MS }, worker);
      return { won: won.then(({ tasks }) => tasks[0].id), end: async () => {} };
    },
  },
  "a pull of a fleet": {
    prepare: async () => {},
    wait: async (worker) => {
      const fleet = await Fleet.connect(server.url, worker);
      const pull = async (): Promise<string> => {
        // A fleet waits five seconds at a time.
        const { tasks } = await fleet.ok("work.pull", { task_types: [TYPE], wait_ms: WAIT_MS });
        return tasks.length > 0 ? tasks[0].id : pull();
      };
      return { won: pull(), end: () => fleet.close() };
    },
  },
  "a stream and a posted price": {
    prepare: (worker) => market.ok("POST", "/capabilities", { task_type: TYPE, price: 10 }, worker),
    wait: async (worker) => {
      const listener = new Listener(market.port, `/events/stream?topics=task.awarded&task_type=${TYPE}`, worker.key);
      const won = eventually(async () => listener.events[0]?.task.id, "an award");
      return { won, end: async () => listener.close() };
    },
  },
};

const post = (more: object = {}) => market.post(requester, { task_type: TYPE, ...more });

/** Waits until so many workers are online for the type. */
const online = (workers: number) =>
  eventually(async () => {
    const { workers_online: now } = await market.ok("POST", "/tasks/validate", { ...ORDER, task_type: TYPE }, requester);
    return now === workers ? true : undefined;
  }, `${workers} workers to be online`);

/** A new worker with an award. */
async function awarded(more: object = {}): Promise<{ readonly other: Party; readonly id: string }> {
  const other = await market.register();
  const id = await post(more);
  const { tasks } = await market.ok("POST", "/work/pull", { task_types: [TYPE], wait_ms: WAIT_MS }, other);
  expect(tasks).toMatchObject([{ id }]);
  await online(0);
  return { other, id };
}

/** Begins a batch of so many items, one at a time. */
async function batch(items: number): Promise<void> {
  const { input_data, ...template } = { ...ORDER, task_type: TYPE };
  const all = Array.from({ length: items }, () => ({ input_data }));
  await market.ok("POST", "/tasks/batch", { template, items: all, max_concurrent: 1 }, requester);
}

async function finish(id: string, worker: Party): Promise<void> {
  expect(await market.submit(id, worker, GOOD)).toMatchObject({ status: "COMPLETED" });
  await market.until(id, requester, "SETTLED");
}

async function fail(id: string, worker: Party): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) await market.submit(id, worker, BAD);
}

const release = (id: string, worker: Party) => market.ok("POST", `/tasks/${id}/release`, {}, worker);

/** What makes a task come while a worker waits; what must be before that is done first. Gives the task, if it is known. */
const CAUSES: { readonly [name: string]: () => Promise<() => Promise<string | null>> } = {
  "is posted": async () => post,
  "is an item of a batch": async () => async () => {
    await batch(1);
    return null;
  },
  "is the next item of a batch, when another worker has done the one before": async () => {
    await batch(2);
    const other = await market.register();
    const { tasks } = await market.ok("POST", "/work/pull", { task_types: [TYPE], wait_ms: WAIT_MS }, other);
    await online(0);
    return async () => {
      await market.submit(tasks[0].id, other, GOOD);
      return null;
    };
  },
  "was given back by another worker": async () => {
    const { other, id } = await awarded();
    return async () => {
      await release(id, other);
      return id;
    };
  },
  "another worker has failed": async () => {
    const { other, id } = await awarded();
    return async () => {
      await fail(id, other);
      return id;
    };
  },
  "another worker has not done in time": async () => {
    const { id } = await awarded({ max_seconds: 10 });
    return async () => id;
  },
};

describe.each(Object.entries(WAYS))("a worker who waits with %s", (_name, way) => {
  test.each(Object.entries(CAUSES))("gets a task that %s", async (_cause, prepare) => {
    const worker = await market.register();
    await way.prepare(worker);
    const cause = await prepare();
    const { won, end } = await way.wait(worker);
    await online(1);
    const id = await cause();
    const got = await won;
    await end();
    if (id !== null) expect(got).toBe(id);
    await finish(got, worker);
    await online(0);
  });

  test("gets a task that was in the pool before it came", async () => {
    const worker = await market.register();
    await way.prepare(worker);
    const id = await post();
    await market.until(id, requester, "PENDING_POOL");
    const { won, end } = await way.wait(worker);
    expect(await won).toBe(id);
    await end();
    await finish(id, worker);
    await online(0);
  });

  test.each([
    ["is paid", TYPE, finish],
    ["is given back", TYPE, release],
    ["has failed", TYPE, fail],
    ["is paid", OTHER_TYPE, finish],
    ["is given back", OTHER_TYPE, release],
  ] as const)("has no place, and gets a task when its award %s, of type %s", async (_name, taskType, endAward) => {
    const worker = await market.register();
    const first = await post({ task_type: taskType });
    const { tasks } = await market.ok("POST", "/work/pull", { task_types: [taskType], wait_ms: WAIT_MS }, worker);
    expect(tasks).toMatchObject([{ id: first }]);
    await way.prepare(worker);
    const { won, end } = await way.wait(worker);
    await online(1);
    const id = await post();
    await market.until(id, requester, "PENDING_POOL");
    await endAward(first, worker);
    expect(await won).toBe(id);
    await end();
    await finish(id, worker);
    await market.call("DELETE", `/tasks/${first}`, undefined, requester);
    await online(0);
  });
});
