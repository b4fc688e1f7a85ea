/** What is a host name or an IP address, at each of its bounds. */
import { expect, test } from "vitest";
import { isHostname, isIpv4, isIpv6 } from "../../machines/validation/hosts.ts";

test.each<[string, (text: string) => boolean, readonly string[], readonly string[]]>([
  [
    "an IPv4 address is four numbers up to 255, without leading zeros",
    isIpv4,
    ["0.0.0.0", "1.2.3.4", "255.255.255.255", "10.0.99.100"],
    [
      ...["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "256.1.1.1", "01.2.3.4", "1.2.3.04", "1.2.3.", ".1.2.3", "1.2.3.a", "1.2.3.4x"],
      ...["x1.2.3.4", "1.2.3.-4", "1.2.3.1000", "1.2.3.4 ", "0x1.2.3.4", "1.2.3.4\n"],
    ],
  ],
  [
    "an IPv6 address is eight groups, or fewer around one ::",
    isIpv6,
    [
      ...["1:2:3:4:5:6:7:8", "::", "::1", "1::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "abcd:EF01::9", "1::8", "ffff::"],
      ...["0000:0000:0000:0000:0000:ffff:255.255.255.255", "::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1::1.2.3.4"],
    ],
    [
      ...[
        "",
        ":",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "1:2:3::4:5:6::7:8",
        "::::",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
      ],
      ...["12345::", "g::", "::g1", "::1g", "1:::2", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "::1.2.3", "::1.2.3.256", "1.2.3.4::"],
      ...["1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3.4:5", "fe80::1%eth0", "::1.2.3.4 ", "1::1.2.3.4::"],
      ...[`${"0000:".repeat(7)}0000:255.255.255.255`, `::${"0".repeat(50)}`],
    ],
  ],
  [
    "a host name is labels of up to 63 letters, digits and inner hyphens, with 253 characters in all",
    isHostname,
    ["a", "A-1.b", "1", "a.b.c", "a".repeat(63), `${"a.".repeat(126)}a`, "xn--bcher-kva.example"],
    [
      "",
      ".",
      "a.",
      ".a",
      "a..b",
      "-a",
      "a-",
      "a_b",
      "a b",
      "a".repeat(64),
      `${"a.".repeat(126)}aa`,
      "xn--",
      "bücher.example",
      "a.-b",
    ],
  ],
])("%s", (_rule, is, are, areNot) => {
  expect(are.filter((text) => !is(text))).toEqual([]);
  expect(areNot.filter((text) => is(text))).toEqual([]);
});
