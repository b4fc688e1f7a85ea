/** All entities, as a host holds them. */

import type { AnyMachineSnapshot } from "xstate";
import { ACCOUNT_FACTS } from "./account/events.ts";
import { account } from "./account/index.ts";
import { ACCOUNT_REPLIES } from "./account/replies.ts";
import type { EntityKind } from "./address.ts";
import { BATCH_FACTS } from "./batch/events.ts";
import { batch } from "./batch/index.ts";
import { BATCH_REPLIES } from "./batch/replies.ts";
import type { AnyEntity, Entity } from "./entity.ts";
import type { AnyFact } from "./fact.ts";
import { MARKET_RULES, type MarketRules } from "./market/settings.ts";
import type { CarriedCommand, CommandOf, CommandType } from "./protocols.ts";
import type { ReplyForms } from "./replies.ts";
import { TASK_FACTS } from "./task/events.ts";
import { task } from "./task/index.ts";
import { TASK_REPLIES } from "./task/replies.ts";
import type { Judgement } from "./validation/judgement.ts";

interface Typed {
  readonly type: string;
}

/**
 * Passes what is of one of these types; anything else is for another entity, and only a bug brings it here. Fields are not looked at:
 * what comes from another process was checked when it came (incoming.ts).
 */
function only<T extends Typed>(kind: EntityKind, types: object): (value: Typed) => T {
  const isOwn = (value: Typed): value is T => Object.hasOwn(types, value.type);
  return (value) => {
    if (isOwn(value)) return value;
    throw new Error(`${value.type} is none of ${kind}'s types`);
  };
}

/** For any `K` the compiler does not see that a command of an entity is one of all commands; for each it does. */
interface Answering<K extends EntityKind> {
  readonly answered: (command: CommandOf<K>, answer: Judgement) => CarriedCommand;
}

/** Gives an entity as a host holds it, which does not know what an actor's commands and facts are. */
function hosted<K extends EntityKind, F extends AnyFact, V>(
  entity: Answering<K> & Entity<K, AnyMachineSnapshot, F, V>,
  replies: ReplyForms<K>,
  facts: { readonly [T in F["type"]]: true },
  rules: MarketRules,
): AnyEntity {
  const own = only<CommandOf<K> & CarriedCommand>(entity.kind, replies);
  const ownFact = only<F>(entity.kind, facts);
  return {
    ...entity,
    question: (state, command, arrived) => entity.question(state, own(command), arrived),
    answered: (command, answer) => entity.answered(own(command), answer),
    decide: (state, command, at, arrived, format) =>
      entity.decide<CommandType<K>>(state, own(command), at, arrived, rules, format),
    recall: (command, caused, state) => entity.recall<CommandType<K>>(own(command), caused.map(ownFact), state),
    postings: (id, fact) => entity.postings(id, ownFact(fact)),
    parts: (state, before, made) => entity.parts(state, before, made.map(ownFact)),
    announce: (state, made) => entity.announce(state, made.map(ownFact)),
    wakes: (state, made) => entity.wakes(state, made.map(ownFact)),
  };
}

export type Entities = { readonly [K in EntityKind]: AnyEntity };

/** The entities under these rules of the market. */
export function entitiesUnder(rules: MarketRules): Entities {
  return {
    task: hosted(task, TASK_REPLIES, TASK_FACTS, rules),
    account: hosted(account, ACCOUNT_REPLIES, ACCOUNT_FACTS, rules),
    batch: hosted(batch, BATCH_REPLIES, BATCH_FACTS, rules),
  };
}

export const ENTITIES: Entities = entitiesUnder(MARKET_RULES);
