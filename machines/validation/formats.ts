/**
 * The formats that are checked, and the cost of a check. Each check is linear in the text. Formats that no draft defines
 * (int64, ...) are annotations. The length of host names and mailboxes is checked first, because IDNA is not linear.
 */
import { HOST_CHARACTERS_MAX, IDN_CHARACTERS_MAX, isHostname, isIdnHostname, isInternational, isIpv4, isIpv6 } from "./hosts.ts";
import { syntaxProblem } from "./syntax.ts";

type Check = (text: string) => boolean;

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i;
const MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const MINUTES_PER_DAY = 24 * 60;

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && !leap ? 28 : (MONTHS[month - 1] ?? 0);
}

/** RFC 3339 full-date, a day that exists. */
function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (day === undefined) return false;
  return Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month));
}

/** The UTC minute of a time, relative to midnight, maybe on the day before or after; undefined if invalid (RFC 3339). */
function utcMinute(text: string): { readonly minute: number; readonly leap: boolean } | undefined {
  const [, hour, minute, second, sign, offsetHour = "0", offsetMinute = "0"] = TIME.exec(text) ?? [];
  if (second === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const offset = (sign === "-" ? -1 : 1) * (60 * Number(offsetHour) + Number(offsetMinute));
  return { minute: 60 * Number(hour) + Number(minute) - offset, leap: Number(second) === 60 };
}

/** RFC 3339 full-time. Second 60 is valid only at the end of a UTC day. */
function isTime(text: string): boolean {
  const at = utcMinute(text);
  return at !== undefined && (!at.leap || (at.minute + 2 * MINUTES_PER_DAY) % MINUTES_PER_DAY === MINUTES_PER_DAY - 1);
}

/** RFC 3339 date-time. A leap second is valid only at the end of a month (RFC 3339 5.7). */
function isDateTime(text: string): boolean {
  const date = text.slice(0, 10);
  const time = text.slice(11);
  if (text.charAt(10).toLowerCase() !== "t" || !isDate(date) || !isTime(time)) return false;
  const at = utcMinute(time);
  if (at === undefined || !at.leap) return at !== undefined;
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  const next = new Date(0);
  next.setUTCFullYear(year, month - 1, day);
  next.setUTCMinutes(at.minute + 1);
  return next.getUTCDate() === 1;
}

/** ISO 8601 as in RFC 3339 appendix A, plus what common libraries write: fractions of a second (PT0.5S) and gaps (PT1H2S). */
const DURATION = /^P(?:\d+W|(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)$/;

const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const IDN_ATOM = /^[\w!#$%&'*+/=?^`{|}~\u{80}-\u{10FFFF}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u{80}-\u{10FFFF}-]+)*$/u;
const QUOTED = /^"(?:[^"\\\r\n\0]|\\[ -~])*"$/;
/** RFC 5321 4.5.3.1.1. Only the whole is bounded, because longer local parts are in use. */
const LOCAL_PART_CHARACTERS = 64;

/** RFC 5321 Mailbox; `idn`: RFC 6531. */
function isMailbox(text: string, idn: boolean): boolean {
  if (text.length > LOCAL_PART_CHARACTERS + "@".length + (idn ? IDN_CHARACTERS_MAX : HOST_CHARACTERS_MAX)) return false;
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (at < 1 || !((idn ? IDN_ATOM : ATOM).test(local) || QUOTED.test(local))) return false;
  const literal = /^\[(?:(IPv6:)?(.*))\]$/i.exec(domain);
  if (literal !== null) return literal[1] === undefined ? isIpv4(literal[2] ?? "") : isIpv6(literal[2] ?? "");
  return isHostname(domain) || (idn && isIdnHostname(domain));
}

/** RFC 3986 appendix B. */
const URI = /^(?:([A-Za-z][A-Za-z\d+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
/** RFC 3987 2.2, `ucschar` and `iprivate`, without the last two code points of each plane, which are no characters. */
const PLANES = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D"];
const UNICODE = [
  "\\u{A0}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFEF}",
  ...PLANES.map((plane) => `\\u{${plane}0000}-\\u{${plane}FFFD}`),
  "\\u{E1000}-\\u{EFFFD}",
].join("");
const PRIVATE = "\\u{E000}-\\u{F8FF}\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}";
const characters = (more: string, idn: boolean) =>
  new RegExp(`^(?:[A-Za-z\\d._~!$&'()*+,;=${more}${idn ? UNICODE : ""}-]|%[\\dA-Fa-f]{2})*$`, "u");

function grammar(idn: boolean) {
  return {
    path: characters(":@/", idn),
    query: characters(`:@/?${idn ? PRIVATE : ""}`, idn),
    fragment: characters(":@/?", idn),
    user: characters(":", idn),
    name: characters("", idn),
  };
}
const URI_GRAMMAR = grammar(false);
const IRI_GRAMMAR = grammar(true);

/** RFC 3986 URI or relative reference; `idn`: RFC 3987. */
function isReference(text: string, needsScheme: boolean, idn: boolean): boolean {
  const [whole, scheme, authority, path = "", query = "", fragment = ""] = URI.exec(text) ?? [];
  if (whole === undefined || (scheme === undefined && needsScheme)) return false;
  const { path: paths, query: queries, fragment: fragments, user, name } = idn ? IRI_GRAMMAR : URI_GRAMMAR;
  if (!paths.test(path) || !queries.test(query) || !fragments.test(fragment)) return false;
  if (authority === undefined) return scheme !== undefined || !(path.split("/", 1)[0] ?? "").includes(":");
  const at = authority.lastIndexOf("@");
  const [, literal, host = "", port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority.slice(at + 1)) ?? [
    undefined,
    undefined,
    undefined,
    "x",
  ];
  if (port === "x" || (at >= 0 && !user.test(authority.slice(0, at)))) return false;
  return literal === undefined ? name.test(host) : isIpv6(literal) || /^v[\dA-F]+\.[\w.~!$&'()*+,;=:-]+$/i.test(literal);
}

/** RFC 6570, with its erratum 6937 (an apostrophe is a literal). */
const VARIABLE = "(?:\\w|%[\\dA-Fa-f]{2})+(?:\\.(?:\\w|%[\\dA-Fa-f]{2})+)*(?::[1-9]\\d{0,3}|\\*)?";
const LITERAL = `[!#$&-;=?-[\\]_a-z~${UNICODE}${PRIVATE}]`;
const URI_TEMPLATE = new RegExp(`^(?:${LITERAL}|%[\\dA-Fa-f]{2}|\\{[+#./;?&=,!@|]?${VARIABLE}(?:,${VARIABLE})*\\})*$`, "u");
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const RELATIVE_POINTER = /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/;

/** All formats that are checked, with their checks. */
export const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["date", isDate],
  ["time", isTime],
  ["date-time", isDateTime],
  ["duration", (text) => DURATION.test(text)],
  ["email", (text) => isMailbox(text, false)],
  ["idn-email", (text) => isMailbox(text, true)],
  ["hostname", isHostname],
  ["idn-hostname", isIdnHostname],
  ["ipv4", isIpv4],
  ["ipv6", isIpv6],
  ["uri", (text) => isReference(text, true, false)],
  ["uri-reference", (text) => isReference(text, false, false)],
  ["iri", (text) => isReference(text, true, true)],
  ["iri-reference", (text) => isReference(text, false, true)],
  ["uri-template", (text) => URI_TEMPLATE.test(text)],
  ["uuid", (text) => UUID.test(text)],
  ["json-pointer", (text) => POINTER.test(text)],
  ["relative-json-pointer", (text) => RELATIVE_POINTER.test(text)],
  ["regex", (text) => syntaxProblem(text, true) === undefined],
]);

/** Steps for each character of a name that IDNA processes, measured in the worst case. */
const IDNA_STEPS = 15;

/** The steps (work.ts) of checking a text against a format. */
export function formatSteps(format: string, text: string): number {
  switch (format) {
    case "hostname":
    case "idn-hostname":
    case "email":
    case "idn-email":
      return text.length * (isInternational(text) ? IDNA_STEPS : 1 / 2);
    case "regex":
      return text.length;
    default:
      return text.length / 2;
  }
}
