/** What surrounds a request: who sends it, of what type it is, under which key, and where its end is told. */
import { describe, expect, test } from "vitest";
import { checkOutcome, readKey } from "../../gateway/http/idempotency.ts";
import { forwarded, networkOf } from "../../gateway/http/middleware/client-address.ts";
import { isJson } from "../../gateway/http/middleware/content-type.ts";
import { Secrets } from "../../gateway/secrets.ts";
import { wrongCallback } from "../../gateway/task-spec/callback-url.ts";
import { canonicalText } from "../../machines/validation/equality.ts";

const PROXY = "10.0.0.2";

test.each([
  ["203.0.113.9", 1, "203.0.113.9"],
  ["203.0.113.9:50001", 1, "203.0.113.9"],
  [" 203.0.113.9:1 ", 1, "203.0.113.9"],
  ["[2001:db8::1]:443", 1, "2001:db8::1"],
  ["[2001:db8::1]", 1, "2001:db8::1"],
  ["2001:DB8:0:0:0:0:0:1", 1, "2001:db8::1"],
  ['"[2001:db8::1]:443"', 1, "2001:db8::1"],
  ["fe80::1%eth0", 1, "fe80::1"],
  ["::ffff:203.0.113.9", 1, "203.0.113.9"],
  ["[::ffff:203.0.113.9]:80", 1, "203.0.113.9"],
  ["::ffff:cb00:7109", 1, "203.0.113.9"],
  // What the client itself put in front is not believed.
  ["1.1.1.1, 203.0.113.9:50001", 1, "203.0.113.9"],
  ["1.1.1.1, 203.0.113.9:50001, 10.0.0.3:80", 2, "203.0.113.9"],
  ["1.1.1.1,2.2.2.2,203.0.113.9,10.0.0.3", 2, "203.0.113.9"],
  // Fewer proxies than trusted ones were passed.
  ["203.0.113.9", 3, "203.0.113.9"],
  // What is no address falls back to the nearest hop that is one.
  ["unknown", 1, PROXY],
  ["1.1.1.1, unknown", 1, PROXY],
  ["unknown, 198.51.100.7:1", 2, "198.51.100.7"],
  ["_hidden, , 198.51.100.7", 3, "198.51.100.7"],
  ["", 1, PROXY],
  [",", 1, PROXY],
  ["127.1", 1, PROXY],
  ["0x7f.0.0.1", 1, PROXY],
  ["203.0.113.9:", 1, PROXY],
  ["203.0.113.999:80", 1, PROXY],
  ["[2001:db8::1", 1, PROXY],
  ["2001:db8::1]:443", 1, PROXY],
  ["203.0.113.9:80:80", 1, PROXY],
  ["203.0.113.9\u0000", 1, PROXY],
  // Nobody is trusted.
  ["203.0.113.9", 0, PROXY],
])("X-Forwarded-For %j behind %i proxies is %s", (header, hops, client) => {
  expect(forwarded(PROXY, header, hops)).toBe(client);
});

test("an IPv4 connection to an IPv6 socket is counted as IPv4, and a network of IPv6 as one", () => {
  expect(forwarded("::ffff:127.0.0.1", "", 0)).toBe("127.0.0.1");
  const networks = ["[2001:db8:1:2::1]:5", "2001:db8:1:2:ffff::9"].map((entry) => networkOf(forwarded(PROXY, entry, 1)));
  expect(new Set(networks).size).toBe(1);
  expect(networkOf(forwarded(PROXY, "2001:db8:1:3::1", 1))).not.toBe(networks[0]);
});

describe("a Content-Type", () => {
  test.each([
    ...["application/json", "Application/JSON", " application/json ", "application/json;charset=utf-8", "application/json;"],
    ...["application/json; charset=utf8", 'application/json; charset="UTF-8"', "application/json; CHARSET=Utf-8 ; q=1"],
    ...[
      "application/problem+json",
      "application/vnd.api+json; profile=x",
      'application/ld+json;profile="http://a/b?c;charset=latin1"',
    ],
    ...["application/json; odata.metadata=minimal;charset=utf-8", "application/json; charset", "application/json;;charset=utf-8"],
  ])("is JSON: %s", (type) => {
    expect(isJson(type)).toBe(true);
  });
  test.each([
    ...[
      "",
      "text/json",
      "text/plain",
      "application/jsonp",
      "application/xml",
      "application/json, text/plain",
      "application/+json",
    ],
    ...["application/json; charset=latin1", 'application/json; a="b;c"; charset=iso-8859-1', "application/json;charset=utf-16"],
    ...["multipart/form-data; boundary=x", "xapplication/json", "application/json-seq", "application /json"],
  ])("is not: %s", (type) => {
    expect(isJson(type)).toBe(false);
  });
  test("is read in the time of its length", () => {
    expect(isJson(`application/json${";a".repeat(8_000)}${' ;"'.repeat(5_000)}`)).toBe(true);
  });
});

describe("an Idempotency-Key", () => {
  test.each([
    ["", null],
    ["k24", "k24"],
    ['"k24"', "k24"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
    ['a"b', 'a"b'],
  ])("%.20s is taken", (header, key) => {
    expect(readKey(header)).toBe(key);
  });
  test.each(['""', " ", "a b", '"a b"', "x".repeat(256), `"${"x".repeat(256)}"`, "é", "a\tb", "a, b"])(
    "%.20s is not",
    (header) => {
      expect(() => readKey(header)).toThrow(/^Idempotency-Key: must be 1 to 255/);
    },
  );
});

test("a repeat is known by its value, and by the text that named it before values were compared", () => {
  const secrets = new Secrets(Buffer.alloc(32, 1));
  const sent = { b: 1, a: [2] };
  const before = secrets.outcomeId("account", "topup", "key", '{"b":1,"a":[2]}');
  const now = secrets.outcomeId("account", "topup", "key", canonicalText({ a: [2], b: 1 }));
  const repeat = {
    outcome: secrets.outcomeId("account", "topup", "key", canonicalText(sent)),
    before: secrets.outcomeId("account", "topup", "key", JSON.stringify(sent)),
    options: {},
  };
  for (const made of [before, now]) expect(() => checkOutcome(made, repeat)).not.toThrow();
  const other = secrets.outcomeId("account", "topup", "key", canonicalText({ a: [2], b: 2 }));
  expect(() => checkOutcome(other, repeat)).toThrow(/different request/);
});

describe("a callback_url", () => {
  const development = { allowPrivateCallbacks: false, production: false };
  const allowed = { allowPrivateCallbacks: true, production: false };
  const unreachable = [
    ...[
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f.1",
      "0x7f000001",
      "0177.0.0.1",
      "127.0.0.1.",
      "%31%32%37.0.0.1",
      "１２７.0.0.1",
    ],
    ...["localhost", "LOCALHOST", "localhost.", "a.localhost", "a.b.localhost.", "localhost.localdomain", "ip6-localhost"],
    ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0", "0.1.2.3"],
    ...["224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1"],
    ...[
      "[::1]",
      "[::]",
      "[::ffff:10.0.0.1]",
      "[::ffff:7f00:1]",
      "[0:0:0:0:0:ffff:127.0.0.1]",
      "[fe80::1]",
      "[fc00::1]",
      "[fd12::1]",
    ],
    ...["[ff02::1]", "[64:ff9b::10.0.0.1]", "[2002:a00:1::1]", "[2001::1]", "[2001:db8::1]", "[fec0::1]", "[::127.0.0.1]"],
  ];
  test.each(unreachable)("at %s is refused at once, unless it is allowed", (host) => {
    for (const url of [`http://${host}/hook`, `https://${host}:8443/hook?a=1`]) {
      expect(wrongCallback(url, development)).toMatch(/not public; start the platform with ALLOW_PRIVATE_CALLBACKS=true/);
      expect(wrongCallback(url, { ...development, production: true })).toMatch(/not public;.*ALLOW_PRIVATE_CALLBACKS/);
      expect(wrongCallback(url, allowed)).toBeUndefined();
    }
  });
  test.each([
    ...[
      "example.com",
      "localhost.example.com",
      "mylocalhost",
      "8.8.8.8",
      "172.32.0.1",
      "100.128.0.1",
      "[2606:4700::1111]",
      "a.internal",
    ],
  ])("at %s is taken", (host) => {
    expect(wrongCallback(`https://${host}/hook`, development)).toBeUndefined();
  });
  test.each([
    ["http://example.com:0/", /port 0/],
    ["http://u:p@example.com/", /no user name/],
    ["ftp://example.com/", /https:\/\/ or http:\/\//],
    ["/hook", /must be a URL/],
    ["http://[fe80::1%25eth0]/", /must be a URL/],
  ])("%s is refused in any case", (url, message) => {
    expect(wrongCallback(url, allowed)).toMatch(message);
  });
});
