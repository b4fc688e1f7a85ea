/** Signals reach whom they are for, within a process and over NATS. */
import { randomUUID } from "node:crypto";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { SignalHub } from "../../gateway/ports/signals.ts";
import { localSignals } from "../../src/adapters/in-process/signals.ts";
import { natsSignals } from "../../src/adapters/nats/signals.ts";
import { openTask } from "../support/journals.ts";
import { person } from "../support/world.ts";

let connection: NatsConnection;
beforeAll(async () => {
  connection = await connect({ servers: inject("natsUrl") });
});
afterAll(() => connection.close());

const HUBS: readonly (readonly [string, () => { readonly hub: SignalHub; readonly arrived: () => Promise<void> }])[] = [
  ["within a process", () => ({ hub: localSignals(), arrived: async () => {} })],
  // What was published before is there when the server has answered a ping that came after it.
  [
    "over NATS",
    () => ({
      hub: natsSignals(connection, `t${randomUUID()}`),
      arrived: async () => {
        await connection.flush();
        await connection.flush();
      },
    }),
  ],
];

describe.each(HUBS)("%s", (_name, make) => {
  test("who hears about an account is woken for that one alone, until it hears no more", async () => {
    const { hub, arrived } = make();
    const heard: string[] = [];
    const stop = hub.listenFor(person(1), () => heard.push("one"));
    hub.listenFor(person(2), () => heard.push("two"));
    await arrived();
    for (const n of [1, 2, 3]) hub.wake(person(n));
    await arrived();
    expect(heard.toSorted()).toEqual(["one", "two"]);
    stop();
    await arrived();
    hub.wake(person(1));
    await arrived();
    expect(heard).toHaveLength(2);
  });

  test("all hear what is told to all, and a gateway what is told to it", async () => {
    const { hub, arrived } = make();
    const heard: unknown[] = [];
    hub.listen((signal) => heard.push(signal));
    hub.listenAs("g1", (signal) => heard.push(signal));
    await arrived();
    hub.send({ type: "key", hash: "x" });
    hub.sendTo("g1", { type: "new", task: openTask(2), workers: [person(1)] });
    hub.sendTo("g2", { type: "new", task: openTask(1), workers: [] });
    hub.send({ type: "listening", account: person(1), gateway: "g1", times: 1 });
    hub.sendTo("g1", { type: "told", account: person(1), told: ["a"], left: 2 });
    await arrived();
    expect(heard.slice(2)).toEqual([
      { type: "listening", account: person(1), gateway: "g1", times: 1 },
      { type: "told", account: person(1), told: ["a"], left: 2 },
    ]);
    expect(heard.slice(0, 2)).toEqual([
      { type: "key", hash: "x" },
      { type: "new", task: openTask(2), workers: [person(1)] },
    ]);
  });
});

test("on a connection that is closed nothing is told, and nobody hears", async () => {
  const closed = await connect({ servers: inject("natsUrl") });
  const hub = natsSignals(closed, `t${randomUUID()}`);
  await closed.close();
  hub.wake(person(1));
  hub.listenFor(person(1), () => {})();
});
