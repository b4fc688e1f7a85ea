/** Checks whether a value from outside is of a type. */
import { REFUSAL_CODES, type RefusalCode } from "./refusal.ts";
import { isUuid, type TaskId } from "./vocabulary.ts";

export type Check<T> = (value: unknown) => value is T;

export const isText: Check<string> = (value) => typeof value === "string";
export const isNumber: Check<number> = (value): value is number => typeof value === "number" && Number.isFinite(value);
export const isTaskId: Check<TaskId> = (value): value is TaskId => typeof value === "string" && isUuid(value);
export const isRefusalCode: Check<RefusalCode> = isOneOf(REFUSAL_CODES);

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

/** An object with these fields. Others are allowed, because a newer version may have written it. */
export function isRecord<T extends object>(fields: { readonly [N in keyof T]-?: Check<T[N]> }): Check<T> {
  const checks = Object.entries<Check<unknown>>(fields);
  return (value): value is T => isObject(value) && checks.every(([name, check]) => check(value[name]));
}
