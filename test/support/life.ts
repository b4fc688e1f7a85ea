/** The life of one entity, told by its commands: each test gives moments that differ, so that one cannot stand for another. */

import type { EntityKind } from "../../machines/address.ts";
import type { Effect } from "../../machines/effect.ts";
import type { Decision } from "../../machines/entity.ts";
import { isRefusal, type Refusal } from "../../machines/refusal.ts";

/** What lives: how it decides and what its facts lead to. */
interface Decider<S, C, F extends { readonly type: string }> {
  initial(id: string): S;
  decide(state: S, command: C, at: number, arrived: number): Decision<F, unknown> | Refusal;
  evolve(state: S, fact: F): { readonly state: S; readonly effects: readonly Effect[] };
}

/** All that one command has led to. */
export interface Step<F> {
  readonly facts: readonly F[];
  readonly effects: readonly Effect[];
  /** The facts' types with + between. */
  readonly types: string;
  readonly decision: Decision<F & { readonly type: string }, unknown>;
}

export class Life<S, C, F extends { readonly type: string }> {
  readonly #entity: Decider<S, C, F>;
  state: S;

  constructor(entity: Decider<S, C, F>, id: string) {
    this.#entity = entity;
    this.state = entity.initial(id);
  }

  /** Another life that has come as far. */
  fork(): Life<S, C, F> {
    const other = new Life(this.#entity, "");
    other.state = this.state;
    return other;
  }

  /** Has a command taken at `at`; throws when it is refused. */
  do(command: C, at: number, arrived = at): Step<F> {
    const decision = this.#entity.decide(this.state, command, at, arrived);
    if (isRefusal(decision)) throw new Error(`refused: ${decision.refused} ${decision.detail}`);
    const effects: Effect[] = [];
    for (const fact of decision.facts) {
      const evolved = this.#entity.evolve(this.state, fact);
      this.state = evolved.state;
      effects.push(...evolved.effects);
    }
    const { facts } = decision;
    return { facts, effects, types: facts.map(({ type }) => type).join("+"), decision };
  }

  /** Has one command after the other taken. */
  through(steps: readonly (readonly [C, number])[]): this {
    for (const [command, at] of steps) this.do(command, at);
    return this;
  }

  /** The code with which a command is refused, or the facts' types with + between when it is taken; nothing happens. */
  tries(command: C, at: number, arrived = at): string {
    const decision = this.#entity.decide(this.state, command, at, arrived);
    return isRefusal(decision) ? decision.refused : decision.facts.map(({ type }) => type).join("+");
  }

  /** How a command is refused; throws when it is taken. Nothing happens. */
  refuses(command: C, at: number, arrived = at): Refusal {
    const decision = this.#entity.decide(this.state, command, at, arrived);
    if (!isRefusal(decision)) throw new Error(`taken: ${decision.facts.map(({ type }) => type).join("+")}`);
    return decision;
  }
}

/** What the effect of a message to an actor is expected to be. */
export function tell(kind: EntityKind, id: string, command: { readonly type: string; readonly [field: string]: unknown }) {
  return { type: "tell", to: { kind, id }, command };
}

export const remind = (name: string, at: number): Effect => ({ type: "remind", name, at });
export const forget = (name: string): Effect => ({ type: "forget", name });
