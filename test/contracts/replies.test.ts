/** What comes in from nodes and gateways of another version: read in the words of today, answered in theirs, or refused for now. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CommandResult } from "../../actors/message.ts";
import { Router } from "../../actors/router.ts";
import { packEnvelope, packResult, unpackEnvelope, unpackResult } from "../../actors/wire-format.ts";
import { showBatch } from "../../gateway/show/batch.ts";
import { showBid, showSubmission } from "../../gateway/show/work.ts";
import { olderReply, readMessage, readRefusal, readReply } from "../../machines/incoming.ts";
import { id, person, World } from "../support/world.ts";

interface Recorded {
  readonly kind: string;
  readonly type: string;
  readonly value: unknown;
}
/** Taken down from the last version that replied in the words of the HTTP API. */
const RECORDED: readonly Recorded[] = JSON.parse(readFileSync(new URL("../fixtures/replies-of-1.json", import.meta.url), "utf8"));
const COMMANDS: readonly { readonly kind: string; readonly command: { readonly type: string } }[] = JSON.parse(
  readFileSync(new URL("../fixtures/commands.json", import.meta.url), "utf8"),
);

function recorded(type: string, status?: string): unknown {
  const found = RECORDED.find(
    (one) => one.type === type && (status === undefined || JSON.stringify(one.value).includes(`"status":"${status}"`)),
  );
  if (found === undefined) throw new Error(`no reply to ${type} was recorded`);
  return found.value;
}

test("an old reply is read in the words of today", () => {
  expect(readReply("account", "register", recorded("register"))).toEqual({ account: id(1) });
  expect(readReply("account", "rotateKey", recorded("rotateKey"))).toEqual({ account: id(1) });
  expect(readReply("account", "topUp", recorded("topUp"))).toEqual({ topup: expect.any(String), available: 105 });
  expect(readReply("account", "repay", recorded("repay"))).toMatchObject({ available: -15, debt: 15 });
  expect(readReply("account", "registerCapability", recorded("registerCapability"))).toEqual(recorded("registerCapability"));
  expect(readReply("account", "registerCapability", { capability: id(3) })).toEqual({ capability: id(3), request: null });
  expect(readReply("task", "bid", recorded("bid"))).toEqual({ bid: expect.any(String), status: "AWARDED" });
  expect(readReply("task", "submit", recorded("submit", "REJECTED"))).toEqual({
    submission: expect.any(String),
    status: "REJECTED",
    code: "SCHEMA_MISMATCH",
    left: 2,
    errors: [{ field: "name", message: "must be string" }],
  });
  expect(readReply("batch", "show", recorded("show"))).toMatchObject({
    batch: id(0x434),
    waitsFor: "credits",
    nextAt: null,
    givesUpAt: 1_800_604_800_000,
    items: [
      { task: id(0x435), status: "OPEN", error: null },
      { task: id(0x436), status: "WAITING", error: null },
    ],
  });
});

test("what the gateway shows of an old reply is what the old gateway showed", () => {
  const bid = readReply("task", "bid", recorded("bid"));
  expect(bid && showBid(bid)).toEqual(recorded("bid"));
  for (const status of ["REJECTED", "COMPLETED"]) {
    const verdict = readReply("task", "submit", recorded("submit", status));
    expect(verdict !== undefined && "status" in verdict && showSubmission(verdict)).toEqual(recorded("submit", status));
  }
  const progress = readReply("batch", "show", recorded("show"));
  expect(progress && showBatch(progress)).toMatchObject({ batch_id: id(0x434), waiting_for: "credits", next_cursor: "2" });
});

test("every recorded reply is known, and is given to an old gateway as the old node gave it", () => {
  for (const { kind, type, value } of RECORDED) {
    const command = COMMANDS.find((one) => one.kind === kind && one.command.type === type)?.command;
    const message = readMessage({ kind, id: id(1) }, command);
    if (message === undefined) throw new Error(`${kind} ${type} is not known`);
    const asked = { ...message, commandId: id(2), origin: "client", delivery: "first", deadline: 2_000 } as const;
    const wire = JSON.parse(packEnvelope(asked, "c", 1_000));
    const fromOld = unpackEnvelope(JSON.stringify({ ...wire, words: undefined }), "c", 1_000);
    const fromNew = unpackEnvelope(JSON.stringify(wire), "c", 1_000);
    expect([fromOld, fromNew]).toMatchObject([{ older: true }, { older: false }]);
    expect(olderReply(message, value), type).toEqual(value);
    const answer = { ok: true, value: inWordsOfToday(kind, type, value) } as const;
    expect(JSON.parse(packResult(answer, asked)), type).toEqual({ ok: true, value });
    expect(JSON.parse(packResult(answer)), type).toEqual(answer);
  }
});

function inWordsOfToday(kind: string, type: string, value: unknown): unknown {
  if (kind === "batch" && type === "show") return readReply("batch", type, value);
  if (kind === "task" && (type === "bid" || type === "submit")) return readReply("task", type, value);
  if (type === "register" || type === "rotateKey" || type === "topUp" || type === "repay")
    return readReply("account", type, value);
  return value;
}

test("a command that this version does not know is refused for now, whoever brings it", () => {
  expect(readMessage({ kind: "task", id: id(1) }, { type: "start", worker: person(1) })).toBeDefined();
  const wrong = [
    [{ kind: "auction", id: id(1) }, { type: "start" }],
    [{ kind: "task" }, { type: "start" }],
    [
      { kind: "task", id: id(1) },
      { type: "freeze", reason: "" },
    ],
    [{ kind: "task", id: id(1) }, { type: "toString" }],
    [{ kind: "toString", id: id(1) }, { type: "start" }],
    [{ kind: "task", id: id(1) }, { kind: "start" }],
    [{ kind: "task", id: id(1) }, null],
    [null, { type: "start" }],
  ];
  for (const [to, command] of wrong) {
    expect(readMessage(to, command), JSON.stringify([to, command])).toBeUndefined();
    const wire = { v: 1, cluster: "c", to, command, id: id(2), origin: "client", again: false, fresh: false, left: 5 };
    expect(unpackEnvelope(JSON.stringify(wire), "c", 0)).toEqual({ wrong: "unknown command" });
  }
});

test("an envelope that is written otherwise by a newer version is not taken, and is not refused for good", () => {
  const start = { to: { kind: "task", id: id(1) }, command: { type: "start", worker: id(3) } };
  const wire = { v: 1, cluster: "c", ...start, id: id(2), origin: "client", again: false, fresh: false, left: 5 };
  expect(unpackEnvelope(JSON.stringify(wire), "c", 0)).toHaveProperty("envelope");
  for (const change of [{ origin: "schedule" }, { left: "5 s" }, { id: undefined }]) {
    expect(unpackEnvelope(JSON.stringify({ ...wire, ...change }), "c", 0)).toEqual({ wrong: "another version" });
  }
});

test("a refusal whose code is not known says nothing final, and what is no answer is none", () => {
  expect(readRefusal({ refused: "OWN_TASK", detail: "no" })).toEqual({ refused: "OWN_TASK", detail: "no" });
  expect(readRefusal({ refused: "OF_TOMORROW", detail: "no" })).toEqual({ refused: "UNAVAILABLE", detail: "no" });
  expect(unpackResult('{"ok":false,"refusal":{"refused":"TASK_NOT_OPEN","detail":"no","reason":{"why":"OWN_TASK"}}}')).toEqual({
    ok: false,
    refusal: { refused: "TASK_NOT_OPEN", detail: "no", reason: { why: "OWN_TASK" } },
  });
  for (const text of ["null", "[]", "{}", '{"ok":false}', '{"ok":false,"refusal":{"refused":"OWN_TASK"}}']) {
    expect(unpackResult(text), text).toBeUndefined();
  }
});

test("a reply that cannot be read is no reply: who asked is told that the outcome is not known here", async () => {
  const world = new World();
  const asked = (value: unknown) => {
    const transport = { request: async (): Promise<CommandResult> => ({ ok: true, value }) };
    const router = new Router(transport, world.clock, { next: () => world.nextId() }, 1_000);
    return router.ask({ kind: "task", id: id(9) }, { type: "start", worker: person(1) });
  };
  expect(await asked({ id: id(9), status: "EXECUTING" })).toMatchObject({ ok: true });
  for (const value of [null, {}, { id: id(9), status: "BEGUN" }, { bid: id(9), status: "AWARDED" }]) {
    expect(await asked(value)).toMatchObject({ ok: false, refusal: { refused: "UNAVAILABLE" } });
  }
});

test("a message in the outbox that this version does not know waits for one that does", async () => {
  const world = new World();
  await world.host.start();
  await world.answer(world.register(1));
  const from = { kind: "account", id: person(1) } as const;
  const stored = { id: id(77), from, seq: 1, leg: 0, to: from, command: { type: "ofTomorrow" } };
  // As JSON it has no type: what another version has written is whatever it is.
  world.journal.messages.set(id(77), JSON.parse(JSON.stringify(stored)));
  await world.crash();
  await world.pass(60_000);
  expect(world.journal.messages.get(id(77))).toMatchObject({ command: { type: "ofTomorrow" } });
  expect(world.journal.messages.get(id(77))?.dead).toBeUndefined();
});
