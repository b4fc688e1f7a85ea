/** What a node answers that is not sure any more that it owns what it has in memory (A4), and what it leaves when it goes. */

import { expect, test } from "vitest";
import { Host } from "../../actors/host/host.ts";
import { ENTITIES } from "../../machines/entities.ts";
import { credits } from "../../machines/vocabulary.ts";
import { judgeAtOnce, person, SILENT, World } from "../support/world.ts";

/** A market whose node knows whether it is leased from a flag. */
class LeasedWorld extends World {
  leased = true;

  override makeHost(): Host {
    return new Host({
      entities: ENTITIES,
      journal: this.journal,
      validator: { judge: judgeAtOnce },
      calls: { make: ({ request }) => this.deliver(request) },
      clock: this.clock,
      ids: { next: () => this.nextId() },
      log: SILENT,
      writers: 1,
      leased: () => this.leased,
    });
  }
}

async function started(): Promise<LeasedWorld> {
  const world = new LeasedWorld();
  await world.host.start();
  for (const n of [1, 2]) await world.answer(world.register(n));
  return world;
}
const topUp = (world: World, command?: string) =>
  world.ask("account", person(1), { type: "topUp", topup: world.nextId(), amount: credits(5) }, command);
const code = (answer: Awaited<ReturnType<typeof topUp>>) => (answer.ok ? "ok" : answer.refusal.refused);

test("what needs no commit is not answered without a lease: neither a refusal nor what changes nothing", async () => {
  const world = await started();
  const dear = () => world.post(1, world.newTask(), { budget: credits(1_000) });
  const known = () => world.ask("account", person(1), { type: "mark", marks: [], kin: [] });
  expect([code(await world.answer(dear())), code(await world.answer(known()))]).toEqual(["INSUFFICIENT_CREDITS", "ok"]);
  world.leased = false;
  expect([code(await world.answer(dear())), code(await world.answer(known()))]).toEqual(["NOT_OWNER", "NOT_OWNER"]);
  world.leased = true;
  expect(code(await world.answer(dear()))).toBe("INSUFFICIENT_CREDITS");
});

test("what was answered before is not answered again from the journal without a lease", async () => {
  const world = await started();
  const command = world.nextId();
  expect(code(await world.answer(topUp(world, command)))).toBe("ok");
  await world.crash();
  world.leased = false;
  expect(code(await world.answer(topUp(world, command)))).toBe("NOT_OWNER");
  world.leased = true;
  expect(code(await world.answer(topUp(world, command)))).toBe("ok");
  expect(world.row("account", person(1))["available"]).toBe(55);
});

test("what is committed is answered, because the journal took it: the lease may be lost meanwhile", async () => {
  const world = await started();
  let open: () => void = () => {};
  world.journal.gate = new Promise((resolve) => {
    open = resolve;
  });
  const asked = topUp(world);
  const behind = world.post(1, world.newTask(), { budget: credits(1_000) });
  await world.settle();
  world.leased = false;
  world.journal.gate = undefined;
  open();
  // The refusal stands on a state that another node may have moved on by now.
  expect([code(await world.answer(asked)), code(await world.answer(behind))]).toEqual(["ok", "NOT_OWNER"]);
  expect(world.row("account", person(1))["available"]).toBe(55);
  expect(await world.broken()).toEqual([]);
});

test("a webhook is not sent by a node that may own the task no longer", async () => {
  const world = await started();
  let sent = 0;
  world.deliver = async () => {
    sent += 1;
    return { id: world.nextId(), ms: 1, result: "delivered", status: 200 };
  };
  const one = world.newTask();
  await world.answer(world.post(1, one, { callbackUrl: "https://example.com/hook" }));
  world.leased = false;
  await world.answer(world.ask("task", one, { type: "cancel", requester: person(1) }));
  await world.pass(5_000);
  expect(sent).toBe(0);
  world.leased = true;
  await world.pass(5_000);
  expect(sent).toBe(1);
});
