import { expect, test } from "vitest";
import { openLog } from "../../src/adapters/system/log.ts";

function lines(isTTY: boolean) {
  const written: string[] = [];
  const log = openLog("info", { isTTY, write: (text) => written.push(text) });
  return { log, written };
}
const key = "a".repeat(64);

test("a log that nobody watches is JSON, one line for each event", () => {
  const { log, written } = lines(false);
  log.info({ port: 8000, api_key: key }, "it answers");
  log.debug({}, "not this");
  expect(written).toHaveLength(1);
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ level: 30, port: 8000, api_key: "[secret]", msg: "it answers" });
});

test("a log on a terminal is for people, and masks the same", () => {
  const { log, written } = lines(true);
  log.warn({ port: 8000, body: { api_key: key }, note: "two words" }, "it answers");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  const [plain] = written.map((line) => line.replaceAll(/\x1b\[\d+m/g, ""));
  expect(plain).toMatch(/^\d\d:\d\d:\d\d warn {2}it answers {2}port=8000 body=\{"api_key":"\[secret\]"\} note=two words\n$/);
});

test("an error keeps its stack on a terminal", () => {
  const { log, written } = lines(true);
  log.error({ err: new Error("the disk is full") }, "it failed");
  expect(written.join("")).toMatch(/it failed\n {4}Error: the disk is full\n {8}at /);
});

test("what a stranger sent does not steer the terminal", () => {
  const { log, written } = lines(true);
  log.info({ path: "/\x1b[2Ja\nb\u009bc" }, "re\x07quest");
  expect(written.join("")).toContain("re\\u0007quest");
  expect(written.join("")).toMatch(/path=\/\\u001b\[2Ja\\nb[^\n]*c/);
});
