/** One consistent snapshot of several databases, while others write to them. */
import type { TransactionSql } from "postgres";
import type { Database } from "./pool.ts";

export type Transaction = TransactionSql<{ bigint: number }>;

/**
 * Runs `work` with a read-only transaction on each database. With several databases, commits are held back while all
 * transactions begin, so that no message is seen as received in one database and not as sent in another. Each pool then needs
 * two connections.
 */
export async function inConsistentSnapshot<T>(
  databases: readonly Database[],
  work: (transactions: readonly Transaction[]) => Promise<T>,
): Promise<T> {
  if (databases.length === 1) return within(databases, [], work);
  const holds: Hold[] = [];
  try {
    // One after the other, always in the same order, so that two such readers cannot deadlock.
    for (const database of databases) holds.push(await holdCommits(database));
    return await within(databases, [], async (transactions) => {
      // A transaction's snapshot is taken by its first statement.
      await Promise.all(transactions.map((transaction) => transaction`select`));
      await letGo(holds);
      return work(transactions);
    });
  } finally {
    await letGo(holds);
  }
}

async function within<T>(
  databases: readonly Database[],
  open: readonly Transaction[],
  work: (transactions: readonly Transaction[]) => Promise<T>,
): Promise<T> {
  const [next, ...rest] = databases;
  if (next === undefined) return work(open);
  const done = await next.begin("isolation level repeatable read read only", async (transaction) => ({
    value: await within(rest, [...open, transaction], work),
  }));
  return done.value;
}

interface Hold {
  readonly release: () => void;
  readonly released: Promise<unknown>;
}

/** Waits for running commits and holds back new ones until it is released. */
function holdCommits(database: Database): Promise<Hold> {
  return new Promise((resolve, reject) => {
    const released = database.begin(async (transaction) => {
      await transaction`lock table journal in share mode`;
      await new Promise<void>((release) => resolve({ release, released: released.catch(() => {}) }));
    });
    released.catch(reject);
  });
}

async function letGo(holds: Hold[]): Promise<void> {
  const held = holds.splice(0);
  for (const { release } of held) release();
  await Promise.all(held.map(({ released }) => released));
}
