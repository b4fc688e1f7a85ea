/**
 * At whose fault a task has ended without a result (design: Trust). Whether a worker or the task was wrong is not known when an award
 * fails, so its penalty holds at once, and is taken back when the end of the task shows that it was the task.
 *
 * F1  Settled: somebody could do it, and all penalties stay.
 * F2  Ended otherwise, after results of WITNESSES proven workers of different identities were judged and found wrong: the penalties
 *     of all its failed awards are taken back (UNSOLVED). Also where its requester cancels it then, so that this is no way out.
 *     Silence says nothing about a task: an award that ran out, or was given back, before a result makes nobody a witness.
 * F3  Judging that is killed at its deadline KILLED_MAX times ends it. The worker in charge has no penalty; those of earlier ones
 *     whose results were not judged either are taken back (TOO_EXPENSIVE).
 * F4  What cost nothing is not taken back, and whom to excuse is in the fact of the end, so it is told once.
 */
import type { Excused, ExcuseReason, TaskFact } from "./events.ts";
import type { Failure } from "./state.ts";

/** How many proven workers must have tried. */
const WITNESSES = 2;
/** How often judging a task's results may be killed. */
export const KILLED_MAX = 2;

/** Whether an award that ended so cost its worker something. */
export function isPenalised({ how }: Pick<Failure, "how">): boolean {
  return how !== "FREE" && how !== "UNDELIVERED";
}

type End = Extract<TaskFact, { readonly type: "Expired" | "Cancelled" }>;

/**
 * Whether a task with these failures that ends so, without a result, counts in its requester's score: after an award that cost its
 * worker something, or because judging was killed. An award that an operator ends says nothing about the requester.
 */
export function countsInScore(failures: readonly Failure[], end: End): boolean {
  return failures.some(isPenalised) || (end.type === "Expired" && end.code !== undefined);
}

/** Those whose penalties are taken back if a task with these failures ends now without a result. */
function excusedFor(failures: readonly Failure[], isTooExpensive = false): readonly Excused[] {
  const witnesses = new Set(failures.flatMap(({ witness }) => (witness === undefined ? [] : [witness])));
  const reasonFor = ({ killed }: Failure): ExcuseReason | undefined => {
    if (witnesses.size >= WITNESSES) return "UNSOLVED";
    return isTooExpensive && killed === true ? "TOO_EXPENSIVE" : undefined;
  };
  return failures.filter(isPenalised).flatMap((failure) => {
    const reason = reasonFor(failure);
    const outcome = failure.code === "TIMEOUT" ? "TIMED_OUT" : "FAILED_VALIDATION";
    return reason === undefined ? [] : [{ worker: failure.worker, outcome, reason }];
  });
}

/** The field of a fact that ends a task: absent where nobody is excused. */
export function excusing(failures: readonly Failure[], isTooExpensive = false): { readonly excused?: readonly Excused[] } {
  const excused = excusedFor(failures, isTooExpensive);
  return excused.length === 0 ? {} : { excused };
}
