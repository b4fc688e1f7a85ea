import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingsPage } from "../../src/app/settings/page.ts";
import { settingGroups, settings } from "../../src/app/settings/settings.ts";

test("docs/settings.md is what the settings say; `npm run docs:settings` writes it", () => {
  expect(readFileSync("docs/settings.md", "utf8")).toBe(settingsPage());
});

test.each([false, true])("every setting is in one group, with a whole sentence (production: %s)", (production) => {
  const grouped = settingGroups(production).flatMap((group) => Object.values(group.settings));
  expect(grouped.map(({ name }) => name)).toEqual(Object.values(settings(production)).map(({ name }) => name));
  for (const { name, about } of grouped) expect(about, name).toMatch(/^[A-Z`].* .*\.$/);
});

test("a default that differs in production is told twice", () => {
  expect(settingsPage()).toContain("| `HOST` | `127.0.0.1`; in production `0.0.0.0` | address |");
});
