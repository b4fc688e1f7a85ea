/**
 * A table's columns are declared once, by the fields of its rows, and all SQL that lists them is generated. Rows are sent as
 * one JSON text for each table. Values of `json` columns are strings in it: if the server parsed them as part of the whole, it
 * would refuse a body with \u0000 or half of a surrogate pair.
 */

/** The SQL types that can hold a value. */
type TypeFor<Value> = [Value] extends [boolean]
  ? "boolean"
  : [Value] extends [number]
    ? "smallint" | "integer" | "bigint" | "double precision"
    : [Value] extends [string]
      ? "text" | "uuid"
      : [Value] extends [readonly string[]]
        ? "text[]" | "uuid[]"
        : "json";

/** A column for each field of a row; a field without one, or one without a field, does not compile. */
export type Columns<Row> = { readonly [Field in keyof Row]-?: TypeFor<NonNullable<Row[Field]>> };

/** A table and its columns. A column is named after its field: `taskType` is task_type. */
export interface Table<Row> {
  readonly name: string;
  readonly columns: Columns<Row>;
}

function columnOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The list of a `select` that gives these columns under the names of their fields; `of` is the table's alias. */
export function fieldsOf<Row>(columns: Columns<Row>, of?: string): string {
  const prefix = of === undefined ? "" : `${of}.`;
  return Object.keys(columns)
    .map((field) => `${prefix}${columnOf(field)} as "${field}"`)
    .join(", ");
}

/**
 * SQL that inserts rows from parameter `$n` (see rowsText). It lists the columns, so that a column which a later migration adds
 * gets its default from older nodes.
 */
export function insertRows<Row>({ name, columns }: Table<Row>, n: number): string {
  const fields: [string, string][] = Object.entries(columns);
  const given = fields.map(([field, type]) => `"${field}" ${type === "json" ? "text" : type}`);
  const values = fields.map(([field, type]) => (type === "json" ? `r."${field}"::json` : `r."${field}"`));
  return `insert into ${name} (${fields.map(([field]) => columnOf(field)).join(", ")})
    select ${values.join(", ")} from json_to_recordset($${n}::text::json) r(${given.join(", ")})`;
}

/** SQL that inserts rows, and replaces those with the same key, but for the fields that are `kept` as they were. */
export function upsertRows<Row>(
  table: Table<Row>,
  key: readonly (keyof Row & string)[],
  n: number,
  kept: readonly (keyof Row & string)[] = [],
): string {
  const stay: readonly string[] = [...key, ...kept];
  const rest = Object.keys(table.columns).filter((field) => !stay.includes(field));
  const set = rest.map(columnOf).map((column) => `${column} = excluded.${column}`);
  return `${insertRows(table, n)} on conflict (${key.map(columnOf).join(", ")}) do update set ${set.join(", ")}`;
}

/** Writes rows as the text that insertRows reads. A field that is undefined becomes null. */
export function rowsText<Row>({ columns }: Table<Row>, rows: readonly Row[]): string {
  const bodies: (keyof Row & string)[] = [];
  for (const field in columns) if (columns[field] === "json") bodies.push(field);
  if (bodies.length === 0) return JSON.stringify(rows);
  return JSON.stringify(
    rows.map((row) => {
      const sent: { [Field in keyof Row]: unknown } = { ...row };
      for (const field of bodies) sent[field] = row[field] === null ? null : JSON.stringify(row[field]);
      return sent;
    }),
  );
}
