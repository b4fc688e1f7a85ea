/**
 * What is mutated, and by which tests a mutant may be noticed: fast ones without a server, because each mutant runs those that
 * reach it. `least` is the share of mutants (%) that must be noticed.
 *
 * @typedef {{ readonly mutate: readonly string[], readonly tests: readonly string[], readonly least: number }} Part
 */
const MACHINES = ["test/machines/*.test.ts", "!test/machines/{judging,regexp,suite,pattern,formats,validation}*.test.ts"];
const LIVES = ["test/actors/{lifecycle,batches}.test.ts"];

/** @type {{ readonly [name: string]: Part }} */
export const PARTS = {
  // CI holds this one: it takes a minute or two.
  market: {
    mutate: ["machines/market/*.ts", "actors/shards/{placement,plan}.ts"],
    tests: ["test/machines/{market,rating,honeypot}*.test.ts", "test/actors/placement*.test.ts"],
    least: 90,
  },
  task: { mutate: ["machines/task/*.ts"], tests: [...MACHINES, ...LIVES], least: 0 },
  account: { mutate: ["machines/account/*.ts"], tests: [...MACHINES, ...LIVES], least: 0 },
  batch: { mutate: ["machines/batch/*.ts"], tests: [...MACHINES, ...LIVES], least: 0 },
  money: { mutate: ["machines/money/*.ts", "machines/vocabulary.ts"], tests: [...MACHINES, ...LIVES], least: 0 },
  validation: {
    mutate: ["machines/validation/*.ts"],
    tests: ["test/machines/{validation,formats,regexp,pattern,suite}*.test.ts"],
    least: 0,
  },
  actors: {
    mutate: ["actors/{host/gate,host/recent,effects/timers,address}.ts"],
    tests: ["test/actors/{host,timers,lifecycle,gate}*.test.ts"],
    least: 0,
  },
  show: { mutate: ["gateway/show/*.ts"], tests: ["test/gateway/show*.test.ts"], least: 0 },
};

/** The parts that CI holds to their floor. */
export const CI = ["market"];
