/**
 * How XState runs our statecharts: facts go in, effects come out as emitted events, and states are stored as plain JSON.
 *
 * M1  A fact that does not fit the state is an error of the actor and not ignored: decide() must never give one.
 * M2  A context is data and nothing else. Whenever XState saves or restores a context, it searches it for references to actors,
 *     recognised by their field names, and replaces them; a worker's result {"xstate$$type": 1} would be lost. Our contexts
 *     contain no actors, but they contain strangers' JSON.
 */
import {
  type ActorLogic,
  type ActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  createActor,
  type MachineContext,
} from "xstate";
import type { Effect } from "./effect.ts";
import type { AnyFact } from "./fact.ts";
import { NewerFormat } from "./formats.ts";

/** The input of a machine: the id of its entity. */
interface Input {
  readonly id: string;
}

type System = ActorScope<AnyMachineSnapshot, AnyFact>["system"];

/** A machine as a host runs it: `createActor(logic, { input: { id } })`, or with a stored state as `snapshot`. */
export type Logic = ActorLogic<AnyMachineSnapshot, AnyFact, Input, System, Effect>;

/** Gives the logic of a machine with M1 and M2. */
export function logicOf(machine: AnyStateMachine): Logic {
  return {
    transition: (state, fact, scope) => {
      const next = machine.transition(state, fact, scope);
      // A fact that fits has an action, and so a new state; one that no transition takes leaves the same object. A stop of the
      // actor gives a new one as well.
      if (next === state) {
        throw new Error(`a ${machine.id} that is ${JSON.stringify(state.value)} cannot take the fact ${fact.type}`);
      }
      return next;
    },
    getInitialSnapshot: (scope, input) => machine.getInitialSnapshot(scope, input),
    getPersistedSnapshot: persisted,
    restoreSnapshot: (stored) => machine.resolveState({ value: "", context: {}, ...stored }),
  };
}

/** The shape in which XState stores a machine, with its context untouched. Our actors never reach a final state. */
export function persisted({ value, context }: AnyMachineSnapshot) {
  return { status: "active", value, context, output: undefined, error: undefined, children: {}, historyValue: {} } as const;
}

/** Gives a stored state as XState resolves it, which throws only on a state that the chart does not have: NewerFormat then. */
export function orNewer<S>(entity: string, resolve: () => S): S {
  try {
    return resolve();
  } catch (cause) {
    throw new NewerFormat(`a newer NexusToken wrote the snapshot of this ${entity}`, { cause });
  }
}

/** The state after a fact, and what the fact leads to. */
export interface Evolution<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/** Applies one fact outside a host, for code that only reads. Throws what an action throws, and on a fact that does not fit. */
export function evolve(logic: Logic, state: AnyMachineSnapshot, fact: AnyFact): Evolution<AnyMachineSnapshot> {
  const effects: Effect[] = [];
  const actor = createActor(logic, { snapshot: state, input: { id: "" } });
  actor.on("*", (effect) => effects.push(effect));
  // XState throws an error without a subscriber from a timer of its own.
  actor.subscribe({ error: () => {} });
  actor.start().send(fact);
  const next = actor.getSnapshot();
  if (next.status === "error") throw next.error;
  return { state: next, effects };
}

/**
 * Makes actions from changes: `on(type, change)` is the action by which facts of these types, and no others, change the
 * context.
 */
export function changesOf<C extends MachineContext, F extends AnyFact>() {
  return <T extends F["type"]>(
    type: T | readonly T[],
    change: (context: C, fact: Extract<F, { readonly type: T }>) => Partial<C>,
  ) => {
    const expected: readonly string[] = typeof type === "string" ? [type] : type;
    const isExpected = (fact: F): fact is Extract<F, { readonly type: T }> => expected.includes(fact.type);
    return assign<C, F, undefined, F, never>(({ context, event }) => {
      if (!isExpected(event)) throw new Error(`${event.type} is not what this action is for`);
      return change(context, event);
    });
  };
}
