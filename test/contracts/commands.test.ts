/** Commands as they come from another process or out of the database: every field is checked, and what older versions send is read. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unpackEnvelope } from "../../actors/wire-format.ts";
import { ACCOUNT_REPLIES } from "../../machines/account/replies.ts";
import { BATCH_REPLIES } from "../../machines/batch/replies.ts";
import { readMessage } from "../../machines/incoming.ts";
import { MATCHER_REPLIES } from "../../machines/matcher/replies.ts";
import { TASK_REPLIES } from "../../machines/task/replies.ts";
import { credits } from "../../machines/vocabulary.ts";
import { id, person, World } from "../support/world.ts";

type Fields = { readonly [name: string]: unknown };
interface Example {
  readonly kind: string;
  readonly command: Fields & { readonly type: string };
}
const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

/** Each command as the oldest version that knows it sends it, with its optional fields and without. */
const EXAMPLES: readonly Example[] = JSON.parse(fixture("commands.json").toString("utf8"));

const read = ({ kind, command }: { readonly kind: string; readonly command: unknown }) =>
  readMessage({ kind, id: id(1) }, command)?.command;

const wire = ({ kind, command }: { readonly kind: string; readonly command: unknown }) =>
  unpackEnvelope(
    JSON.stringify({
      v: 1,
      cluster: "c",
      to: { kind, id: id(1) },
      command,
      id: id(2),
      origin: "actor",
      again: false,
      fresh: false,
      left: 5,
    }),
    "c",
    0,
  );

const nameOf = ({ kind, command }: Example) => `${kind} ${command.type}`;

test("there is an example of each command", () => {
  const tables = { task: TASK_REPLIES, account: ACCOUNT_REPLIES, batch: BATCH_REPLIES, matcher: MATCHER_REPLIES };
  const known = Object.entries(tables).flatMap(([kind, table]) => Object.keys(table).map((type) => `${kind} ${type}`));
  expect([...new Set(EXAMPLES.map(nameOf))].sort()).toEqual(known.sort());
});

test("what an older version sends is read as it is, and so is a field that only a newer one knows", () => {
  for (const example of EXAMPLES) {
    expect(read(example), JSON.stringify(example)).toEqual(example.command);
    expect(wire(example), JSON.stringify(example)).toMatchObject({ envelope: { command: example.command } });
    const newer = { ...example.command, ofTomorrow: [1] };
    expect(read({ ...example, command: newer }), nameOf(example)).toEqual(newer);
  }
});

test("what an older version left in the outbox of its database is read", () => {
  const { rows } = JSON.parse(gunzipSync(fixture("recorded-04646c0.json.gz")).toString("utf8"));
  expect(rows.outbox.length).toBeGreaterThan(0);
  for (const { receiver_kind: kind, command } of rows.outbox) expect(read({ kind, command })).toEqual(command);
});

/** What is JSON of any kind, so that nothing there is wrong. */
const FREE: ReadonlySet<string> = new Set(["schema", "exampleOutput", "known", "result", "values"]);

/** Each copy of a value in which one thing, at any depth, is of no type that a field has, with the path to it. */
function* bent(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (path !== "") yield [path, { bent: true }];
  if (Array.isArray(value)) {
    for (const [n, item] of value.entries()) {
      for (const [where, other] of bent(item, `${path}.${n}`)) yield [where, value.with(n, other)];
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      if (FREE.has(name)) continue;
      for (const [where, other] of bent(item, `${path}.${name}`)) yield [where, { ...value, [name]: other }];
    }
  }
}

test("a command with a field of another type is as good as unknown, at whatever depth", () => {
  for (const { kind, command } of EXAMPLES) {
    for (const [path, wrong] of bent(command, "")) {
      expect(read({ kind, command: wrong }), `${command.type}${path}`).toBeUndefined();
      expect(wire({ kind, command: wrong }), `${command.type}${path}`).toEqual({ wrong: "unknown command" });
    }
  }
});

/** The fields that may be absent. */
const OPTIONAL: ReadonlySet<string> = new Set([
  "account earn echo",
  "account fail requesterIdentity",
  "account settle echo",
  "account earn honeypot",
  "account fail honeypot",
  "account settle honeypot",
  "account earn vouched",
  "account freed bid",
  "account hold offers",
  "account holdItem ask",
  "account excuse honeypot",
  "account fail requesterIdentity",
  "account offer asked",
  "account offer candidates",
  "account offer maxSeconds",
  "account offer price",
  "account offer pull",
  "account offer requesterScore",
  "account mark claim",
  "account mayReturn request",
  "account register marks",
  "account release awarded",
  "batch openBatch perMinute",
  "batch show from",
  "batch show limit",
  "matcher closed whole",
  "matcher opened shown",
  "task awardAnswered early",
  "task awardAnswered silent",
  "task awardAnswered timer",
  "task bid request",
  "task declined bid",
  "task declined reason",
  "task extend request",
  "task giveBack request",
  "task giveBack undelivered",
  "task open offers",
  "task open requesterScore",
  "task returnAnswered request",
  "task returnGranted request",
  "task standingBid asked",
  "task standingBid candidates",
  "task standingBid posted",
  "task standingBid pull",
  "task submit verdict",
]);

test("a command without one of its fields is as good as unknown, unless the field may be absent", () => {
  for (const example of EXAMPLES) {
    for (const name of Object.keys(example.command)) {
      const { [name]: _, ...command } = example.command;
      const readable = read({ ...example, command }) !== undefined;
      const field = `${nameOf(example)} ${name}`;
      expect([field, readable]).toEqual([field, OPTIONAL.has(field)]);
    }
  }
});

test.each([
  ["an amount that is no whole number", "account", { type: "topUp", topup: id(2), amount: 0.5 }],
  ["an amount that a double cannot hold exactly", "account", { type: "topUp", topup: id(2), amount: 2 ** 53 }],
  ["an amount that is a text", "account", { type: "topUp", topup: id(2), amount: "5" }],
  ["an id that is no UUID", "task", { type: "start", worker: "ada" }],
  ["an item between two", "batch", { type: "itemEnded", item: 0.5, status: "SETTLED" }],
  ["a word that there is not", "batch", { type: "itemEnded", item: 1, status: "OPEN" }],
  ["a reason that there is not", "task", { type: "declined", worker: id(2), reason: { why: "BORED" } }],
  ["a reason without its number", "task", { type: "declined", worker: id(2), reason: { why: "NO_SLOT" } }],
  ["a time that JSON cannot say", "task", { type: "timer", name: "routing", due: Number.NaN }],
])("%s is nothing that a machine decides on", (_what, kind, command) => {
  expect(read({ kind, command })).toBeUndefined();
});

describe("a message in the outbox whose field is not what this version expects", () => {
  test("waits for a node that reads it; its receiver never sees it", async () => {
    const world = new World();
    await world.host.start();
    await world.answer(world.register(1));
    const to = { kind: "account", id: person(1) } as const;
    const stored = { id: id(77), from: to, seq: 1, leg: 0, to, command: { type: "topUp", topup: id(5), amount: "5" } };
    world.journal.messages.set(id(77), JSON.parse(JSON.stringify(stored)));
    await world.crash();
    await world.pass(60_000);
    expect(world.journal.messages.get(id(77))).toEqual(stored);
    const mended = { ...stored, command: { type: "topUp", topup: id(5), amount: credits(5) } } as const;
    world.journal.messages.set(id(77), mended);
    await world.crash();
    await world.pass(60_000);
    expect(world.journal.messages.has(id(77))).toBe(false);
    expect(world.row("account", person(1))).toMatchObject({ available: 55 });
  });
});
