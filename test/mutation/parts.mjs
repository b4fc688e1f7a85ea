/**
 * What is mutated, and by which tests a mutant may be noticed: those that need no server. `least` is the share of mutants (%)
 * that must be noticed. `without` are tests that count the runs of a property, which fail with few runs, and those that take long
 * and notice nothing that others do not.
 *
 * @typedef {{
 *   readonly mutate: readonly string[],
 *   readonly tests: readonly string[],
 *   readonly without?: readonly string[],
 *   readonly least: number,
 * }} Part
 */
const MARKET = [
  ...[
    "market",
    "skill",
    "echo",
    "rating",
    "honeypot",
    "payments",
    "task",
    "tags",
    "account",
    "batch",
    "turns",
    "recall",
    "eligibility",
    "going-price",
    "going-award",
    "account-slots",
    "older",
    "member-formats",
    "shape",
    "entities",
    "debt",
    "evidence",
    "credit-line",
    "owing",
    "fault",
    "conduct",
    "account-honeypots",
  ].map((name) => `test/machines/${name}`),
  "test/contracts/commands",
  "test/contracts/replies",
];
const LIVES = ["test/actors/lifecycle"];
const JUDGED = [
  "validation",
  "formats",
  "judging",
  "judged-where",
  "pattern",
  "regexp",
  "hosts",
  "values",
  "suite",
  "cost",
  "unevaluated",
  "document",
  "keywords",
  "work",
  "verdict",
  "normal-forms",
  "format-corners",
  "linear",
  "rules",
  "grounded",
  "warnings",
].map((name) => `test/machines/${name}`);

/** @type {{ readonly [name: string]: Part }} */
export const PARTS = {
  market: { mutate: ["machines/market", "machines/vocabulary.ts"], tests: MARKET, least: 97 },
  task: { mutate: ["machines/task"], tests: MARKET, least: 97 },
  account: { mutate: ["machines/account"], tests: MARKET, least: 97 },
  batch: { mutate: ["machines/batch"], tests: MARKET, least: 97 },
  money: {
    mutate: ["machines/money", "machines/audit"],
    tests: [...MARKET, "test/machines/books", "test/machines/slot-books", ...LIVES],
    least: 96,
  },
  validation: {
    mutate: ["machines/validation"],
    tests: JUDGED,
    without: [
      "random schemas judge random values as the standard says, keyword by keyword",
      "is never much less than what a pattern is compiled to",
      "any pattern that both engines take finds the same in any text",
      "every text fits or does not, whatever the rules of IDNA throw at it",
      "schemas below long names are kept without a pointer for each",
      "many dynamic anchors that are reached in one way are taken",
      "the time grows with their length, and not with that times the text's",
      "every difference that is listed has a reason and a file, and the README counts them",
    ],
    least: 96,
  },
  actors: {
    mutate: ["actors/shards/placement.ts", "actors/shards/plan.ts", "actors/effects/timers.ts", "actors/host/gate.ts"],
    tests: ["test/actors/placement", "test/actors/plan", "test/actors/timers", "test/actors/host", ...LIVES],
    least: 88,
  },
  rules: {
    mutate: [
      "address",
      "commands",
      "eligibility",
      "entities",
      "formats",
      "incoming",
      "refusal",
      "replies",
      "shape",
      "statechart",
    ].map((name) => `machines/${name}.ts`),
    tests: [...MARKET, "test/gateway/ineligibility"],
    least: 97,
  },
  show: {
    mutate: ["gateway/show"],
    tests: ["test/gateway/show", "test/gateway/ineligibility", "test/gateway/refusals", "test/contracts/replies"],
    least: 96,
  },
};
