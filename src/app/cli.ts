/** The command line: `nexus <command>`. Each command loads what it needs when it is run, so that a small one answers at once. */
import { Command } from "commander";
import { Interrupted } from "./cli/interrupt.ts";
import type { Role } from "./compose.ts";
import { VERSION } from "./version.ts";

const start = async (role: Role) => (await import("./cli/start.ts")).runStart(role);

const program = new Command("nexus")
  .description("NexusToken: an open, self-hosted market for AI work.")
  .version(VERSION)
  .showHelpAfterError()
  .addHelpText("after", "\nSettings come from the environment; `nexus config` prints them all.");

program
  .command("start")
  .description("start the platform: gateway and actors in one process; with NATS_URL, as part of a cluster")
  .action(() => start("both"));
program
  .command("gateway")
  .description("start a gateway of a cluster, which answers clients")
  .action(() => start("gateway"));
program
  .command("node")
  .description("start a node of a cluster, which runs the actors of its shards")
  .action(() => start("node"));
program
  .command("drain")
  .description("move all shards of a node to the others, so that it can be stopped")
  .argument("<node>", "its name, as `nexus cluster` shows it")
  .option("--off", "let it take its share of the shards again")
  .action(async (node, options) => (await import("./cli/drain.ts")).runDrain(node, options));
program
  .command("cluster")
  .description("show the members of the cluster, their shards and their health")
  .option("--json", "print JSON")
  .action(async (options) => (await import("./cli/cluster.ts")).runCluster(options));
program
  .command("demo")
  .description("post ten real texts, have a built-in extractor work on them, and watch them being paid")
  .action(async () => (await import("./cli/demo.ts")).runDemo());
program
  .command("audit")
  .description("check the promises about money and tasks on the database; exit code 1 if one is broken")
  .action(async () => (await import("./cli/audit.ts")).runAudit());
const inspect = program.command("inspect").description("say why an account gets no work, or where a task is and why");
inspect
  .command("account")
  .description("what an account may take, and for each reason how much it may not")
  .argument("<who>", "its id, or its address")
  .option("--json", "as JSON")
  .action(async (who, options) => (await import("./cli/inspect.ts")).runInspectAccount(who, options));
inspect
  .command("task")
  .description("where a task is, who may take it, its offers, webhook and money")
  .argument("<id>", "its id")
  .option("--json", "as JSON")
  .action(async (id, options) => (await import("./cli/inspect.ts")).runInspectTask(id, options));
const fleet = program.command("fleet").description("set up a NATS server for fleets of workers, and give accounts access to it");
const DIR = ["--dir <folder>", "where the server's configuration is", "nats"] as const;
fleet
  .command("config")
  .description("write the configuration of a nats-server that keeps fleets and the platform apart")
  .option(...DIR)
  .option("--listen <address:port>", "where the server listens", "127.0.0.1:4222")
  .action(async (options) => (await import("./cli/fleet.ts")).runFleetConfig(options));
fleet
  .command("credentials")
  .description("give the fleet of an account a user of its own, in place of the one that it had, and print its secret")
  .argument("<account>", "its id, or its address")
  .option(...DIR)
  .option("--json", "print JSON")
  .option("--revoke", "take its user away instead")
  .action(async (who, options) => (await import("./cli/fleet.ts")).runFleetCredentials(who, options));
program
  .command("migrate")
  .description("bring the database up to date")
  .action(async () => (await import("./cli/migrate.ts")).runMigrate());
program
  .command("config")
  .description("print every setting with the value in force")
  .option("--markdown", "print the page docs/settings.md instead: every setting with its default")
  .action(async (options) => (await import("./cli/config.ts")).runConfig(options));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
