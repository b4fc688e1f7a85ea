/** What is refused while not every member of a cluster could read it. */
import { expect, test } from "vitest";
import { BASE_FORMATS, FORMATS, type Formats } from "../../machines/formats.ts";
import { isAgreed } from "../../machines/new-commands.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { Rule } from "../../machines/validation/rules.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { id, order, person } from "../support/world.ts";

const at = (account: number): Formats => ({ ...FORMATS, account });
const hold = (rules: readonly Rule[]): CommandOf<"account", "hold"> => ({
  ...{ type: "hold", task: taskId(id(1)), order: order({ rules }), fresh: true },
});
const batch = (rules: readonly Rule[]): CommandOf<"account", "startBatch"> => ({
  ...{ type: "startBatch", batch: id(1), request: id(2), template: order({ rules }) },
  ...{ items: [], atOnce: 1, perMinute: 0, fresh: true },
});
const OLD: readonly Rule[] = [
  { type: "required_fields", fields: ["a"] },
  { type: "min_length", field: "a", min: 1 },
];
const NEW: readonly Rule[] = [...OLD, { type: "grounded", field: "a" }];

test.each([
  ["a task", hold],
  ["a batch", batch],
])("%s with a rule that versions before do not know waits for them; with others it does not", (_what, make) => {
  expect([4, 5].map((format) => isAgreed("account", make(NEW), at(format)))).toEqual([false, true]);
  expect(isAgreed("account", make(OLD), BASE_FORMATS)).toBe(true);
});

test("it is refused where it enters, and nowhere else: what was let in goes on", () => {
  const open: CommandOf<"task", "open"> = {
    ...{ type: "open", task: taskId(id(1)), requester: person(1), marks: [], order: order({ rules: NEW }), createdAt: 0 },
  };
  expect(isAgreed("task", open, BASE_FORMATS)).toBe(true);
});

test("a command needs the format of its own entity", () => {
  const pass = { type: "withdrawBid", worker: person(1) } as const;
  expect([3, 4].map((task) => isAgreed("task", pass, { ...FORMATS, task }))).toEqual([false, true]);
});
