/** The life of one entity, told by its commands: each test gives moments that differ, so that one cannot stand for another. */

import type { OfferReply } from "../../machines/account/protocol.ts";
import type { EntityKind } from "../../machines/address.ts";
import type { Effect } from "../../machines/effect.ts";
import type { Ask, Decision } from "../../machines/entity.ts";
import type { Qualification } from "../../machines/market/qualification.ts";
import type { CarriedCommand, CommandOf, ReplyOf } from "../../machines/protocols.ts";
import { isRefusal, type Refusal } from "../../machines/refusal.ts";
import { isOfferReply, isTaskCommand } from "../../machines/task/commands.ts";
import { accountId } from "../../machines/vocabulary.ts";
import { STANDING } from "./world.ts";

/** What lives: how it decides and what its facts lead to. */
interface Decider<S, C, F extends { readonly type: string }> {
  initial(id: string): S;
  decide(state: S, command: C, at: number, arrived: number): Decision<F, unknown> | Refusal;
  evolve(state: S, fact: F): { readonly state: S; readonly effects: readonly Effect[] };
}

/** All that one command has led to, with what came of its questions. */
export interface Step<F> {
  readonly facts: readonly F[];
  readonly effects: readonly Effect[];
  /** The facts' types with + between. */
  readonly types: string;
  readonly decision: Decision<F & { readonly type: string }, unknown>;
}

/**
 * What the account of a worker answers when a task asks whether it takes an award, or may give one back for free; null if it does not
 * answer in time.
 */
export type Accounts = (asked: Ask["command"]) => OfferReply | ReplyOf<"account", "mayReturn"> | null;

/** Every worker has a slot, and may give its award back. */
const KEPT: Accounts = ({ type }) => (type === "offer" ? { kept: true } : { granted: true });

/** The question whether a worker takes an award; throws if something else was asked. */
export function offerOf(command: Ask["command"]): CommandOf<"account", "offer"> {
  if (command.type !== "offer") throw new Error(`${command.type} was asked`);
  return command;
}

/** What the account of a worker tells the task when it says yes. */
function yes({ to, command }: Ask, standing: Qualification): CommandOf<"task", "standingBid"> | undefined {
  if (command.type !== "offer") return undefined;
  const { bid, price, pull, candidates, going } = command;
  if (price === undefined) throw new Error("a posted price is not known here");
  const weighed = { ...(candidates === undefined ? {} : { candidates }), ...(going === undefined ? {} : { going }) };
  const more = { ...(pull === undefined ? {} : { pull }), ...weighed };
  return { type: "standingBid", bid, worker: accountId(to.id), credits: price, standing, asked: true, posted: false, ...more };
}

export class Life<S, C extends CarriedCommand, F extends { readonly type: string }> {
  readonly #entity: Decider<S, C, F>;
  state: S;
  /** Answers what is asked; a yes is told to the task before the reply, as by a host in which nothing is late. */
  accounts = KEPT;

  constructor(entity: Decider<S, C, F>, id: string) {
    this.#entity = entity;
    this.state = entity.initial(id);
  }

  /** Another life that has come as far. */
  fork(): Life<S, C, F> {
    const other = new Life(this.#entity, "");
    other.state = this.state;
    other.accounts = this.accounts;
    return other;
  }

  /** Has a command taken at `at`, and what it asks answered; throws when it is refused. */
  do(command: C, at: number, arrived = at): Step<F> {
    const step = this.#step(this.#entity, command, at, arrived);
    if (isRefusal(step)) throw new Error(`refused: ${step.refused} ${step.detail}`);
    return step;
  }

  /** Has one command after the other taken. */
  through(steps: readonly (readonly [C, number])[]): this {
    for (const [command, at] of steps) this.do(command, at);
    return this;
  }

  /** The code with which a command is refused, or the facts' types with + between when it is taken; nothing happens. */
  tries(command: C, at: number, arrived = at): string {
    const step = this.fork().#step(this.#entity, command, at, arrived);
    return isRefusal(step) ? step.refused : step.types;
  }

  /** How a command is refused; throws when it is taken. Nothing happens. */
  refuses(command: C, at: number, arrived = at): Refusal {
    const step = this.fork().#step(this.#entity, command, at, arrived);
    if (!isRefusal(step)) throw new Error(`taken: ${step.types}`);
    return step;
  }

  #step<D>(entity: Decider<S, D, F>, command: D, at: number, arrived: number): Step<F> | Refusal {
    const decision = entity.decide(this.state, command, at, arrived);
    if (isRefusal(decision)) return decision;
    const effects: Effect[] = [];
    for (const fact of decision.facts) {
      const evolved = entity.evolve(this.state, fact);
      this.state = evolved.state;
      effects.push(...evolved.effects);
    }
    const { facts, ask } = decision;
    const step = { facts, effects, types: facts.map(({ type }) => type).join("+"), decision };
    return ask === undefined ? step : this.#answer(step, ask, standingIn(command), at);
  }

  /** What comes of a question, too. */
  #answer(step: Step<F>, ask: Ask, standing: Qualification, at: number): Step<F> | Refusal {
    const entity: Decider<S, CarriedCommand, F> = this.#entity;
    const reply = this.accounts(ask.command);
    const message = isOfferReply(reply) && reply.kept ? yes(ask, standing) : undefined;
    const told = message === undefined ? undefined : this.#step(entity, message, at, at);
    const then = this.#step(entity, ask.answered(reply), at, at);
    if (told !== undefined && isRefusal(told)) return told;
    if (isRefusal(then)) return then;
    const all = [step, ...(told === undefined ? [] : [told]), then];
    const facts = all.flatMap((one) => one.facts);
    return {
      facts,
      effects: all.flatMap(({ effects }) => effects),
      types: facts.map(({ type }) => type).join("+"),
      decision: { ...step.decision, reply: ask.apart === true ? step.decision.reply : then.decision.reply },
    };
  }
}

/** What is known of a bidder. */
function standingIn(command: unknown): Qualification {
  return isTaskCommand(command) && command.type === "bid" ? command.standing : STANDING;
}

/** What the effect of a message to an actor is expected to be. */
export function tell(kind: EntityKind, id: string, command: { readonly type: string; readonly [field: string]: unknown }) {
  return { type: "tell", to: { kind, id }, command };
}

export const remind = (name: string, at: number): Effect => ({ type: "remind", name, at });
export const forget = (name: string): Effect => ({ type: "forget", name });
