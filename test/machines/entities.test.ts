/** Entities as a host holds them: what is another's does not reach them. */
import { expect, test } from "vitest";
import { ENTITIES } from "../../machines/entities.ts";
import { task } from "../../machines/task/index.ts";
import { id, person } from "../support/world.ts";

const AT = 1_800_000_000_000;
const state = task.initial(id(1));
const start = { type: "start", worker: person(1) } as const;
const freeze = { type: "freeze", reason: "" } as const;

test("a command of another entity is a bug, and says so", () => {
  const wrong = "freeze is none of task's types";
  expect(() => ENTITIES.task.question(state, freeze, AT)).toThrow(wrong);
  expect(() => ENTITIES.task.answered(freeze, { code: null, errors: [] })).toThrow(wrong);
  expect(() => ENTITIES.task.decide(state, freeze, AT, AT)).toThrow(wrong);
  expect(() => ENTITIES.task.recall(freeze, [], state)).toThrow(wrong);
});

test("a fact of another entity is a bug, and says so", () => {
  expect(() => ENTITIES.task.recall(start, [{ type: "Held" }], state)).toThrow("Held is none of task's types");
  for (const type of ["Opened", "toString"]) {
    expect(() => ENTITIES.account.postings(person(1), { type })).toThrow(`${type} is none of account's types`);
  }
});

test("its own commands and facts reach it as they are", () => {
  expect(ENTITIES.task.decide(state, start, AT, AT)).toEqual(task.decide(state, start, AT, AT));
  expect(ENTITIES.task.postings(id(1), { type: "Opened" })).toEqual([]);
});
