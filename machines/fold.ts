import type { ActorRef, ActorScope, AnyEventObject, EventObject, Snapshot } from "xstate";

interface Steps<S extends Snapshot<unknown>, F extends EventObject> {
  transition(snapshot: S, fact: F, scope: ActorScope<S, F>): S;
}

/**
 * Gives the pure step of a machine: (snapshot, fact) -> next snapshot. It is what xstate's `transition()` does, but that
 * builds an actor, and with it an initial snapshot, at every call, which is half of its cost; here one actor, never
 * started, serves all. Nothing is run: the machines have no actions but `assign`, and no children.
 */
export function stepOf<S extends Snapshot<unknown>, F extends EventObject>(
  machine: Steps<S, F>,
  self: ActorRef<S, F, AnyEventObject> & { readonly system: ActorScope<S, F>["system"] },
): (snapshot: S, fact: F) => S {
  const nothing = () => {};
  const scope: ActorScope<S, F> = {
    self,
    id: "",
    sessionId: "",
    system: self.system,
    logger: nothing,
    defer: nothing,
    stopChild: nothing,
    emit: nothing,
    actionExecutor: nothing,
  };
  return (snapshot, fact) => machine.transition(snapshot, fact, scope);
}
