/** Arithmetic on numbers as they are written: 19.99 is a multiple of 0.01, whatever their doubles are. */

interface Decimal {
  readonly digits: bigint;
  /** The power of ten that the digits are times. */
  readonly exponent: number;
}

/** A double by its shortest text, which is what was written wherever that had up to 15 digits. */
function decimal(value: number): Decimal {
  const [mantissa = "0", power = "0"] = value.toExponential().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

/** Whether `value` is a whole number of times `divisor`, which is above 0; both as their shortest decimals. */
export function isMultipleOf(value: number, divisor: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  const a = decimal(value);
  const b = decimal(divisor);
  const lift = a.exponent - b.exponent;
  // Doubles reach from 1e-324 to 1e308, so no power is above about 650 digits.
  return lift >= 0 ? (a.digits * 10n ** BigInt(lift)) % b.digits === 0n : a.digits % (b.digits * 10n ** BigInt(-lift)) === 0n;
}
