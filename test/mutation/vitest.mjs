/** Stands in for vitest while mutants are run: the same words, in one process, begun anew for each mutant. */
import { chai, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from "@vitest/expect";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
export const { expect } = chai;
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true });
setState({ assertionCalls: 0, isExpectingAssertions: false, isExpectingAssertionsError: null }, /** @type {any} */ (expect));

/** @typedef {() => unknown} Step */
/** @typedef {{ readonly name: string, readonly run: Step, readonly before: readonly Step[], readonly after: readonly Step[] }} Test */

/** @type {Test[]} */
let tests = [];
/** @type {{ readonly name: string, readonly before: Step[], readonly after: Step[] }[]} */
let around = [];

/** Runs what declares tests; gives them. @param {() => void} declare */
export function collect(declare) {
  tests = [];
  around = [{ name: "", before: [], after: [] }];
  declare();
  return tests;
}

/** @param {string} name @param {() => void} body */
export function describe(name, body) {
  around.push({ name, before: [], after: [] });
  body();
  around.pop();
}

/** @param {string} name @param {Step} run */
export function test(name, run) {
  const scopes = [...around];
  tests.push({
    name: [...scopes.map((scope) => scope.name), name].join(" "),
    run,
    // Those that are declared after the test count as well.
    get before() {
      return scopes.flatMap(({ before }) => before);
    },
    get after() {
      return scopes.flatMap(({ after }) => after).reverse();
    },
  });
}

/** @param {(name: string, body: (...values: any[]) => unknown) => void} declare */
const each =
  (declare) =>
  /** @param {readonly any[]} cases */
  (cases) =>
  /** @param {string} name @param {(...values: any[]) => unknown} body */
  (name, body) => {
    for (const [n, one] of cases.entries()) declare(`${name} #${n}`, () => body(...(Array.isArray(one) ? one : [one])));
  };
test.each = each(test);
describe.each = each(/** @type {any} */ (describe));

/** @param {Step} step */
export const beforeEach = (step) => around.at(-1)?.before.push(step);
/** @param {Step} step */
export const afterEach = (step) => around.at(-1)?.after.push(step);

/** @type {Map<PropertyKey, PropertyDescriptor | undefined>} */
const stubbed = new Map();
export const vi = {
  /** @param {PropertyKey} name @param {unknown} value */
  stubGlobal(name, value) {
    if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  },
  unstubAllGlobals() {
    for (const [name, before] of stubbed) {
      if (before === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, before);
    }
    stubbed.clear();
  },
};

/** Runs one test; rejects when it fails. @param {Test} one */
export async function runTest({ run, before, after }) {
  try {
    for (const step of before) await step();
    await run();
  } finally {
    for (const step of after) await step();
  }
}
