import { Problem } from "../http/problems.ts";
import type { ActionRow } from "../ports/operators.ts";
import type { Services } from "../services.ts";

/** Logs an action of an operator, carries it out, and logs the outcome. Rejects as `work` does. */
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
      .catch((error: unknown) => log.error({ err: error, id }, "could not log the outcome of an action"));
  try {
    const done = await work();
    await end("done");
    return done;
  } catch (error) {
    await end(error instanceof Problem ? error.code : "FAILED");
    throw error;
  }
}
