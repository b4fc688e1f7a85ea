/** What is read of a JSON text: numbers exactly or not at all, bounds of schemas as the doubles that part what can arrive, names and characters. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { directed, isExact } from "../../gateway/http/json/decimal.ts";
import { readJson } from "../../gateway/http/middleware/body.ts";
import { Problem } from "../../gateway/http/problems.ts";
import { canonicalText } from "../../machines/validation/equality.ts";
import type { JsonValue } from "../../machines/vocabulary.ts";

function refusal(text: string): { readonly field: string; readonly message: string } | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect([error.status, error.errors?.length]).toEqual([422, 1]);
    return error.errors?.[0];
  }
}

describe("a number", () => {
  test.each([
    ...["0", "-0", "-0.0", "0e999999999999", "0.0e-400", "1", "1.0", "1e0", "10e-1", "0.1", "1.10", "20.0", "1E+2", "-1.5e-3"],
    ...["9007199254740992", "100000000000000000000", "1e21", "1e23", "1.7976931348623157e308", "5e-324"],
    ...["0.30000000000000004", "123456789012345.6", "9223372036854776000", "1790321456789012500", "0.000000000000000000001"],
  ])("whose value a double keeps is taken: %s", (literal) => {
    expect(isExact(literal)).toBe(true);
    expect(readJson(`{"a":[${literal}]}`)).toEqual({ a: [Number(literal)] });
  });

  test.each([
    ...["1790321456789012345", "9007199254740993", "-9007199254740993", "9223372036854775807", "18446744073709551615"],
    ...["0.1000000000000000055511151231257827", "1e400", "-1e400", "1e-400", "1e309", "2e-324", "3.141592653589793238462643"],
    ...[
      "9223372036854775808",
      "900719925474099.3",
      "9007199254740993e0",
      "90071992547409930e-1",
      "0.10000000000000001",
      "1.7976931348623159e308",
      `1${"0".repeat(400)}`,
    ],
    ...[`0.${"3".repeat(1_000)}`, `${"9".repeat(100_000)}`],
  ])("whose value a double would change is refused, by its path: %.30s", (literal) => {
    expect(isExact(literal)).toBe(false);
    const wrong = refusal(`{"x": 1, "a": {"b": ["1e400", {"c\\"d": ${literal}}]}}`);
    expect(wrong?.field).toBe('a.b.1.c"d');
    expect(wrong?.message).toMatch(/as text/);
    expect(wrong?.message.length).toBeLessThan(200);
    expect(refusal(`[${literal}]`)?.field).toBe("0");
    expect(refusal(literal)?.field).toBe("body");
  });

  test.each([
    ["1e999", 'the number 1e999 is larger than any that can be kept; send it as text ("1e999")'],
    ["-1e400", 'the number -1e400 is larger than any that can be kept; send it as text ("-1e400")'],
    ["1e-400", 'the number 1e-400 is closer to 0 than any that can be kept; send it as text ("1e-400")'],
    [
      "9007199254740993",
      'the number 9007199254740993 cannot be kept exactly; send it as text ("9007199254740993"), or one with fewer digits',
    ],
    ["9".repeat(41), "is a number with more digits than can be kept exactly; send it as text, in quotes"],
    ["9".repeat(400), "is a number larger than any that can be kept exactly; send it as text, in quotes"],
  ])("is refused with advice that helps: %.30s", (literal, message) => {
    expect(refusal(`{"a":${literal}}`)).toEqual({ field: "a", message });
  });

  test("in a text is none", () => {
    const text = '{"id":"1790321456789012345","a\\\\":"\\\\\\"9007199254740993","b":["x\\\\",9007199254740992]}';
    expect(readJson(text)).toEqual(JSON.parse(text));
  });

  test("that JSON.stringify has written is always taken", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        if (text.includes("__proto__") || /\\u(0000|d[89a-f])/i.test(text)) return;
        expect(JSON.stringify(readJson(text))).toBe(text);
      }),
    );
  });

  test("is exact if and only if its decimal is that of the shortest text", () => {
    const literal = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -20, max: 20 }));
    fc.assert(
      fc.property(literal, ([digits, power]) => {
        const text = `${digits}e${power}`;
        // The same through fractions of whole numbers.
        const [shortest = "", exponent = "0"] = String(Number(text)).split("e");
        const [whole = "", fraction = ""] = shortest.split(".");
        const kept = BigInt(whole + fraction);
        const shift = Number(exponent) - fraction.length;
        const [left, right] = [digits * 10n ** BigInt(power + 400), kept * 10n ** BigInt(shift + 400)];
        expect(isExact(text)).toBe(left === right);
      }),
    );
  });
});

describe("a bound of a schema beyond 2^53", () => {
  const INT64 = "9223372036854775807";
  const below = 2 ** 63 - 1_024;
  test.each([
    ["maximum", INT64, below],
    ["exclusiveMaximum", INT64, 2 ** 63],
    ["minimum", `-${INT64}`, -below],
    ["exclusiveMinimum", `-${INT64}`, -(2 ** 63)],
    ["maximum", "18446744073709551615", 2 ** 64 - 2_048],
    ["minimum", "9007199254740993", 2 ** 53 + 2],
    ["maximum", "9007199254740993", 2 ** 53],
    ["maximum", "9007199254740993.5", 2 ** 53],
    ["minimum", "-9007199254740993", -(2 ** 53)],
    ["maximum", "-9007199254740993", -(2 ** 53) - 2],
    ["exclusiveMaximum", "9007199254740992.5", 2 ** 53 + 2],
    ["exclusiveMinimum", "9007199254740992.5", 2 ** 53],
  ])("is taken as what parts the numbers that can arrive: %s %s", (keyword, literal, kept) => {
    for (const [before, after] of [
      ['{"schema":{"properties":{"maximum":{"items":{', "}}}}}"],
      ['{"validation_schema":{"anyOf":[{"type":"null"},{', "}]}}"],
      ['{"template":{"schema":{"$defs":{"a":{', "}}}}}"],
    ]) {
      const text = `${before}"${keyword}":${literal}${after}`;
      const expected = JSON.parse(`${before}"${keyword}":${kept}${after}`);
      expect(readJson(text)).toEqual(expected);
    }
  });

  test("parts all doubles around it as the literal does", () => {
    const large = fc.bigInt({ min: 2n ** 53n + 1n, max: 2n ** 80n });
    fc.assert(
      fc.property(large, fc.boolean(), fc.double({ min: 2 ** 52, max: 2 ** 81, noNaN: true }), (bound, negative, far) => {
        const exact = negative ? -bound : bound;
        for (const value of [Number(exact), Number(exact) * (1 + 2 ** -52), Number(exact) * (1 - 2 ** -53), far, -far].map(
          Math.round,
        )) {
          expect([value, value <= (directed(String(exact), true) ?? 0)]).toEqual([value, BigInt(value) <= exact]);
          expect([value, value >= (directed(String(exact), false) ?? 0)]).toEqual([value, BigInt(value) >= exact]);
        }
      }),
    );
  });

  test.each([
    ["not in a result", `{"result_data":{"maximum":${INT64}}}`, "result_data.maximum"],
    ["not in a const", `{"schema":{"const":{"maximum":${INT64}}}}`, "schema.const.maximum"],
    ["not in an enum", `{"schema":{"enum":[{"maximum":${INT64}}]}}`, "schema.enum.0.maximum"],
    [
      "not in an example",
      `{"schema":{"properties":{"a":{"default":{"maximum":${INT64}}}}}}`,
      "schema.properties.a.default.maximum",
    ],
    ["no other keyword", `{"schema":{"multipleOf":${INT64}}}`, "schema.multipleOf"],
    ["no fraction below 2^53", '{"schema":{"minimum":0.10000000000000000001}}', "schema.minimum"],
    ["nothing without end", '{"schema":{"maximum":1e400}}', "schema.maximum"],
    ["no list", `{"schema":{"maximum":[${INT64}]}}`, "schema.maximum.0"],
    ["no field of the name schema below", `{"items":[{"schema":{"maximum":${INT64}}}]}`, "items.0.schema.maximum"],
  ])("%s", (_, text, field) => {
    expect(refusal(text)?.field).toBe(field);
  });

  test("that came twice counts as JSON.parse has it: the last one", () => {
    expect(readJson(`{"schema":{"maximum":${INT64},"maximum":5}}`)).toEqual({ schema: { maximum: 5 } });
    expect(readJson(`{"schema":{"maximum":${INT64}},"schema":{}}`)).toEqual({ schema: {} });
  });
});

describe("names and characters that harm", () => {
  test.each([
    ['{"__proto__":1}', "__proto__", "is a reserved name"],
    ['{"a":[{"\\u005f_proto__":1}]}', "a.0.__proto__", "is a reserved name"],
    ['{"a":"x\\u0000"}', "a", "NUL"],
    ['{"a\\u0000b":1}', "a\\u0000b", "NUL"],
    ['{"a":["\\ud800"]}', "a.0", "surrogate"],
    ['{"a":"\\udc00\\ud800"}', "a", "surrogate"],
    [`${'{"a":'.repeat(70)}1${"}".repeat(70)}`, "a.a.a", "64 levels"],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, "0.0", "64 levels"],
  ])("are refused by their path: %.40s", (text, field, message) => {
    const wrong = refusal(text);
    expect(wrong?.field.startsWith(field)).toBe(true);
    expect(wrong?.field.length).toBeLessThanOrEqual(200);
    expect(wrong?.message).toContain(message);
  });

  test("what only looks like them is taken", () => {
    const text = '{"a":"__proto__","b":"\\\\u0000","c":"\\ud83d\\ude00","d":{"proto":"\\\\\\\\"},"":{"":[[]]}}';
    expect(readJson(text)).toEqual(JSON.parse(text));
    const deep = `${"[".repeat(64)}${"]".repeat(64)}`;
    expect(readJson(deep)).toEqual(JSON.parse(deep));
  });
});

test("two ways to write a value have one canonical text, two values have two", () => {
  const one = '{"b":[1, 2.0,{"y":null,"x":"\\u00e9"}],"a":-0,"c":1e2,"10":1,"9":2}';
  const other = '{"9":2,"c":100.0,"a":5,"a":0,"10":1e0,"b":[1,2,{"x":"é","y":null}]}';
  expect(canonicalText(readJson(one))).toBe(canonicalText(readJson(other)));
  const different = [
    '{"a":"1"}',
    '{"a":1}',
    '{"a":null}',
    "{}",
    '{"a":[1]}',
    "[]",
    "[[]]",
    '{"":{}}',
    '{"a":{}}',
    "null",
    '"null"',
  ];
  expect(new Set(different.map((text) => canonicalText(readJson(text)))).size).toBe(different.length);
  const shuffled = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, child]) => [name, shuffled(child)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json: JsonValue = JSON.parse(JSON.stringify(value));
      expect(canonicalText(shuffled(json))).toBe(canonicalText(json));
      expect(canonicalText(JSON.parse(canonicalText(json)))).toBe(canonicalText(json));
    }),
  );
});
