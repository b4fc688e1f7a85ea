/** One suite for every registry: what members read, what they agree to write, and that nobody joins who cannot read it. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { type Registry, TooOld } from "../../actors/ports/registry.ts";
import { BASE_FORMATS, FORMATS, type Formats } from "../../machines/formats.ts";
import type { Transaction } from "../../src/adapters/postgres/consistent-snapshot.ts";
import { migrate, SCHEMAS } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { agreeAlone, PostgresRegistry } from "../../src/adapters/postgres/registry.ts";
import { Random } from "../simulation/random.ts";
import { Store } from "../simulation/store.ts";
import { Process, Time } from "../simulation/time.ts";
import { makeDatabase } from "../support/postgres.mjs";

const STATS = { actors: 1, timers: 2, inFlight: 3, commits: 4, facts: 5, lagMs: 6 };
const NEXT: Formats = { ...FORMATS, account: FORMATS.account + 1 };

interface Rig {
  readonly registry: Registry;
  /** Lets time pass until the work is done. */
  done<T>(work: Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

async function openDatabase(): Promise<{ readonly pool: Database; stop(): Promise<void> }> {
  const { url, drop } = await makeDatabase(inject("postgresUrl"));
  const pool = openPool(url, { max: 6, name: "formats test" });
  await migrate([pool]);
  const stop = async () => {
    await pool.end();
    await drop();
  };
  return { pool, stop };
}

async function postgresRig(): Promise<Rig> {
  const { pool, stop } = await openDatabase();
  return { registry: new PostgresRegistry(pool, "0.0.0"), done: (work) => work, stop };
}

async function simulatedRig(): Promise<Rig> {
  const time = new Time();
  const store = new Store(time, new Random(1), "none");
  return {
    registry: store.registryOf(new Process("test", time)),
    done: async (work) => {
      let ended = false;
      const watched = work.finally(() => {
        ended = true;
      });
      watched.catch(() => {});
      while (!ended) await time.run(time.now + 10);
      return watched;
    },
    stop: async () => {},
  };
}

async function joined({ registry, done }: Rig, formats: Formats | null): Promise<string> {
  const id = randomUUID();
  await done(registry.join({ id, node: "n", weight: 1, formats }));
  return id;
}

async function agreed({ registry, done }: Rig, id: string): Promise<Formats | undefined> {
  return (await done(registry.beat(id, false, STATS)))?.formats;
}

describe.each([
  ["in Postgres", postgresRig],
  ["in the simulation", simulatedRig],
])("a registry %s", (_, open) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await open();
  });
  afterEach(() => rig.stop());

  test("shows what each member reads; nothing more than the base is agreed upon by that alone", async () => {
    const [old, young] = [await joined(rig, FORMATS), await joined(rig, NEXT)];
    const view = await rig.done(rig.registry.beat(young, false, STATS));
    expect(view?.members.find(({ id }) => id === old)?.formats).toEqual(FORMATS);
    expect(view?.members.find(({ id }) => id === young)?.formats).toEqual(NEXT);
    expect(view?.formats).toEqual(BASE_FORMATS);
  });

  test("records formats once every member reads them, and never lower ones again", async () => {
    const [old, young] = [await joined(rig, FORMATS), await joined(rig, NEXT)];
    await rig.done(rig.registry.raise(NEXT));
    expect(await agreed(rig, young)).toEqual(BASE_FORMATS);
    await rig.done(rig.registry.leave(old));
    await rig.done(rig.registry.raise(NEXT));
    expect(await agreed(rig, young)).toEqual(NEXT);
    await rig.done(rig.registry.raise(FORMATS));
    expect(await agreed(rig, young)).toEqual(NEXT);
  });

  test("lets nobody in who does not read what is recorded, however long ago that was", async () => {
    const first = await joined(rig, NEXT);
    await rig.done(rig.registry.raise(NEXT));
    await rig.done(rig.registry.leave(first));
    await expect(joined(rig, FORMATS)).rejects.toThrow(TooOld);
    await expect(joined(rig, null)).rejects.toThrow(TooOld);
    expect(await agreed(rig, await joined(rig, NEXT))).toEqual(NEXT);
  });

  test("whether one joins or the others raise first, no member is left that does not read what is recorded", async () => {
    const young = await joined(rig, NEXT);
    const old = randomUUID();
    const raised = rig.done(rig.registry.raise(NEXT));
    const joining = rig.done(rig.registry.join({ id: old, node: "old", weight: 1, formats: FORMATS })).catch(() => {});
    await Promise.all([raised, joining]);
    const view = await rig.done(rig.registry.beat(young, false, STATS));
    expect(view?.members.some(({ id }) => id === old)).toBe(view?.formats.account !== NEXT.account);
  });
});

describe("a registry in Postgres", () => {
  let pool: Database;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    ({ pool, stop } = await openDatabase());
  });
  afterEach(() => stop());

  /** Runs `first` in a transaction, and `second` while that is open; gives what they left. */
  async function overlapping(first: (transaction: Transaction) => Promise<unknown>, second: () => Promise<unknown>) {
    let ended = false;
    const run = await pool.begin(async (transaction) => {
      await first(transaction);
      const running = second().finally(() => {
        ended = true;
      });
      running.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 150));
      return { running, waited: !ended };
    });
    await run.running.catch(() => {});
    return run;
  }

  test("who raises waits for one who is joining, and sees what that one reads", async () => {
    const registry = new PostgresRegistry(pool, "0.0.0");
    const young = randomUUID();
    await registry.join({ id: young, node: "young", weight: 1, formats: NEXT });
    const { waited } = await overlapping(
      (transaction) =>
        transaction`
          insert into members (id, node, weight, version, stats, reads)
          values (${randomUUID()}, 'old', 1, '0.1.0', '{}', ${JSON.stringify({ formats: FORMATS, schema: SCHEMAS })}::text::json)`,
      () => registry.raise(NEXT),
    );
    expect(waited).toBe(true);
    expect((await registry.beat(young, false, STATS))?.formats).toEqual(BASE_FORMATS);
  });

  test("who joins waits while formats are raised, and is refused then with a word that says what to do", async () => {
    const registry = new PostgresRegistry(pool, "0.0.0");
    await registry.join({ id: randomUUID(), node: "young", weight: 1, formats: NEXT });
    let why: unknown;
    const { waited } = await overlapping(
      (transaction) => transaction`select raise_formats(${JSON.stringify(NEXT)}::text::json)`,
      () =>
        registry.join({ id: randomUUID(), node: "old", weight: 1, formats: FORMATS }).catch((error: unknown) => {
          why = error;
        }),
    );
    expect(waited).toBe(true);
    expect(why).toBeInstanceOf(TooOld);
    expect(String(why)).toMatch(/NexusToken 0\.0\.0 does not read \(account \d+\)\. Update this node, or restore a backup/);
  });

  test("a process that is alone agrees with itself, whoever was a member before; an older one does not start then", async () => {
    const registry = new PostgresRegistry(pool, "0.0.0");
    const gone = randomUUID();
    await registry.join({ id: gone, node: "gone", weight: 1, formats: FORMATS });
    await agreeAlone(pool, "0.0.0", NEXT);
    expect(await registry.beat(gone, false, STATS)).toBeNull();
    await expect(agreeAlone(pool, "0.0.0", FORMATS)).rejects.toThrow(TooOld);
    await agreeAlone(pool, "0.0.0", NEXT);
  });
});
