/**
 * Schemas and data that are dear to judge, each in a way of its own, from small to past every bound. What a kind gives is an
 * order's part and results for it: some that pass, some that fail at the very end of the work.
 */

/**
 * @typedef {import("./dice.mjs").Dice} Dice
 * @typedef {{ readonly schema: object, readonly example_output: unknown, readonly rules?: readonly object[] }} CostlyOrder
 * @typedef {{ readonly kind: string, readonly order: CostlyOrder, readonly results: readonly unknown[] }} Costly
 */

/** @template T @param {number} length @param {(index: number) => T} make @returns {T[]} */
const list = (length, make) => Array.from({ length }, (_, index) => make(index));
/** @param {number} length @param {(index: number) => [string, unknown]} make */
const record = (length, make) => Object.fromEntries(list(length, make));
/** Under one property, as most orders have it. @param {unknown} schema */
const within = (schema) => ({ type: "object", properties: { a: schema }, required: ["a"] });
/** @param {unknown} schema @param {unknown} good @param {readonly unknown[]} bad @returns {Omit<Costly, "kind">} */
const plain = (schema, good, bad) => ({
  order: { schema: within(schema), example_output: { a: good } },
  results: [...bad, good].map((a) => ({ a })),
});

const PATTERNS = [
  "^(a+)+$",
  "^(a|a)*$",
  "^(a|aa)+$",
  "^(?=(a+)+$)",
  "^(?!(a+)+b)",
  "(?<=(a+)+)b",
  "^([a-z]+)*\\1$",
  "^(\\w+\\s?)*$",
  "(x+x+)+y",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "^(a?){40}a{40}$",
  "\\p{L}+(\\p{L}|\\d)*!",
  "^(?:a{1,30}){1,30}$",
  "^(.*?,){25}x",
];

const FORMATS = ["email", "idn-email", "uri", "uri-reference", "uri-template", "iri", "hostname", "idn-hostname", "ipv4", "ipv6"];
const MORE_FORMATS = ["date", "time", "date-time", "duration", "regex", "json-pointer", "relative-json-pointer", "uuid", "byte"];

/** @type {Record<string, (dice: Dice) => Omit<Costly, "kind">>} */
const KINDS = {
  "a list against many const": (dice) => {
    const [consts, length] = [dice.size(400), dice.size(12_000)];
    const schema = { type: "array", items: { [dice.pick(["anyOf", "oneOf"])]: list(consts, (n) => ({ const: n })) } };
    const good = list(Math.min(length, 2_000), () => consts - 1);
    return plain(schema, good, [list(length, () => consts - 1), [...list(length, () => consts - 1), consts]]);
  },
  "an enum of objects": (dice) => {
    const members = list(dice.size(700), (n) => ({ name: `name ${n}`, at: { x: n, y: [n, n, n] } }));
    return plain({ enum: members }, members.at(-1), [{ ...members.at(-1), more: 1 }, list(dice.size(2_000), (n) => n)]);
  },
  "one big const": (dice) => {
    const value = record(dice.size(900), (n) => [`key${n}`, [n, { n }]]);
    return plain({ const: value }, value, [{ ...value, last: 1 }, { toString: 1 }, { ...value, hasOwnProperty: [] }]);
  },
  "trees of anyOf": (dice) => {
    const word = dice.pick(["anyOf", "oneOf", "allOf", "not"]);
    const grow = (/** @type {number} */ levels) => {
      /** @type {object} */
      let node = { type: "string", minLength: 1 };
      for (let level = 0; level < levels; level += 1)
        node = word === "not" ? { not: { allOf: [node, node] } } : { [word]: [node, word === "oneOf" ? { const: level } : node] };
      return node;
    };
    return plain(grow(dice.int(1, 12)), "x", [7, list(dice.size(1_000), (n) => n)]);
  },
  "references that double": (dice) => {
    const word = dice.pick(["anyOf", "allOf", "oneOf"]);
    const levels = dice.int(2, 28);
    const $defs = record(levels, (n) => [
      `d${n}`,
      n === 0 ? { type: "string" } : { [word]: [{ $ref: `#/$defs/d${n - 1}` }, { $ref: `#/$defs/d${n - 1}` }] },
    ]);
    return {
      order: { schema: { $defs, ...within({ $ref: `#/$defs/d${levels - 1}` }) }, example_output: { a: "x" } },
      results: [{ a: 7 }, { a: "x" }],
    };
  },
  "a web of dynamic anchors": (dice) => {
    const size = dice.size(320);
    const to = (/** @type {number} */ n) => ({ $ref: `r${n % size}` });
    const $defs = record(size, (n) => [
      `d${n}`,
      { $id: `r${n}`, $dynamicAnchor: `x${n}`, properties: { a: to(7 * n + 3), b: to(5 * n + 1) } },
    ]);
    return { order: { schema: { $defs, ...to(0) }, example_output: {} }, results: [{ a: { b: {} } }] };
  },
  "if within if": (dice) => {
    let node = /** @type {object} */ ({ type: "integer" });
    const levels = dice.int(1, 30);
    for (let n = 0; n < levels; n += 1)
      node = { if: { multipleOf: n + 1 }, [dice.pick(["then", "else"])]: node, [dice.pick(["then", "else"])]: node };
    const many = list(dice.size(8_000), (n) => n);
    return plain({ type: "array", items: node }, [2, 4], [many, [...many, "x"]]);
  },
  "many patterns for many names": (dice) => {
    const patternProperties = record(dice.size(200), (n) => [`^k.*${n}$`, { type: "integer", minimum: 0 }]);
    const value = record(dice.size(3_000), (n) => [`key${n}`, n]);
    return plain({ type: "object", patternProperties, additionalProperties: dice.chance(0.5) }, { k0: 0 }, [
      value,
      { ...value, k1: -1 },
    ]);
  },
  "names that are judged": (dice) => {
    const propertyNames = dice.pick([
      { pattern: "^k[0-9]+$" },
      { enum: list(dice.size(900), (n) => `key${n}`) },
      { format: "email" },
      { maxLength: 9 },
    ]);
    return plain({ type: "object", propertyNames }, {}, [record(dice.size(4_000), (n) => [`key${n}`, n])]);
  },
  "names that need others": (dice) => {
    const size = dice.size(150);
    const dependentSchemas = record(size, (n) => [
      `k${n}`,
      { required: list(dice.size(20), (m) => `k${m}`), properties: { [`k${n}`]: { type: "integer" } } },
    ]);
    const dependentRequired = record(size, (n) => [`k${n}`, list(dice.size(30), (m) => `k${m}`)]);
    return plain({ type: "object", dependentSchemas, dependentRequired }, {}, [
      record(size, (n) => [`k${n}`, n]),
      record(size - 1, (n) => [`k${n}`, "x"]),
    ]);
  },
  "a tree that branches": (dice) => {
    const variants = list(dice.int(1, 12), (n) => ({
      type: "object",
      properties: { kind: { const: n }, children: { type: "array", items: { $ref: "#/$defs/Node" } } },
      required: ["kind"],
    }));
    const grow = (/** @type {number} */ levels, /** @type {number} */ width) => {
      /** @type {object} */
      let node = { kind: variants.length - 1 };
      for (let level = 0; level < levels; level += 1) node = { kind: variants.length - 1, children: list(width, () => node) };
      return node;
    };
    const order = {
      schema: { $defs: { Node: { [dice.pick(["anyOf", "oneOf"])]: variants } }, $ref: "#/$defs/Node" },
      example_output: grow(1, 2),
    };
    return { order, results: [grow(dice.int(1, 10), 2), grow(2, dice.size(50)), grow(dice.int(1, 60), 1), { kind: -1 }] };
  },
  "what is left over": (dice) => {
    const allOf = list(dice.size(120), (n) => ({
      [dice.pick(["properties", "patternProperties"])]: { [`k${n}`]: true },
      anyOf: [{ required: [`k${n}`] }, true],
    }));
    const value = record(dice.size(2_000), (n) => [`k${n}`, n]);
    return plain({ type: "object", allOf, unevaluatedProperties: false }, {}, [value, { ...value, other: 1 }]);
  },
  "what is left over of lists": (dice) => {
    const anyOf = list(dice.size(60), (n) => ({ prefixItems: list(n % 20, () => true), contains: { const: n } }));
    return plain(
      { type: "array", anyOf, unevaluatedItems: { type: "integer" } },
      [0],
      [list(dice.size(6_000), (n) => n), list(dice.size(6_000), String)],
    );
  },
  "how many it contains": (dice) => {
    const contains = { type: "object", properties: { x: { enum: list(dice.size(100), (n) => n) } }, required: ["x"] };
    const many = list(dice.size(4_000), (n) => ({ x: n }));
    return plain(
      { type: "array", contains, minContains: dice.size(50), maxContains: 1e9 },
      list(60, () => ({ x: 0 })),
      [many],
    );
  },
  "objects that must differ": (dice) => {
    const many = list(dice.size(5_000), (n) => ({ a: n, b: { c: [n] } }));
    return plain({ type: "array", uniqueItems: true }, [{ a: 1 }, { a: 2 }], [many, [...many, { b: { c: [0] }, a: 0 }]]);
  },
  "deep nests": (dice) => {
    const levels = dice.int(1, 60);
    let [schema, value, bad] = [
      /** @type {object} */ ({ type: "integer" }),
      /** @type {unknown} */ (1),
      /** @type {unknown} */ ("x"),
    ];
    for (let level = 0; level < levels; level += 1) {
      schema = { type: "object", properties: { a: schema }, required: ["a"], additionalProperties: false };
      [value, bad] = [{ a: value }, { a: bad }];
    }
    return { order: { schema, example_output: value }, results: [bad, value] };
  },
  "one reference in many spellings": (dice) => {
    const spell = (/** @type {number} */ n) =>
      `#/%24defs/${[..."target"].map((letter, at) => ((n >> at) & 1 ? `%${letter.charCodeAt(0).toString(16)}` : letter)).join("")}`;
    const schema = {
      type: "array",
      items: { [dice.pick(["allOf", "anyOf"])]: list(dice.size(600), (n) => ({ $ref: spell(n) })) },
    };
    const target = { type: "string", enum: list(dice.size(30), String) };
    return {
      order: { schema: { $defs: { target }, ...within(schema) }, example_output: { a: ["0"] } },
      results: [{ a: list(dice.size(4_000), () => "0") }, { a: ["x"] }],
    };
  },
  "references that turn in a ring": (dice) => {
    const length = dice.int(1, 9);
    const $defs = record(length, (n) => [
      `d${n}`,
      { [dice.pick(["allOf", "anyOf", "oneOf"])]: [{ $ref: `#/$defs/d${(n + 1) % length}` }] },
    ]);
    return { order: { schema: { $defs, $ref: "#/$defs/d0" }, example_output: {} }, results: [{}] };
  },
  "references that move": (dice) => {
    const schema = {
      $id: "https://schemas.example/tree",
      $dynamicAnchor: "node",
      $recursiveAnchor: true,
      type: "object",
      properties: { c: { items: { [dice.pick(["$dynamicRef", "$recursiveRef"])]: "#node" } } },
    };
    return { order: { schema, example_output: {} }, results: [{ c: list(dice.size(3_000), () => ({ c: [] })) }] };
  },
  "patterns that go back": (dice) => {
    const pattern = dice.pick(PATTERNS);
    const text = `${"a".repeat(dice.size(30_000))}!`;
    return plain({ type: "string", pattern }, "aaa", [text, "aa ".repeat(dice.size(5_000)), text.replaceAll("a", "x")]);
  },
  "patterns that go back in a rule": (dice) => {
    const rules = list(dice.size(20), () => ({ type: "regex", field: "a", pattern: dice.pick(PATTERNS) }));
    return {
      order: { schema: within({ type: "string" }), example_output: { a: "aaa" }, rules },
      results: [{ a: `${"a".repeat(dice.size(30_000))}!` }, { a: "b,".repeat(dice.size(10_000)) }],
    };
  },
  "big linear patterns": (dice) => {
    const pattern = dice.pick([
      `^[a-z]{0,${dice.size(5_000)}}$`,
      `(${list(dice.size(800), (n) => `word${n}`).join("|")})`,
      `^${"x?".repeat(dice.size(900))}$`,
      `${"\\p{Letter}".repeat(dice.size(200))}`,
      `(x{1000}|${dice.int(0, 99)})`,
    ]);
    return plain({ type: "string", pattern }, "x", ["x".repeat(dice.size(50_000)), "é".repeat(dice.size(20_000))]);
  },
  "formats of long texts": (dice) => {
    const format = dice.pick([...FORMATS, ...MORE_FORMATS]);
    const piece = dice.pick(["a.", "1:", "a@", "%41", "{a}", "-", "9", "(a+)+", "[", "/~1", "\u00e9.", "xn--a.", "P1Y"]);
    return plain(
      { type: "array", items: { type: "string", format } },
      [],
      [[piece.repeat(dice.size(30_000))], list(dice.size(500), () => piece.repeat(dice.size(100)))],
    );
  },
  "multiples of what is small": (dice) => {
    const multipleOf = dice.pick([0.01, 1e-10, 1e-300, 5e-324, 0.1, 1e300, 3]);
    const value = dice.pick([19.99, 1e300, 1e-300, 123456789.01, 4.35, -0.07]);
    return plain({ type: "array", items: { multipleOf } }, [], [list(dice.size(6_000), () => value)]);
  },
  "texts of wide letters": (dice) => {
    const text = "\u{1F4A5}".repeat(dice.size(14_000));
    return plain({ type: "string", minLength: dice.size(14_000), maxLength: 1e9 }, "x".repeat(14_000), [text]);
  },
  "wide objects": (dice) => {
    const size = dice.size(900);
    const properties = record(size, (n) => [`property${n}`, { type: dice.pick(["string", "integer"]) }]);
    return plain(
      { type: "object", properties, required: Object.keys(properties).slice(0, 500), additionalProperties: false },
      {},
      [record(size, (n) => [`property${n}`, String(n)]), list(100, (n) => n)],
    );
  },
  "names of every object": (dice) => {
    const names = ["constructor", "toString", "hasOwnProperty", "valueOf", "length", "prototype", "__defineGetter__"];
    const value = Object.fromEntries(names.map((name) => [name, dice.pick([1, "x", null, { [name]: 1 }])]));
    const word = dice.pick(["properties", "dependentRequired", "patternProperties", "$defs", "dependentSchemas"]);
    const part = Object.fromEntries(names.map((name) => [name, word === "dependentRequired" ? names : { type: "integer" }]));
    return plain({ [word]: part, required: names, enum: [value, { toString: 1 }] }, value, [
      { toString: 1 },
      { constructor: { name: "x" } },
    ]);
  },
  "words of one library": (dice) => {
    const word = dice.pick([
      "$async",
      "$data",
      "nullable",
      "discriminator",
      "formatMinimum",
      "transform",
      "instanceof",
      "$vocabulary",
      "code",
      "definition",
      "eval",
      "$comment",
      "id",
      "$id",
      "$schema",
    ]);
    const value = dice.pick([true, false, null, 1, "x", "#", { $data: "0" }, [], "https://other.example/schema"]);
    const inner = { [word]: value, properties: { company: { type: "string", [word]: value } }, required: ["company"] };
    return {
      order: {
        schema: dice.chance(0.5) ? inner : { ...within(inner), [word]: value },
        example_output: { company: "x", a: { company: "x" } },
      },
      results: [{}, { a: {} }, { company: "x", a: { company: "x" } }],
    };
  },
  "rules over everything": (dice) => {
    const value = record(dice.size(600), (n) => [`f${n}`, dice.pick(["x", 1, [1], { y: 1 }])]);
    const rules = list(dice.size(50), (n) =>
      dice.pick([
        { type: "enum", field: `f${n}`, values: list(dice.size(3_000), (m) => ({ m })) },
        { type: "required_fields", fields: list(dice.size(800), (m) => `f${m}`) },
        { type: "max_length", field: `f${n}`, max: 1 },
        { type: "grounded", field: `f${n}` },
        { type: "field_type", field: "__proto__", expected: "str" },
        { type: "enum", field: "constructor.name", values: ["Object"] },
      ]),
    );
    return { order: { schema: { type: "object" }, example_output: value, rules }, results: [value, {}] };
  },
};

export const COSTLY_KINDS = Object.keys(KINDS);

/**
 * One of them: of this kind, or of any.
 * @param {Dice} dice
 * @param {string} [kind]
 * @returns {Costly}
 */
export function costly(dice, kind = dice.pick(COSTLY_KINDS)) {
  const make = KINDS[kind];
  if (make === undefined) throw new Error(`there is no kind ${kind}`);
  return { kind, ...make(dice) };
}
