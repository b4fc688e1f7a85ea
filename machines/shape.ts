/** Checks whether a value from outside is of a type. */
import { REFUSAL_CODES, type RefusalCode } from "./refusal.ts";
import { type AccountId, type Credits, isUuid, type JsonObject, type JsonValue, type TaskId } from "./vocabulary.ts";

/** A check of exactly this type: one that is stricter does not compile either, because it would refuse what may come. */
export interface Check<T> {
  (value: unknown): value is T;
  /** Never there; tells the compiler that a check of `string` is none of `string | null`. */
  readonly exactly?: (value: T) => T;
}

export const isText: Check<string> = (value) => typeof value === "string";
export const isNumber: Check<number> = (value): value is number => typeof value === "number" && Number.isFinite(value);
export const isTaskId: Check<TaskId> = (value): value is TaskId => typeof value === "string" && isUuid(value);
export const isAccountId: Check<AccountId> = (value): value is AccountId => typeof value === "string" && isUuid(value);
export const isTrue: Check<true> = (value): value is true => value === true;
export const isFlag: Check<boolean> = (value) => typeof value === "boolean";
/** A count or the number of an item. */
export const isWhole: Check<number> = (value): value is number => Number.isSafeInteger(value);
export const isCredits: Check<Credits> = (value): value is Credits => Number.isSafeInteger(value);
/** What comes from outside was JSON text, so it is JSON unless it is absent. */
export const isJson: Check<JsonValue> = (value): value is JsonValue => value !== undefined;
export const isRefusalCode: Check<RefusalCode> = isOneOf(REFUSAL_CODES);

export const isNull: Check<null> = (value) => value === null;
export const isEmpty: Check<readonly []> = (value): value is readonly [] => Array.isArray(value) && value.length === 0;

export function isEither<A, B>(one: Check<A>, other: Check<B>): Check<A | B> {
  return (value): value is A | B => one(value) || other(value);
}

export function isOneOf<const T extends string>(words: readonly T[]): Check<T> {
  const known: ReadonlySet<unknown> = new Set(words);
  return (value): value is T => known.has(value);
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

export function orAbsent<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

export function isListOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(check);
}

/** Whether a value is an object and no list. */
export const isObject: Check<{ readonly [name: string]: unknown }> = (value): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON object; see isJson. */
export const isJsonObject: Check<JsonObject> = (value): value is JsonObject => isObject(value);

/** An object with these fields. Others are allowed, because a newer version may have written it. */
export function isRecord<T extends object>(fields: { readonly [N in keyof T]-?: Check<T[N]> }): Check<T> {
  const checks = Object.entries<(value: unknown) => boolean>(fields);
  return (value): value is T => isObject(value) && checks.every(([name, check]) => check(value[name]));
}

/** The fields of each kind of object in the union `U`, whose field `D` says which kind it is. */
export type Variants<U, D extends keyof U> = {
  readonly [W in U[D] & string]: FieldsOf<Extract<U, { readonly [tag in D]: W }>, D>;
};
type FieldsOf<T, D> = { readonly [N in Exclude<keyof T, D>]: Check<T[N]> };

/** One of several kinds of objects; other fields are allowed, as with isRecord. */
export function isVariant<U, D extends keyof U & string>(tag: D, variants: Variants<U, D>): Check<U> {
  const kinds = new Map(Object.entries<object>(variants).map(([word, fields]) => [word, isRecord(fields)]));
  return (value): value is U => {
    if (!isObject(value)) return false;
    const word = value[tag];
    return typeof word === "string" && kinds.get(word)?.(value) === true;
  };
}
