/** The rows of accounts, and their statements out of the ledger. */
import type { Marked, Page, StatementRow, StoredAccount, StoredCapability } from "../../../gateway/ports/read-model.ts";
import type { AccountRow } from "../../../machines/account/row.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";
import { capabilityFields } from "./capability-terms.ts";
import { type Columns, fieldsOf } from "./columns.ts";
import { numberCursor, parseNumber } from "./cursor.ts";
import type { Database } from "./pool.ts";
import { ACCOUNT } from "./tables.ts";

/** A bound above the number of accounts that one person can have. */
const KIN_MAX = 1_000;

const fields = (database: Database) => database.unsafe(fieldsOf(ACCOUNT));

export async function readAccount(database: Database, id: AccountId): Promise<AccountRow | undefined> {
  const [row] = await database<AccountRow[]>`select ${fields(database)} from accounts where id = ${id}`;
  return row;
}

const MARKED: Columns<Marked> = { id: ACCOUNT.id, marks: ACCOUNT.marks };

/** Finds the accounts that have one of these marks. */
export async function readMarked(database: Database, marks: readonly string[]): Promise<readonly Marked[]> {
  return database<Marked[]>`
    select ${database.unsafe(fieldsOf(MARKED))} from accounts where marks && ${[...marks]}::text[] limit ${KIN_MAX}`;
}

/** The marks of these accounts. */
export async function readMarks(database: Database, ids: readonly AccountId[]): Promise<readonly Marked[]> {
  return database<Marked[]>`select ${database.unsafe(fieldsOf(MARKED))} from accounts where id = any(${[...ids]}::uuid[])`;
}

/** Finds the accounts with these ids, or these hashes of keys: by what they were asked for, each with its capabilities. */
export async function readStoredAccounts(
  database: Database,
  by: "id" | "keyHash",
  asked: readonly string[],
): Promise<ReadonlyMap<string, StoredAccount>> {
  const are = by === "id" ? database`id = any(${[...asked]}::uuid[])` : database`key_hash = any(${[...asked]}::text[])`;
  const rows = await database<(AccountRow & { readonly capabilities: readonly StoredCapability[] | null })[]>`
    select ${database.unsafe(fieldsOf(ACCOUNT))}, (
      select json_agg(c) from (
        select ${database.unsafe(capabilityFields("capabilities"))} from capabilities where account = accounts.id order by created_at, id) c
      ) as capabilities
    from accounts where ${are}`;
  return new Map(rows.map(({ capabilities, ...row }) => [row[by], { row, capabilities: capabilities ?? [] }]));
}

/** Reads an account's statement, newest first: one line for each transfer, with the change of both balances. */
export async function readStatement(
  database: Database,
  account: AccountId,
  limit: number,
  cursor: string | null,
): Promise<Page<StatementRow> | undefined> {
  const before = cursor === null ? 2 ** 31 - 1 : parseNumber(cursor);
  if (before === undefined || before > 2 ** 31 - 1) return undefined;
  const rows = await database<(StatementRow & { seq: number })[]>`
    select seq, min(transfer) as transfer, min(reason) as reason, min(task::text) as task, min(at) as at,
      coalesce(sum(amount) filter (where account = 'available'), 0)::bigint as available,
      coalesce(sum(amount) filter (where account = 'held'), 0)::bigint as held
    from ledger where entity = ${account} and seq < ${before} and owner = ${account}
    group by seq order by seq desc limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ seq: _seq, ...row }) => row),
    next: rows.length > limit && last !== undefined ? numberCursor(last.seq) : null,
  };
}
