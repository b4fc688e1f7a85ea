/** Host names and IP addresses. */
import idna from "idn-hostname";

const LABEL = /^[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?$/;
const IS_INTERNATIONAL = /[\u0080-\uffff]|(?:^|[.@])xn--/i;
const ENDS_IN_SEPARATOR = /[.\u3002\uff0e\uff61]$/;

/** Maximum length of a host name (RFC 1035 2.3.4, as text). */
export const HOST_CHARACTERS_MAX = 253;
/** Maximum UTF-16 units of an international name: it has no more code points than its ASCII form, each at most two units. */
export const IDN_CHARACTERS_MAX = 2 * HOST_CHARACTERS_MAX;

/** Whether a host name in this text would need IDNA. */
export function isInternational(text: string): boolean {
  return IS_INTERNATIONAL.test(text);
}

/** RFC 1123 2.1. A name with an A-label (`xn--`) is checked as an international one. */
export function isHostname(text: string): boolean {
  if (text.length > HOST_CHARACTERS_MAX || !text.split(".").every((label) => LABEL.test(label))) return false;
  return !isInternational(text) || isIdnHostname(text);
}

/** IDNA 2008 after the mapping of UTS #46: RFC 5890 2.3.2, RFC 5891 4.2, contexts of RFC 5892, directions of RFC 5893. No root dot. */
export function isIdnHostname(text: string): boolean {
  if (text.length > IDN_CHARACTERS_MAX || ENDS_IN_SEPARATOR.test(text)) return false;
  try {
    return idna.isIdnHostname(text);
  } catch {
    // Any error means an invalid name, even a RangeError, which it throws if the mapping leaves a label empty.
    return false;
  }
}

/** RFC 2673 3.2: four numbers without leading zeros. */
export function isIpv4(text: string): boolean {
  const parts = text.length <= 15 ? text.split(".") : [];
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 2.2, without a zone. */
export function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const all = groups.flat();
  const last = all.at(-1) ?? "";
  // The last four bytes may be written as an IPv4 address; not before the `::`.
  const mixed = last.includes(".") && !text.endsWith("::");
  const hex = mixed ? all.slice(0, -1) : all;
  if ((mixed && !isIpv4(last)) || !hex.every((group) => /^[\dA-Fa-f]{1,4}$/.test(group))) return false;
  const count = hex.length + (mixed ? 2 : 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
