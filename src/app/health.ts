/** Whether this process can serve, for health checks. */
import type { Health } from "../../gateway/ports/health.ts";
import { postgresReadModel } from "../adapters/postgres/read-model.ts";
import { systemClock as clock } from "../adapters/system/clock.ts";
import type { Engine, Frame } from "./engine.ts";

const PING_MS = 1_000;
/** A health check of the database is shared by all requests within this time (ms). */
const PING_SHARED_MS = 250;

/** Asks the parts of a process, the database last. */
export function healthOf({ read, bus, ending }: Frame, engine: Engine): Health {
  const reads = postgresReadModel(read, PING_MS);
  let looked: { readonly at: number; readonly answers: Promise<boolean> } | null = null;
  // However often clients ask, the database is asked once in a while.
  const answers = () => {
    if (looked === null || clock.now() - looked.at > PING_SHARED_MS) {
      looked = {
        at: clock.now(),
        answers: reads.ping().then(
          () => true,
          () => false,
        ),
      };
    }
    return looked.answers;
  };
  return {
    async unavailable() {
      if (ending.begun) return "This process is stopping.";
      return (
        bus?.unavailable() ?? engine.unavailable() ?? ((await answers()) ? null : "The database does not answer this process.")
      );
    },
  };
}
