/**
 * Two versions of the platform in one simulated cluster: today's code, and one of tomorrow that reads and writes the next
 * format of every entity, which today's cannot read.
 */

import type { Books, StoredHistory } from "../../machines/audit/books.ts";
import type { AnyEntity } from "../../machines/entity.ts";
import type { StoredFact } from "../../machines/fact.ts";
import { BASE_FORMATS, FORMATS, type Formats } from "../../machines/formats.ts";

/** What tomorrow's code reads. */
const TOMORROW: Formats = { task: FORMATS.task + 1, account: FORMATS.account + 1, batch: FORMATS.batch + 1 };

/** Older than the oldest: what a member reads that publishes nothing. */
export type Version = "tomorrow" | "today" | "before";

export const PUBLISHED: { readonly [V in Version]: Formats | null } = { tomorrow: TOMORROW, today: FORMATS, before: null };

/** The entity as tomorrow's code has it: the same, in other clothes. */
export function tomorrow(entity: AnyEntity): AnyEntity {
  const newest = FORMATS[entity.kind];
  return {
    ...entity,
    upcast: (stored) => entity.upcast(stripped(stored, newest)),
    persist: (state, format) => (format > newest ? { tomorrow: entity.persist(state, newest) } : entity.persist(state, format)),
    restore: (id, stored) => entity.restore(id, undressed(stored)),
  };
}

/** The entity as a version has it that reads these formats and no more; `unreadable` is told when it is given more. */
export function upTo(formats: Formats | null, entity: AnyEntity, unreadable: (what: string) => void): AnyEntity {
  const newest = (formats ?? BASE_FORMATS)[entity.kind];
  const fail = (what: string): never => {
    unreadable(`a node of an older version was given ${what} that it cannot read`);
    throw new Error(`${what} cannot be read`);
  };
  return {
    ...entity,
    upcast: (stored) => (stored.version > newest ? fail(`a fact of a ${entity.kind}`) : entity.upcast(stored)),
    restore: (id, stored) => (isTomorrows(stored) ? fail(`a snapshot of a ${entity.kind}`) : entity.restore(id, stored)),
  };
}

/** Books as today's code can audit them, whatever version wrote them. */
export function booksOfToday(books: Books): Books {
  return {
    ...books,
    async *actors(kind) {
      for await (const history of books.actors(kind)) yield { ...history, ...read(history, FORMATS[kind]) };
    },
  };
}

function read({ facts, snapshot }: StoredHistory, newest: number): Pick<StoredHistory, "facts" | "snapshot"> {
  return {
    facts: (async function* () {
      for await (const fact of facts) yield stripped(fact, newest);
    })(),
    snapshot: snapshot === null ? null : { ...snapshot, state: undressed(snapshot.state) },
  };
}

/** A fact as the newest format of today has it. */
export function stripped(stored: StoredFact, newest: number): StoredFact {
  return { ...stored, version: Math.min(stored.version, newest) };
}

function isTomorrows(stored: unknown): stored is { readonly tomorrow: unknown } {
  return typeof stored === "object" && stored !== null && "tomorrow" in stored;
}

function undressed(stored: unknown): unknown {
  return isTomorrows(stored) ? stored.tomorrow : stored;
}
