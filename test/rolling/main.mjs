/**
 * A cluster of an older version becomes one of this, under load:
 *
 *   npm run rolling -- [--from 04646c0] [--clients 10]
 */
import { parseArgs } from "node:util";
import { buildCommit } from "./checkout.mjs";
import { rolling } from "./run.mjs";

const { values } = parseArgs({
  options: { from: { type: "string", default: "04646c0" }, clients: { type: "string", default: "10" } },
});
try {
  const { entry, remove } = buildCommit(values.from);
  const started = Date.now();
  const print = (/** @type {string} */ line) => console.log(`${Math.round((Date.now() - started) / 1_000)} s  ${line}`);
  try {
    const report = await rolling({ entry, clients: Number(values.clients), print });
    console.log(
      JSON.stringify(
        { ...report, seconds: Math.round((Date.now() - started) / 1_000), wrong: [...new Set(report.wrong)].slice(0, 20) },
        null,
        2,
      ),
    );
    process.exitCode = report.wrong.length === 0 ? 0 : 1;
  } finally {
    remove();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
