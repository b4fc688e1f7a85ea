/** What a host has judged, when, for whom, and what its clock has to do with it. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import { Router } from "../../actors/router.ts";
import { JUDGING_MS_MAX } from "../../machines/task/decide.ts";
import type { Judgement } from "../../machines/validation/judgement.ts";
import type { TaskId } from "../../machines/vocabulary.ts";
import { judgeAtOnce, person, World } from "../support/world.ts";

const MAX_MS = 120_000;

/** A task that was awarded to the second of three people just now; `deadline` is when the award's time is over. */
async function awarded(): Promise<{ readonly world: World; readonly task: TaskId; readonly deadline: number }> {
  const world = new World();
  await world.host.start();
  for (const n of [1, 2, 3]) await world.answer(world.register(n));
  const task = world.newTask();
  await world.answer(world.post(1, task));
  await world.answer(world.bid(2, task, 12));
  // Until the journal, too, has nothing left to write.
  await world.pass(3_000 + LIMITS.ackDelayMs);
  const row = world.row("task", task);
  expect(row["status"]).toBe("AWARDED");
  return { world, task, deadline: Number(row["expiresAt"]) };
}

/** Holds judgements back until the function that it gives is called. */
function holdJudgements(world: World): () => void {
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  world.judge = async (question) => {
    await gate;
    return judgeAtOnce(question);
  };
  return open;
}

const refusedWith = (answer: CommandResult) => (answer.ok ? "ok" : answer.refusal.refused);

describe("a submission of somebody without the right to submit", () => {
  test("is refused and not judged: a stranger's, the requester's, a late one, one for a task that ended", async () => {
    const { world, task, deadline } = await awarded();
    expect(refusedWith(await world.answer(world.submit(3, task, true)))).toBe("NOT_AWARDED_TO_YOU");
    expect(refusedWith(await world.answer(world.submit(1, task, true)))).toBe("NOT_AWARDED_TO_YOU");
    expect(refusedWith(await world.answer(world.submit(2, world.newTask(), true)))).toBe("TASK_UNKNOWN");
    world.clock.to(deadline);
    expect(refusedWith(await world.answer(world.submit(2, task, true)))).toBe("TIMEOUT");
    expect(world.judged).toEqual([]);
    expect(await world.answer(world.submit(2, task, true, { arrived: deadline - 1 }))).toMatchObject({ ok: true });
    await world.settle();
    expect(refusedWith(await world.answer(world.submit(2, task, true)))).toBe("TASK_ENDED");
    expect(world.judged).toEqual(["anywhere"]);
  });

  test("does not wait behind the judgements of others' tasks", async () => {
    const { world, task } = await awarded();
    holdJudgements(world);
    expect(refusedWith(await world.submit(3, task, true))).toBe("NOT_AWARDED_TO_YOU");
  });
});

describe("a result that came in time", () => {
  test("is paid when it is judged after the deadline, although the timer has fallen due behind it", async () => {
    const { world, task, deadline } = await awarded();
    world.clock.to(deadline - 1);
    const open = holdJudgements(world);
    const asked = world.submit(2, task, true);
    await world.pass(JUDGING_MS_MAX + 2_000);
    expect(world.row("task", task)["status"]).toBe("AWARDED");
    open();
    expect(await world.answer(asked)).toMatchObject({ ok: true, value: { status: "COMPLETED" } });
    await world.pass(MAX_MS);
    expect(world.row("task", task)["status"]).toBe("SETTLED");
    expect(world.row("account", person(2))).toMatchObject({ available: 62, reputation: 1 });
    expect(await world.broken()).toEqual([]);
  });

  test("is paid when it reaches its task after the deadline; one that came at the deadline is not", async () => {
    for (const [arrives, waits, outcome] of [
      [-1, 0, "ok"],
      [-1, JUDGING_MS_MAX - 1, "ok"],
      [0, 0, "TIMEOUT"],
      [0, JUDGING_MS_MAX - 1, "TIMEOUT"],
      [1, JUDGING_MS_MAX - 1, "TIMEOUT"],
      // The award has been timed out by then.
      [-1, JUDGING_MS_MAX, "TIMEOUT"],
    ] as const) {
      const { world, task, deadline } = await awarded();
      await world.pass(deadline + waits - world.clock.now());
      const answer = await world.answer(world.submit(2, task, true, { arrived: deadline + arrives }));
      expect([arrives, waits, refusedWith(answer)]).toEqual([arrives, waits, outcome]);
    }
  });

  test("is paid when its node died while it was judged, and the next one finds the timer long due", async () => {
    const { world, task, deadline } = await awarded();
    world.clock.to(deadline - 1);
    const commandId = world.nextId();
    const envelope = { commandId, arrived: deadline - 1 } as const;
    holdJudgements(world);
    void world.submit(2, task, true, envelope);
    await world.settle();
    // The lease runs out, and nobody is there meanwhile.
    world.clock.to(deadline + 7_000);
    world.judge = judgeAtOnce;
    await world.crash();
    await world.pass(LIMITS.attemptMs);
    expect(world.row("task", task)["status"]).toBe("AWARDED");
    const again = world.submit(2, task, true, { ...envelope, delivery: "again", lost: 1 });
    expect(await world.answer(again)).toMatchObject({ ok: true, value: { status: "COMPLETED" } });
    await world.pass(MAX_MS);
    expect(world.row("task", task)["status"]).toBe("SETTLED");
    expect(await world.broken()).toEqual([]);
  });

  test("does not keep an award alive for others: without a result the timer is acted on, after a crash too", async () => {
    const { world, task, deadline } = await awarded();
    await world.pass(deadline + JUDGING_MS_MAX - 1 - world.clock.now());
    expect(world.row("task", task)["status"]).toBe("AWARDED");
    await world.crash();
    await world.pass(JUDGING_MS_MAX - 1);
    expect(world.row("task", task)["status"]).toBe("AWARDED");
    await world.pass(1);
    expect(world.row("task", task)).toMatchObject({ status: "ROUTING", errorCode: "TIMEOUT" });
    expect(world.row("account", person(2))).toMatchObject({ reputation: -3 });
  });

  test("is never believed to have come before requests end, nor after now", async () => {
    const early = await awarded();
    early.world.clock.to(early.deadline - 1);
    const future = early.world.submit(2, early.task, true, { arrived: Number.MAX_SAFE_INTEGER });
    expect(refusedWith(await early.world.answer(future))).toBe("ok");
    for (const [away, outcome] of [
      [LIMITS.arrivalMsMax - 1, "ok"],
      [LIMITS.arrivalMsMax, "TIMEOUT"],
    ] as const) {
      const { world, task, deadline } = await awarded();
      // Nobody is there meanwhile, so the award still stands.
      world.clock.to(deadline + away);
      await world.crash();
      expect(refusedWith(await world.answer(world.submit(2, task, true, { arrived: 0 })))).toBe(outcome);
    }
  });
});

describe("what was under way when nodes died", () => {
  test("is judged in a thread only, from the second lost attempt on", async () => {
    const { world, task } = await awarded();
    for (const lost of [0, 1, 2, 3]) await world.answer(world.submit(2, task, false, { lost }));
    expect(world.judged).toEqual(["anywhere", "anywhere", "thread"]);
  });

  test("is known to the router, which tells how many attempts nobody answered", async () => {
    const world = new World();
    const seen: (number | undefined)[] = [];
    const silent = {
      request: ({ lost }: Envelope): Promise<CommandResult> => {
        seen.push(lost);
        return seen.length < 4 ? new Promise(() => {}) : Promise.resolve({ ok: true, value: null });
      },
    };
    const router = new Router(silent, world.clock, { next: () => world.nextId() }, 10_000);
    const asked = router.ask({ kind: "task", id: world.nextId() }, { type: "timer", name: "routing", due: 0 });
    expect(await world.answer(asked)).toEqual({ ok: true, value: null });
    expect(seen).toEqual([0, 1, 2, 3]);
  });
});

describe("a validator that fails", () => {
  test("in a way that nobody foresaw costs that command, and neither its actor nor the process", async () => {
    const { world, task } = await awarded();
    const faults: (() => Promise<Judgement>)[] = [
      () => Promise.reject(new Error("poison")),
      () => {
        throw new Error("poison");
      },
    ];
    for (const fault of faults) {
      world.judge = fault;
      expect(refusedWith(await world.answer(world.submit(2, task, true)))).toBe("INTERNAL");
    }
    world.judge = judgeAtOnce;
    expect(await world.answer(world.submit(2, task, true))).toMatchObject({ ok: true });
  });
});
