/** The statecharts as ARCHITECTURE.md draws them, and as Stately's tools read them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { accountMachine } from "../../machines/account/machine.ts";
import { batchMachine } from "../../machines/batch/machine.ts";
import { taskMachine } from "../../machines/task/machine.ts";
import { withDiagrams } from "./mermaid.mjs";

const MACHINES = [taskMachine, accountMachine, batchMachine];

test("ARCHITECTURE.md draws the machines as they are; `npm run diagrams` draws them anew", () => {
  const page = readFileSync(new URL("../../ARCHITECTURE.md", import.meta.url), "utf8");
  expect(withDiagrams(page, MACHINES)).toBe(page);
});

test.each(MACHINES)(
  "$id can be opened in Stately's tools: it is plain JSON, and every action and guard has a name",
  (machine) => {
    const words = JSON.parse(JSON.stringify(machine.toJSON()));
    expect(Object.keys(words.states)).toEqual(Object.keys(machine.states));
    const source = readFileSync(new URL(`../../machines/${machine.id}/machine.ts`, import.meta.url), "utf8");
    const config = source.slice(source.indexOf("createMachine({"), source.indexOf("\n});", source.indexOf("createMachine({")));
    // What is worked out is not seen by an editor that reads the text: no spread, no state by another's name, no function but the
    // one of the context.
    expect(config.replace("({ input }) => ({ ...NEW, id: input.id })", "")).not.toMatch(
      /\.\.\.|=>|\bactions: [^[]|\n {4,}[A-Z_]+: [^{]/,
    );
  },
);
