/** One suite for every transport: what routers, hosts and nodes rely on. */
import { randomUUID } from "node:crypto";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import type { Transport } from "../../actors/ports/transport.ts";
import { Router } from "../../actors/router.ts";
import { packEnvelope, unpackEnvelope } from "../../actors/wire-format.ts";
import { refuse } from "../../machines/refusal.ts";
import { LocalTransport } from "../../src/adapters/in-process/transport.ts";
import { connectNats, type NatsSettings } from "../../src/adapters/nats/connect.ts";
import { NatsTransport } from "../../src/adapters/nats/transport.ts";
import { systemClock as clock } from "../../src/adapters/system/clock.ts";
import { startPrivate } from "../support/servers.mjs";
import { SILENT } from "../support/world.ts";

const SHARDS = 128;
const ids = { next: () => randomUUID() };

/** A node that answers with what it was asked, and remembers it. */
class Echo implements Transport {
  readonly heard: Envelope[] = [];
  readonly open = new Set<number>();
  answer: (envelope: Envelope) => Promise<CommandResult> = async ({ to, command }) => ({
    ok: true,
    value: { id: to.id, ...command },
  });

  request(envelope: Envelope): Promise<CommandResult> {
    this.heard.push(envelope);
    return this.answer(envelope);
  }

  owns(shard: number): boolean {
    return this.open.has(shard);
  }
}

interface Side {
  readonly node: Echo;
  serve(shard: number): void;
  retire(shard: number): Promise<void>;
  changed(): void;
  looks(): number;
}

interface Rig {
  /** Of a process without a node. */
  readonly client: Transport;
  readonly sides: readonly [Side, Side];
  stop(): Promise<void>;
}

function envelope(to: string, changes: Partial<Envelope> = {}): Envelope {
  const command = { type: "expire", reason: "Grüße" } as const;
  const base = { to: { kind: "task", id: to }, command, commandId: randomUUID(), origin: "client", delivery: "first" } as const;
  return { ...base, deadline: clock.now() + 2_000, ...changes };
}

async function localRig(): Promise<Rig> {
  const local = new LocalTransport(SHARDS);
  const side = (): Side => {
    const node = new Echo();
    let looks = 0;
    const routes = local.routesOf(node, () => {
      looks += 1;
    });
    return { node, looks: () => looks, ...routes };
  };
  return { client: local, sides: [side(), side()], stop: async () => {} };
}

async function natsRig(): Promise<Rig> {
  const prefix = `t${randomUUID()}`;
  const settings: NatsSettings = { ...nothing(inject("natsUrl")), prefix };
  const links = await Promise.all(["client", "one", "two"].map((name) => connectNats(settings, name, SILENT)));
  const [client, one, two] = links.map(
    ({ connection }) => new NatsTransport(connection, { prefix, cluster: "c", shards: SHARDS }, clock, SILENT),
  );
  const side = (transport: NatsTransport): Side => {
    const node = new Echo();
    let looks = 0;
    transport.attach(node, () => {
      looks += 1;
    });
    return {
      node,
      serve: (shard) => {
        node.open.add(shard);
        transport.serve(shard);
      },
      retire: async (shard) => {
        node.open.delete(shard);
        await transport.retire(shard);
      },
      changed: () => transport.changed(),
      looks: () => looks,
    };
  };
  if (client === undefined || one === undefined || two === undefined) throw new Error("three transports were made");
  const sides = [side(one), side(two)] as const;
  await Promise.all(links.map(({ connection }) => connection.flush()));
  return {
    client,
    sides,
    stop: async () => {
      await Promise.all(links.map(({ connection }) => connection.close()));
    },
  };
}

function nothing(url: string): NatsSettings {
  const none = { user: null, password: null, nkeyFile: null, credsFile: null, tlsCa: null, tlsCert: null, tlsKey: null };
  return { named: "NATS", url, prefix: "test", ...none };
}

async function soon(holds: () => boolean): Promise<void> {
  for (const until = Date.now() + 5_000; !holds() && Date.now() < until; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe.each([
  ["in one process", localRig],
  ["over NATS", natsRig],
])("a transport %s", (_, open) => {
  let rig: Rig;
  /** Shards that one of the sides serves, or will. */
  const taken = new Set<number>();
  beforeAll(async () => {
    rig = await open();
  });
  afterAll(() => rig.stop());

  /** An id whose shard the first side serves. */
  async function served(): Promise<string> {
    const id = unserved();
    taken.add(shardOf(id, SHARDS));
    rig.sides[0].serve(shardOf(id, SHARDS));
    await soonServed(id);
    return id;
  }

  async function soonServed(id: string): Promise<void> {
    let there = false;
    for (const until = Date.now() + 5_000; !there && Date.now() < until; ) there = (await rig.client.request(envelope(id))).ok;
    expect(there).toBe(true);
  }

  test("brings a command whole to the owner, and its answer back", async () => {
    const id = await served();
    const sent = envelope(id, { origin: "actor", delivery: "again", fresh: true, after: randomUUID() });
    const { node } = rig.sides[0];
    node.heard.length = 0;
    expect(await rig.client.request(sent)).toEqual({ ok: true, value: { id: sent.to.id, ...sent.command } });
    expect(node.heard).toHaveLength(1);
    const { deadline, ...rest } = sent;
    expect(node.heard[0]).toMatchObject(rest);
    expect(Math.abs((node.heard[0]?.deadline ?? 0) - deadline)).toBeLessThan(1_000);
  });

  test("brings refusals as they are", async () => {
    const id = await served();
    const { node } = rig.sides[0];
    const usual = node.answer;
    node.answer = async () => ({ ok: false, refusal: refuse("OWN_TASK", "no") });
    expect(await rig.client.request(envelope(id))).toEqual({ ok: false, refusal: { refused: "OWN_TASK", detail: "no" } });
    node.answer = usual;
  });

  test("says NOT_OWNER at once where nobody serves the shard", async () => {
    const answer = await rig.client.request(envelope(unserved()));
    expect(answer).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
  });

  function unserved(): string {
    for (;;) {
      const id = randomUUID();
      if (!taken.has(shardOf(id, SHARDS))) return id;
    }
  }

  test("follows a shard that moves, and loses nothing of what had arrived", async () => {
    const id = unserved();
    const shard = shardOf(id, SHARDS);
    taken.add(shard);
    const [from, to] = rig.sides;
    from.serve(shard);
    await soonServed(id);
    const before = from.node.answer;
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    from.node.answer = async (asked) => {
      await held;
      return before(asked);
    };
    const asked = envelope(id);
    const underWay = rig.client.request(asked);
    await soon(() => from.node.heard.some(({ commandId }) => commandId === asked.commandId));
    await from.retire(shard);
    expect(await rig.client.request(envelope(id))).toMatchObject({ refusal: { refused: "NOT_OWNER" } });
    to.serve(shard);
    await soonServed(id);
    go();
    expect(await underWay).toMatchObject({ ok: true });
    from.node.answer = before;
  });

  test("a router finds the new owner within its deadline, and the client sees only that it takes longer", async () => {
    const id = unserved();
    taken.add(shardOf(id, SHARDS));
    const router = new Router(rig.client, clock, ids, 5_000);
    const asked = router.ask({ kind: "task", id }, { type: "expire", reason: "" });
    setTimeout(() => rig.sides[1].serve(shardOf(id, SHARDS)), 300);
    expect(await asked).toMatchObject({ ok: true });
    const heard = rig.sides[1].node.heard.filter((one) => one.to.id === id);
    expect(heard.map(({ delivery }) => delivery)).toEqual(["again"]);
  });

  test("a router whose deadline passes says that nobody owns it, or that the outcome is not known", async () => {
    const router = new Router(rig.client, clock, ids, 400);
    expect(await router.ask({ kind: "task", id: unserved() }, { type: "expire", reason: "" })).toMatchObject({
      refusal: { refused: "NOT_OWNER" },
    });
    const id = await served();
    const { node } = rig.sides[0];
    const usual = node.answer;
    node.answer = () => new Promise(() => {});
    expect(await router.ask({ kind: "task", id }, { type: "expire", reason: "" })).toMatchObject({
      refusal: { refused: "UNAVAILABLE" },
    });
    node.answer = usual;
  });

  test("tells the other nodes that owners have changed", async () => {
    const before = rig.sides[1].looks();
    rig.sides[0].changed();
    await soon(() => rig.sides[1].looks() > before);
  });
});

describe("a transport over NATS", () => {
  const open: NatsConnection[] = [];
  afterAll(() => Promise.all(open.map((connection) => connection.close())));

  async function transport(settings: NatsSettings, cluster = "c"): Promise<NatsTransport> {
    const { connection } = await connectNats(settings, "test", SILENT);
    open.push(connection);
    return new NatsTransport(connection, { prefix: settings.prefix, cluster, shards: SHARDS }, clock, SILENT);
  }

  test("refuses what is larger than NATS takes, and says how large it may be", async () => {
    const settings = { ...nothing(inject("natsUrl")), prefix: `t${randomUUID()}` };
    const command = { type: "expire", reason: "x".repeat(1_100_000) } as const;
    const answer = await (await transport(settings)).request(envelope(randomUUID(), { command }));
    expect(answer).toMatchObject({ refusal: { refused: "COMMAND_TOO_LARGE", detail: expect.stringMatching(/1048576/) } });
  });

  test("does not take commands of another platform that shares the NATS by mistake", async () => {
    const settings = { ...nothing(inject("natsUrl")), prefix: `t${randomUUID()}` };
    const [mine, other] = [await transport(settings), await transport(settings, "other")];
    const node = new Echo();
    const id = randomUUID();
    other.attach(node, () => {});
    other.serve(shardOf(id, SHARDS));
    await Promise.all(open.map((connection) => connection.flush()));
    expect(await mine.request(envelope(id))).toMatchObject({ refusal: { detail: expect.stringMatching(/NATS_PREFIX/) } });
    expect(node.heard).toEqual([]);
  });

  test("outlives an answer that is larger than NATS takes: who asked is told that the outcome is not known", async () => {
    const settings = { ...nothing(inject("natsUrl")), prefix: `t${randomUUID()}` };
    const [client, owner] = [await transport(settings), await transport(settings)];
    const node = new Echo();
    owner.attach(node, () => {});
    const id = randomUUID();
    owner.serve(shardOf(id, SHARDS));
    await Promise.all(open.map((connection) => connection.flush()));
    node.answer = async () => ({ ok: true, value: "x".repeat(1_100_000) });
    const large = await client.request(envelope(id, { deadline: clock.now() + 500 }));
    expect(large).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE" } });
    node.answer = async () => ({ ok: true, value: "x" });
    expect(await client.request(envelope(id))).toEqual({ ok: true, value: "x" });
  });

  test("throws away what is no command", async () => {
    const settings = { ...nothing(inject("natsUrl")), prefix: `t${randomUUID()}` };
    const side = await transport(settings);
    side.attach(new Echo(), () => {});
    side.serve(3);
    const raw = await connect({ servers: settings.url });
    open.push(raw);
    await Promise.all(open.map((connection) => connection.flush()));
    const { data } = await raw.request(`${settings.prefix}.shard.3`, "{", { timeout: 2_000 });
    expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ ok: false, refusal: { refused: "INTERNAL" } });
  });

  test("finds its way again after the server was away", async () => {
    const server = await startPrivate("nats");
    const settings = { ...nothing(server.url), prefix: "t" };
    const [client, owner] = [await transport(settings), await transport(settings)];
    const node = new Echo();
    const id = randomUUID();
    owner.attach(node, () => {});
    owner.serve(shardOf(id, SHARDS));
    const router = new Router(client, clock, ids, 10_000);
    expect(await router.ask({ kind: "task", id }, { type: "expire", reason: "" })).toMatchObject({ ok: true });
    await server.kill();
    const asked = router.ask({ kind: "task", id }, { type: "expire", reason: "" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.start();
    expect(await asked).toMatchObject({ ok: true });
    await Promise.all(open.splice(-2).map((connection) => connection.close()));
    await server.stop();
  });
});

describe("the wire format", () => {
  const AT = 1_000_000;
  const read = (text: string, now: number) => {
    const unpacked = unpackEnvelope(text, "here", now);
    if (!("envelope" in unpacked)) throw new Error(unpacked.wrong);
    return unpacked.envelope;
  };

  test("of which something is missing or not of its type is of another version; of what is optional nothing need be there", () => {
    const whole = JSON.parse(packEnvelope(envelope(randomUUID(), { arrived: AT, lost: 3 }), "here", AT));
    for (const name of ["id", "origin", "again", "fresh", "left"]) {
      for (const value of [undefined, [], "other"]) {
        if (name === "id" && value === "other") continue;
        expect(() => read(JSON.stringify({ ...whole, [name]: value }), AT), `${name} ${value}`).toThrow("another version");
      }
    }
    for (const name of ["age", "lost", "words"]) {
      expect(() => read(JSON.stringify({ ...whole, [name]: "3" }), AT), name).toThrow("another version");
      expect(() => read(JSON.stringify({ ...whole, [name]: undefined }), AT), name).not.toThrow();
    }
    for (const text of ["null", "[]", "7"]) expect(() => read(text, AT)).toThrow("is an object");
  });

  test("carries how long ago a request arrived, and how many attempts were lost, whatever the clocks say", () => {
    const packed = packEnvelope(envelope(randomUUID(), { arrived: AT - 700, deadline: AT + 300, lost: 2 }), "here", AT);
    expect(read(packed, 5_000)).toMatchObject({ arrived: 4_300, deadline: 5_300, lost: 2 });
    const ahead = packEnvelope(envelope(randomUUID(), { arrived: AT + 700 }), "here", AT);
    expect(read(ahead, 5_000)).toMatchObject({ arrived: 5_000 });
  });

  test("is read without them, as nodes of before write it, and is read by those, which look at what they know only", () => {
    const packed = JSON.parse(packEnvelope(envelope(randomUUID()), "here", AT));
    expect(Object.keys(packed)).toEqual(["v", "cluster", "to", "command", "id", "origin", "again", "fresh", "left", "words"]);
    const { arrived, lost } = read(JSON.stringify(packed), AT);
    expect([arrived, lost]).toEqual([undefined, 0]);
    expect(JSON.parse(packEnvelope(envelope(randomUUID(), { arrived: AT, lost: 3 }), "here", AT))).toMatchObject({ v: 1 });
  });
});
