/** What sets a honeypot off, and how it is posted; P1 to P4 of gateway/live/honeypots.ts. */
import { expect, test } from "vitest";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import { Router } from "../../actors/router.ts";
import { STARTERS } from "../../gateway/honeypots/starters/index.ts";
import type { Template } from "../../gateway/honeypots/template.ts";
import { type HoneypotSettings, Honeypots } from "../../gateway/live/honeypots.ts";
import type { StoredHoneypot } from "../../gateway/ports/honeypots.ts";
import type { StoredTask } from "../../gateway/ports/read-model.ts";
import { Secrets } from "../../gateway/secrets.ts";
import { account } from "../../machines/account/index.ts";
import { accountRow } from "../../machines/account/row.ts";
import { mintedBy } from "../../machines/audit/honeypots.ts";
import { split } from "../../machines/market/pricing.ts";
import { refuse } from "../../machines/refusal.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { readConfig } from "../../src/app/settings/config.ts";
import { ManualClock } from "../support/clock.ts";
import { id, order, person, SILENT } from "../support/world.ts";

const DAY_MS = 24 * 3_600_000;
const WORKER = person(2);
const SETTLED = taskId(id(9));
const SECRETS = new Secrets(Buffer.alloc(32, 7));
const SETTINGS: HoneypotSettings = { rate: 1, budgetPerDay: 100, delayMs: 5_000, routingWindowMs: 250 };

function settled(task: TaskId, changes: Partial<StoredTask["row"]> = {}, of: Partial<StoredTask["order"]> = {}): StoredTask {
  const [at, what] = [1_000, order(of)];
  const opened = { type: "Opened", task, requester: person(1), order: what, createdAt: at, at } as const;
  const row = entity.row(task, entity.evolve(entity.initial(task), opened).state);
  if (row === undefined) throw new Error("an opened task has a row");
  return { row: { ...row, status: "SETTLED", worker: WORKER, ...changes }, order: what };
}

/** A gateway that hears of results, with all that it has asked of others. */
class Gateway {
  readonly clock = new ManualClock();
  readonly asked: Envelope[] = [];
  readonly taken: [day: string, amount: number][] = [];
  task: (id: TaskId) => StoredTask | undefined = (one) => settled(one);
  stored: readonly StoredHoneypot[] = [];
  houseIsThere = false;
  left = true;
  answer: (envelope: Envelope) => CommandResult | undefined = () => undefined;
  judged: "right" | "wrong" = "right";
  readonly honeypots: Honeypots;

  constructor(settings: Partial<HoneypotSettings> = {}, secrets = SECRETS) {
    let ids = 500;
    const next = () => {
      ids += 1;
      return id(ids);
    };
    const house = houseRow();
    this.honeypots = new Honeypots({
      store: {
        add: async (one) => one,
        all: async () => this.stored,
        list: async () => undefined,
        remove: async () => false,
        take: async (day, amount) => {
          this.taken.push([day, amount]);
          return this.left;
        },
      },
      reads: { task: async (one) => this.task(taskId(one)), account: async () => (this.houseIsThere ? house : undefined) },
      router: new Router({ request: async (envelope) => this.#request(envelope) }, this.clock, { next }, 1_000),
      validator: {
        judge: () => (this.judged === "right" ? { code: null, errors: [] } : { code: "SCHEMA_MISMATCH", errors: [] }),
      },
      secrets,
      clock: this.clock,
      ids: { next },
      log: SILENT,
      settings: { ...SETTINGS, ...settings },
    });
  }

  #request(envelope: Envelope): CommandResult {
    this.asked.push(envelope);
    const { command } = envelope;
    const own = this.answer(envelope);
    if (own !== undefined) return own;
    if (command.type === "register") return { ok: true, value: { account: command.account } };
    if (command.type === "adjust") return { ok: true, value: { adjustment: command.adjustment } };
    if (command.type === "hold") return { ok: true, value: { id: command.task, createdAt: 1 } };
    throw new Error(`nobody asks ${command.type}`);
  }

  get types(): readonly string[] {
    return this.asked.map(({ command }) => command.type);
  }

  /** The task that was posted. */
  get posted() {
    const { command } = this.asked.at(-1) ?? {};
    if (command?.type !== "hold") throw new Error("no honeypot was posted");
    return command.order;
  }

  /** Hears that a result was accepted, and lets all the time go by in which something may follow. */
  async hears(task: TaskId = SETTLED): Promise<this> {
    this.honeypots.accepted(task, WORKER);
    await this.later();
    return this;
  }

  async later(): Promise<void> {
    for (let next = this.clock.next; next !== null; next = this.clock.next) {
      this.clock.to(next);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function houseRow() {
  const who = { account: person(8), email: "e", source: null, keyHash: "k", grant: credits(0) };
  const row = accountRow(account.evolve(account.initial(person(8)), { type: "Registered", ...who, at: 1 }).state);
  if (row === undefined) throw new Error("a registered account has a row");
  return row;
}

test("posts a task from an account that is new, of the house, and gets its budget out of the day's", async () => {
  const gateway = await new Gateway().hears();
  const [register, adjust, hold] = gateway.asked;
  expect(gateway.types).toEqual(["register", "adjust", "hold"]);
  const house = SECRETS.houseId(SETTLED);
  expect(new Set(gateway.asked.map(({ to }) => to.id))).toEqual(new Set([house]));
  expect(register?.command).toMatchObject({ account: house, grant: 0, source: null, marks: [] });
  const { budget, tellAfter = -1, ...posted } = gateway.posted;
  expect(gateway.taken).toEqual([[new Date(gateway.clock.now()).toISOString().slice(0, 10), budget]]);
  expect(adjust?.command).toMatchObject({ amount: budget, reason: "honeypot" });
  const adjusted = { ...adjust?.command, type: "Adjusted", at: 1 } as Parameters<typeof mintedBy>[0];
  expect(mintedBy(adjusted)).toEqual({ day: gateway.taken[0]?.[0], amount: budget });
  expect(posted).toMatchObject({
    taskType: order().taskType,
    windowMs: 250,
    minSkill: 0,
    quality: "balanced",
    callbackUrl: null,
  });
  expect(posted.known).toBeDefined();
  expect([tellAfter >= 0, tellAfter <= DAY_MS]).toEqual([true, true]);
  expect(hold?.command).toMatchObject({ fresh: true });
});

test("comes some time after the settlement, which is drawn", async () => {
  const waits = [];
  for (let n = 0; n < 200; n += 1) {
    const gateway = new Gateway();
    gateway.honeypots.accepted(taskId(id(n)), WORKER);
    waits.push((gateway.clock.next ?? 0) - gateway.clock.now());
  }
  expect([Math.min(...waits) >= 1_000, Math.max(...waits) <= 6_000]).toEqual([true, true]);
  expect(new Set(waits).size).toBeGreaterThan(150);
});

test("is set off by a share of all tasks, by the same ones at each gateway, and by others under another secret", () => {
  const setOff = (rate: number, secrets = SECRETS) =>
    Array.from({ length: 2_000 }, (_, n) => n).filter((n) => {
      const gateway = new Gateway({ rate }, secrets);
      gateway.honeypots.accepted(taskId(id(n)), WORKER);
      return gateway.clock.next !== null;
    });
  const chosen = setOff(0.1);
  expect(chosen.length).toBeGreaterThan(140);
  expect(chosen.length).toBeLessThan(260);
  expect(setOff(0.1)).toEqual(chosen);
  expect(setOff(0.1, new Secrets(Buffer.alloc(32, 8)))).not.toEqual(chosen);
  expect([setOff(0).length, setOff(1).length]).toEqual([0, 2_000]);
});

test.each<[string, (gateway: Gateway) => void]>([
  [
    "a task that is not settled yet, or never will be",
    (gateway) => (gateway.task = (one) => settled(one, { status: "COMPLETED" })),
  ],
  ["a task of another worker", (gateway) => (gateway.task = (one) => settled(one, { worker: person(5) }))],
  ["a honeypot", (gateway) => (gateway.task = (one) => settled(one, {}, { known: { name: "Ada" } }))],
  ["a task that is unknown", (gateway) => (gateway.task = () => undefined)],
  ["one that has set one off before", (gateway) => (gateway.houseIsThere = true)],
  ["a task of a type that has none", (gateway) => (gateway.task = (one) => settled(one, {}, { taskType: "painting" }))],
  ["a template whose schema does not take its answer", (gateway) => (gateway.judged = "wrong")],
])("%s sets none off, and takes nothing of the budget", async (_, change) => {
  const gateway = new Gateway();
  change(gateway);
  await gateway.hears();
  expect([gateway.types, gateway.taken]).toEqual([[], []]);
});

test("without a budget none is set off, and none is posted where the day's is used up", async () => {
  const none = new Gateway({ budgetPerDay: 0 });
  none.honeypots.accepted(SETTLED, WORKER);
  expect(none.clock.next).toBeNull();
  const gateway = new Gateway();
  gateway.left = false;
  await gateway.hears();
  expect([gateway.taken.length, gateway.types]).toEqual([1, []]);
});

test("heard of twice it comes once, and two gateways make one account of it", async () => {
  const gateway = new Gateway();
  for (let n = 0; n < 3; n += 1) gateway.honeypots.accepted(SETTLED, WORKER);
  await gateway.later();
  expect(gateway.types).toEqual(["register", "adjust", "hold"]);
  const second = new Gateway();
  second.answer = ({ command }) =>
    command.type === "register" ? { ok: false, refusal: refuse("ACCOUNT_EXISTS", "") } : undefined;
  await second.hears();
  expect(second.types).toEqual(["register"]);
  expect(second.asked[0]?.to).toEqual(gateway.asked[0]?.to);
});

test("a gateway that stops posts no more, and one that has a thousand to post takes no more", async () => {
  const gateway = new Gateway();
  for (let n = 0; n < 1_200; n += 1) gateway.honeypots.accepted(taskId(id(n)), WORKER);
  gateway.honeypots.close();
  expect(gateway.clock.next).toBeNull();
  const busy = new Gateway();
  let heard = 0;
  busy.task = () => {
    heard += 1;
    return undefined;
  };
  for (let n = 0; n < 1_200; n += 1) busy.honeypots.accepted(taskId(id(n)), WORKER);
  busy.clock.to(busy.clock.now() + 60_000);
  await busy.later();
  expect(heard).toBe(1_000);
});

test("an operator's templates take the place of those that come with the platform; tasks that are stored stand beside either", async () => {
  const [known, own] = [{ name: "Ada" }, STARTERS.find(({ taskType }) => taskType === "analysis")];
  if (own === undefined) throw new Error("there is one of each type");
  const template: Template = { ...own, taskType: order().taskType };
  const task: StoredHoneypot = { id: id(1), at: 1, kind: "task", order: { ...order({ inputData: "stored" }), known } };
  const texts = async (stored: readonly StoredHoneypot[]) => {
    const found = [];
    for (let n = 0; n < 120; n += 1) {
      const gateway = new Gateway();
      gateway.stored = stored;
      found.push((await gateway.hears(taskId(id(n)))).posted.inputData);
    }
    return found;
  };
  const isOwn = (text: string) => /Sales (in three cities|by city)/.test(text);
  const shipped = await texts([]);
  expect([shipped.some(isOwn), new Set(shipped).size]).toEqual([false, 120]);
  const ours = await texts([{ id: id(2), at: 2, kind: "template", template }, task]);
  expect(ours.every((text) => isOwn(text) || text === "stored")).toBe(true);
  expect([ours.some(isOwn), ours.includes("stored")]).toEqual([true, true]);
  const mixed = (await texts([task])).filter((text) => text === "stored").length;
  expect([mixed > 0, mixed < 60]).toEqual([true, true]);
}, 30_000);

test("at the default rate a farm pays more in fees than even the dearest of them would bring it", () => {
  const fee = split(credits(6), credits(1)).fee;
  const { honeypotRate } = readConfig({});
  const prices = STARTERS.map(({ budget: [least, most] }) => (least + most) / 2);
  expect(prices.reduce((sum, price) => sum + price, 0) / prices.length).toBeCloseTo(14, 0);
  const most = Math.max(...STARTERS.map(({ budget }) => budget[1]));
  expect([most, honeypotRate * most < fee]).toEqual([32, true]);
  expect([readConfig({}).honeypotBudgetPerDay, readConfig({ NODE_ENV: "production" }).honeypotBudgetPerDay]).toEqual([0, 500]);
});
