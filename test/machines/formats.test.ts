import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FORMATS, formatSteps } from "../../machines/validation/formats.ts";
import { planPattern } from "../../machines/validation/pattern.ts";
import { isLight, judgeResult, measureDemands } from "../../machines/validation/verdict.ts";

function fits(format: string, text: string): boolean {
  const check = FORMATS.get(format);
  if (check === undefined) throw new Error(`${format} is not checked`);
  return check(text);
}

/** 253 characters, in labels of at most 63. */
const LONGEST_HOST = [63, 63, 63, 61].map((length) => "a".repeat(length)).join(".");

describe("formats", () => {
  test.each([
    ["hostname", "r3---sn-4g5e6nl7.googlevideo.com"],
    ["hostname", LONGEST_HOST],
    ["hostname", "xn--mnchen-3ya.de"],
    ["hostname", "XN--MNCHEN-3YA.de"],
    ["idn-hostname", "münchen.de"],
    ["idn-hostname", "mu\u0308nchen.de"],
    ["idn-hostname", LONGEST_HOST],
    ["idn-email", "jürgen@münchen.de"],
    ["idn-email", "a@xn--mnchen-3ya.de"],
    ["email", `${"a".repeat(64)}@${LONGEST_HOST}`],
    ["uri-template", "/o'neill/{id}{?page,size}"],
    ["uri-template", "/münchen/{id}"],
    ["iri", "https://münchen.de/\u{1FFFD}"],
    ["duration", "PT0.5S"],
    ["duration", "PT1H2S"],
    ["duration", "P1Y2D"],
    ["regex", "[\\p{L}\\P{Script=Greek}\\w\\S-]+"],
    ["regex", "\\\\p\\{L\\}"],
  ])("%s %j", (format, text) => {
    expect(fits(format, text)).toBe(true);
  });

  test.each([
    ["hostname", `${LONGEST_HOST}a`],
    ["hostname", "xn--example-"],
    ["hostname", "xn---9uc"],
    ["hostname", "a.xn--wva3j"],
    ["hostname", "xn--ls8h.la"],
    ["hostname", "xn--mnchen-3ya.de."],
    ["hostname", "xn--0a-.xn--4dbrk0ce"],
    ["idn-hostname", "\u00ad"],
    ["idn-hostname", "a.\u200b.b"],
    ["idn-hostname", "\ud800.de"],
    ["idn-hostname", "ab--cd.de"],
    ["idn-hostname", "💩.la"],
    ["idn-hostname", "münchen.de。"],
    ["idn-email", "jürgen@münchen-.de"],
    ["idn-email", "jürgen@-münchen.de"],
    ["idn-email", "jürgen@ab--cd-.de"],
    ["idn-email", "jürgen@💩.la"],
    ["email", `${"a".repeat(65)}@${LONGEST_HOST}`],
    ["email", "a@münchen.de"],
    ["email", "a@xn--wva3j"],
    ["uri-template", "a\u007fb"],
    ["uri-template", "a\u0085b"],
    ["uri-template", "a\ufffeb"],
    ["uri-template", "a\u{1FFFE}b"],
    ["uri-template", "a\ud800b"],
    ["iri", "https://münchen.de/\u{1FFFE}"],
    ["iri", "https://münchen.de/?\u{FFFFE}"],
    ["regex", "\\p{Letters}"],
    ["regex", "[\\p{L}-z]"],
    ["regex", "[a-\\W]"],
    ["regex", "\\p{}"],
    ["regex", "\\p{L"],
    ["regex", "\\p{L}{2,1}"],
    ["duration", "PT1S2H"],
    ["duration", "PT.5S"],
    ["duration", "PT0.5H"],
  ])("not %s %j", (format, text) => {
    expect(fits(format, text)).toBe(false);
  });

  test("a name is read by IDNA up to 506 units, a mailbox up to 571", () => {
    // The mapping ignores a zero width space, so that only its length is against a name.
    const host = (units: number) => `a${"\u200b".repeat(units - 2)}b`;
    const local = "a".repeat(64);
    expect([506, 507].map((units) => fits("idn-hostname", host(units)))).toEqual([true, false]);
    expect([506, 507].map((units) => fits("idn-email", `a@${host(units)}`))).toEqual([true, false]);
    expect([local, `${local}a`].map((part) => fits("idn-email", `${part}@${host(506)}`))).toEqual([true, false]);
  });

  test("every text fits or does not, whatever the rules of IDNA throw at it", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("xn--", "a", "ü", ".", "。", "-", "@", "\u00ad", "\u200d", "\ud800", "א", "0", "٠") }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...FORMATS.keys()), text, (format, value) => typeof fits(format, value) === "boolean"),
      { numRuns: 1_000 },
    );
  });

  test("a name of which nothing is left is the result's fault, not the schema's", () => {
    const verdict = judgeResult({ schema: { format: "idn-hostname" }, rules: [] }, "\u00ad");
    expect(verdict).toMatchObject({ code: "SCHEMA_MISMATCH", errors: [{ message: "must be a valid idn-hostname" }] });
  });
});

describe("what a format costs", () => {
  test.each([
    ["idn-hostname", "münchen.de", 150],
    ["hostname", "xn--mnchen-3ya.de", 255],
    ["hostname", "www.example.com", 7.5],
    ["email", "a@example.com", 6.5],
    ["email", "a@xn--mnchen-3ya.de", 285],
    ["regex", "[a-z]+", 6],
    ["date", "2026-02-28", 5],
  ])("%s of %j is %d steps", (format, text, steps) => {
    expect(formatSteps(format, text)).toBe(steps);
  });

  test.each([
    ["idn-hostname", "ü.de", 100],
    ["hostname", "xn--mnchen-3ya.de", 30],
  ])("a list of %s is no light work", (format, text, count) => {
    const measured = measureDemands({ schema: { items: { format } }, rules: [] });
    if ("problem" in measured) throw new Error(measured.problem);
    const many: string[] = Array(count).fill(text);
    expect(isLight(measured, [text])).toBe(true);
    expect(isLight(measured, many)).toBe(false);
  });
});

describe("reading a pattern", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  // What the engine is given to read, with its flags.
  function given(work: () => unknown): readonly string[] {
    const seen: string[] = [];
    vi.stubGlobal(
      "RegExp",
      class extends RegExp {
        constructor(source: string, flags?: string) {
          seen.push(`/${source}/${flags ?? ""}`);
          super(source, flags);
        }
      },
    );
    work();
    return seen;
  }

  test.each([
    ["(?i)", "\\W"],
    ["", "\\p{Lu}"],
    ["(?i)", "\\P{Script=Thai}"],
    ["(?is)", "\\S"],
    ["(?=a)", "\\p{gc=Nd}\\W"],
  ])("%s and %s many times in a class have the engine make each set once", (prefix, one) => {
    const seen = given(() => {
      expect(planPattern(`${prefix}[${one.repeat(1_000)}]`)).toMatchObject({ linear: undefined });
      expect(fits("regex", `[${one.repeat(1_000)}]`)).toBe(true);
    });
    expect(seen.length).toBeLessThan(10);
    for (const pattern of seen) {
      expect(pattern).toMatch(/\/u?$/);
      expect(pattern.match(/\\[WSpP]/g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});
