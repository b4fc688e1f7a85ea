import type { Operation } from "../http/operation.ts";

/** What each status of an error means, for every operation. */
export const STATUSES: { readonly [status: string]: string } = {
  "400": "Malformed JSON, or a signature, code or state that is not right",
  "401": "API key missing or wrong",
  "402": "Not enough credits",
  "403": "Frozen, suspended, cooling down, or not yours",
  "404": "Not found",
  "409": "The state does not allow it",
  "413": "Body too large",
  "415": "Not JSON",
  "422": "A field is wrong; `errors` names it",
  "429": "Too many requests; see Retry-After",
  "503": "Overloaded, or something behind it is away or not set up; see Retry-After",
};

/** The statuses of the errors that an operation may answer with. */
export function errorsOf({ auth, method, params, query, body, raw, makesTask }: Operation): readonly string[] {
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
