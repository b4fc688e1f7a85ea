/**
 * The terms of capabilities: columns of schema 8, which are not there while a cluster is updated and `nexus migrate` has not been run.
 * Until then they are not written, and read as those that hold unless they are set; the worker's account knows them anyway.
 */
import { DEFAULT_TERMS } from "../../../machines/market/capability.ts";
import { fieldsOf } from "./columns.ts";
import type { Database } from "./pool.ts";
import { CAPABILITY } from "./tables.ts";

/** How often it is looked for while the schema is one of before (ms). */
const LOOK_MS = 5_000;

export class TermsColumns {
  readonly #database: Database;
  #areThere = false;
  #lookAt = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether they can be written; rejects with the database's error. */
  async areThere(): Promise<boolean> {
    const now = performance.now();
    if (this.#areThere || now < this.#lookAt) return this.#areThere;
    const rows = await this.#database`
      select from pg_attribute
      where attrelid = to_regclass('capabilities') and attname = 'min_requester_score' and not attisdropped`;
    this.#areThere = rows.length > 0;
    this.#lookAt = now + LOOK_MS;
    return this.#areThere;
  }
}

/** The list of a `select` of the terms of capabilities under this name, whether or not there are columns for them. */
export function termsFields(of: string): string {
  const field = (column: string, type: string, fallback: number, name: string) =>
    `coalesce((to_jsonb(${of})->>'${column}')::${type}, ${fallback}) as "${name}"`;
  const { minSeconds, minRequesterScore } = DEFAULT_TERMS;
  return [
    field("min_seconds", "integer", minSeconds, "minSeconds"),
    field("min_requester_score", "float8", minRequesterScore, "minRequesterScore"),
  ].join(", ");
}

/** The list of a `select` of whole capabilities under this name. */
export function capabilityFields(of: string): string {
  return `${fieldsOf(CAPABILITY, of)}, ${termsFields(of)}`;
}
