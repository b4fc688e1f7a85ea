/** What each format takes and what not, at the corners of its calendar or grammar. */
import { expect, test } from "vitest";
import { FORMATS } from "../../machines/validation/formats.ts";

/** As words in a line; texts with spaces are listed on their own. */
const words = (line: string) => line.split(" ");
const days = words(
  "2026-01-31 2026-03-31 2026-04-30 2026-05-31 2026-06-30 2026-07-31 2026-08-31 2026-09-30 2026-10-31 2026-11-30 2026-12-31",
);

test.each<[string, readonly string[], readonly string[]]>([
  [
    "date",
    [...days, ...words("2026-01-01 2024-02-29 2023-02-28 2000-02-29 0000-02-29 1900-02-28")],
    [
      ...days.map((day) => `${day.slice(0, 8)}${Number(day.slice(8)) + 1}`),
      ...words("2023-02-29 1900-02-29 2100-02-29 2024-02-30 2026-00-10 2026-13-01 2026-01-00 26-01-01 2026-1-01 2026-01-1"),
      ...["2026-01-01 ", " 2026-01-01", "x2026-01-01", "12026-01-01", "2026-01-010", "2026/01/01", "2026-01-01\n", ""],
    ],
  ],
  [
    "time",
    [
      ...words("00:00:00Z 23:59:59z 12:00:00.5Z 12:00:00.123456Z 12:00:00+00:00 12:00:00-23:59 12:00:00+23:59"),
      // A leap second is the last of a day in UTC.
      ...words(
        "23:59:60Z 15:59:60-08:00 00:29:60+00:30 01:29:60+01:30 23:29:60-00:30 22:59:60-01:00 00:58:60-23:01 23:58:60+23:59",
      ),
    ],
    [
      ...words("24:00:00Z 23:60:00Z 23:59:61Z 12:00:00 12:00:00+24:00 12:00:00+00:60 12:00:00.Z 1:00:00Z 12:0:00Z 12:00:0Z"),
      ...words(
        "12:00:60Z 23:58:60Z 22:59:60Z 00:00:60Z 23:59:60+00:01 23:59:60-00:01 00:29:60-00:30 12:00:00+0:00 12:00:00+00:0",
      ),
      ...["12:00Z", "12:00:00ZZ", "x12:00:00Z", "12:00:00 Z", "12:00:00+0000", "12:00:00+00:000", "012:00:00Z", ""],
    ],
  ],
  [
    "date-time",
    [
      ...words("2026-01-01T00:00:00Z 2026-01-01t00:00:00z 2024-02-29T12:00:00.5+05:45"),
      // And of a month.
      ...words("2016-12-31T23:59:60Z 2015-06-30T23:59:60.5Z 2016-02-29T23:59:60Z 2015-02-28T23:59:60Z 0050-12-31T23:59:60Z"),
      ...words("2016-12-31T15:59:60-08:00 2017-01-01T00:59:60+01:00"),
    ],
    [
      ...words(
        "2026-01-01T00:00:00 2026-02-30T00:00:00Z 2026-01-01T24:00:00Z 2026-01-01TT00:00:00Z 2026-01-0100:00:00Z 2026-01-01",
      ),
      ...words(
        "2016-12-30T23:59:60Z 2016-12-31T23:58:60Z 2016-02-28T23:59:60Z 2016-12-31T00:59:60+01:00 2017-01-01T15:59:60-08:00",
      ),
      ...["2026-01-01 00:00:00Z", "2026-01-01x00:00:00Z", "T00:00:00Z", "00:00:00Z", ""],
    ],
  ],
  [
    "duration",
    words("P1Y P1M P1D P1W P10W PT1H PT1M PT1S P1Y2M3DT4H5M6S PT0.5S PT10.25S P0D P1Y3D PT1H3S PT36H P1DT12H P12M PT12M"),
    words(
      "P PT P1 1D P1D2M P1YT P1W2D P1Y1W PT1 P1S PT1D P-1D P1.5D PT1.S PT1M2H PT.5S PT0.5M PT1S2 p1d P1Dx xP1D P1WT1H PT1.5H  PY",
    ),
  ],
  [
    "uuid",
    words("2eb8aa08-aa98-11ea-b4aa-73b441d16380 2EB8AA08-AA98-11EA-B4AA-73B441D16380 00000000-0000-0000-0000-000000000000"),
    [
      ...words("2eb8aa0-aa98-11ea-b4aa-73b441d16380 2eb8aa08-aa9-11ea-b4aa-73b441d16380 2eb8aa08-aa98-11e-b4aa-73b441d16380"),
      ...words("2eb8aa08-aa98-11ea-b4a-73b441d16380 2eb8aa08-aa98-11ea-b4aa-73b441d1638 2eb8aa08-aa98-11ea-b4aa-73b441d163800"),
      ...words("x2eb8aa08-aa98-11ea-b4aa-73b441d16380 2eb8aa08aa9811eab4aa73b441d16380 2eb8aa08-aa98-11ea-b4aa-73b441d1638g"),
    ],
  ],
  ["json-pointer", ["", ...words("/ /a/b /~0~1 /a//b /~01 /é"), "/ "], words("a /~ /~2 /a~ #/a a/b /a/~x")],
  [
    "relative-json-pointer",
    words("0 1 10 120 0# 10# 1/a 0/ 2/~0~1/0 1//"),
    [...words(" 01 -1 a /a 0## 0#/a 1/~ 1~ +1 0a 1/~2 #"), "1 "],
  ],
  [
    "email",
    [
      ...words("a@b a.b+c@d.example a.b.c@d !#$%&'*+/=?^`{|}~-_9@a a@[1.2.3.4] a@[IPv6:::1] a@[ipv6:::1]"),
      ...['"a b"@c', '"a\\"b"@c', '"@"@c', '""@c', '"é"@c', '"\\ "@c', '"\\~"@c'],
    ],
    [
      ...words(
        "a @a a@ a@b@c a..b@c .a@b a.@b a.b.@c a@[1.2.3] a@[::1] a@[IPv6:1.2.3.4] a@[1.2.3.4 a@1.2.3.4] a@[IPv6:::1]x a@x[1.2.3.4]",
      ),
      ...words("é@a a.é@a a@b_c a@-b a@b. a(b@c a,b@c"),
      ...[
        "a b@c",
        "a.b c@d",
        '"a@b',
        'a"@b',
        '"a"b"@c',
        'x"a"@c',
        '"a"x@c',
        '"a\\é"@c',
        '"a\n"@c',
        '"a\r"@c',
        '"\0"@c',
        '"\\"@c',
        "",
      ],
    ],
  ],
  [
    "idn-email",
    ["é@a", "a.é@ü.de", "é.a.ü@b", '"é"@a', "\u0080@a", "\u{10FFFF}@a", "é@[1.2.3.4]"],
    ["é..a@b", ".é@a", "é.@a", "é@", "@é", "é é@a", "a.é b@c"],
  ],
  [
    "uri",
    [
      ...words(
        "a: a:b http://a http://a:80/b?c=d#e http://u:p@a/ http://u@a http://@a http://[::1]:80/ http://[::1] http://[v1.a:b]/ http://[vF0.a]",
      ),
      ...words(
        "http://%41/ a:/b urn:a:b http://a:/ http:///a a:b@c a+b-c.1: Z: http://a?b?/c http://a#b?/c a:?b a:#c http://a.b-c_d~e!$&'()*+,;=",
      ),
      ...words("http://a/-._~!$&'()*+,;=:@%aF http://[V1.a]"),
    ],
    [
      ...words(
        " a /a //a 1a:b _:a http://a/%4 http://a/%zz http://a/%4g http://a?b#c#d http://[::1 http://::1] http://[1.2.3.4] http://[]",
      ),
      ...words(
        "http://[v.a] http://[vg.a] http://[v1.] http://[v1a] http://[xv1.a] http://[v1.a/] http://[v1.a%] http://a:8x http://a:80:80 http://u@v@a",
      ),
      ...words(
        'http://u[@a http://a/é http://é http://é@a a:?é a:#é http://a/" http://a/< http://a/{b} http://a/\\ http://a/^ http://a/` http://a/|',
      ),
      ...words("http://[::1]a http://a[::1] http://a[ http://[::1]:x a:?[ a:#[ a:[ http://%4/ http://%4@a"),
      ...["a b:c", "http://a b", "http://a/ b", "a:?b c", "a:#b c", "a:b\nc", "http://u u@a"],
    ],
  ],
  [
    "uri-reference",
    ["", ...words("a /a //a ?a #a a/b:c ./a:b a:b ../a //a:80 /:a //u@a ?: #:")],
    [...words(":a 1:a 1:b/c a% #a# //[ //a:x é /é ?é #é //é a\\b"), "a b"],
  ],
  [
    "iri",
    [
      ...words("http://é/ü?ö#ä http://é:80/ http://ü@é/ http://ü:ö@é urn:é a:?\u{E000}"),
      ...[0xa0, 0xd7ff, 0xf900, 0xfdcf, 0xfdf0, 0xffef, 0x10000, 0x1fffd, 0xd0000, 0xdfffd, 0xe1000, 0xefffd].flatMap((code) => {
        const one = String.fromCodePoint(code);
        return [`a:${one}`, `a:?${one}`, `a:#${one}`, `a://${one}`, `a://${one}@b`];
      }),
      ...[0xe000, 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd].map((code) => `a:?${String.fromCodePoint(code)}`),
    ],
    [
      ...words("é é:a /é //é http://é/% http://[é]"),
      ...[0x7f, 0x9f, 0xfdd0, 0xfdef, 0xfff0, 0xfffe, 0x1fffe, 0xdfffe, 0xe0000, 0xe0fff, 0xefffe, 0xffffe, 0x10fffe].flatMap(
        (code) => {
          const one = String.fromCodePoint(code);
          return [`a:${one}`, `a:?${one}`, `a:#${one}`, `a://${one}`];
        },
      ),
      ...[0xe000, 0xf8ff, 0xf0000, 0x10fffd].flatMap((code) => {
        const one = String.fromCodePoint(code);
        return [`a:${one}`, `a:#${one}`, `a://${one}`, `a://${one}@b`];
      }),
    ],
  ],
  ["iri-reference", ["", ...words("é /é //é ?é #é é/a:b a:é")], words(":é é:a //[é] é% é#é#")],
  [
    "uri-template",
    [
      ...[
        "",
        ...words(
          "a {a} {a,b} {a,b,c} {+a} {#a} {.a} {/a} {;a} {?a} {&a} {=a} {,a} {!a} {@a} {|a} {a.b} {a.b.c} {a%41} {a.%41} {a:1} {a:9999}",
        ),
      ],
      ...words("{a*} {a*,b:2} {a_1} x{a}y{b} %41 ~' !#$&()*+,-./09:;=?@AZ[]_az é \u{E000} \u{10FFFD} {aA9}"),
    ],
    [
      ...words(
        "{ } {} {a a} {a:0} {a:10000} {a:} {a.} {.} {a..b} {a**} {a,} {,} {a%4} {a%4g} %4 % %4g {-a} {$a} {a-b} {é} {{a}} {a}}",
      ),
      ...words('" < > ^ ` | \\ {a:1*} {a*:1} {+} {++a}'),
      ...["a b", "{a b}", "\u007f", "\n"],
    ],
  ],
  [
    "regex",
    ["", "a", "[a-z]+", "(?<a>b)\\k<a>", "\\p{L}", "\\u{1F600}"],
    ["(", "[", "*", "a**", "\\a", "\\Z", "(?P<a>b)", "\\pL", "[b-a]", "{"],
  ],
])("%s", (format, right, wrong) => {
  const fits = (text: string) => FORMATS.get(format)?.(text) === true;
  expect(right.filter((text) => !fits(text))).toEqual([]);
  expect(wrong.filter(fits)).toEqual([]);
});

test("a format that no draft defines is not checked", () => {
  expect([...FORMATS.keys()].sort().join(" ")).toBe(
    "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer regex relative-json-pointer time uri uri-reference uri-template uuid",
  );
});
