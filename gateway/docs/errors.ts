import type { FleetOperation, Operation } from "../http/operation.ts";

/** What each error status means, in every operation. */
export const STATUSES: { readonly [status: string]: string } = {
  "400": "Malformed JSON, or a wrong signature, code or state",
  "401": "API key missing or invalid",
  "402": "Not enough credits",
  "403": "Account frozen, suspended or cooling down, or not your task",
  "404": "Not found",
  "409": "Not possible in the current state",
  "413": "Body too large",
  "415": "Not JSON",
  "422": "A field is wrong; `errors` names it",
  "429": "Too many requests; see Retry-After",
  "503": "Overloaded, or something it depends on is down or not set up; see Retry-After",
};

/** The error statuses that an operation may answer with. */
export function errorsOf({ auth, method, params, query, body, raw, makesTask }: Operation | FleetOperation): readonly string[] {
  const takesBody = body !== undefined || raw === true;
  const changes = method !== "get";
  const statuses = [
    ...(takesBody ? ["400", "413"] : []),
    ...(body === undefined ? [] : ["415"]),
    ...(auth === "none" ? [] : ["401", "429"]),
    ...(makesTask === true ? ["402"] : []),
    ...(auth === "key" && changes ? ["403"] : []),
    ...(params === undefined ? [] : ["404"]),
    ...(changes ? ["409"] : []),
    ...(body !== undefined || query !== undefined || params !== undefined ? ["422"] : []),
    "503",
  ];
  return [...new Set(statuses)].sort();
}
