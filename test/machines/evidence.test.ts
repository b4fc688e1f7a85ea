/** A task that turns out to have been done wrong, among the latest ones of a worker. */
import { expect, test } from "vitest";
import { evidenceOf, LATEST_MAX, withoutFailedTask, withoutSuccess, withTask } from "../../machines/market/evidence.ts";

const all = (...tasks: readonly (readonly ["failed" | "settled" | "first", string])[]) =>
  tasks.reduce((latest, [ending, requester]) => withTask(latest, ending, requester), "");

test("the last success of a requester becomes a failure, wherever it stands, and no other task changes", () => {
  expect(withoutSuccess(all(["first", "a"], ["settled", "b"], ["first", "c"]), "b")).toBe(
    all(["first", "a"], ["failed", "b"], ["first", "c"]),
  );
  expect(withoutSuccess(all(["first", "a"], ["first", "b"]), "a")).toBe(all(["failed", "a"], ["first", "b"]));
  expect(withoutSuccess(all(["first", "b"], ["first", "a"]), "a")).toBe(all(["first", "b"], ["failed", "a"]));
  expect(withoutSuccess(all(["settled", "a"], ["first", "a"]), "a")).toBe(all(["settled", "a"], ["failed", "a"]));
});

test("one that has failed already is passed over, and one that is not there changes nothing", () => {
  expect(withoutSuccess(all(["first", "a"], ["failed", "a"]), "a")).toBe(all(["failed", "a"], ["failed", "a"]));
  const failed = all(["failed", "a"], ["first", "b"]);
  expect(withoutSuccess(failed, "a")).toBe(failed);
  expect(withoutSuccess("", "a")).toBe("");
});

test("a failure that is taken back is in the evidence no more, and the order of the others stays", () => {
  expect(withoutFailedTask(all(["failed", "a"], ["first", "b"], ["failed", "a"]), "a")).toBe(
    all(["failed", "a"], ["first", "b"]),
  );
  expect(withoutFailedTask(all(["failed", "a"], ["first", "b"]), "a")).toBe(all(["first", "b"]));
  expect(withoutFailedTask(all(["first", "a"]), "a")).toBe(all(["first", "a"]));
});

test("the oldest success can be found wrong too, as long as it is among the latest", () => {
  let latest = withTask("", "first", "house");
  for (let n = 1; n < LATEST_MAX; n += 1) latest = withTask(latest, "first", `r${n % 7}`);
  const seen = (text: string) =>
    evidenceOf({ finished: LATEST_MAX, settled: LATEST_MAX - 1, firstTry: LATEST_MAX - 1, latest: text });
  expect(seen(withoutSuccess(latest, "house")).settled).toBeLessThan(1);
  expect(withoutSuccess(withTask(latest, "first", "r1"), "house")).toBe(withTask(latest, "first", "r1"));
});
