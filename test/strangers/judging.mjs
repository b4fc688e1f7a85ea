/** Strangers who want the platform to work for nothing: dear schemas, data, patterns and rules. */
import { randomUUID } from "node:crypto";
import { costly } from "../support/costly.mjs";

/** @typedef {import("./stranger.mjs").Stranger} Stranger */
/** @typedef {{ readonly everyMs: number, readonly turn: (stranger: Stranger) => Promise<unknown> }} Kind */

/** As fast as one key may ask. */
const EVERY_MS = 1_000;
const AT_ONCE = 10;

/** @param {Stranger} stranger @param {object} changes */
const post = (stranger, changes) => stranger.call("POST", "/tasks", { ...stranger.order, ...changes });
/** @param {Stranger} stranger @param {object} changes */
const dryRun = (stranger, changes) => stranger.call("POST", "/tasks/validate", { ...stranger.order, ...changes });

/** Posts what is dear, takes it with a second account, and submits what is dearer. @param {Stranger} stranger */
async function submitBombs(stranger) {
  const { order, results } = costly(stranger.dice);
  const posted = await post(stranger, { ...order, max_seconds: 20, auto_retry: 0 });
  if (posted?.status !== 201) return;
  const owner = stranger.key;
  stranger.key = undefined;
  await stranger.register();
  if (stranger.key !== undefined) {
    await stranger.call("POST", `/tasks/${posted.body.id}/bid`, {});
    await new Promise((resolve) => setTimeout(resolve, 3_300));
    for (const result_data of results) await stranger.call("POST", `/tasks/${posted.body.id}/submit`, { result_data });
  }
  // Who has no second account left hands in what it cannot, at the same price.
  stranger.key ??= owner;
}

/** @type {Record<string, Kind>} */
export const JUDGING = {
  "words that only one library knows": {
    everyMs: EVERY_MS,
    turn: (stranger) =>
      stranger.burst(AT_ONCE, () => {
        const { order } = costly(stranger.dice, stranger.dice.pick(["words of one library", "names of every object"]));
        return stranger.dice.chance(0.5) ? post(stranger, order) : dryRun(stranger, order);
      }),
  },
  "schemas and examples that are dear": {
    everyMs: EVERY_MS,
    turn: (stranger) => stranger.burst(AT_ONCE, () => dryRun(stranger, costly(stranger.dice).order)),
  },
  "tasks that are dear, a minute's worth at once": {
    everyMs: EVERY_MS,
    turn: (stranger) => stranger.burst(AT_ONCE, () => post(stranger, costly(stranger.dice).order)),
  },
  "results that are dear": { everyMs: 200, turn: submitBombs },
  "patterns that go back": {
    everyMs: EVERY_MS,
    turn: (stranger) =>
      stranger.burst(AT_ONCE, () => {
        const kind = stranger.dice.pick(["patterns that go back", "patterns that go back in a rule"]);
        const { order, results } = costly(stranger.dice, kind);
        return dryRun(stranger, { ...order, example_output: results[0] });
      }),
  },
  "giant enums, new each time": {
    everyMs: EVERY_MS,
    turn: (stranger) =>
      stranger.burst(AT_ONCE, (n) => {
        const values = Array.from({ length: 6_000 }, (_, index) => `${randomUUID()}${index}`).slice(0, n % 2 === 0 ? 400 : 6_000);
        const rules = [{ type: "enum", field: "a", values }];
        return post(stranger, n % 3 === 0 ? { schema: { properties: { a: { enum: values } } } } : { rules });
      }),
  },
};
