/** What a client's request goes through when nobody answers, or nobody is there: asked again, under one id, until its deadline. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import { CONTENDED, type CommandResult, type Envelope, NOT_OWNER } from "../../actors/message.ts";
import { Router } from "../../actors/router.ts";
import { refuse } from "../../machines/refusal.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person } from "../support/world.ts";

const DEADLINE_MS = 10_000;
const OK: CommandResult = { ok: true, value: { id: id(1), status: "CANCELLED" } };
const TO = { kind: "task", id: id(1) } as const;
const refused = (refusal: typeof NOT_OWNER): CommandResult => ({ ok: false, refusal });

function make(answer: (envelope: Envelope, n: number) => CommandResult | undefined | Error) {
  const clock = new ManualClock();
  const seen: (Envelope & { readonly at: number })[] = [];
  const start = clock.now();
  const transport = {
    request: (envelope: Envelope): Promise<CommandResult> => {
      seen.push({ ...envelope, at: clock.now() - start });
      const given = answer(envelope, seen.length);
      if (given instanceof Error) return Promise.reject(given);
      return given === undefined ? new Promise(() => {}) : Promise.resolve(given);
    },
  };
  let ids = 100;
  const next = () => {
    ids += 1;
    return id(ids);
  };
  const router = new Router(transport, clock, { next }, DEADLINE_MS);
  const finish = async (asked: Promise<CommandResult>) => {
    let given: CommandResult | undefined;
    void asked.then((one) => {
      given = one;
    });
    for (let n = 0; n < 500 && given === undefined; n += 1) {
      for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
      if (given === undefined && clock.next !== null) clock.to(clock.next);
    }
    return { given, at: clock.now() - start };
  };
  return { router, seen, finish, clock, start };
}
const command = { type: "cancel", requester: person(2) } as const;

describe("a request", () => {
  test("that is answered is sent once, with its deadline and its arrival", async () => {
    const { router, seen, finish, start, clock } = make(() => OK);
    expect(await finish(router.ask(TO, command))).toEqual({ given: OK, at: 0 });
    const envelope = { to: TO, command, commandId: id(101), origin: "client", delivery: "first", lost: 0 };
    expect(seen).toEqual([{ ...envelope, deadline: start + DEADLINE_MS, arrived: start, at: 0 }]);
    // Nothing is left to be waited for.
    expect(clock.next).toBeNull();
  });

  test.each([
    ["nobody owns", NOT_OWNER],
    ["others write for", CONTENDED],
  ])(
    "for what %s is made again under the same id, a little later each time, and says that it may have come before",
    async (_about, why) => {
      const { router, seen, finish } = make((_envelope, n) => (n < 6 ? refused(why) : OK));
      expect((await finish(router.ask(TO, command))).given).toEqual(OK);
      expect(new Set(seen.map(({ commandId }) => commandId)).size).toBe(1);
      expect(seen.map(({ delivery }) => delivery)).toEqual(["first", ...Array(5).fill("again")]);
      expect(seen.map(({ at }) => at)).toEqual([0, 50, 150, 350, 600, 850]);
      expect(seen.every(({ lost }) => lost === 0)).toBe(true);
    },
  );

  test("that is never answered is given up at its deadline: nothing is known then", async () => {
    const { router, seen, finish } = make(() => undefined);
    const { given, at } = await finish(router.ask(TO, command));
    expect(given).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE", reason: { why: "OUTCOME_UNKNOWN" } } });
    expect(at).toBe(DEADLINE_MS);
    expect(seen.map(({ at: sent, lost }) => [sent, lost])).toEqual([0, 1, 2, 3].map((n) => [n * LIMITS.attemptMs, n]));
  });

  test("that nobody takes until its deadline is told that nobody did", async () => {
    const { router, finish } = make(() => refused(NOT_OWNER));
    const { given, at } = await finish(router.ask(TO, command));
    expect(given).toEqual(refused(NOT_OWNER));
    expect(at).toBeLessThanOrEqual(DEADLINE_MS);
    expect(at).toBeGreaterThan(DEADLINE_MS - 2 * LIMITS.askRetryMaxMs);
  });

  test("that is refused for what it asks is not made again", async () => {
    const no = refused(refuse("NOT_YOUR_TASK", "no"));
    const { router, seen, finish } = make(() => no);
    expect((await finish(router.ask(TO, command))).given).toEqual(no);
    expect(seen).toHaveLength(1);
  });

  test("keeps the id and the arrival that it is given, and says when it may have come before", async () => {
    const { router, seen, finish, start } = make(() => OK);
    await finish(router.ask(TO, command, { commandId: id(7), again: true, arrived: start - 40 }));
    expect(seen).toMatchObject([{ commandId: id(7), delivery: "again", arrived: start - 40 }]);
  });

  test("whose reply is of a version that is not known was done, and says so", async () => {
    const { router, seen, finish } = make(() => ({ ok: true, value: { words: "of tomorrow" } }));
    const { given } = await finish(router.ask(TO, command));
    expect(given).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE", reason: { why: "REPLY_UNKNOWN" } } });
    expect(seen).toHaveLength(1);
  });

  test("whose transport fails is not known to be done or not", async () => {
    const { router, finish } = make(() => new Error("broken"));
    expect((await finish(router.ask(TO, command))).given).toMatchObject({ refusal: { refused: "UNAVAILABLE" } });
  });
});
