/** A result that is nothing but the example. */
import { expect, test } from "vitest";
import { isEcho } from "../../machines/task/echo.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { JsonValue } from "../../machines/vocabulary.ts";
import { AT, awarded, COMMANDS, fold } from "../support/task-states.ts";
import { order } from "../support/world.ts";

const spec = (exampleOutput: JsonValue, changes: Partial<TaskSpec> = {}) =>
  order({ inputData: "Ada wrote the first program.", schema: {}, exampleOutput, ...changes });

test.each<[string, TaskSpec, JsonValue, boolean]>([
  ["the example", spec({ name: "Grace" }), { name: "Grace" }, true],
  ["in another case and with other blanks", spec({ name: "Grace H" }), { name: "grace  h" }, true],
  ["with more in it", spec({ name: "Grace" }), { name: "Grace", note: "" }, true],
  ["another result", spec({ name: "Grace" }), { name: "Ada" }, false],
  ["an example that fits the text", spec({ name: "Ada" }), { name: "Ada" }, false],
  ["one of which a part does", spec({ name: "Ada", year: "1952" }), { name: "Ada", year: "1952" }, true],
  ["an example without a string", spec({ score: 5 }), { score: 5 }, false],
  ["a label that the schema offers", spec("spam", { schema: { enum: ["spam", "ham"] } }), "spam", false],
  [
    "one that it offers deep within",
    spec({ l: ["spam"] }, { schema: { properties: { l: { items: { anyOf: [{ const: "spam" }] } } } } }),
    { l: ["spam"] },
    false,
  ],
  [
    "a label that a rule offers",
    spec({ l: "spam" }, { rules: [{ type: "enum", field: "l", values: ["spam", ["ham"]] }] }),
    { l: "spam" },
    false,
  ],
  [
    "what a rule says of another kind",
    spec({ l: "spam" }, { rules: [{ type: "regex", field: "l", pattern: "spam" }] }),
    { l: "spam" },
    true,
  ],
  [
    "a word of the schema that it does not offer",
    spec({ l: "spam" }, { schema: { description: "spam", title: "spam" } }),
    { l: "spam" },
    true,
  ],
  [
    "a label beside what it does not offer",
    spec({ l: "spam", n: "Grace" }, { schema: { properties: { l: { enum: ["spam"] } } } }),
    { l: "spam", n: "Grace" },
    true,
  ],
])("%s", (_what, task, result, expected) => {
  expect(isEcho(task, result)).toBe(expected);
});

test("comes with the verdict, and goes to the accounts of both", () => {
  const state = fold(awarded);
  const { result: example } = { result: state.context.order?.exampleOutput ?? null };
  const settle = (result: JsonValue) => {
    const decision = entity.decide(state, { ...COMMANDS.good, result }, AT, AT);
    if (!("facts" in decision)) throw new Error(decision.refused);
    const accepted = decision.facts.find(({ type }) => type === "ResultAccepted");
    const effects = decision.facts.reduce<{ state: typeof state; effects: readonly unknown[] }>(
      (before, fact) => entity.evolve(before.state, fact),
      { state, effects: [] },
    ).effects;
    return { accepted, effects };
  };
  const echo = settle(example);
  expect(echo.accepted).toMatchObject({ echo: true });
  expect(echo.effects).toContainEqual(
    expect.objectContaining({ command: expect.objectContaining({ type: "settle", echo: true }) }),
  );
  const other = settle({ name: "Ada" });
  expect(other.accepted).not.toHaveProperty("echo");
  expect(JSON.stringify(other.effects)).not.toContain("echo");
});
