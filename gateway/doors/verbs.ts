/** The operations that fleets reach by a verb, and how the one object that they send becomes parameters and body. */

import type { JsonValue } from "../../machines/vocabulary.ts";
import { type Found, normalizeFields, type Shape } from "../http/fields.ts";
import type { FleetOperation, Operation, Verb } from "../http/operation.ts";
import { invalid } from "../http/problems.ts";
import type { FleetVerb } from "../ports/fleet.ts";

/** An operation that has a verb. */
export interface VerbOperation {
  readonly operation: Operation | FleetOperation;
  readonly verb: Verb;
}

/** Those of the operations that have a verb, by it. Throws an Error where two share one, or one cannot be asked in one object. */
export function verbsOf(operations: readonly (Operation | FleetOperation)[]): ReadonlyMap<string, VerbOperation> {
  const verbs = new Map<string, VerbOperation>();
  for (const operation of operations) {
    const { verb } = operation;
    if (verb === undefined) continue;
    const clear =
      operation.auth === "key" && operation.query === undefined && operation.raw !== true && operation.stream !== true;
    if (!clear) throw new Error(`${operation.id} cannot have a verb: it needs a key, a JSON body and a single answer`);
    if (verbs.has(verb.name)) throw new Error(`two operations have the verb ${verb.name}`);
    verbs.set(verb.name, { operation, verb });
  }
  return verbs;
}

/** What the bus tells of a verb to those who ask. */
export function describeVerb({ operation, verb }: VerbOperation): FleetVerb {
  const { method, path, summary, id, body, params } = operation;
  const { properties = {}, required = [] }: Shape = body ?? {};
  const names: { readonly [param: string]: string } = verb.params ?? {};
  const fields = [
    ...Object.keys(params?.properties ?? {}).map((param) => names[param] ?? param),
    ...Object.keys(properties).map((field) => (required.includes(field) ? field : `${field}?`)),
  ];
  return {
    verb: verb.name,
    about: {
      operation: id,
      ...(path === undefined ? {} : { http: `${method.toUpperCase()} ${path}` }),
      summary,
      fields: fields.join(", "),
    },
  };
}

/** Takes the path's parameters out of what was sent; the rest is the body. Throws a Problem (422) that names a wrong field. */
export function splitFields(
  { operation, verb }: VerbOperation,
  sent: JsonValue | undefined,
): { readonly params: { readonly [param: string]: JsonValue }; readonly body: JsonValue | undefined } {
  const params = Object.keys(operation.params?.properties ?? {});
  if (params.length === 0) return { params: {}, body: sent };
  if (sent === undefined) return { params: {}, body: sent };
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) {
    throw invalid([{ field: "body", message: "must be an object" }]);
  }
  const names: { readonly [param: string]: string } = verb.params ?? {};
  const fields = new Map(params.map((param) => [names[param] ?? param, param]));
  refuseNearMisses([...fields.keys()], sent);
  const taken = Object.entries(sent).flatMap(([field, value]) => {
    const param = fields.get(field);
    return param === undefined ? [] : [[param, value] as const];
  });
  const rest = Object.entries(sent).filter(([field]) => !fields.has(field));
  return { params: Object.fromEntries(taken), body: Object.fromEntries(rest) };
}

function refuseNearMisses(fields: readonly string[], sent: object): void {
  const found: Found = { unknown: [], mistaken: [] };
  normalizeFields({ properties: Object.fromEntries(fields.map((field) => [field, {}])), required: fields }, sent, found);
  if (found.mistaken.length > 0) throw invalid(found.mistaken);
}
