import { markDraining, readCluster } from "../../adapters/postgres/cluster.ts";
import type { Database } from "../../adapters/postgres/pool.ts";
import { withDatabases } from "./databases.ts";

const LOOK_MS = 250;
const DRAIN_MS_MAX = 60_000;

/**
 * Moves all shards of a node to the others and waits until it has none; it stays a member without shards until it is stopped.
 * With `off`, it takes its share again. Throws an Error with a sentence for the operator.
 */
export async function runDrain(node: string, { off = false }: { readonly off?: boolean }): Promise<void> {
  await withDatabases("drain", async (databases) => {
    if ((await markDraining(databases, node, !off)) === 0) {
      const names = new Set((await readCluster(databases)).members.map((member) => member.node));
      throw new Error(`There is no node ${node}. ${names.size === 0 ? "No node runs." : `There are: ${[...names].join(", ")}.`}`);
    }
    process.stdout.write(off ? `${node} takes its share of the shards again.\n` : await drained(databases, node));
  });
}

async function drained(databases: readonly Database[], node: string): Promise<string> {
  const until = Date.now() + DRAIN_MS_MAX;
  for (;;) {
    const { members } = await readCluster(databases);
    const left = members.filter((member) => member.node === node).reduce((sum, { shards }) => sum + shards, 0);
    if (left === 0) return `${node} has no shards left and can be stopped.\n`;
    if (!members.some((member) => member.node !== node && !member.draining)) {
      throw new Error(`${node} has ${left} shards, but there is no other node to take them; start one.`);
    }
    if (Date.now() > until) throw new Error(`${node} still has ${left} shards after ${DRAIN_MS_MAX / 1_000} s; look at its log.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
