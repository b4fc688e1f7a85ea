/** What event streams read of accounts. All of it goes by primary keys, and looks at a bounded number of rows. */
import type { AccountNews, NewsPage, NewsQuery, Watched } from "../../../gateway/ports/read-model.ts";
import type { AccountId, Millis } from "../../../machines/vocabulary.ts";
import { type Columns, fieldsOf } from "./columns.ts";
import type { Databases } from "./databases.ts";
import type { Database } from "./pool.ts";
import { ACCOUNT } from "./tables.ts";

/** Facts that one page looks through. */
const WINDOW = 500;

const ENDS: readonly AccountNews["type"][] = ["Settled", "Released"];
const AWARDS: readonly AccountNews["type"][] = ["OfferTaken", "OfferFreed", "Failed", "Earned"];

interface NewsRow {
  readonly last: number;
  readonly seq: number | null;
  readonly type: AccountNews["type"];
  readonly task: AccountNews["task"];
}

/** Looks through the next facts of an account for those that its streams tell of. */
export async function readNews(database: Database, { account, after, ends, awards }: NewsQuery): Promise<NewsPage> {
  const types = [...(ends ? ENDS : []), ...(awards ? AWARDS : [])];
  const rows = await database<NewsRow[]>`
    select l.last, j.seq, j.type, j.body->>'task' as task
    from (select coalesce(max(seq), 0) as last from journal where entity = ${account}) l
      left join journal j on j.entity = ${account} and j.seq > ${after} and j.seq <= ${after + WINDOW} and j.type = any(${types}::text[])
    order by j.seq`;
  const last = rows[0]?.last ?? 0;
  const upTo = Math.max(after, Math.min(after + WINDOW, last));
  const news = rows.flatMap(({ seq, type, task }) => (seq === null ? [] : [{ seq, type, task }]));
  return { news, upTo, more: upTo < last };
}

/**
 * The number of an account's last fact from before a time, or of its last one. Facts of one account are dated by the clocks of the
 * nodes that ran it, so their times rise but for the differences of these; the search halves its range at each step.
 */
export async function readFactBefore(database: Database, account: AccountId, at: Millis | null): Promise<number> {
  const [row] = await database<{ seq: number }[]>`
    with recursive search(low, high) as (
      select case when ${at}::bigint is null then last else 0 end, last
      from (select coalesce(max(seq), 0) as last from journal where entity = ${account}) newest
      union all
      select case when j.at < ${at}::bigint then j.seq else s.low end, case when j.at < ${at}::bigint then s.high else j.seq - 1 end
      from search s join journal j on j.entity = ${account} and j.seq = (s.low + s.high + 1) / 2
      where s.low < s.high)
    select low as seq from search where low = high`;
  return row?.seq ?? 0;
}

const WATCHED: Columns<Omit<Watched, "lastFact">> = { id: ACCOUNT.id, keyHash: ACCOUNT.keyHash, status: ACCOUNT.status };

/** What the streams of these accounts depend on. */
export function readWatched(databases: Databases, accounts: readonly AccountId[]): Promise<readonly Watched[]> {
  return databases.eachOf(
    accounts,
    (database, ids) => database<Watched[]>`
      select ${database.unsafe(fieldsOf(WATCHED, "a"))},
        (select coalesce(max(j.seq), 0) from journal j where j.entity = a.id) as "lastFact"
      from accounts a where a.id = any(${[...ids]}::uuid[])`,
  );
}
