/** Names and numbers of hosts. */

const LABEL = /^[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?$/;

/** RFC 1123 2.1, at most 253 characters; labels of IDNs must be Punycode that decodes (RFC 5890 2.3.2.1). */
export function isHostname(text: string): boolean {
  if (text.length > 253) return false;
  return text.split(".").every((label) => LABEL.test(label) && (!/^xn--/i.test(label) || URL.canParse(`http://${label}.test`)));
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
