/**
 * The actor of XState that an entity runs on: facts are sent to it, and what it emits comes back.
 *
 * L1  Nothing is emitted twice: the facts that a state is loaded from are replayed before anybody listens.
 * L2  An actor whose action has thrown is over. Its error is thrown here, to whoever sent the fact: XState throws an error that
 *     nobody subscribed to from a timer of its own, where it would end the process.
 */
import { type Actor, type AnyMachineSnapshot, createActor, type InspectionEvent } from "xstate";
import type { Effect } from "../../machines/effect.ts";
import type { AnyEntity, AnyFact } from "../../machines/entity.ts";
import type { Logic } from "../../machines/statechart.ts";

/** Hears all that live actors do: for development only. */
export type Inspect = (event: InspectionEvent) => void;

export class LiveActor {
  readonly #actor: Actor<Logic>;
  #listening = false;
  #emitted: Effect[] = [];

  /** Of a new entity, or of one as it is in `state`. */
  constructor({ logic }: AnyEntity, id: string, state: AnyMachineSnapshot | undefined, inspect: Inspect | undefined) {
    const from = state === undefined ? {} : { snapshot: state };
    this.#actor = createActor(logic, { id, input: { id }, ...from, ...(inspect === undefined ? {} : { inspect }) });
    this.#actor.subscribe({ error: () => {} });
    this.#actor.start();
  }

  get state(): AnyMachineSnapshot {
    return this.#actor.getSnapshot();
  }

  /** Takes a fact in that happened before (L1). Throws as send() does. */
  replay(fact: AnyFact): void {
    this.#take(fact);
  }

  /** Takes a fact in and gives what it emits. Throws what an action throws, and on a fact that does not fit: then this is over. */
  send(fact: AnyFact): readonly Effect[] {
    if (!this.#listening) this.#actor.on("*", (effect) => this.#emitted.push(effect));
    this.#listening = true;
    this.#emitted = [];
    this.#take(fact);
    return this.#emitted;
  }

  /** For an actor that leaves memory. */
  stop(): void {
    this.#actor.stop();
  }

  #take(fact: AnyFact): void {
    this.#actor.send(fact);
    const { status, error } = this.#actor.getSnapshot();
    if (status === "error") throw error;
  }
}
