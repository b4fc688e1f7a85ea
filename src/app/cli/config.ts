import { settingsInForce, warnings } from "../settings/config.ts";
import { settingsPage } from "../settings/page.ts";

/** Prints every setting with the value in force, secrets masked; or, as Markdown, the page of all settings with their defaults. */
export function runConfig({ markdown = false }: { readonly markdown?: boolean }): void {
  if (markdown) {
    process.stdout.write(settingsPage());
    return;
  }
  for (const { name, value, unit, about, from } of settingsInForce(process.env)) {
    process.stdout.write(`${name}=${value}\n    ${about} (${unit}; ${from})\n`);
  }
  for (const warning of warnings(process.env)) process.stderr.write(`${warning}\n`);
}
