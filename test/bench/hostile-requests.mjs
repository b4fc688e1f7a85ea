/** One request of each hostile kind, for how long it holds the loop. What is made anew each time is not found in any cache. */
import { randomUUID } from "node:crypto";
import { COSTLY_KINDS, costly } from "../support/costly.mjs";
import { Dice } from "../support/dice.mjs";

export const ORDER = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5, pending_pool_hours: 1 };

/** @param {(level: number) => object} make @param {number} levels */
const nest = (make, levels) =>
  Array.from({ length: levels }).reduce((/** @type {object} */ inner, _, level) => ({ ...make(level), inner }), {});

/** @param {string} combine */
function bomb(combine) {
  /** @type {Record<string, object>} */
  const defs = { d0: { type: "string" } };
  for (let level = 1; level < 24; level += 1) {
    const below = { $ref: `#/$defs/d${level - 1}` };
    defs[`d${level}`] = { [combine]: [below, below] };
  }
  return { $defs: defs, type: "object", properties: { a: { $ref: "#/$defs/d23" } } };
}

/** A schema just below the bounds: as many properties as 32 KB hold. */
const WIDE = {
  type: "object",
  properties: Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`property${index}`, { type: "string" }])),
};
/** Just below what is judged at once. */
const LIGHT = {
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: 28 }, (_, index) => [`p${index}`, { anyOf: [{ type: "string", format: "date-time" }] }]),
  ),
};
const CHAIN = Array.from({ length: 11 }).reduce((/** @type {object} */ inner) => ({ anyOf: [inner, inner] }), { type: "string" });
const fresh = () => randomUUID();

/** @typedef {{ readonly path?: string, readonly body: unknown }} Ask */
/** @param {() => object} changes @returns {() => Ask} */
const task = (changes) => () => ({ body: { ...ORDER, ...changes() } });
/** @param {string} path @param {() => unknown} body @returns {() => Ask} */
const to = (path, body) => () => ({ path, body: body() });

/** As POST /tasks where they say nothing else. @type {Record<string, () => Ask>} */
const BODIES = {
  "an honest task": task(() => ({})),
  "256 KB of spaces": () => ({ body: " ".repeat(262_000) }),
  "256 KB of lists": () => ({ body: "[".repeat(131_000) + "]".repeat(131_000) }),
  "256 KB of objects": () => ({ body: `${'{"a":'.repeat(43_000)}1${"}".repeat(43_000)}` }),
  "256 KB of keys": () => ({
    body: JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]))),
  }),
  "256 KB of long numbers": () => ({ body: `[${"1790321456789012345,".repeat(13_000)}1]` }),
  "256 KB of escapes": () => ({ body: `{"input_data":"${"\\u00e9".repeat(43_000)}"}` }),
  "10 MB": () => ({ body: " ".repeat(10_000_000) }),
  "an address that is a list of 90,000": to("/auth/register", () => ({ email: Array(90_000).fill(1) })),
  "a code that is a list of 90,000": to("/auth/verify-recover", () => ({ email: "a@b.example", code: Array(90_000).fill(1) })),
  "a batch of a thousand": to("/tasks/batch", () => {
    const { input_data: _, ...template } = ORDER;
    return { template, items: Array.from({ length: 1_000 }, (_one, n) => ({ input_data: `${n}` })), max_concurrent: 100 };
  }),
  "a batch of 64 KB texts": to("/tasks/batch", () => {
    const { input_data: _, ...template } = ORDER;
    return { template, items: Array.from({ length: 24 }, () => ({ input_data: "x".repeat(10_000) })), max_concurrent: 100 };
  }),
};

/** @type {Record<string, () => Ask>} */
const SCHEMAS = {
  "a bomb of anyOf": task(() => ({ schema: bomb("anyOf") })),
  "a bomb of allOf": task(() => ({ schema: bomb("allOf") })),
  "a wide schema": task(() => ({ schema: { ...WIDE, title: fresh() } })),
  "a schema at the bound of what is judged at once": task(() => ({ schema: { ...LIGHT, title: fresh() } })),
  "a tree of anyOf": task(() => ({ schema: { properties: { a: CHAIN }, title: fresh() } })),
  "50 rules with patterns": task(() => ({
    rules: Array.from({ length: 50 }, (_, index) => ({
      type: "regex",
      field: "a",
      pattern: `^((a{1,30}){1,30}|b${index}){1,5}$`,
    })),
  })),
  "patterns of many repetitions": task(() => ({
    schema: {
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, { pattern: `(x{1000}|${index})` }])),
    },
  })),
  "patterns just below their bound": task(() => ({ schema: { pattern: "x{990}".repeat(10), title: fresh() } })),
  "an enum rule of 230 KB, new each time": task(() => ({
    rules: [{ type: "enum", field: "a", values: Array.from({ length: 5_000 }, fresh) }],
  })),
  "an enum of 560 objects": task(() => {
    const values = Array.from({ length: 560 }, (_, n) => ({ name: `${fresh()}${n}`, at: [n, { n }] }));
    return { schema: { properties: { a: { enum: values } } }, example_output: { a: values.at(-1) } };
  }),
  "55 const over 9,900 items": task(() => ({
    schema: { title: fresh(), properties: { a: { items: { anyOf: Array.from({ length: 55 }, (_, n) => ({ const: n })) } } } },
    example_output: { a: Array(9_900).fill(54) },
  })),
  "one reference spelt in 549 ways": task(() => {
    const spell = (/** @type {number} */ n) =>
      [..."abcdefghij"].map((letter, at) => ((n >> at) & 1 ? `%${letter.charCodeAt(0).toString(16)}` : letter)).join("");
    const anyOf = Array.from({ length: 549 }, (_, n) => ({ $ref: `#/$defs/${spell(n)}` }));
    return {
      schema: { title: fresh(), $defs: { abcdefghij: { type: "integer" } }, properties: { a: { anyOf } } },
      example_output: { a: 1 },
    };
  }),
  "an example of 200 KB": task(() => ({ example_output: { a: Array.from({ length: 60_000 }, (_, index) => index) } })),
  "a deep example": task(() => ({ example_output: nest((level) => ({ level }), 50) })),
};

const dice = new Dice(1);

/** Every kind of dear schema and data, in the sizes that the dice give. @type {Record<string, () => Ask>} */
const COSTLY = Object.fromEntries(
  COSTLY_KINDS.map((kind) => [
    `dear: ${kind}`,
    () => {
      const { order, results } = costly(dice, kind);
      return {
        path: "/tasks/validate",
        body: { ...ORDER, ...order, example_output: dice.chance(0.5) ? dice.pick(results) : order.example_output },
      };
    },
  ]),
);

export const REQUESTS = { ...BODIES, ...SCHEMAS, ...COSTLY };
