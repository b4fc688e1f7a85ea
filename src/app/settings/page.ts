/** The page of all settings, docs/settings.md, as `npm run docs:settings` writes it. */
import { type Setting, settingGroups } from "./settings.ts";

const HEAD = `# Settings

Settings come from the environment, and all of them are optional. \`nexus config\` prints each with the value in force. A wrong value
stops the start with a sentence that names the setting and what it must be; a name that is nearly a setting's (\`DATABASE_URLS\`)
is warned of.

This page is generated from [settings.ts](../src/app/settings/settings.ts) by \`npm run docs:settings\`. See also:
[operating](operating.md), [clustering](clustering.md), [README](../README.md).
`;

function shown(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "";
  return Array.isArray(value) ? value.map((one) => `\`${one}\``).join(", ") : `\`${value}\``;
}

function row({ name, fallback, unit, about }: Setting<unknown>, inProduction: unknown): string {
  const usual = shown(fallback);
  const production = shown(inProduction);
  return `| \`${name}\` | ${usual === production ? usual : `${usual}; in production ${production}`} | ${unit} | ${about} |`;
}

/** Gives the page as Markdown: a table for each group of settings. */
export function settingsPage(): string {
  const inProduction = new Map(
    settingGroups(true).flatMap(({ settings }) => Object.values(settings).map(({ name, fallback }) => [name, fallback])),
  );
  const tables = settingGroups(false).map(({ title, settings }) => {
    const rows = Object.values(settings).map((setting) => row(setting, inProduction.get(setting.name)));
    return [`## ${title}`, "", "| name | default | unit | meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
  });
  return [HEAD, ...tables].join("\n");
}
