/** Reading several databases as of one moment, while others write to them. */
import type { TransactionSql } from "postgres";
import type { Database } from "./pool.ts";

export type Transaction = TransactionSql<{ bigint: number }>;

/**
 * Runs `work` in a read-only transaction of each database. With several of them, commits wait for the instant in which all
 * transactions are opened, so that a message is never seen as sent in one and not as sent in the other; then each pool needs
 * two connections.
 */
export async function inConsistentSnapshot<T>(
  databases: readonly Database[],
  work: (transactions: readonly Transaction[]) => Promise<T>,
): Promise<T> {
  if (databases.length === 1) return within(databases, [], work);
  const holds: Hold[] = [];
  try {
    // One after the other, so that two who do this wait for one another and not each for the other.
    for (const database of databases) holds.push(await holdCommits(database));
    return await within(databases, [], async (transactions) => {
      // The first statement is what a transaction sees the world as of.
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

/** Waits for the commits under way and holds back all others until it is released. */
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
