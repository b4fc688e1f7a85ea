/**
 * Mistakes between rooms that the compiler must find, each on a line of its own: `npm run typecheck` fails where one of them
 * compiles, because then there is nothing that its @ts-expect-error expects. Nothing here is run.
 */
import type { Router } from "../../actors/router.ts";
import { WAITS_FOR } from "../../machines/account/waiting.ts";
import type { Address } from "../../machines/address.ts";
import type { CommandForms } from "../../machines/commands.ts";
import { type Effect, tellTask } from "../../machines/effect.ts";
import type { AnyEntity, Deciders } from "../../machines/entity.ts";
import type { CommandOf, ReplyOf, Send } from "../../machines/protocols.ts";
import type { Recalls, ReplyForms } from "../../machines/replies.ts";
import { isAccountId, isNumber, isOneOf, isText, isWhole, orAbsent, orNull } from "../../machines/shape.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as taskEntity } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

declare const router: Router;
declare const worker: AccountId;
declare const somebody: Address;
const task = { kind: "task", id: "" } as const;

/** What a route asks. */
export async function asked() {
  // @ts-expect-error a field's name with a slip
  await router.ask(task, { type: "submit", submision: "", worker, result: null });
  // @ts-expect-error a command's name with a slip
  await router.ask(task, { type: "strat", worker });
  // @ts-expect-error a field that the receiver does not know
  await router.ask(task, { type: "start", worker, at: 0 });
  // @ts-expect-error another entity's command
  await router.ask({ kind: "account", id: "" }, { type: "start", worker });
  // @ts-expect-error a command of one entity for an address of any
  await router.ask(somebody, { type: "start", worker });
  await router.ask(somebody, { type: "timer", name: "", due: 0 });

  const started = await router.ask(task, { type: "start", worker });
  if (!started.ok) return;
  // @ts-expect-error another command's reply
  started.value.bid;
  const status: "EXECUTING" = started.value.status;
  return status;
}

/** What one machine tells another. */
export const told: readonly Effect[] = [
  { type: "tell", to: task, command: { type: "declined", worker } },
  // @ts-expect-error a command's name with a slip
  { type: "tell", to: task, command: { type: "declned", worker } },
  // @ts-expect-error a field's name with a slip
  { type: "tell", to: task, command: { type: "declined", wrker: worker } },
  // @ts-expect-error told to an entity that has no such command
  { type: "tell", to: { kind: "batch", id: "" }, command: { type: "declined", worker } },
];

tellTask("", { type: "declined", worker, reason: { why: "OWN_TASK" } });
// @ts-expect-error an optional field's name with a slip
tellTask("", { type: "declined", worker, raeson: { why: "OWN_TASK" } });

// @ts-expect-error what is sent to a task is a task's command
export const sent: Send<"task"> = { type: "tell", to: task, command: { type: "freed", task: "" } };

declare const deciders: Deciders<"task", TaskSnapshot, TaskFact>;
declare const recalls: Recalls<"task", TaskSnapshot, TaskFact>;

/** What is replied. */
export const decided: Deciders<"task", TaskSnapshot, TaskFact> = {
  ...deciders,
  // @ts-expect-error another command's reply
  start: () => ({ facts: [], reply: { bid: "", status: "PENDING" } }),
  // @ts-expect-error another entity's fact
  declined: (_task, _command, at) => ({ facts: [{ type: "KeyRotated", at }], reply: null }),
};
// @ts-expect-error a command that nobody decides
export const undecided: Deciders<"task", TaskSnapshot, TaskFact> = { bid: deciders.bid, start: deciders.start };
export const recalled: Recalls<"task", TaskSnapshot, TaskFact> = {
  ...recalls,
  // @ts-expect-error another command's reply
  rate: (_facts, { context }) => ({ id: context.id, status: "QUEUED" }),
};
// @ts-expect-error a host has commands of all entities, and an entity takes only its own
export const anything: AnyEntity = taskEntity;
declare const forms: ReplyForms<"task">;
// @ts-expect-error a reply is read as another command's
export const read: ReplyForms<"task"> = { ...forms, bid: forms.submit };

declare const commands: CommandForms<"batch">;
export const checked: CommandForms<"batch"> = {
  ...commands,
  turns: { count: isWhole },
  // @ts-expect-error a field that nobody checks
  itemEnded: { item: isWhole },
  // @ts-expect-error a field of another type
  itemRefused: { item: isWhole, code: isText, detail: isText },
  // @ts-expect-error a field that may be absent, and would be asked for
  show: { requester: isAccountId, from: isWhole, limit: orAbsent(isWhole) },
  // @ts-expect-error a field that may be null, and would be refused
  itemPostponed: { item: isWhole, reason: orNull(isOneOf(WAITS_FOR)), until: orNull(isNumber) },
};
export const misspelt: CommandForms<"batch"> = {
  ...commands,
  // @ts-expect-error a field's name with a slip
  turns: { cuont: isWhole },
};
// @ts-expect-error another entity's command
export const others: CommandForms<"batch"> = { ...commands, batchEnded: { batch: isText } };
// @ts-expect-error a command that nobody checks
export const unchecked: CommandForms<"batch"> = { turns: commands.turns, show: commands.show };

// @ts-expect-error a command's fields are those of its type
export const command: CommandOf<"task", "rate"> = { type: "rate", requester: worker, rating: 5 };
// @ts-expect-error the wire's words stay in the gateway
export const reply: ReplyOf<"task", "bid"> = { bid_id: "", status: "PENDING" };
