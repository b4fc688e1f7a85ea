/** What a linter cannot say about the source. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { VERSION } from "../src/app/version.ts";
import { flagsOf } from "./support/platform.mjs";

const LINES_MAX = 400;
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"]).toString().trim().split("\n");
const source = files.filter((file) => /\.(ts|mjs|js)$/.test(file)).map((file) => ({ file, text: readFileSync(file, "utf8") }));
const ours = source.filter(({ file }) => !file.startsWith("test/"));

test("no file is longer than 400 lines", () => {
  expect(source.filter(({ text }) => text.split("\n").length > LINES_MAX).map(({ file }) => file)).toEqual([]);
});

test("SQL is in src/adapters/postgres and nowhere else", () => {
  const sql = /\b(select\s+[\w*,\s"()]+\s+from|insert\s+into|delete\s+from|update\s+\w+\s+set|create\s+table)\b/i;
  const found = ours.filter(({ file, text }) => !file.startsWith("src/adapters/postgres/") && sql.test(text));
  expect(found.map(({ file }) => file)).toEqual([]);
});

test("machines and actors read no clock and no dice", () => {
  const pure = ours.filter(({ file }) => /^(machines|actors)\//.test(file));
  expect(pure.length).toBeGreaterThan(20);
  const found = pure.filter(({ text }) => /Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|randomUUID/.test(text));
  expect(found.map(({ file }) => file)).toEqual([]);
});

test("the folder of each entity has the same rooms", () => {
  const rooms = ["changes", "commands", "decide", "events", "index", "machine", "protocol", "replies", "snapshot", "state"];
  const missing = ["account", "batch", "task"].flatMap((entity) => rooms.map((room) => `machines/${entity}/${room}.ts`));
  expect(missing.filter((file) => !files.includes(file))).toEqual([]);
});

test("V8 gets the same flags however the platform is started", () => {
  const flags = flagsOf("bin/nexus.js").join(" ");
  expect(flags).not.toBe("");
  const text = (file: string) => readFileSync(file, "utf8");
  expect(text("package.json")).toContain(`&& node ${flags} bin/nexus.js start"`);
  expect(text("Dockerfile")).toContain(`\nENV NODE_OPTIONS=${flags}\n`);
  expect(text("docs/operating.md")).toContain(`\`${flags}\``);
});

test("nothing is left to be done later", () => {
  const marks = new RegExp(["TO" + "DO", "FIX" + "ME", "X" + "XX"].map((mark) => `\\b${mark}\\b`).join("|"));
  expect(source.filter(({ text }) => marks.test(text)).map(({ file }) => file)).toEqual([]);
});

test("the version is the package's", () => {
  expect(VERSION).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
});
