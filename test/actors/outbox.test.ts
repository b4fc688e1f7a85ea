/** Messages between actors when their receivers turn them away: in order, until they are taken, and nothing is kept for longer. */
import { expect, test } from "vitest";
import { Outbox } from "../../actors/effects/outbox.ts";
import type { Committer } from "../../actors/host/commit.ts";
import { LIMITS } from "../../actors/limits.ts";
import { type CommandResult, type Envelope, NOT_OWNER } from "../../actors/message.ts";
import type { OutboxMessage } from "../../actors/ports/journal.ts";
import { refuse } from "../../machines/refusal.ts";
import { ManualClock } from "../support/clock.ts";
import { id, SILENT } from "../support/world.ts";

const OK: CommandResult = { ok: true, value: null };
const AWAY: CommandResult = { ok: false, refusal: NOT_OWNER };

function make(answer: (envelope: Envelope) => CommandResult | Promise<CommandResult>) {
  const clock = new ManualClock();
  const sent: Envelope[] = [];
  const noted: (readonly [string, string])[] = [];
  const committer = {
    delivered: (one: string) => noted.push([one, "delivered"]),
    dead: (one: string, why: string) => noted.push([one, why]),
  } as unknown as Committer;
  const request = async (envelope: Envelope) => {
    sent.push(envelope);
    return answer(envelope);
  };
  const outbox = new Outbox({ request }, committer, clock, SILENT, () => 0);
  const turns = async () => {
    for (let n = 0; n < 30; n += 1) await Promise.resolve();
  };
  const pass = async (ms: number) => {
    const until = clock.now() + ms;
    await turns();
    for (let next = clock.next; next !== null && next <= until; next = clock.next) {
      clock.to(next);
      await turns();
    }
    clock.to(until);
    await turns();
  };
  return { outbox, sent, noted, pass, clock };
}

const message = (n: number, to = 2): OutboxMessage =>
  ({
    id: id(1_000 + n),
    from: { kind: "task", id: id(1) },
    seq: n,
    leg: 0,
    to: { kind: "account", id: id(to) },
    command: { type: "freed", task: id(n) },
  }) as unknown as OutboxMessage;
const numbers = (sent: readonly Envelope[]) => sent.map(({ commandId }) => Number.parseInt(commandId.slice(-4), 16) - 1_000);

test("a message that is taken is noted as such, once, and nothing is left of its pair", async () => {
  const { outbox, sent, noted, pass, clock } = make(() => OK);
  for (let n = 0; n < 1_000; n += 1) await outbox.send(message(n), "first", false);
  await pass(0);
  expect([outbox.busy, clock.next, noted.length]).toEqual([0, null, 1_000]);
  expect(sent[0]).toMatchObject({ origin: "actor", delivery: "first", deadline: Number.MAX_SAFE_INTEGER });
});

test("those that are turned away go again, the oldest first and one at a time until one is taken, and later ones wait", async () => {
  let away = true;
  const { outbox, sent, noted, pass } = make(() => (away ? AWAY : OK));
  for (const n of [1, 2, 3]) void outbox.send(message(n), "first", false);
  await pass(0);
  expect(numbers(sent)).toEqual([1, 2, 3]);
  void outbox.send(message(4), "first", false);
  await pass(LIMITS.retryMinMs);
  expect(numbers(sent)).toEqual([1, 2, 3, 1]);
  expect(sent.at(-1)?.delivery).toBe("again");
  away = false;
  await pass(LIMITS.retryMaxMs);
  expect(numbers(sent)).toEqual([1, 2, 3, 1, 1, 2, 3, 4]);
  expect(noted.map(([one]) => one)).toEqual([1, 2, 3, 4].map((n) => message(n).id));
  expect(outbox.busy).toBe(0);
});

test("answers that come in another order do not change the order in which they go again", async () => {
  const answers: ((result: CommandResult) => void)[] = [];
  let held = true;
  const { outbox, sent, pass } = make(() => (held ? new Promise<CommandResult>((resolve) => answers.push(resolve)) : OK));
  for (const n of [1, 2, 3]) void outbox.send(message(n), "first", false);
  await pass(0);
  held = false;
  for (const n of [2, 0, 1]) {
    answers[n]?.(AWAY);
    await pass(0);
  }
  await pass(LIMITS.retryMaxMs);
  expect(numbers(sent)).toEqual([1, 2, 3, 1, 2, 3]);
});

test("a pair that is turned away holds up no other pair", async () => {
  const { outbox, sent, pass } = make(({ to }) => (to.id === id(2) ? AWAY : OK));
  void outbox.send(message(1), "first", false);
  await pass(0);
  await outbox.send(message(2, 3), "first", false);
  expect(numbers(sent)).toEqual([1, 2]);
  expect(outbox.busy).toBe(1);
});

test("the waits between tries double up to their bound", async () => {
  const { outbox, sent, pass, clock } = make(() => AWAY);
  const start = clock.now();
  const at: number[] = [];
  void outbox.send(message(1), "first", false);
  for (let seen = 0; clock.now() < start + 12_000; ) {
    await pass(10);
    for (; seen < sent.length; seen += 1) at.push(clock.now() - start);
  }
  const gaps = at.slice(1).map((one, n) => one - (at[n] ?? 0));
  expect(gaps.slice(0, 7).map((gap) => Math.round(gap / 10) * 10)).toEqual(
    [50, 100, 200, 400, 800, 1_600, 2_000].map((gap, n) => (n === 0 ? gap - 10 : gap)),
  );
});

test("a message that is refused for good is noted with the reason, and is not sent again", async () => {
  const { outbox, sent, noted, pass } = make(() => ({ ok: false, refusal: refuse("HOLD_UNKNOWN", "No hold.") }));
  await outbox.send(message(1), "first", false);
  await pass(60_000);
  expect([sent.length, noted, outbox.busy]).toEqual([1, [[message(1).id, "HOLD_UNKNOWN: No hold."]], 0]);
});

test("what is dropped with its shard goes no further, and its late answer changes nothing", async () => {
  let answer: (result: CommandResult) => void = () => {};
  const { outbox, noted, pass } = make(
    () =>
      new Promise<CommandResult>((resolve) => {
        answer = resolve;
      }),
  );
  void outbox.send(message(1), "first", false);
  await pass(0);
  outbox.drop(0);
  answer(OK);
  await pass(10_000);
  expect([noted, outbox.busy]).toEqual([[], 0]);
});
