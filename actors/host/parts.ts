/**
 * The parts of an actor that its next commit writes: those that differ from what its commits have written before.
 *
 * P1  What is known as written is what was handed to a commit. If one of these fails, the actor drops its state, and this with it.
 * P2  After a load nothing is known as written, so the next commit writes all parts: also those that another version of the
 *     platform, or another schema, has written otherwise.
 */
import type { Part } from "../../machines/entity.ts";

export class WrittenParts {
  readonly #written = new Map<string, Part>();

  /** Those of these parts, as they are now, that differ from what was written. */
  changed(parts: readonly Part[]): readonly Part[] {
    return parts.filter((part) => !isSame(part, this.#written.get(part.id)));
  }

  /** Notes the parts of an entry that is handed to a commit. */
  note(parts: readonly Part[]): void {
    for (const part of parts) this.#written.set(part.id, part);
  }

  /** Knows of nothing any more. */
  forget(): void {
    this.#written.clear();
  }
}

/**
 * Whether two parts have the same fields. What is in a field is compared as a value or by identity, which is quick, and
 * enough: states share what has not changed.
 */
function isSame(part: Part, written: Part | undefined): boolean {
  if (written === undefined) return false;
  const before = new Map<string, unknown>(Object.entries(written));
  const now = Object.entries(part);
  return now.length === before.size && now.every(([field, value]) => before.has(field) && Object.is(before.get(field), value));
}
