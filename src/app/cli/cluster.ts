import { type ClusterStatus, type MemberRow, readCluster } from "../../adapters/postgres/cluster.ts";
import { readPlatform } from "../../adapters/postgres/migrate.ts";
import { withDatabases } from "./databases.ts";

const COLUMNS = [
  "node",
  "database",
  "state",
  "shards",
  "weight",
  "actors",
  "timers",
  "in flight",
  "lag",
  "beat",
  "up",
  "version",
  "formats",
  "schemas",
] as const;

/** Prints the members of the cluster and their shards, as a table or as JSON. */
export async function runCluster({ json = false }: { readonly json?: boolean }): Promise<void> {
  const status = await withDatabases("cluster", async (databases) => {
    await readPlatform(databases);
    return readCluster(databases);
  });
  process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : table(status));
}

function table({ members, shards, formats, schema }: ClusterStatus): string {
  const rows = [COLUMNS, ...members.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  if (members.length === 0) lines.push("(no members: nothing runs, or a single process without NATS_URL)");
  const owners = new Map<string, { shard: number; epoch: number }[]>();
  for (const { node, shard, epoch } of shards) {
    const name = node ?? "(nobody)";
    owners.set(name, [...(owners.get(name) ?? []), { shard, epoch }]);
  }
  lines.push("", "shards (shard:epoch)");
  for (const [node, owned] of owners) lines.push(`${node}  ${owned.map(({ shard, epoch }) => `${shard}:${epoch}`).join(" ")}`);
  lines.push("", `written: ${shownFormats(formats)}; schema ${schema}`);
  return `${lines.join("\n")}\n`;
}

function shownFormats(formats: { readonly [entity: string]: number }): string {
  return Object.entries(formats)
    .map(([entity, format]) => `${entity} ${format}`)
    .join(", ");
}

function cells(member: MemberRow): readonly string[] {
  const { node, databaseIndex, draining, shards, weight, stats, ageMs, upMs, version, reads } = member;
  const { actors, timers, inFlight, lagMs } = stats;
  return [
    node,
    String(databaseIndex + 1),
    draining ? "draining" : "serving",
    String(shards),
    String(weight),
    String(actors ?? ""),
    String(timers ?? ""),
    String(inFlight ?? ""),
    lagMs === undefined ? "" : `${lagMs} ms`,
    `${ageMs} ms ago`,
    `${Math.round(upMs / 1_000)} s`,
    version,
    reads === null ? "" : shownFormats(reads.formats),
    reads === null ? "" : reads.schema.join("-"),
  ];
}
