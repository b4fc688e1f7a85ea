import { randomBytes } from "node:crypto";
import { readConfig } from "../config.ts";
import { runExamples } from "../demo/run.ts";
import { openLog } from "../log.ts";
import { auditDatabases } from "../postgres/books.ts";
import { startPlatform } from "../wire.ts";
import { printFindings } from "./audit.ts";
import { withDatabases } from "./databases.ts";

const ASK_MS = 2_000;

/** Posts the example texts, has them worked on and paid, and audits the books. Starts the platform if none runs. */
export async function runDemo(): Promise<void> {
  const config = readConfig(process.env);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const running = await answers(`http://127.0.0.1:${config.port}`);
  const platform = running ? undefined : await startPlatform(config, "both", openLog("error"), () => process.exit(1));
  const port = platform?.port ?? config.port;
  print(running ? `A platform answers on port ${port}; the demo uses it.\n` : `Started a platform on port ${port}.\n`);
  try {
    await runExamples(`http://127.0.0.1:${port}`, randomBytes(4).toString("hex"), process.stdout);
    print("");
    const findings = await withDatabases("audit", auditDatabases);
    printFindings(findings, print);
    if (findings.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
  } finally {
    await platform?.stop();
  }
}

async function answers(base: string): Promise<boolean> {
  try {
    const response = await fetch(`${base}/health`, { signal: AbortSignal.timeout(ASK_MS) });
    const body: unknown = await response.json();
    return response.ok && typeof body === "object" && body !== null && "status" in body && body.status === "ok";
  } catch {
    return false;
  }
}
