/** The door of fleets by itself: what it holds at once, what it says when that is too much, and what it makes of failures. */
import Type from "typebox";
import { expect, test } from "vitest";
import { answerOf } from "../../gateway/doors/answer.ts";
import { Capacity } from "../../gateway/doors/capacity.ts";
import { ACCOUNT_BOUNDS, DOOR_BOUNDS, FleetDoor } from "../../gateway/doors/fleet.ts";
import { DoorRecipient } from "../../gateway/doors/recipient.ts";
import type { Visit } from "../../gateway/doors/serve.ts";
import { verbsOf } from "../../gateway/doors/verbs.ts";
import {
  type FleetOperation,
  fleetOnly,
  keyed,
  type Operation,
  type Outline,
  open,
  type Reply,
} from "../../gateway/http/operation.ts";
import type { FleetRequest } from "../../gateway/ports/fleet.ts";
import { FLEET_OPERATIONS, OPERATIONS } from "../../gateway/routes/index.ts";
import { id, SILENT, World } from "../support/world.ts";

const OUTLINE = {
  id: "getThing",
  tag: "Test",
  method: "get",
  path: "/api/v1/things",
  summary: "A thing",
  verb: { name: "things.get" },
  answers: { 200: { about: "It", schema: Type.Object({}) } },
} satisfies Outline;
const handler = async (): Promise<Reply> => ({ status: 200, body: {} });
const THING = keyed(OUTLINE, handler);

function request(changes: Partial<FleetRequest> = {}): FleetRequest {
  const readHeaders = () => () => "";
  const line = { isUp: () => false, push: () => "later" as const };
  return { account: id(1), payload: new Uint8Array(), headerBytes: 0, readHeaders, answerBytesMax: 1_000, line, ...changes };
}

/** A door behind which every request waits until it is let through. */
function slowDoor() {
  const waiting: ((reply: Reply) => void)[] = [];
  const door = doorOf(() => new Promise((resolve) => waiting.push(resolve)));
  return { door, waiting, pass: () => waiting.shift()?.({ status: 200, body: {} }) };
}

function doorOf(
  serve: (operation: Operation | FleetOperation, visit: Visit) => Promise<Reply>,
  log = SILENT,
  operation: Operation | FleetOperation = THING,
): FleetDoor {
  const { clock } = new World();
  return new FleetDoor([operation], { clock, ids: { next: () => id(99) }, log, version: "1.2.3", serve });
}

test("an account has so many requests under way and not one more, and another account is not kept out by it", async () => {
  const { door, waiting, pass } = slowDoor();
  const answers = Array.from({ length: ACCOUNT_BOUNDS.requests }, () => door.answer("things.get", request()));
  expect(waiting).toHaveLength(ACCOUNT_BOUNDS.requests);
  const refused = await door.answer("things.get", request());
  expect([refused.status, refused.headers.get("Retry-After"), JSON.parse(refused.body).code]).toEqual([
    429,
    "1",
    "TOO_MANY_AT_ONCE",
  ]);
  void door.answer("things.get", request({ account: id(2) }));
  expect(waiting).toHaveLength(ACCOUNT_BOUNDS.requests + 1);
  pass();
  expect((await answers[0])?.status).toBe(200);
  void door.answer("things.get", request());
  expect(waiting).toHaveLength(ACCOUNT_BOUNDS.requests + 1);
});

test("a gateway has so many requests of fleets under way and not one more, whoever asks", async () => {
  const { door, waiting } = slowDoor();
  const accounts = DOOR_BOUNDS.requests / ACCOUNT_BOUNDS.requests;
  for (let n = 0; n < DOOR_BOUNDS.requests; n += 1) void door.answer("things.get", request({ account: id(1 + (n % accounts)) }));
  expect(waiting).toHaveLength(DOOR_BOUNDS.requests);
  const refused = await door.answer("things.get", request({ account: id(500) }));
  expect([refused.status, refused.headers.get("Retry-After"), JSON.parse(refused.body).code]).toEqual([503, "1", "OVERLOADED"]);
});

test("bytes count as well as requests, to the last one, and are given back", () => {
  const capacity = new Capacity({ requests: 10, bytes: 100 }, { requests: 10, bytes: 60 });
  const first = capacity.enter("a", 60);
  expect(capacity.enter("a", 1)).toBe("account");
  expect(capacity.enter("b", 41)).toBe("door");
  const second = capacity.enter("b", 40);
  for (const leave of [first, second]) if (typeof leave === "function") leave();
  expect(capacity.accounts).toBe(0);
  expect(capacity.enter("a", 60)).toBeTypeOf("function");
});

test("a request that fails leaves room for the next, and what was not expected is logged and told as a 500", async () => {
  const logged: object[] = [];
  const door = doorOf(
    async () => {
      throw new Error("a bug");
    },
    { ...SILENT, error: (fields) => logged.push(fields) },
  );
  for (let times = 0; times <= ACCOUNT_BOUNDS.requests; times += 1) {
    const answer = await door.answer("things.get", request());
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([500, "INTERNAL"]);
    expect(answer.headers.get("X-Request-Id")).toBe(id(99));
  }
  expect(logged[0]).toMatchObject({ request: id(99), err: new Error("a bug") });
});

test("headers that cannot be read, or whose length is not known, are refused", async () => {
  const door = doorOf(handler);
  const unread = await door.answer("things.get", request({ readHeaders: () => undefined }));
  expect([unread.status, JSON.parse(unread.body).code]).toEqual([400, "MALFORMED_HEADERS"]);
  const endless = await door.answer("things.get", request({ headerBytes: Number.POSITIVE_INFINITY }));
  expect([endless.status, JSON.parse(endless.body).code]).toEqual([431, "HEADERS_TOO_LARGE"]);
  expect((await door.answer("things.put", request())).status).toBe(404);
});

test("an answer of the length that the bus takes goes back, and one byte more is told what to do instead", () => {
  const reply = { status: 200, body: "é".repeat(10) };
  const headers = new Map<string, string>();
  expect(answerOf(reply, THING, headers, 22, new DoorRecipient()).body).toBe(`"${"é".repeat(10)}"`);
  expect(() => answerOf(reply, THING, headers, 21, new DoorRecipient())).toThrow(
    "The answer has 22 bytes, and this NATS server passes at most 21. Read it over HTTP, where this operation is GET /api/v1/things, or have the operator raise max_payload.",
  );
  expect(() => answerOf(reply, { method: "post", path: "/x" }, headers, 21, new DoorRecipient())).toThrow(
    /What you asked for was done; read the outcome over HTTP/,
  );
  expect(() => answerOf(reply, {}, headers, 21, new DoorRecipient())).toThrow(
    /at most 21\. What you asked for was done\. Have the operator raise/,
  );
});

test("who asked is told whether its answer was sent, if it wants to know; one that cannot be sent is not", async () => {
  const heard: boolean[] = [];
  let gone: AbortSignal | undefined;
  const door = doorOf(async (_, { waiting: { client } }) => {
    gone = client.gone;
    client.whenAnswered((isWhole) => heard.push(isWhole));
    return { status: 200, body: "x".repeat(20) };
  });
  const ask = (answerBytesMax: number) => door.answer("things.get", request({ answerBytesMax }));
  (await ask(22)).whenSent?.(true);
  expect([heard.splice(0), gone?.aborted]).toEqual([[true], false]);
  const { whenSent } = await ask(22);
  whenSent?.(false);
  whenSent?.(true);
  expect([heard.splice(0), gone?.aborted]).toEqual([[false], true]);
  // Longer than the bus takes.
  expect(await ask(21)).toMatchObject({ status: 413, whenSent: null });
  expect([heard, gone?.aborted]).toEqual([[false], true]);
  expect((await doorOf(handler).answer("things.get", request())).whenSent).toBeNull();
});

test("an operation that cannot be asked in one object, or whose verb another has, cannot have one", () => {
  expect(() => verbsOf([THING, { ...THING, id: "other" }])).toThrow("two operations have the verb things.get");
  const wrong: readonly Operation[] = [
    open(OUTLINE, handler),
    keyed({ ...OUTLINE, query: Type.Object({}) }, handler),
    keyed({ ...OUTLINE, raw: true }, handler),
    keyed({ ...OUTLINE, stream: true }, handler),
  ];
  for (const operation of wrong) expect(() => verbsOf([operation])).toThrow(/getThing cannot have a verb/);
});

test("every verb has two parts, and its parameters are called by what they are", () => {
  const verbs = verbsOf([...OPERATIONS, ...FLEET_OPERATIONS]);
  const wanted = ["tasks.cancel", "tasks.create", "tasks.get", "work.bid", "work.listen", "work.start", "work.submit"];
  expect([...verbs.keys()]).toEqual(expect.arrayContaining(wanted));
  for (const [name, { operation, verb }] of verbs) {
    expect(name).toMatch(/^[a-z]+\.[a-z]+$/);
    expect(Object.keys(verb.params ?? {})).toEqual(Object.keys(operation.params?.properties ?? {}));
  }
});

test("an operation of fleets alone reaches the fleet that asks, and tells of no way over HTTP", async () => {
  const pushed: string[] = [];
  const { method: _, path: __, ...outline } = OUTLINE;
  const hearing = { ...outline, verb: { name: "things.hear" }, body: Type.Object({ seconds: Type.Integer() }) };
  const operation = fleetOnly(hearing, handler);
  const door = doorOf(async (_, { line }) => ({ status: 200, body: line?.push("news") }), SILENT, operation);
  const push = (text: string) => {
    pushed.push(text);
    return "sent" as const;
  };
  expect((await door.answer("things.hear", request({ line: { isUp: () => true, push } }))).body).toBe('"sent"');
  expect(pushed).toEqual(["news"]);
  expect(door.verbs).toEqual([{ verb: "things.hear", about: { operation: "getThing", summary: "A thing", fields: "seconds" } }]);
});
