/** The one entry: `nexus <command>`. */
import { Command } from "commander";
import { runAudit } from "./cli/audit.ts";
import { runConfig } from "./cli/config.ts";
import { runDemo } from "./cli/demo.ts";
import { runMigrate } from "./cli/migrate.ts";
import { runStart } from "./cli/start.ts";
import { VERSION } from "./version.ts";

const program = new Command("nexus")
  .description("NexusToken: an open, self-hosted market for AI work.")
  .version(VERSION)
  .showHelpAfterError()
  .addHelpText("after", "\nSettings come from the environment; `nexus config` prints them all.");

program.command("start").description("start the platform: gateway and actors in one process").action(runStart);
program
  .command("demo")
  .description("post ten real texts, work them with a built-in extractor, and watch them being paid")
  .action(runDemo);
program
  .command("audit")
  .description("prove the promises about money and tasks on the database; exit code 1 when one is broken")
  .action(runAudit);
program.command("migrate").description("bring the database up to date").action(runMigrate);
program.command("config").description("print every setting with the value in force").action(runConfig);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
