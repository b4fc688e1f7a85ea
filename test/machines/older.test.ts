/** What older versions wrote is read as they meant it: facts, messages and snapshots that lack what came later. */
import { describe, expect, test } from "vitest";
import { account } from "../../machines/account/index.ts";
import { batch } from "../../machines/batch/index.ts";
import type { StoredFact } from "../../machines/fact.ts";
import { FORMATS } from "../../machines/formats.ts";
import { task } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER] = [person(1), person(2)];
const AT = 1_000_000;

describe("a stored fact", () => {
  const KINDS = [
    ["task", task, "Cancelled"],
    ["account", account, "CooldownEnded"],
    ["batch", batch, "ItemEnded"],
  ] as const;
  const stored = (type: string, version: number): StoredFact => ({ seq: 1, type, version, body: { type, at: AT }, at: AT });

  test.each(KINDS)("of %s is read in every format up to today's, and in none after it", (kind, { upcast }, type) => {
    for (let version = 1; version <= FORMATS[kind]; version += 1) {
      expect(upcast(stored(type, version))).toEqual({ type, at: AT });
    }
    expect(() => upcast(stored(type, FORMATS[kind] + 1))).toThrow("a newer NexusToken wrote");
  });

  test.each(KINDS)("of %s is refused if its type is unknown, or only every object's", (_kind, { upcast }) => {
    expect(() => upcast(stored("Vanished", 1))).toThrow("a newer NexusToken wrote");
    expect(() => upcast(stored("toString", 1))).toThrow("a newer NexusToken wrote");
  });
});

describe("a task", () => {
  type Command = Parameters<typeof task.decide>[1];
  const opened = { type: "Opened", task: TASK, requester: REQUESTER, order: order(), createdAt: AT, at: AT } as const;

  test("that was opened before there were marks and posted prices has none", () => {
    const { state } = task.evolve(task.initial(TASK), opened);
    expect(state.context).toMatchObject({ marks: [], offers: [], asked: 0 });
  });

  test("whose snapshot has neither nor anything else that came later goes on with the defaults", () => {
    const life = new Life(task, TASK);
    life.state = task.evolve(life.state, opened).state;
    life.state = task.evolve(life.state, { type: "RoutingStarted", until: AT + 3_000, at: AT }).state;
    const { marks: _marks, offers: _offers, asked: _asked, rating: _rating, webhook: _webhook, ...context } = life.state.context;
    expect(task.restore(TASK, { value: "ROUTING", context }).context).toEqual(life.state.context);
  });

  test("takes bids whose standing has no marks: such a worker is known by its account alone", () => {
    const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5 } as const;
    const what = { bid: id(50), worker: WORKER, credits: credits(12), standing };
    const open: Command = {
      ...{ type: "open", task: TASK, requester: REQUESTER, marks: ["mail:a"], createdAt: AT },
      offers: [{ worker: WORKER, bid: id(50) }],
      order: order({ quality: "cheapest" }),
    };
    const life = () => new Life(task, TASK).through([[open, AT]]);
    const placed = { bid: { id: id(50), worker: WORKER, credits: 12, quality: 0.5, identity: WORKER } };
    expect(life().do({ type: "bid", ...what, online: null }, AT).facts).toMatchObject([placed]);
    expect(life().do({ type: "standingBid", ...what }, AT).facts).toMatchObject([placed]);
  });
});

describe("an account", () => {
  test("that was registered before there were marks has none", () => {
    const register: Parameters<typeof account.decide>[1] = {
      ...{ type: "register", account: REQUESTER, email: "a@b.example", source: null, keyHash: "k", grant: credits(5) },
    };
    const life = new Life(account, REQUESTER);
    expect(life.do(register, AT).types).toBe("Registered");
    expect(account.row(REQUESTER, life.state)).toMatchObject({ marks: [], available: 5, status: "ACTIVE" });
  });
});
