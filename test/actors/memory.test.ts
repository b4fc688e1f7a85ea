/** What has ended costs no memory. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Host } from "../../actors/host/host.ts";
import type { Journal } from "../../actors/ports/journal.ts";
import { entitiesUnder } from "../../machines/entities.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import { accountId, credits, taskId } from "../../machines/vocabulary.ts";
import { systemClock as clock } from "../../src/adapters/system/clock.ts";
import { randomIds as ids } from "../../src/adapters/system/ids.ts";
import { GOOD_RESULT, order, SILENT, STANDING } from "../support/world.ts";

const FEW = 2_000;
const MANY = 100_000;
const AT_ONCE = 200;
const MARGIN_MB = 5;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Takes everything and keeps nothing: what stays in memory is the host's. */
const forgetful: Journal = {
  append: async () => new Set(),
  load: async () => ({ snapshot: null, facts: [] }),
  caused: async () => [],
  outbox: async () => [],
  timers: async () => [],
};

async function heapMb(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test("100,000 finished tasks leave memory where it was after 2,000", async () => {
  const host = new Host({
    entities: entitiesUnder({ ...MARKET_RULES, awardsByTier: [MANY, MANY, MANY, MANY, MANY] }),
    journal: forgetful,
    validator: { judge: () => ({ code: null, errors: [] }) },
    calls: { make: async () => null },
    clock,
    ids,
    log: SILENT,
    writers: 1,
  });
  await host.start();
  const ask = async (kind: "task" | "account", id: string, command: CarriedCommand) => {
    const deadline = clock.now() + 60_000;
    const answer = await host.request({
      to: { kind, id },
      command,
      commandId: ids.next(),
      origin: "client",
      delivery: "first",
      deadline,
    });
    if (!answer.ok) throw new Error(`${command.type}: ${answer.refusal.detail}`);
  };
  const [requester, worker] = [accountId(ids.next()), accountId(ids.next())];
  for (const id of [requester, worker]) {
    await ask("account", id, { type: "register", account: id, email: id, source: null, keyHash: id, grant: credits(10_000_000) });
  }
  // The longest of timers, all of them called off: they must not stay either.
  const what = order({ maxSeconds: 300, windowMs: 600_000 });
  const finish = async () => {
    const id = taskId(ids.next());
    await ask("account", requester, { type: "hold", task: id, order: what, fresh: true });
    await ask("task", id, { type: "bid", bid: ids.next(), worker, credits: credits(10), standing: STANDING, online: [] });
    await ask("task", id, { type: "submit", submission: ids.next(), worker, result: GOOD_RESULT });
  };
  let left = 0;
  const upTo = async (tasks: number) => {
    left += tasks;
    const lanes = Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        await finish();
      }
    });
    await Promise.all(lanes);
  };
  await upTo(FEW);
  const few = await heapMb();
  await upTo(MANY - FEW);
  const many = await heapMb();
  expect(host.stats).toMatchObject({ actors: 2, inFlight: 0, timers: 0, facts: 2 + 11 * MANY });
  expect(many - few).toBeLessThan(MARGIN_MB);
  await host.stop(1_000);
}, 600_000);
