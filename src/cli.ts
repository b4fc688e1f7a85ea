/** The one entry: `nexus <command>`. */
import { Command } from "commander";
import { runStart } from "./cli/start.ts";
import { VERSION } from "./version.ts";

const program = new Command("nexus")
  .description("NexusToken: an open, self-hosted market for AI work.")
  .version(VERSION)
  .showHelpAfterError()
  .addHelpText("after", "\nSettings come from the environment; `nexus config` prints them all.");

program.command("start").description("start the platform: gateway and actors in one process").action(runStart);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
