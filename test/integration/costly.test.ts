/**
 * Schemas, patterns, rules and data made to be dear to judge, as orders and as results: each is answered with 2xx or 4xx, what
 * passed as an example passes as a result, and others' tasks go on. How long the loop is held is measured by npm run bench:stall.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { COSTLY_KINDS, type Costly, costly } from "../support/costly.mjs";
import { Dice } from "../support/dice.mjs";
import { GOOD, Market, type Party } from "../support/market.ts";

const SEED = Number(process.env["COSTLY_SEED"] ?? 20_261_125);
const OF_EACH_KIND = 12;
/** Attackers who work at once. */
const AT_ONCE = 6;
const WRONG_MAX = 2;
/** How often an attacker tries again what it was told to try again. */
const TRIES_MAX = 10;

let market: Market;
let ann: Party;
let bob: Party;

beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: "0", SIGNUP_GRANT: "100000" });
  [ann, bob] = [await market.register(), await market.register()];
});
afterAll(() => market.stop());

/** Posts it, takes it, and hands in its results, the example last; gives what is wrong with the answers. */
async function attack(
  { kind, order, results }: Costly,
  mallory: Party,
  statuses: Map<string, number>,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const ask = async (path: string, body: object, party: Party): Promise<Reply> => {
    for (let tries = 1; ; tries += 1) {
      const reply = await market.call("POST", path, { ...body }, { key: party.key });
      const status = `${path.split("/").at(-1)} ${reply.status}`;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const patience = Number(reply.headers["retry-after"] ?? 0);
      if (reply.status < 500) return reply;
      // Who costs so much waits for its turn, and is told how long.
      if (reply.body.code !== "OVERLOADED" || patience === 0 || tries === TRIES_MAX) {
        wrong.push(`${kind}: ${status} ${JSON.stringify(reply.body).slice(0, 300)}`);
        return reply;
      }
      await new Promise((resolve) => setTimeout(resolve, patience * 1_000));
    }
  };
  const created = await ask("/tasks", { input_data: "x", budget: 5, ...order }, mallory);
  if (created.status !== 201) return wrong;
  const { id } = created.body;
  const worker = await market.register();
  await market.until(id, mallory, "PENDING_POOL");
  await ask(`/tasks/${id}/bid`, {}, worker);
  for (const result_data of results.slice(0, WRONG_MAX)) {
    const { status, body } = await ask(`/tasks/${id}/submit`, { result_data }, worker);
    if (status === 200 && body.status !== "REJECTED") return wrong;
  }
  const { status, body } = await ask(`/tasks/${id}/submit`, { result_data: order.example_output }, worker);
  // On a busy machine what was judged in time once may not be the next time; the worker is not blamed for that. The second time ends it.
  const isTooDear = body.code === "VALIDATION_TOO_EXPENSIVE" || (body.code === "TASK_ENDED" && body.detail.includes("EXPIRED"));
  if (!isTooDear && (status !== 200 || body.status !== "COMPLETED"))
    wrong.push(`${kind}: the example, handed in, is ${status} ${JSON.stringify(body).slice(0, 300)}`);
  return wrong;
}

/** Honest people at work until they are told to stop; gives what became of their tasks. */
async function honestWork(isOpen: () => boolean): Promise<readonly string[]> {
  const ends: string[] = [];
  while (isOpen()) {
    const id = await market.post(ann);
    await market.until(id, ann, "PENDING_POOL");
    await market.ok("POST", `/tasks/${id}/bid`, {}, bob);
    const { status } = await market.submit(id, bob, GOOD);
    ends.push(status);
    await market.until(id, ann, "SETTLED");
  }
  return ends;
}

test(`${OF_EACH_KIND} of each of ${COSTLY_KINDS.length} dear kinds, handed in as orders and as results, while others' tasks go on`, async () => {
  const all = COSTLY_KINDS.flatMap((kind, at) =>
    Array.from({ length: OF_EACH_KIND }, (_, n) => costly(new Dice(SEED + OF_EACH_KIND * at + n), kind)),
  );
  const statuses = new Map<string, number>();
  const wrong: string[] = [];
  let open = true;
  const honest = honestWork(() => open);
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const mallory = await market.register();
      for (let one = all[next++]; one !== undefined; one = all[next++]) wrong.push(...(await attack(one, mallory, statuses)));
    }),
  ).finally(() => {
    open = false;
  });
  const ends = await honest;
  console.log(
    `seed ${SEED}: ${[...statuses]
      .sort()
      .map(([status, times]) => `${status}: ${times}`)
      .join(", ")}; ${ends.length} honest tasks`,
  );
  expect(wrong).toEqual([]);
  expect(market.alarms()).toEqual([]);
  // Both ways were taken: many orders were refused, many were not, and their results were judged.
  expect(statuses.get("tasks 201")).toBeGreaterThan(all.length / 4);
  expect(statuses.get("submit 200")).toBeGreaterThan(all.length / 4);
  expect(ends.length).toBeGreaterThan(0);
  expect(new Set(ends)).toEqual(new Set(["COMPLETED"]));
  expect((await market.audit()).flatMap((finding) => finding.wrong)).toEqual([]);
}, 180_000);
