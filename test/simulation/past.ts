/** What each actor was, and when: its facts, replayed up to every decision that the store took. */
import { account } from "../../machines/account/index.ts";
import type { AccountSnapshot } from "../../machines/account/machine.ts";
import { addressKey, type EntityKind } from "../../machines/address.ts";
import { batch } from "../../machines/batch/index.ts";
import type { BatchSnapshot } from "../../machines/batch/machine.ts";
import type { Entity } from "../../machines/entity.ts";
import type { AnyFact, StoredFact } from "../../machines/fact.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import type { PlacedBid } from "../../machines/task/events.ts";
import { task } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Store } from "./store.ts";
import { stripped } from "./versions.ts";

/** From when to when, in ms of simulated time. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** A state that was committed, and how long it was the newest one. */
export interface Stood<S> extends Span {
  readonly state: S;
}

/** As much of an entity as its past is replayed with. */
type Fold<S, F extends AnyFact> = Pick<Entity<EntityKind, S, F, unknown>, "kind" | "initial" | "upcast" | "evolve">;

export interface Done {
  readonly command: CarriedCommand;
  readonly commandId: string;
}

/**
 * Whether a fact is what a command did. A bid that can win at once is placed by what its worker's account says, and so is an
 * award given back in its first seconds: the account's yes may come by message before its answer.
 */
export function isTraceOf({ cause, type, body }: StoredFact & { readonly cause: string | null }, { command, commandId }: Done) {
  if (cause === commandId) return true;
  if (command.type === "bid") return type === "BidPlaced" && (body as { readonly bid: PlacedBid }).bid.id === command.bid;
  // Who has passed or withdrawn its bid in this round passes again without a word.
  const isOwn = () => (body as { readonly worker: AccountId }).worker === ("worker" in command ? command.worker : undefined);
  if (command.type === "pass") return (type === "Passed" || type === "BidWithdrawn") && isOwn();
  if (command.type !== "giveBack") return false;
  return type === "AwardReturned" && (body as { readonly worker: AccountId }).worker === command.worker;
}

export class Past {
  readonly #store: Store;
  readonly #tasks = new Map<string, readonly Stood<TaskSnapshot>[]>();
  readonly #accounts = new Map<string, readonly Stood<AccountSnapshot>[]>();
  readonly #batches = new Map<string, readonly Stood<BatchSnapshot>[]>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What a task was within a span of time. */
  task(id: string, span: Span): readonly TaskSnapshot[] {
    return within(
      kept(this.#tasks, id, () => this.#replay(task, id)),
      span,
    );
  }

  account(id: string, span: Span): readonly AccountSnapshot[] {
    return within(
      kept(this.#accounts, id, () => this.#replay(account, id)),
      span,
    );
  }

  batch(id: string, span: Span): readonly BatchSnapshot[] {
    return within(
      kept(this.#batches, id, () => this.#replay(batch, id)),
      span,
    );
  }

  /** When what a command did was committed (ms of simulated time); undefined when it did nothing. */
  doneAt(kind: EntityKind, id: string, { command, commandId }: Done): number | undefined {
    const key = addressKey({ kind, id });
    const at = this.#store.journal.actors.get(key)?.facts.findIndex((fact) => isTraceOf(fact, { command, commandId })) ?? -1;
    return this.#store.committedAt.get(key)?.[at];
  }

  /** What is decided at once is committed at once, so the states between the facts of one decision never were. */
  #replay<S, F extends AnyFact>(entity: Fold<S, F>, id: string): readonly Stood<S>[] {
    const key = addressKey({ kind: entity.kind, id });
    const facts = this.#store.journal.actors.get(key)?.facts ?? [];
    const times = this.#store.committedAt.get(key) ?? [];
    const states: { readonly state: S; readonly from: number }[] = [{ state: entity.initial(id), from: 0 }];
    let state = entity.initial(id);
    for (const [index, fact] of facts.entries()) {
      state = entity.evolve(state, entity.upcast(stripped(fact, FORMATS[entity.kind]))).state;
      const next = facts[index + 1];
      if (next === undefined || next.part === 0) states.push({ state, from: times[index] ?? 0 });
    }
    return states.map((one, index) => ({ ...one, until: states[index + 1]?.from ?? Number.POSITIVE_INFINITY }));
  }
}

function kept<S>(known: Map<string, readonly Stood<S>[]>, id: string, replay: () => readonly Stood<S>[]) {
  const states = known.get(id) ?? replay();
  known.set(id, states);
  return states;
}

function within<S>(states: readonly Stood<S>[], { from, until }: Span): readonly S[] {
  return states.filter((stood) => stood.from <= until && stood.until >= from).map(({ state }) => state);
}
