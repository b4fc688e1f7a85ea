import { Problem } from "../http/problems.ts";
import type { ActionRow } from "../ports/operators.ts";
import type { Services } from "../services.ts";

/** Notes what an operator is about to do, does it, and notes what came of it. Rejects as `work` does. */
export async function logged<T>(
  { operators, ids, clock, log }: Services,
  action: Pick<ActionRow, "action" | "target" | "detail">,
  work: () => Promise<T>,
): Promise<T> {
  const id = ids.next();
  await operators.begin({ id, at: clock.now(), ...action });
  const end = (outcome: string) =>
    operators
      .end(action.target, id, outcome)
      .catch((error: unknown) => log.error({ err: error, id }, "an action's outcome could not be noted"));
  try {
    const done = await work();
    await end("done");
    return done;
  } catch (error) {
    await end(error instanceof Problem ? error.code : "FAILED");
    throw error;
  }
}
