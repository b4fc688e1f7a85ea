/** The tags of a task's chart, by which everybody knows what a status means: lists, books, streams, rows. */
import { expect, test } from "vitest";
import { BIDDING_STATUSES, hasEnded, isAwarded, TERMINAL_STATUSES, takesBids } from "../../machines/task/tags.ts";
import { TASK_STATUSES, type TaskStatus, type TerminalStatus } from "../../machines/vocabulary.ts";

type Kind = "open" | "awarded" | "ended" | "none";

const KINDS: { readonly [S in TaskStatus]: S extends TerminalStatus ? "ended" : Kind } = {
  CREATED: "none",
  ROUTING: "open",
  PENDING_POOL: "open",
  AWARDED: "awarded",
  EXECUTING: "awarded",
  REJECTED: "awarded",
  COMPLETED: "none",
  FAILED: "none",
  TIMED_OUT: "none",
  SETTLED: "ended",
  EXPIRED: "ended",
  CANCELLED: "ended",
};

test.each(TASK_STATUSES)("%s takes bids, is a worker's or has ended as the guide says", (status) => {
  const kind: Kind = KINDS[status];
  expect(takesBids(status)).toBe(kind === "open");
  expect(isAwarded(status)).toBe(kind === "awarded");
  expect(hasEnded(status)).toBe(kind === "ended");
});

test("the lists of statuses are of the same tags, in the order in which the guide names them", () => {
  expect(BIDDING_STATUSES).toEqual(["ROUTING", "PENDING_POOL"]);
  expect(TERMINAL_STATUSES).toEqual(["SETTLED", "EXPIRED", "CANCELLED"]);
});
