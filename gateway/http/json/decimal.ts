/** Compares decimal literals exactly, to find the numbers that a double cannot hold. */
import { decimalOf } from "../../../machines/validation/decimals.ts";

/** A literal with at most this many digits and no exponent is exact as a double (IEEE 754: 15 digits). */
export const DIGITS_SAFE = 15;

/** Whether the double that JSON.parse makes of this literal has the same value. */
export function isExact(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const [given, kept] = [decimalOf(literal), decimalOf(String(value))];
  return given.negative === kept.negative && given.digits === kept.digits && given.exponent === kept.exponent;
}

const DOUBLE = new DataView(new ArrayBuffer(8));

/** The double next to a finite one that is not 0, away from 0 or towards it. */
function neighbour(value: number, away: boolean): number {
  DOUBLE.setFloat64(0, value);
  DOUBLE.setBigInt64(0, DOUBLE.getBigInt64(0) + (away ? 1n : -1n));
  return DOUBLE.getFloat64(0);
}

/**
 * Directed rounding: the double nearest to a literal beyond 2^53 that is not above it (`down`), or not below it. As a bound it
 * accepts the same doubles as the literal. Undefined if the literal is too large for a double.
 */
export function directed(literal: string, down: boolean): number | undefined {
  const value = Number(literal);
  if (!Number.isFinite(value)) return undefined;
  const { negative, digits, exponent } = decimalOf(literal);
  // The fraction matters only if the integer part is equal; then the literal is further from 0.
  const whole = exponent >= 0 ? BigInt(digits) * 10n ** BigInt(exponent) : BigInt(digits.slice(0, exponent));
  const exact = negative ? -whole : whole;
  const kept = BigInt(value);
  const fraction = exponent < 0 ? (negative ? -1 : 1) : 0;
  const order = kept > exact ? 1 : kept < exact ? -1 : -fraction;
  if (order === 0 || order > 0 !== down) return value;
  const next = neighbour(value, down ? value < 0 : value > 0);
  return Number.isFinite(next) ? next : undefined;
}
