/**
 * The XState actor that an entity runs on: facts are sent to it, and it emits effects.
 *
 * L1  Nothing is emitted twice: loaded facts are replayed before anybody listens.
 * L2  An actor whose action has thrown is stopped. Its error is thrown to the sender of the fact: XState would throw an error
 *     without a subscriber from a timer of its own, where it would end the process.
 */
import { type Actor, type AnyMachineSnapshot, createActor, type InspectionEvent } from "xstate";
import type { Effect } from "../../machines/effect.ts";
import type { AnyEntity } from "../../machines/entity.ts";
import type { AnyFact } from "../../machines/fact.ts";
import type { Logic } from "../../machines/statechart.ts";

/** Observes everything that live actors do; for development only. */
export type Inspect = (event: InspectionEvent) => void;

export class LiveActor {
  readonly #actor: Actor<Logic>;
  #listening = false;
  #emitted: Effect[] = [];

  /** Creates the actor of a new entity, or of one with this state. */
  constructor(
    { logic }: Pick<AnyEntity, "logic">,
    id: string,
    state: AnyMachineSnapshot | undefined,
    inspect: Inspect | undefined,
  ) {
    const from = state === undefined ? {} : { snapshot: state };
    this.#actor = createActor(logic, { id, input: { id }, ...from, ...(inspect === undefined ? {} : { inspect }) });
    this.#actor.subscribe({ error: () => {} });
    this.#actor.start();
  }

  get state(): AnyMachineSnapshot {
    return this.#actor.getSnapshot();
  }

  /** Replays a fact that happened before (L1). Throws as send() does. */
  replay(fact: AnyFact): void {
    this.#take(fact);
  }

  /**
   * Applies a fact and gives the effects. Throws what an action throws, and on a fact that does not fit; the actor is stopped
   * then.
   */
  send(fact: AnyFact): readonly Effect[] {
    if (!this.#listening) this.#actor.on("*", (effect) => this.#emitted.push(effect));
    this.#listening = true;
    this.#emitted = [];
    this.#take(fact);
    return this.#emitted;
  }

  /** Stops the actor: it was evicted, its commit failed, or its shard was given up. An inspector would show it as alive for ever. */
  stop(): void {
    this.#actor.stop();
  }

  #take(fact: AnyFact): void {
    this.#actor.send(fact);
    const { status, error } = this.#actor.getSnapshot();
    if (status === "error") throw error;
  }
}
