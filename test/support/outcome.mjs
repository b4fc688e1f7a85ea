/**
 * How a load ends: workers go on until every task has ended and every webhook is heard; then all that clients were told must be
 * true, and every account must have exactly what its tasks come to.
 */
import postgres from "postgres";
import { END_MS, TYPES, wait } from "./load.mjs";

/** @typedef {import("./load.mjs").Run} Run */
/** @typedef {import("./load.mjs").Working} Working */

/** What a new account is given, and the fee of a task (guide: Pricing). */
const GRANT = 50;
const FEE_PERCENT = 5;
const AT_ONCE = 50;
const TERMINAL = new Set(["SETTLED", "EXPIRED", "CANCELLED"]);

/**
 * Lets requesters stop, has workers do all that is left, and then checks everything. Gives how many tasks ended how.
 * @param {Run} run
 * @param {Working} working
 * @param {readonly string[]} databaseUrls
 */
export async function finish(run, working, databaseUrls) {
  run.posting = false;
  await Promise.all(working.requesters);
  // Who has failed a task does not get it again, so some workers come who have failed none.
  working.workers.push(...TYPES.map((_, number) => run.puller(number, run.fleetUrl !== undefined)));
  const { open, unheard } = await untilEnded(run, databaseUrls);
  run.open = false;
  await Promise.all(working.workers);
  for (const { id, status } of open) run.wrong.push(`task ${id} is ${status}, and no task ended within ${END_MS} ms`);
  if (unheard > 0) run.wrong.push(`${unheard} webhooks did not arrive, and none more within ${END_MS} ms`);
  const tasks = await checkTasks(run);
  await checkBalances(run, tasks);
  /** @type {Record<string, number>} */
  const statuses = {};
  for (const { status } of tasks) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}

/** A long run leaves many tasks; what counts is that they keep becoming fewer. @param {Run} run @param {readonly string[]} databaseUrls */
async function untilEnded(run, databaseUrls) {
  const pools = databaseUrls.map((url) => postgres(url, { max: 1 }));
  const stillOpen = async () => {
    const found = pools.map((sql) => sql`select id, status from tasks where status not in ('SETTLED', 'EXPIRED', 'CANCELLED')`);
    return (await Promise.all(found)).flat();
  };
  let left = Number.POSITIVE_INFINITY;
  let until = Date.now() + END_MS;
  try {
    for (;;) {
      const open = await stillOpen();
      const unheard = [...run.tasks.keys()].filter((id) => !run.heard.has(id)).length;
      const now = open.length + unheard;
      if (now < left) until = Date.now() + END_MS;
      left = Math.min(left, now);
      if (now === 0 || Date.now() > until) return { open, unheard };
      await wait(100);
    }
  } finally {
    await Promise.all(pools.map((sql) => sql.end()));
  }
}

/** Reads every task as its requester, and holds it against what clients were told. @param {Run} run */
async function checkTasks(run) {
  const told = [...run.tasks];
  const tasks = [];
  for (let from = 0; from < told.length; from += AT_ONCE) {
    const read = told.slice(from, from + AT_ONCE).map(async ([id, { owner }]) => {
      const { status, body } = await run.call("GET", `/tasks/${id}`, undefined, owner);
      if (status === 200) return body;
      run.wrong.push(`task ${id} was created and is gone: ${status}`);
      return undefined;
    });
    tasks.push(...(await Promise.all(read)).filter((task) => task !== undefined));
  }
  for (const task of tasks) checkTask(run, task);
  return tasks;
}

/** @param {Run} run @param {any} task */
function checkTask(run, task) {
  const { id, status, awarded_to, result_data } = task;
  const told = run.tasks.get(id);
  if (!TERMINAL.has(status)) run.wrong.push(`task ${id} is ${status}`);
  if (told?.cancelled === true && status !== "CANCELLED") run.wrong.push(`task ${id} was cancelled and is ${status}`);
  if (told?.completed === true) {
    const worker = run.accounts.get(told.worker ?? "");
    if (status !== "SETTLED") run.wrong.push(`task ${id} was completed and is ${status}`);
    else if (awarded_to !== worker) run.wrong.push(`task ${id} was completed by ${worker} and is paid to ${awarded_to}`);
  }
  if (status === "SETTLED" && JSON.stringify(result_data) !== '{"name":"Ada"}') run.wrong.push(`task ${id} lost its result`);
}

/**
 * Each account has what it was given and paid in, plus what its settled tasks pay it, less what those that it posted cost; nothing
 * is held. So none is paid twice, or not at all.
 * @param {Run} run @param {readonly any[]} tasks
 */
async function checkBalances(run, tasks) {
  /** @type {Map<string, number>} */
  const due = new Map();
  const add = (/** @type {string} */ account, /** @type {number} */ credits) =>
    due.set(account, (due.get(account) ?? GRANT) + credits);
  for (const [key, credits] of run.toppedUp) add(run.accounts.get(key) ?? "", credits);
  for (const { id, status, awarded_to, awarded_price, max_budget_credits } of tasks) {
    if (status !== "SETTLED") continue;
    const fee = Math.max(1, Math.floor((awarded_price * FEE_PERCENT) / 100));
    const payout = Math.min(awarded_price, max_budget_credits - fee);
    add(awarded_to, payout);
    add(run.accounts.get(run.tasks.get(id)?.owner ?? "") ?? "", -(payout + fee));
  }
  const accounts = [...run.accounts];
  for (let from = 0; from < accounts.length; from += AT_ONCE) {
    await Promise.all(accounts.slice(from, from + AT_ONCE).map(([key, id]) => checkBalance(run, key, due.get(id) ?? GRANT)));
  }
}

/** A payout comes to its worker a moment after the task is SETTLED. @param {Run} run @param {string} key @param {number} due */
async function checkBalance(run, key, due) {
  let told = "";
  for (const until = Date.now() + END_MS; Date.now() < until; await wait(100)) {
    const { body } = await run.call("GET", "/credits/balance", undefined, key);
    if (body.credits_balance === due && body.credits_frozen === 0) return;
    told = `${body.credits_balance} NC and ${body.credits_frozen} held`;
  }
  run.wrong.push(`account ${run.accounts.get(key)} has ${told}, and should have ${due}`);
}
