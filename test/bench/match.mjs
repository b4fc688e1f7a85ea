/**
 * How many matches a matcher makes in a second of CPU: a task opens, is proposed, and its worker wins it and is free again. With
 * waiters that are all equal, and with waiters that all differ in price and quality; for each preference, with and without a
 * going price. And what a pull costs that arrives where 100,000 tasks wait.
 *
 *   npm run bench:match
 */
import { Dice } from "../support/dice.mjs";

/** @param {string} file */
const built = (file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
/** @type {typeof import("../../actors/matching/matcher.ts")} */
const { Matcher } = await built("actors/matching/matcher.js");
/** @type {typeof import("../../actors/matching/vocabulary.ts")} */
const { MATCHING } = await built("actors/matching/vocabulary.js");
/** @type {typeof import("../../machines/vocabulary.ts")} */
const { accountId, taskId } = await built("machines/vocabulary.js");

const MATCHES = 5_000;
const ROUNDS = 3;
const SEED = 7;
const PULLS = 5_000;
const LISTENERS = 3_000;

/** @typedef {import("../../actors/matching/vocabulary.ts").QueuedTask} QueuedTask */
/** @typedef {import("../../actors/matching/vocabulary.ts").Posted} Posted */
/** @typedef {import("../../actors/matching/vocabulary.ts").Action} Action */

/** @param {number} kind @param {number} n */
const uuid = (kind, n) => `${String(kind).padStart(8, "0")}-0000-4000-8000-${String(n).padStart(12, "0")}`;
const STANDING = /** @type {const} */ ({ status: "ACTIVE", cooldownUntil: null, tier: 3, quality: 0.5 });
const requester = accountId(uuid(9, 0));

/** @param {number} n @param {Partial<QueuedTask>} change @returns {QueuedTask} */
const task = (n, change) => ({
  id: taskId(uuid(2, n)),
  requester,
  marks: ["mailbox:requester"],
  budget: 1_000,
  minSkill: 1,
  quality: "balanced",
  status: "PENDING_POOL",
  round: 3,
  bids: [],
  closedTo: [],
  passed: [],
  maxSeconds: 60,
  createdAt: n,
  windowEnds: n,
  bytes: 1_000,
  ...change,
});

/** @param {number} n @param {Partial<Posted>} change @returns {Posted} */
const posted = (n, change) => ({
  kind: "posted",
  id: `gateway/${uuid(1, n)}`,
  worker: accountId(uuid(1, n)),
  gateway: "gateway",
  standing: { ...STANDING, marks: [`mailbox:${n}`] },
  since: 0,
  until: 1e12,
  price: 10,
  free: 1,
  announce: false,
  ...change,
});

function newMatcher() {
  let ids = 0;
  return new Matcher({
    nextId: () => {
      ids += 1;
      return `${ids}`;
    },
  });
}

/** Awards whatever is proposed, and frees the slots. @param {import("../../actors/matching/matcher.ts").Matcher} matcher @param {readonly Action[]} actions @param {number} now */
function award(matcher, actions, now) {
  let matches = 0;
  for (const action of actions) {
    const [first] = action.type === "propose" ? action.offers : [];
    if (action.type !== "propose" || first === undefined) continue;
    matches += 1;
    matcher.answered(action.proposal, { type: "awarded", worker: first.worker, bid: first.bid }, now);
    matcher.freed(first.worker, now);
  }
  return matches;
}

/** @param {string} name @param {() => { run: () => number }} prepare */
function measure(name, prepare) {
  const rates = Array.from({ length: ROUNDS }, () => {
    const { run } = prepare();
    const begun = process.cpuUsage();
    const done = run();
    const { user, system } = process.cpuUsage(begun);
    return done / ((user + system) / 1e6);
  });
  const [low, middle, high] = rates.toSorted((a, b) => a - b).map((rate) => Math.round(rate).toLocaleString("en"));
  console.log(`${name.padEnd(56)} ${String(middle).padStart(9)}   (${low} to ${high})`);
}

/** @param {readonly Posted[]} waiters @param {QueuedTask["quality"]} quality @param {number | null} share */
function matching(waiters, quality, share) {
  const matcher = newMatcher();
  matcher.setGoing(share);
  for (const waiter of waiters) matcher.wait(waiter, 0);
  const run = () => {
    let matches = 0;
    for (let n = 0; n < MATCHES; n += 1) matches += award(matcher, matcher.opened(task(n, { quality }), n), n);
    if (matches !== MATCHES) throw new Error(`${matches} of ${MATCHES} tasks were matched`);
    return matches;
  };
  return { run };
}

/** A pull arrives, gets a task, and leaves: there are always 100,000. */
function pulling() {
  const matcher = newMatcher();
  const dice = new Dice(SEED);
  for (let n = 0; n < MATCHING.tasksMax; n += 1) {
    matcher.opened(task(n, { budget: 5 + Math.floor(dice.unit() * 996), minSkill: 1 + Math.floor(dice.unit() * 3) }), 0);
  }
  const run = () => {
    for (let n = 0; n < PULLS; n += 1) {
      const { standing, worker } = posted(n, {});
      const terms = { kind: "pull", id: `pull ${n}`, worker, gateway: "gateway", standing, since: n, until: 1e12 };
      award(
        matcher,
        matcher.wait({ ...terms, kind: "pull", price: null, minPrice: 1, most: 1, bytesMost: 512_000, bytesShare: 512_000 }, n),
        n,
      );
      matcher.opened(task(MATCHING.tasksMax + n, { budget: 5 + Math.floor(dice.unit() * 996) }), n);
    }
    return PULLS;
  };
  return { run };
}

/** Tasks open while many listen, and nobody has a price. */
function announcing() {
  const matcher = newMatcher();
  for (let n = 0; n < LISTENERS; n += 1) {
    const { standing, worker, gateway, since, until } = posted(n, {});
    matcher.wait({ kind: "manual", id: `${n}`, worker, gateway, standing, since, until, announce: true }, 0);
  }
  const run = () => {
    for (let n = 0; n < MATCHES; n += 1) {
      const { id } = task(n, {});
      matcher.opened(task(n, { status: "ROUTING", windowEnds: n + 3_000 }), n);
      matcher.closed(id, n);
    }
    return MATCHES;
  };
  return { run };
}

console.log(`${"".padEnd(56)} per CPU second`);
for (const count of [1_000, 10_000]) {
  const equal = Array.from({ length: count }, (_, n) => posted(n, {}));
  const dice = new Dice(SEED);
  const distinct = Array.from({ length: count }, (_, n) => {
    const standing = { ...STANDING, tier: 1 + Math.floor(dice.unit() * 5), quality: dice.unit(), marks: [`mailbox:${n}`] };
    return posted(n, { price: 1 + Math.floor(dice.unit() * 1_000), standing });
  });
  for (const quality of /** @type {const} */ (["cheapest", "best", "balanced"])) {
    measure(`${count} equal waiters, ${quality}`, () => matching(equal, quality, 0.6));
    measure(`${count} that all differ, ${quality}`, () => matching(distinct, quality, null));
    measure(`${count} that all differ, ${quality}, going price`, () => matching(distinct, quality, 0.6));
  }
}
measure(`a pull arrives where ${MATCHING.tasksMax} tasks wait`, pulling);
measure(`a task opens where ${LISTENERS} listen`, announcing);
