/** How our charts take facts: those that fit, in one state after the other; one that does not fit is an error, and a stop is none. */
import { expect, test } from "vitest";
import { createActor } from "xstate";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { credits } from "../../machines/vocabulary.ts";
import { person } from "../support/world.ts";

const ME = person(1);
const AT = 1_000_000;
const registered: AccountFact = {
  ...{ type: "Registered", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(5), at: AT },
};

test("an actor that is stopped has no error", () => {
  const errors: unknown[] = [];
  const actor = createActor(account.logic, { input: { id: ME } });
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  actor.send(registered);
  actor.stop();
  expect([errors, actor.getSnapshot().status]).toEqual([[], "stopped"]);
});

test("a fact that does not fit names the entity, its state and the fact", () => {
  const unfit: AccountFact = { type: "CooldownEnded", at: AT };
  expect(() => account.evolve(account.initial(ME), unfit)).toThrow(/account that is .* cannot take the fact CooldownEnded/);
});
