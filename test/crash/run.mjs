/**
 * Clients work while the platform is killed again and again. After each start, what they were answered must still be
 * true; at the end every task must have ended, its webhook must have arrived, and the books must be clean.
 */
import { Client } from "../support/client.mjs";
import { END_MS, RETRY_MS, Run, receiveWebhooks, startClients, wait } from "../support/load.mjs";
import { finish } from "../support/outcome.mjs";
import { startProcess } from "../support/platform.mjs";

/**
 * @typedef {{ readonly kills: number, readonly clients: number, readonly gapMs: number, readonly databaseUrl: string,
 *   readonly print?: (line: string) => void }} CrashOptions
 * @typedef {{ readonly tasks: number, readonly ended: Record<string, number>, readonly answers: number, readonly kills: number,
 *   readonly webhooks: number, readonly wrong: readonly string[] }} CrashReport
 */

/**
 * Runs it on an empty database.
 * @param {CrashOptions} options
 * @returns {Promise<CrashReport>}
 */
export async function crash(options) {
  const run = new Run();
  const settings = { DATABASE_URL: options.databaseUrl, ROUTING_WINDOW_MS: "100", ALLOW_PRIVATE_CALLBACKS: "true" };
  const print = options.print ?? (() => {});
  const receiver = await receiveWebhooks(run);
  let platform = await startProcess(settings);
  run.clients = [new Client(platform.port)];
  const working = startClients(run, options.clients, receiver.url);
  let kills = 0;
  for (; kills < options.kills; kills += 1) {
    await wait(options.gapMs * Math.random());
    await platform.kill("SIGKILL");
    for (const client of run.clients.splice(0)) client.close();
    platform = await startProcess(settings);
    run.clients = [new Client(platform.port)];
    if ((kills + 1) % 10 === 0)
      print(`${kills + 1} kills, ${run.tasks.size} tasks, ${run.answers} answers, ${run.wrong.length} wrong`);
  }
  // However slow the machine, enough has to be brought to its end to say something.
  const until = Date.now() + END_MS;
  while (run.completed < options.clients && Date.now() < until) await wait(RETRY_MS);
  const statuses = await finish(run, working, [options.databaseUrl]);
  for (const client of run.clients) client.close();
  await platform.kill("SIGTERM");
  receiver.close();
  return { tasks: run.tasks.size, ended: statuses, answers: run.answers, kills, webhooks: run.heard.size, wrong: run.wrong };
}
