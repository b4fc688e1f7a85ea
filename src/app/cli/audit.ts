import type { Finding } from "../../../machines/audit/books.ts";
import { auditDatabases } from "../../adapters/postgres/books.ts";
import { readPlatform } from "../../adapters/postgres/migrate.ts";
import { withDatabases } from "./databases.ts";

const SHOWN_MAX = 20;

/** Prints what was checked, and the rows that break a promise. */
export function printFindings(findings: readonly Finding[], print: (line: string) => void): void {
  for (const { promise, checked, wrong } of findings) {
    print(
      `${wrong.length === 0 ? "ok  " : "FAIL"} ${promise}: ${checked} checked${wrong.length === 0 ? "" : `, ${wrong.length} wrong`}`,
    );
    for (const line of wrong.slice(0, SHOWN_MAX)) print(`       ${line}`);
    if (wrong.length > SHOWN_MAX) print(`       … and ${wrong.length - SHOWN_MAX} more`);
  }
}

/** Audits the database, while the platform runs or not. Exit code 1 if a promise is broken. */
export async function runAudit(): Promise<void> {
  const findings = await withDatabases("audit", async (databases) => {
    await readPlatform(databases);
    return auditDatabases(databases);
  });
  printFindings(findings, (line) => process.stdout.write(`${line}\n`));
  if (findings.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
}
