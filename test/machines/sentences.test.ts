/** Machines and actors say what is the case, and leave it to the gateway to name paths and fields. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sentencesOf, wireWordsOf } from "../support/wire-words.ts";

const FILES = ["machines", "actors"].flatMap((room) =>
  readdirSync(room, { recursive: true }).map((name) => `${room}/${String(name)}`),
);

test("no sentence of machines and actors names a path, a method, a header or a field of the API", () => {
  const sentences = FILES.filter((file) => file.endsWith(".ts")).flatMap((file) =>
    sentencesOf(readFileSync(file, "utf8")).map((sentence) => ({ file, sentence })),
  );
  expect(sentences.length).toBeGreaterThan(150);
  expect(sentences.filter(({ sentence }) => wireWordsOf(sentence).length > 0)).toEqual([]);
});

test.each([
  ["/tasks", 'refuse("X", "Check the id that /tasks gave you.")'],
  ["POST", 'refuse("X", "Ask for one with POST and wait.")'],
  ["max_execution_seconds", "refuse('X', `Your \u0024{time(1)} ran out (max_execution_seconds) today.`)"],
  ["Retry-After", "const detail = // why\n  `Try again after \u0024{n} or the time in Retry-After.`;"],
  ["X-API-Key", '/* say "so" */ const text = "Send it as X-API-Key and wait";'],
])("a sentence that names %s is found", (word, source) => {
  expect(sentencesOf(source).flatMap(wireWordsOf)).toEqual([word]);
});

test("comments, and what a template works out, are no sentences", () => {
  expect(sentencesOf('// "the name of max_seconds"\nconst a = `\u0024{row.max_of("a b c")} b`;')).toEqual([]);
});
