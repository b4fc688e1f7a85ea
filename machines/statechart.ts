/**
 * How XState runs our statecharts: facts go in, effects come out as emitted events, and what a state persists as is plain JSON.
 *
 * M1  A fact that does not fit the state that it meets is an error of the actor, not ignored: decide() must never give one.
 * M2  Nothing in a context is taken for more than data. XState looks through a whole context, whenever it is saved or
 *     restored, for references to actors, which it knows by the names of their fields, and puts others in their place; so a
 *     worker's result {"xstate$$type": 1} would be gone. There are no actors in our contexts, but there is strangers' JSON.
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
import type { AnyFact, Evolution } from "./entity.ts";

/** What a machine is made from: the id of what it is about. */
interface Input {
  readonly id: string;
}

type System = ActorScope<AnyMachineSnapshot, AnyFact>["system"];

/** A machine as a host runs it: `createActor(logic, { input: { id } })`, or with a state of it as `snapshot`. */
export type Logic = ActorLogic<AnyMachineSnapshot, AnyFact, Input, System, Effect>;

/** What XState sends an actor that is to stop. */
const STOP = "xstate.stop";

/** Gives the logic of a machine with M1 and M2. */
export function logicOf(machine: AnyStateMachine): Logic {
  return {
    transition: (state, fact, scope) => {
      const next = machine.transition(state, fact, scope);
      // A fact that fits has an action, and so a new state: what no transition took leaves the very same one.
      if (next === state && fact.type !== STOP) {
        throw new Error(`a ${machine.id} that is ${JSON.stringify(state.value)} cannot have ${fact.type} happen to it`);
      }
      return next;
    },
    getInitialSnapshot: (scope, input) => machine.getInitialSnapshot(scope, input),
    getPersistedSnapshot: persisted,
    restoreSnapshot: (stored) => machine.resolveState({ value: "", context: {}, ...stored }),
  };
}

/** The shape in which XState persists a machine, its context untouched. No actor of ours is over before it is dropped. */
export function persisted({ value, context }: AnyMachineSnapshot) {
  return { status: "active", value, context, output: undefined, error: undefined, children: {}, historyValue: {} } as const;
}

/** The step of a fact outside a host, for who only looks. Throws what an action throws, and on a fact that does not fit. */
export function evolve(logic: Logic, state: AnyMachineSnapshot, fact: AnyFact): Evolution<AnyMachineSnapshot> {
  const effects: Effect[] = [];
  const actor = createActor(logic, { snapshot: state, input: { id: "" } });
  actor.on("*", (effect) => effects.push(effect));
  // XState throws an error that nobody subscribed to from a timer of its own.
  actor.subscribe({ error: () => {} });
  actor.start().send(fact);
  const next = actor.getSnapshot();
  if (next.status === "error") throw next.error;
  return { state: next, effects };
}

/** Makes actions of changes: `on(type, change)` is what facts of these types change of the context, and of no others. */
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
