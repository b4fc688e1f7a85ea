/** Decimal numbers as they are written, compared exactly: what a double cannot hold is found, not rounded. */
import { decimalOf } from "../../../machines/validation/decimals.ts";

/** Every literal of at most so many digits and without an exponent survives the way through a double (IEEE 754: 15 digits). */
export const DIGITS_SAFE = 15;

/** Whether the double that JSON.parse makes of this literal is written with the same value. */
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
 * The double nearest to a literal beyond 2^53 that is not above it (`down`), or not below it: as a bound it parts the
 * doubles exactly where the literal does. Undefined where there is none, because it is too large.
 */
export function directed(literal: string, down: boolean): number | undefined {
  const value = Number(literal);
  if (!Number.isFinite(value)) return undefined;
  const { negative, digits, exponent } = decimalOf(literal);
  // A fraction decides only where the whole part is equal, and then it is further from 0.
  const whole = exponent >= 0 ? BigInt(digits) * 10n ** BigInt(exponent) : BigInt(digits.slice(0, exponent));
  const exact = negative ? -whole : whole;
  const kept = BigInt(value);
  const fraction = exponent < 0 ? (negative ? -1 : 1) : 0;
  const order = kept > exact ? 1 : kept < exact ? -1 : -fraction;
  if (order === 0 || order > 0 !== down) return value;
  const next = neighbour(value, down ? value < 0 : value > 0);
  return Number.isFinite(next) ? next : undefined;
}
