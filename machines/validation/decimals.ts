/** Exact arithmetic on decimals as written: 19.99 is a multiple of 0.01, although their doubles say otherwise. */

/** The digits without leading and trailing zeros, and the power of ten of the last one; no digits for 0. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/** Parses the text of a JSON number. */
export function decimalOf(literal: string): Decimal {
  const negative = literal.startsWith("-");
  const [mantissa = "", power = "0"] = literal.slice(negative ? 1 : 0).split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  let [start, end] = [0, digits.length];
  while (digits[start] === "0") start += 1;
  while (end > start && digits[end - 1] === "0") end -= 1;
  if (start === end) return { negative: false, digits: "", exponent: 0 };
  return { negative, digits: digits.slice(start, end), exponent: Number(power) - fraction.length + digits.length - end };
}

/**
 * Whether `value` is a multiple of `divisor`, which is positive. Each counts as its shortest decimal, which is the text that
 * was written if that had up to 15 digits.
 */
export function isMultipleOf(value: number, divisor: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  const a = decimalOf(String(value));
  const b = decimalOf(String(divisor));
  const [of, by] = [BigInt(a.digits), BigInt(b.digits)];
  const lift = a.exponent - b.exponent;
  // The last digit of a value is not 0, so it is no multiple of more tens than it has itself, unless it is 0.
  if (lift < 0) return of === 0n;
  // Doubles range from 1e-324 to 1e308, so no power has more than about 650 digits.
  return (of * 10n ** BigInt(lift)) % by === 0n;
}
