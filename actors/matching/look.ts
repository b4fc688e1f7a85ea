/** What a matcher answers who asks about a task: who is online for it, and whether somebody would take it. */
import type { Look } from "../../machines/matcher/protocol.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { mayHave } from "./candidates.ts";
import { whyUnmatched } from "./notices.ts";
import { type Known, type Queue, shownAsKnown } from "./queue.ts";
import { MATCHING } from "./vocabulary.ts";
import { priceOf } from "./wait.ts";
import type { Waiters } from "./waiters.ts";

type Question = CommandOf<"matcher", "look">;

/** Gives what is known about a task that is here, or, without one, about such a task of the asking account. */
export function lookAt({ task, worker, ...terms }: Question, queue: Queue, waiters: Waiters, going: number | null): Look {
  const known = (task === null ? undefined : queue.get(task)) ?? shownAsKnown({ ...terms, requester: worker });
  let eligible = 0;
  let looked = 0;
  for (const wait of waiters.all()) {
    looked += 1;
    if (looked > MATCHING.lookAheadMax) break;
    if (mayHave(known, wait, priceOf(wait, known.task))) eligible += 1;
  }
  const unmatched = eligible > 0 ? null : (whyUnmatched(known, waiters) ?? null);
  return { present: waiters.present, eligible, unmatched, unanswered: unansweredBut(worker, known, waiters), going };
}

/** Who bids by hand, may have the task and has not answered, this worker aside. */
function unansweredBut(worker: string, known: Known, waiters: Waiters): Look["unanswered"] {
  if (waiters.countByHand > MATCHING.manualMax) return null;
  return [...waiters.byHand()]
    .filter((wait) => wait.worker.id !== worker && mayHave(known, wait, null))
    .map((wait) => wait.worker.id);
}
