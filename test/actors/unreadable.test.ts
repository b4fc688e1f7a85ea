/** What a newer version has written is not served by an older node, and nothing of it is lost. */
import { beforeEach, describe, expect, test } from "vitest";
import { FORMATS } from "../../machines/formats.ts";
import { credits, type TaskId } from "../../machines/vocabulary.ts";
import { GOOD_RESULT, person, World } from "../support/world.ts";

let world: World;

beforeEach(async () => {
  world = new World();
  await world.host.start();
  await world.register(1, 100);
  await world.register(2, 0);
});

const stored = (n: number) => {
  const found = world.journal.actors.get(`account:${person(n)}`);
  if (found === undefined) throw new Error("it was registered");
  return found;
};

/** Gives an account's first fact this version. */
function rewrite(n: number, version: number): void {
  const [first] = stored(n).facts;
  if (first === undefined) throw new Error("it has a fact");
  stored(n).facts[0] = { ...first, version };
}

const topUp = (n: number) => world.ask("account", person(n), { type: "topUp", topup: world.nextId(), amount: credits(5) });

/** Account 2 is awarded a task of account 1. */
async function awarded(): Promise<TaskId> {
  const task = world.newTask();
  await world.post(1, task);
  await world.bid(2, task, 10);
  await world.pass(3_100);
  return task;
}

/** Has account 2 earn a task that it was awarded. */
async function earn(task: TaskId): Promise<void> {
  await world.ask("task", task, { type: "submit", submission: world.nextId(), worker: person(2), result: GOOD_RESULT });
  await world.pass(1_000);
}

describe("an actor that a newer version wrote", () => {
  test.each([
    ["a fact", () => rewrite(2, FORMATS.account + 1)],
    ["a type of fact", () => Object.assign(stored(2).facts[0] ?? {}, { type: "Ennobled" })],
    ["a snapshot", () => Object.assign(stored(2), { snapshot: { seq: 1, state: { value: "ENNOBLED", context: {} } } })],
  ])(
    "with %s that this code does not know refuses for now, in words for the operator, and leaves the others alone",
    async (_, write) => {
      write();
      await world.crash();
      expect(await topUp(2)).toMatchObject({
        ok: false,
        refusal: { refused: "UNAVAILABLE", detail: expect.stringContaining("newer version wrote it; nothing was changed") },
      });
      expect(await topUp(1)).toMatchObject({ ok: true });
    },
  );

  test("whose facts cannot be applied, by a bug, refuses for now too, but no operator is told to update the node", async () => {
    const [first] = stored(2).facts;
    if (first === undefined) throw new Error("it has a fact");
    stored(2).facts.push({ ...first, seq: first.seq + 1 });
    await world.crash();
    expect(await topUp(2)).toMatchObject({
      ok: false,
      refusal: { refused: "UNAVAILABLE", detail: expect.stringMatching(/^Something failed inside when this was read/) },
    });
    expect(await topUp(1)).toMatchObject({ ok: true });
    stored(2).facts.pop();
    expect(await topUp(2)).toMatchObject({ ok: true });
  });

  test("gets its messages once there is a node that can read it; none is refused for good", async () => {
    const task = await awarded();
    rewrite(2, FORMATS.account + 1);
    await world.crash();
    await earn(task);
    const waiting = [...world.journal.messages.values()].filter(({ to }) => to.id === person(2));
    expect(waiting.map(({ command, dead }) => [command.type, dead])).toEqual([["earn", undefined]]);
    rewrite(2, FORMATS.account);
    await world.pass(5_000);
    expect(world.journal.messages.size).toBe(0);
    expect(await topUp(2)).toMatchObject({ ok: true });
    expect(stored(2).facts.map(({ type }) => type)).toContain("Earned");
  });
});
