/** Strangers at the door: connections, bodies, keys, addresses, and answers that nobody reads. */
import { randomBytes, randomUUID } from "node:crypto";

/** @typedef {import("./stranger.mjs").Stranger} Stranger */
/** @typedef {import("./judging.mjs").Kind} Kind */

const JSON_TYPE = "Content-Type: application/json\r\n";
const METHODS = ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PATCH", "PROPFIND"];
const PATHS = [
  "/tasks",
  "/tasks/available",
  "/credits/balance",
  "/auth/register",
  "//",
  "//docs",
  "//openapi.json",
  "//health",
  "/nothing",
];
const FORWARDED = [
  "203.0.113.9:50001",
  "[2001:db8::1]:443",
  "unknown",
  "_hidden",
  "",
  ", , ,",
  "1.2.3.4, 5.6.7.8, 9.10.11.12",
  "::ffff:203.0.113.9",
  "\u00e9",
  "9".repeat(4_000),
  "fe80::1%eth0",
  "127.0.0.1",
];

/** @type {Record<string, Kind>} */
export const DOOR = {
  "wrong API keys": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(20, (n) => {
        const key =
          n % 4 === 0 ? stranger.dice.pick(["x", "' or 1=1 --", "f".repeat(5_000), "null"]) : randomBytes(32).toString("hex");
        return stranger.call("GET", "/credits/balance", undefined, { key });
      }),
  },
  "wrong keys from every spelling of an address": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(20, (n) =>
        stranger.call("GET", "/credits/balance", undefined, {
          key: randomBytes(32).toString("hex"),
          headers: { "X-Forwarded-For": n % 2 === 0 ? `203.0.113.9:${50_000 + n}` : stranger.dice.pick(FORWARDED) },
        }),
      ),
  },
  "recovery codes, asked for and guessed": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(10, (n) => {
        const email = n % 3 === 0 ? `${randomUUID()}@stranger.example` : "stranger@victim.example";
        if (n % 2 === 0) return stranger.call("POST", "/auth/recover", { email }, { key: undefined });
        const code = String(stranger.dice.int(0, 999_999)).padStart(6, "0");
        return stranger.call("POST", "/auth/verify-recover", { email, code }, { key: undefined });
      }),
  },
  registrations: {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(20, (n) => {
        const email = n % 5 === 4 ? Array(90_000).fill(1) : `${randomUUID()}@stranger.example`;
        return stranger.call("POST", "/auth/register", { email }, { key: undefined });
      }),
  },
  "answers that nobody reads, one behind the other": {
    everyMs: 1_000,
    turn: (stranger) => {
      const path = stranger.dice.pick(["/openapi.json", "/api/v1/tasks?limit=200", "/llms-full.txt", "/docs"]);
      return stranger.burst(4, () => stranger.say(stranger.head("GET", path).repeat(100), { reads: false }));
    },
  },
  "pages and documents that nobody reads": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(20, () =>
        stranger.say(
          stranger.head("GET", stranger.dice.pick(["/", "/docs", "/docs/swagger-ui-bundle.js", "/openapi.json", "/llms.txt"])),
          {
            reads: false,
          },
        ),
      ),
  },
  "heads that never end": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(10, async () => {
        const socket = await stranger.say("POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\n");
        const timer = setInterval(() => socket.write("a: b\r\n"), 900);
        socket.once("close", () => clearInterval(timer));
      }),
  },
  "bodies that never end": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(10, async (n) => {
        const path = n % 2 === 0 ? "/api/v1/auth/register" : "/api/v1/tasks";
        const length = n % 3 === 0 ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 100000\r\n";
        const socket = await stranger.say(
          `${stranger.head("POST", path, `${JSON_TYPE}${length}`)}${n % 3 === 0 ? "1\r\n{\r\n" : "{"}`,
        );
        const timer = setInterval(() => socket.write(n % 3 === 0 ? "1\r\n \r\n" : " "), 900);
        socket.once("close", () => clearInterval(timer));
      }),
  },
  "bodies that are too large": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(6, (n) =>
        n % 2 === 0
          ? stranger.call("POST", "/tasks", Buffer.alloc(stranger.dice.pick([262_145, 1_000_000, 8_000_000]), 0x20))
          : stranger.say(
              `${stranger.head("POST", "/api/v1/tasks", `${JSON_TYPE}Transfer-Encoding: chunked\r\n`)}${`20000\r\n${" ".repeat(0x20000)}\r\n`.repeat(6)}`,
            ),
      ),
  },
  "a flood of connections": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(60, () => stranger.say(stranger.dice.pick(["", "G", "GET / HTTP/1.1\r\n", "\u0016\u0003\u0001\u0002"]))),
  },
  "streams to the bound, never read": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(10, (n) => {
        const query = stranger.dice.pick([
          "",
          "?topics=task.new",
          "?task_type=analysis",
          `?task_type=new${randomUUID()}`,
          "?topics=x",
        ]);
        return stranger.say(stranger.head("GET", `/api/v1/events/stream${query}`, n % 2 === 0 ? "Last-Event-ID: 1\r\n" : ""), {
          reads: n % 2 === 0,
        });
      }),
  },
  "methods and paths that are not there": {
    everyMs: 500,
    turn: (stranger) =>
      stranger.burst(20, () =>
        stranger.call(
          stranger.dice.pick(METHODS),
          stranger.dice.pick([...PATHS, `/${randomUUID()}`, `/tasks/urn:uuid:${randomUUID()}`]),
          undefined,
          {
            headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" },
          },
        ),
      ),
  },
  "JSON that is none, and fields that are nearly right": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(10, () =>
        stranger.call(
          "POST",
          "/tasks",
          stranger.dice.pick([
            "{",
            "[".repeat(100_000),
            `{"budget":1e999}`,
            `{"__proto__":{"a":1}}`,
            JSON.stringify({ ...stranger.order, callbackUrl: "https://a.example/", maxSeconds: 1 }),
            JSON.stringify({ ...stranger.order, toString: 1, constructor: { prototype: 1 } }),
            JSON.stringify({ ...stranger.order, budget: 5.5, rules: null, callback_url: null }),
            `{"input_data":"x","budget":1790321456789012345}`,
            `{"a\\u0000":"\\ud800"}`,
            JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n]))),
          ]),
          {
            headers: {
              "Content-Type": stranger.dice.pick([
                "application/json",
                "application/json; charset=utf8",
                "text/plain",
                "APPLICATION/VND.X+JSON",
              ]),
            },
          },
        ),
      ),
  },
};
