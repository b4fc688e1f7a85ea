/**
 * Random commands, repetitions, lost and refused commits, and kills, against the real machines and host. After each step
 * the promises are checked by the audit's own code; at the end time passes until every task has come to its end.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CommandResult } from "../../actors/message.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import { credits, type TaskId } from "../../machines/vocabulary.ts";
import { BAD_RESULT, GOOD_RESULT, order, person, STANDING, World } from "../support/world.ts";

const REQUESTERS = [1, 2];
const WORKERS = [2, 3, 4];
const HOUR_MS = 3_600_000;
const ORDER = order();

type Command =
  | {
      readonly do: "post";
      readonly by: number;
      readonly budget: number;
      readonly retries: number;
      readonly hook: boolean;
      readonly keyed: boolean;
    }
  | { readonly do: "bid"; readonly by: number; readonly task: number; readonly price: number; readonly alone: boolean }
  | { readonly do: "submit"; readonly by: number; readonly task: number; readonly good: boolean }
  | { readonly do: "start" | "cancel"; readonly by: number; readonly task: number }
  | { readonly do: "topup"; readonly by: number; readonly amount: number };
/** `during` is under way when the process dies, so many turns of the loop after it was sent. */
type Step =
  | Command
  | { readonly do: "repeat"; readonly back: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "fault"; readonly fault: "lost" | "refused" }
  | { readonly do: "crash"; readonly during: readonly Command[]; readonly ticks: number };

const task = fc.nat(5);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("post" as const),
      by: fc.constantFrom(...REQUESTERS),
      budget: fc.integer({ min: 5, max: 40 }),
      retries: fc.nat(2),
      hook: fc.boolean(),
      keyed: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("bid" as const),
      by: fc.constantFrom(...WORKERS),
      task,
      price: fc.integer({ min: 1, max: 45 }),
      alone: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("submit" as const), by: fc.constantFrom(...WORKERS), task, good: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("start" as const, "cancel" as const),
      by: fc.constantFrom(...REQUESTERS, ...WORKERS),
      task,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("topup" as const),
      by: fc.constantFrom(...REQUESTERS),
      amount: fc.integer({ min: 1, max: 100 }),
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 19, arbitrary: command },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("repeat" as const), back: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 500, 3_000, 130_000, HOUR_MS) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("fault" as const), fault: fc.constantFrom("lost" as const, "refused" as const) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("crash" as const), during: fc.array(command, { maxLength: 5 }), ticks: fc.nat(8) }),
  },
);

interface PlacedFact {
  readonly bid: { readonly id: string };
}

type Asked = {
  readonly kind: "task" | "account";
  readonly to: string;
  readonly command: CarriedCommand;
  readonly id: string;
};

/** Clients of the market, who remember what they were told. */
class Clients {
  readonly world = new World();
  readonly tasks: TaskId[] = [];
  readonly asked: { readonly what: Asked; readonly answer: CommandResult }[] = [];
  #attempts = 0;

  async start(): Promise<void> {
    this.world.deliver = async () => {
      this.#attempts += 1;
      const outcome = { id: this.world.nextId(), ms: 1 };
      if (this.#attempts % 3 === 0) return { ...outcome, result: "delivered", status: 200 };
      return { ...outcome, result: "failed", status: null, error: "refused" };
    };
    await this.world.host.start();
    for (const n of [1, 2, 3, 4]) await this.world.answer(this.world.register(n));
  }

  async run(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case "crash":
        return this.#die(step.during, step.ticks);
      case "fault":
        world.journal.faults.push(step.fault);
        return;
      case "pass":
        return world.jump(step.ms);
      case "repeat": {
        const before = this.asked.at(-1 - step.back);
        if (before !== undefined) await this.ask(before.what, before.answer);
        return;
      }
      default: {
        const what = this.#asked(step);
        if (what !== undefined) await this.ask(what, undefined);
      }
    }
  }

  /** Asks; a repeated question that was answered with success must be answered the same again. */
  async ask(what: Asked, before: CommandResult | undefined): Promise<void> {
    const answer = await this.world.answer(this.world.ask(what.kind, what.to, what.command, what.id));
    if (before?.ok === true && answer.ok) expect(answer.value).toEqual(before.value);
    if (before?.ok === true && !answer.ok) expect(answer.refusal.refused).toBe("UNAVAILABLE");
    if (before === undefined) this.asked.push({ what, answer });
  }

  /** Who was answered before the end knows; the others ask again. */
  async #die(during: readonly Command[], ticks: number): Promise<void> {
    const { world } = this;
    const sent = during.map((command) => this.#asked(command)).filter((what) => what !== undefined);
    const answers = new Map<Asked, CommandResult>();
    for (const what of sent)
      void world.ask(what.kind, what.to, what.command, what.id).then((answer) => answers.set(what, answer));
    for (let tick = 0; tick < ticks; tick += 1) await new Promise((resolve) => setImmediate(resolve));
    const known = new Map(answers);
    await world.crash();
    for (const what of sent) {
      const answer = known.get(what);
      if (answer === undefined) await this.ask(what, undefined);
      else this.asked.push({ what, answer });
    }
  }

  #asked(step: Command): Asked | undefined {
    const { world } = this;
    const id = world.nextId();
    const by = person(step.by);
    if (step.do === "topup")
      return { kind: "account", to: by, command: { type: "topUp", topup: id, amount: credits(step.amount) }, id };
    if (step.do === "post") {
      const made = world.newTask();
      this.tasks.push(made);
      const changes = {
        budget: credits(step.budget),
        autoRetry: step.retries,
        callbackUrl: step.hook ? "https://example.com/hook" : null,
      };
      const command = { type: "hold", task: made, order: { ...ORDER, ...changes }, fresh: !step.keyed } as const;
      return { kind: "account", to: by, command, id };
    }
    const to = this.tasks.at(-1 - step.task);
    if (to === undefined) return undefined;
    const ask = (command: Asked["command"]): Asked => ({ kind: "task", to, command, id });
    switch (step.do) {
      case "bid":
        return ask({
          type: "bid",
          bid: id,
          worker: by,
          credits: credits(step.price),
          standing: STANDING,
          online: step.alone ? [by] : null,
        });
      case "submit":
        return ask({ type: "submit", submission: id, worker: by, result: step.good ? GOOD_RESULT : BAD_RESULT });
      case "start":
        return ask({ type: "start", worker: by });
      case "cancel":
        return ask({ type: "cancel", requester: by });
      default:
        return step satisfies never;
    }
  }

  /** Promise 6: what was answered with success is still so. */
  async stillTrue(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const { what, answer } of this.asked) {
      if (!answer.ok) continue;
      const address = { kind: what.kind, id: what.to } as const;
      const caused = await this.world.journal.caused(address, what.id);
      // What a bid that can win at once leads to, its worker's account causes.
      const { facts } = await this.world.journal.load(address);
      const placed = facts.some(({ type, body }) => type === "BidPlaced" && (body as PlacedFact).bid.id === what.id);
      if (caused.length === 0 && !placed)
        lost.push(`${what.command.type} ${what.id} was answered with success and has left no trace`);
    }
    return lost;
  }
}

describe("the promises", () => {
  test("hold after every step of any sequence, and every task comes to its end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 45 }), async (steps) => {
        const clients = new Clients();
        await clients.start();
        for (const next of steps) {
          await clients.run(next);
          await clients.world.settle();
          expect(await clients.world.broken()).toEqual([]);
        }
        clients.world.journal.faults.length = 0;
        await clients.world.crash();
        for (let jumps = 0; jumps < 30; jumps += 1) await clients.world.jump(HOUR_MS / 6);
        expect(await clients.world.broken()).toEqual([]);
        expect(await clients.stillTrue()).toEqual([]);
        const opened = clients.tasks
          .map((made) => clients.world.row("task", made)["status"])
          .filter((status) => status !== undefined);
        expect(opened.filter((status) => !["SETTLED", "EXPIRED", "CANCELLED"].includes(String(status)))).toEqual([]);
        expect(clients.world.journal.messages.size).toBe(0);
        expect(clients.world.journal.dues.size - cooldowns(clients.world)).toBe(0);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false },
    );
  }, 120_000);
});

function cooldowns(world: World): number {
  return [...world.journal.dues.values()].filter(({ name }) => name === "cooldown").length;
}
