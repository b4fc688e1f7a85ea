import { describe, expect, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { order, person } from "../support/world.ts";
import { Checker } from "./checker.ts";
import { Cluster, LEASE_MS, type SimNode } from "./cluster.ts";
import { Random } from "./random.ts";
import { simulate } from "./run.ts";
import type { Mutation } from "./store.ts";

const SEEDS = 150;
/** A deliberate mistake must be noticed within so many seeds. */
const SEEDS_TO_NOTICE = 200;

test(`the promises hold in ${SEEDS} histories of a cluster in which everything fails`, async () => {
  const failed: string[] = [];
  let [tasks, undelivered, beside, excused] = [0, 0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const outcome = await simulate(seed);
    tasks += outcome.tasks;
    undelivered += outcome.undelivered;
    beside += outcome.beside;
    excused += outcome.excused;
    if (outcome.wrong.length > 0) failed.push(`npm run simulate -- --seed ${seed}: ${outcome.wrong[0]}`);
  }
  expect(failed).toEqual([]);
  expect(tasks).toBeGreaterThan(SEEDS * 10);
  expect(undelivered).toBeGreaterThan(SEEDS / 15);
  // Commits beside others.
  expect(beside).toBeGreaterThan(SEEDS * 10);
  expect(excused).toBeGreaterThan(0);
}, 900_000);

test("the same seed gives the same history, another seed another one", async () => {
  const [first, again, other] = [await simulate(7, 60), await simulate(7, 60), await simulate(8, 60)];
  expect(first.history.length).toBeGreaterThan(60);
  expect(again).toEqual(first);
  expect(other.history).not.toEqual(first.history);
});

describe("the simulation notices when", () => {
  test.each<[string, Mutation]>([
    ["the fence is off", "fence"],
    ["the dedupe is off", "dedupe"],
    ["the output gate is off", "gate"],
    ["nobody is refused who cannot read what is written", "formats"],
    ["a message may overtake the one before it", "order"],
    ["what is refused is not looked up, although it may have come before", "recall"],
    ["an account refuses what it can pay", "refusal"],
    ["a hold goes below what vouches for its credit line", "line"],
    ["rows are read from a copy that lags behind", "copy"],
    ["a batch says what it was when it was first asked", "stale"],
    ["matchers do not look at the index of open tasks", "index"],
  ])(
    "%s",
    async (_, mutation) => {
      let noticed: readonly string[] = [];
      for (let seed = 1; seed <= SEEDS_TO_NOTICE && noticed.length === 0; seed += 1) {
        noticed = (await simulate(seed, undefined, mutation)).wrong;
      }
      expect(noticed).not.toEqual([]);
    },
    120_000,
  );
});

describe("two nodes that both think that they own a shard", () => {
  const ADA = person(1);

  /** A cluster of two, with an account whose owner is asleep until after the other one has taken it over. */
  async function duel(
    mutation: Mutation = "none",
  ): Promise<{ cluster: Cluster; checker: Checker; sleeper: SimNode; other: SimNode; memberId: string }> {
    const cluster = new Cluster(new Random(1), mutation, () => {});
    const checker = new Checker(cluster.store);
    const nodes = [cluster.startNode(1), cluster.startNode(1)];
    cluster.startGateway();
    await cluster.time.run(3 * LEASE_MS);
    const register = {
      type: "register",
      account: ADA,
      email: "a@example.com",
      source: null,
      keyHash: "h",
      grant: credits(50),
      marks: [],
    } as const;
    expect(await ask(cluster, register)).toMatchObject({ ok: true });
    const shard = shardOf(ADA, 128);
    const memberId = cluster.store.ownerOf(ADA) ?? "";
    const sleeper = nodes.find(({ node }) => node.owns(shard));
    const other = nodes.find(({ node }) => !node.owns(shard));
    if (sleeper === undefined || other === undefined) throw new Error("one of two nodes owns the shard");
    sleeper.process.sleep(3 * LEASE_MS);
    await cluster.time.run(cluster.time.now + 2 * LEASE_MS);
    expect(other.node.owns(shard)).toBe(true);
    expect(sleeper.node.owns(shard)).toBe(true);
    return { cluster, checker, sleeper, other, memberId };
  }

  async function ask(cluster: Cluster, command: CommandOf<"account">, at?: SimNode) {
    const id = cluster.ids.next();
    const envelope = {
      to: { kind: "account", id: ADA } as const,
      command,
      commandId: id,
      origin: "client" as const,
      delivery: "first" as const,
    };
    const router = cluster.gateways[0]?.router;
    const asked =
      at === undefined ? router?.ask(envelope.to, command) : at.node.request({ ...envelope, deadline: at.process.now() + 5_000 });
    let answer: unknown;
    void asked?.then((given) => {
      answer = given;
    });
    for (let waited = 0; answer === undefined && waited < 10_000; waited += 100) await cluster.time.run(cluster.time.now + 100);
    return answer;
  }

  const topUp = (cluster: Cluster, amount: number) =>
    ({ type: "topUp", topup: cluster.ids.next(), amount: credits(amount) }) as const;

  test("the one that was declared dead can commit nothing, says so, and comes back under a new name", async () => {
    const { cluster, checker, sleeper } = await duel();
    expect(await ask(cluster, topUp(cluster, 5))).toMatchObject({ ok: true, value: { available: 55 } });
    // It wakes with this command in its mailbox, and an account of 50 NC in its memory.
    expect(await ask(cluster, topUp(cluster, 100), sleeper)).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
    await cluster.time.run(cluster.time.now + 3 * LEASE_MS);
    expect(sleeper.node.healthy).toBe(true);
    expect(await ask(cluster, topUp(cluster, 1))).toMatchObject({ value: { available: 56 } });
    await checker.audit();
    expect(checker.wrong).toEqual([]);
  });

  test.each<[string, Mutation, string]>([
    ["tells nobody what it has in its memory", "none", "NOT_OWNER"],
    ["would tell it if it needed no lease", "lease", "INSUFFICIENT_CREDITS"],
  ])("the one that was declared dead %s", async (_, mutation, answered) => {
    const { cluster, sleeper } = await duel(mutation);
    expect(await ask(cluster, topUp(cluster, 5))).toMatchObject({ ok: true, value: { available: 55 } });
    // In its memory are 50 NC still.
    const hold = { type: "hold", task: taskId(cluster.ids.next()), order: order({ budget: credits(52) }), fresh: true } as const;
    expect(await ask(cluster, hold, sleeper)).toMatchObject({ refusal: { refused: answered } });
  });

  test("even when both are members: the journal takes one of two appends, and who lost drops what it knew of the shard", async () => {
    const { cluster, sleeper, other, memberId } = await duel();
    expect(await ask(cluster, topUp(cluster, 5), other)).toMatchObject({ value: { available: 55 } });
    cluster.store.members.set(memberId, {
      node: "risen",
      weight: 1,
      draining: false,
      formats: FORMATS,
      beat: cluster.time.now + 2 * LEASE_MS,
    });
    expect(await ask(cluster, topUp(cluster, 100), sleeper)).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
    expect(await ask(cluster, topUp(cluster, 7))).toMatchObject({ value: { available: 62 } });
    expect(cluster.store.journal.actors.get(`account:${ADA}`)?.facts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});
