/**
 * Changes the source in small ways, one at a time, and tells which changes no test notices: `npm run mutation [-- part ...]`,
 * `npm run mutation -- --ci` for the parts that CI holds to their floor. What was found is kept in `reports/mutation/`, so that
 * the next run only tries what has changed; the page there shows each change that went unnoticed.
 */
import { spawnSync } from "node:child_process";
import { CI, PARTS } from "./parts.mjs";

const asked = process.argv.slice(2);
const names = asked.includes("--ci") ? CI : asked.length > 0 ? asked : Object.keys(PARTS);

for (const name of names) {
  if (PARTS[name] === undefined) {
    console.error(`There is no part ${name}; there are: ${Object.keys(PARTS).join(", ")}.`);
    process.exit(2);
  }
}
const failed = names.filter((name) => {
  const env = { ...process.env, MUTATION_PART: name, MUTATION_TESTS: PARTS[name]?.tests.join(" ") };
  const { status } = spawnSync("npx", ["stryker", "run", "test/mutation/stryker.config.mjs"], { stdio: "inherit", env });
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`Below the floor, or not to be run: ${failed.join(", ")}. What went unnoticed is in reports/mutation/.`);
  process.exitCode = 1;
}
