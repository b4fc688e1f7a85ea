import { StoreUnavailable } from "../../../actors/ports/journal.ts";
import { type Database, inTime } from "./pool.ts";

/** A reachable server answers within this time (ms). If something else answers or hangs up, the driver would retry for ever. */
const ANSWER_MS_MAX = 10_000;
const NO_ANSWER = "NO_ANSWER";

/** Checks that each database answers and can store any text. Throws an Error with a sentence for the operator, without the password. */
export async function probe(databases: readonly Database[], urls: readonly string[]): Promise<void> {
  await Promise.all(
    databases.map(async (database, index) => {
      const named = `DATABASE_URL (${shown(urls[index] ?? "")})`;
      let encoding: string | undefined;
      try {
        const asked = database<{ encoding: string }[]>`select current_setting('server_encoding') as encoding`;
        const [row] = await inTime(asked, ANSWER_MS_MAX);
        encoding = row?.encoding;
      } catch (error) {
        throw new Error(`${named}: ${whyNot(error)}`, { cause: error });
      }
      // In other encodings one emoji would make an entry that cannot be written.
      if (encoding !== "UTF8") {
        throw new Error(
          `${named}: its encoding is ${encoding}, which cannot hold every text; make a database with \`create database nexus encoding 'UTF8' template template0\`, and name that.`,
        );
      }
    }),
  );
}

/** A URL without user and password. */
function shown(url: string): string {
  return url.replace(/^postgres(ql)?:\/\/([^/]*@)?/, "").replace(/\?.*$/, "");
}

function whyNot(error: unknown): string {
  const known = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (error instanceof StoreUnavailable ? NO_ANSWER : known) {
    case "28P01":
    case "28000":
      return "it refuses this user; check the user and the password.";
    case "3D000":
      return "there is no database of this name; create it, or correct the name.";
    case "53300":
      return "it has no connection to spare; raise its max_connections, or lower DATABASE_CONNECTIONS.";
    case NO_ANSWER:
    case "CONNECTION_CLOSED":
    case "ECONNRESET":
    case "EPIPE":
      return "what is there does not answer as PostgreSQL does; correct the address, or see what keeps it busy.";
    case "ECONNREFUSED":
    case "CONNECT_TIMEOUT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EHOSTUNREACH":
    case "ETIMEDOUT":
      return "nobody answers there; start PostgreSQL, or correct the address.";
    default:
      return `it cannot be used (${error instanceof Error ? error.message : String(error)}).`;
  }
}
