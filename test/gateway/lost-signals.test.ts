/** Where signals get lost: streams find everything by looking back, keys end, and nothing is kept for who has gone. */
import { beforeEach, describe, expect, test } from "vitest";
import { KeyRing } from "../../gateway/live/key-ring.ts";
import { Feed, TOPICS } from "../../gateway/live/stream.ts";
import type { ReadModel, StoredTask } from "../../gateway/ports/read-model.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { account } from "../../machines/account/index.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { Life } from "../support/life.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const TYPE = order().taskType;
const [REQUESTER, WORKER] = [person(1), person(2)];
/** How often a stream looks by itself (ms). */
const LOOK_MS = 5_000;

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

function member(n: number, keyHash = `key ${n}`) {
  const life = new Life(account, person(n));
  life.do(
    { type: "register", account: person(n), email: `${n}@test.example`, source: null, keyHash, grant: credits(50), marks: [] },
    1,
  );
  const row = account.row(person(n), life.state);
  if (row === undefined) throw new Error("who is registered has a row");
  return row;
}

describe("a stream", () => {
  /** What the database shows by now, by the list in which it is. */
  let open: StoredTask[];
  let ended: StoredTask[];
  let asked: { readonly since: number | null }[];
  let feed: Feed;
  beforeEach(() => {
    [open, ended, asked] = [[], [], []];
    const page = (rows: readonly StoredTask[], since: number | null) => ({
      items: rows.filter(({ row }) => row.updatedAt >= (since ?? 0)),
      next: null,
    });
    const reads: Pick<ReadModel, "task" | "account" | "open" | "tasks"> = {
      account: async (of) => [member(1), member(2)].find((one) => one.id === of),
      task: async () => undefined,
      open: async ({ since = null }) => {
        asked.push({ since });
        return page(open, since);
      },
      tasks: async ({ status, since = null }) =>
        page(
          ended.filter(({ row }) => row.status === status),
          since,
        ),
    };
    const presence = { listens: () => () => {} };
    feed = new Feed({ reads, presence, clock, log: SILENT, taskTypes: [TYPE], streamsPerAddress: 0 });
  });

  function posted(n: number, at: number, end = false): StoredTask {
    const life = new Life(task, id(n));
    const spec = order();
    life.do({ type: "open", task: taskId(id(n)), requester: REQUESTER, marks: [], order: spec, offers: [], createdAt: at }, at);
    if (end) life.do({ type: "cancel", requester: REQUESTER }, at);
    const row = task.row(id(n), life.state);
    if (row === undefined) throw new Error("an opened task has a row");
    return { row, order: spec };
  }

  function listen(n: number, since: number | null = null) {
    const out = feed.open({
      account: person(n),
      keyHash: `key ${n}`,
      address: "a",
      topics: TOPICS,
      taskType: null,
      works: true,
      since,
    });
    if (typeof out === "string") throw new Error(out);
    const heard = { text: "" };
    out.on("data", (chunk) => {
      heard.text += String(chunk);
    });
    const told = (of: number) => heard.text.split(id(of)).length - 1;
    return { out, heard, told };
  }

  async function pass(ms: number): Promise<void> {
    const until = clock.now() + ms;
    for (let next = clock.next; next !== null && next <= until; next = clock.next) {
      clock.to(next);
      await turns();
    }
    clock.to(until);
    await turns();
  }

  test("tells of what is open, and of every end that it was given no signal of, once, at its next look", async () => {
    open.push(posted(100, clock.now()));
    const [worker, requester] = [listen(2), listen(1)];
    await turns();
    ended.push(posted(101, clock.now(), true));
    await pass(LOOK_MS);
    expect([worker.told(100), requester.told(101)]).toEqual([1, 1]);
    await pass(10 * LOOK_MS);
    expect([worker.told(100), requester.told(101)]).toEqual([1, 1]);
  });

  test.each([1, 4_000, 9_999])(
    "tells of what another node's clock dated %i ms back, and the database showed late",
    async (behind) => {
      const { told } = listen(1);
      await pass(20 * LOOK_MS);
      // Dated before the last look, and not there when it looked.
      ended.push(posted(100, clock.now() - behind, true));
      await pass(LOOK_MS);
      expect(told(100)).toBe(1);
    },
  );

  test("goes on after its last event, however long that is ago, and looks no further back than that", async () => {
    const from = clock.now() - 3_600_000;
    open.push(posted(100, from), posted(101, from - 1), posted(102, clock.now() - 60_000));
    const { told } = listen(2, from);
    await turns();
    expect([told(100), told(101), told(102)]).toEqual([1, 0, 1]);
    expect(asked[0]).toEqual({ since: from });
  });

  test("that cannot look looks again, from where it was", async () => {
    const { told } = listen(1);
    await pass(4 * LOOK_MS);
    const at = clock.now();
    ended.push({
      ...posted(100, at, true),
      get row(): never {
        throw new Error("away");
      },
    });
    await pass(LOOK_MS);
    ended.length = 0;
    ended.push(posted(100, at, true));
    await pass(LOOK_MS);
    expect(told(100)).toBe(1);
  });

  test("that ends leaves nothing behind, a thousand times over", async () => {
    for (let n = 0; n < 1_000; n += 1) {
      const { out } = listen(2);
      out.destroy();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await turns();
    expect([feed.size, clock.next]).toEqual([0, null]);
  });

  test("says that it lives every 15 s, whether anything happens or not", async () => {
    const { heard } = listen(2);
    await pass(60_000);
    expect(heard.text.match(/: here/g)).toHaveLength(4);
  });
});

describe("a key", () => {
  function ring(ttlMs = 0) {
    const sent: Signal[] = [];
    const keys = new Map([["old", member(2, "old")]]);
    let hold: Promise<void> = Promise.resolve();
    let looks = 0;
    const accountByKey = async (hash: string) => {
      looks += 1;
      const found = keys.get(hash);
      await hold;
      return found;
    };
    const reads = { accountByKey } as unknown as ReadModel;
    const made = new KeyRing(reads, { send: (signal) => sent.push(signal) }, clock, ttlMs);
    return { ring: made, keys, sent, looks: () => looks, wait: (until: Promise<void>) => (hold = until) };
  }

  test("is looked up once, and again when it was dropped", async () => {
    const { ring: known, keys, looks, sent } = ring();
    expect([await known.find("old"), await known.find("old"), looks()]).toEqual([WORKER, WORKER, 1]);
    keys.delete("old");
    await known.drop("old");
    expect([await known.find("old"), sent]).toEqual([undefined, [{ type: "key", hash: "old" }]]);
  });

  test("whose look-up raced its rotation is not good after it", async () => {
    const { ring: known, keys, wait } = ring();
    let answer: () => void = () => {};
    wait(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    // The look-up has read the old row, and its answer is on its way.
    const raced = known.find("old");
    keys.delete("old");
    await known.drop("old");
    answer();
    expect(await raced).toBe(WORKER);
    expect(await known.find("old")).toBeUndefined();
  });

  test("that another gateway has dropped is not kept by a look-up that was under way either", async () => {
    const { ring: known, keys, wait } = ring(2_000);
    let answer: () => void = () => {};
    wait(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const raced = known.find("old");
    keys.delete("old");
    known.forget("old");
    answer();
    await raced;
    expect(await known.find("old")).toBeUndefined();
  });

  test("that is dropped is believed in by nobody when that is done: others hear of it, or their belief has run out", async () => {
    const { ring: known } = ring(2_000);
    let done = false;
    const from = clock.now();
    void known.drop("old").then(() => {
      done = true;
    });
    clock.to(from + 2_499);
    await turns();
    expect(done).toBe(false);
    clock.to(from + 2_500);
    await turns();
    expect(done).toBe(true);
  });
});
