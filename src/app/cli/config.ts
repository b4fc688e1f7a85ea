import { settingsInForce, warnings } from "../settings/config.ts";

/** Prints every setting with the value in force; secrets are masked. */
export function runConfig(): void {
  for (const { name, value, unit, about, from } of settingsInForce(process.env)) {
    process.stdout.write(`${name}=${value}\n    ${about} (${unit}; ${from})\n`);
  }
  for (const warning of warnings(process.env)) process.stderr.write(`${warning}\n`);
}
