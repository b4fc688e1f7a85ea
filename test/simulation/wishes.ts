/** What the clients of a simulated cluster want of it. */
import type { CommandResult } from "../../actors/message.ts";
import type { AskOptions, Router } from "../../actors/router.ts";
import type { Address, EntityKind } from "../../machines/address.ts";
import type { CarriedCommand, CommandOf, CommandType } from "../../machines/protocols.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { type AccountId, credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { BAD_RESULT, GOOD_RESULT, order, person, STANDING } from "../support/world.ts";
import type { Random } from "./random.ts";

export const ACCOUNTS = [1, 2, 3, 4];
/** Items of batches of one account that may open in any 60 s. */
const PACE = 4;

const DISPUTES = ["open", "won", "lost"] as const;

/** A command of a client to an actor. */
export interface Wish {
  readonly kind: EntityKind;
  readonly to: string;
  readonly command: CarriedCommand;
  readonly ask: (router: Router, options: AskOptions) => Promise<CommandResult>;
}

/** How often each thing is wanted, beside the others. */
const WANTED = {
  ...{ post: 4, bid: 7, submit: 7, start: 1, cancel: 1, topup: 1, batch: 0.5 },
  ...{ rate: 0.5, repay: 0.5, resend: 0.5, expire: 0.1, steer: 0.7 },
  payment: 0.7,
  ...{ giveBack: 1, extend: 1, pass: 0.7, withdrawBid: 0.7 },
} as const;

export function wish<K extends EntityKind, T extends CommandType<K>>(
  kind: K,
  to: string,
  command: { readonly type: T } & CommandOf<K, T> & CarriedCommand,
): Wish {
  // What arrives at a gateway has come over a network, as JSON.
  const ask = (router: Router, options: AskOptions) => router.ask({ kind, id: to }, structuredClone(command), options);
  return { kind, to, command, ask };
}

export class Wishes {
  readonly tasks: TaskId[] = [];
  readonly batches: { readonly id: string; readonly requester: AccountId }[] = [];
  readonly #random: Random;
  readonly #nextId: () => string;
  /** How many of the tasks nobody can solve; none in most histories, so that their ready worker fails at nothing. */
  readonly #unsolvable: number;

  constructor(random: Random, nextId: () => string) {
    this.#random = random;
    this.#nextId = nextId;
    this.#unsolvable = random.pick([0, 0, 0.5]);
  }

  /** Something that may well be refused; undefined where there is nothing yet to ask it of. */
  next(): Wish | undefined {
    const random = this.#random;
    const what = random.weighted(WANTED);
    const by = person(random.pick(ACCOUNTS));
    switch (what) {
      case "post":
        return this.#post(by);
      case "batch":
        return this.#batch(by);
      case "steer":
        return this.#steer(by);
      case "topup":
        return wish("account", by, { type: "topUp", topup: this.#nextId(), amount: credits(random.int(1, 50)) });
      case "payment":
        return this.#payment(by);
      case "repay":
        return wish("account", by, { type: "repay", repayment: this.#nextId(), amount: credits(random.int(1, 20)) });
      default: {
        const task = this.#task();
        return task === undefined ? undefined : this.#ofTask(what, task, by);
      }
    }
  }

  /** An actor that a client may want to look at. */
  toSee(): Address {
    const random = this.#random;
    const kind = random.weighted({ task: 1, account: 1, batch: 1 });
    const id = kind === "task" ? this.#task() : kind === "batch" ? this.batches.at(-1 - random.int(0, 2))?.id : undefined;
    return id === undefined ? { kind: "account", id: person(random.pick(ACCOUNTS)) } : { kind, id };
  }

  /** One of the latest. */
  #task(): TaskId | undefined {
    return this.tasks.at(-1 - this.#random.int(0, 5));
  }

  #ofTask(
    what: Exclude<keyof typeof WANTED, "post" | "batch" | "topup" | "payment" | "repay" | "steer">,
    to: TaskId,
    by: AccountId,
  ): Wish {
    const random = this.#random;
    switch (what) {
      case "bid": {
        const online = random.chance(0.3) ? [by] : null;
        const price = credits(random.int(1, 25));
        return wish("task", to, { type: "bid", bid: this.#nextId(), worker: by, credits: price, standing: STANDING, online });
      }
      case "submit": {
        const result = random.chance(0.7) ? GOOD_RESULT : BAD_RESULT;
        return wish("task", to, { type: "submit", submission: this.#nextId(), worker: by, result });
      }
      case "giveBack":
        return wish("task", to, { type: "giveBack", worker: by, reason: random.chance(0.5) ? "too long" : null });
      case "extend":
        return wish("task", to, { type: "extend", worker: by, seconds: random.int(1, 3) });
      case "pass":
        return wish("task", to, { type: "pass", worker: by, standing: STANDING });
      case "withdrawBid":
        return wish("task", to, { type: "withdrawBid", worker: by });
      case "start":
        return wish("task", to, { type: "start", worker: by });
      case "cancel":
        return wish("task", to, { type: "cancel", requester: by });
      case "rate":
        return wish("task", to, { type: "rate", requester: by, stars: random.int(1, 5) });
      case "resend":
        return wish("task", to, { type: "webhook.resend", requester: by });
      case "expire":
        return wish("task", to, { type: "expire", reason: "an operator ends it" });
      default:
        return what satisfies never;
    }
  }

  /** A purchase that opens a line, or a dispute that closes it again. */
  #payment(by: AccountId): Wish {
    const random = this.#random;
    const amount = random.int(1, 6);
    const dispute = { type: "disputed", dispute: `dp_${amount}`, amount, state: random.pick(DISPUTES) } as const;
    const news = random.chance(0.7) ? ({ type: "paid", amount } as const) : dispute;
    return wish("account", by, { type: "payment", payment: `pi_${by}_${random.int(1, 4)}`, news, customer: null });
  }

  #batch(requester: AccountId): Wish {
    const tasks = Array.from({ length: 3 }, () => taskId(this.#nextId()));
    this.tasks.push(...tasks);
    const items = tasks.map((task, n) => ({ task, inputData: `text ${n}` }));
    const template = this.#order();
    const batch = this.#nextId();
    this.batches.push({ id: batch, requester });
    const what = { batch, request: requester, template, items, atOnce: this.#random.int(1, 3), perMinute: PACE, fresh: false };
    return wish("account", requester, { type: "startBatch", ...what });
  }

  /** Mostly by its requester, now and then by somebody whom it does not concern. */
  #steer(by: AccountId): Wish | undefined {
    const random = this.#random;
    const one = this.batches.at(-1 - random.int(0, 2));
    if (one === undefined) return undefined;
    const requester = random.chance(0.95) ? one.requester : by;
    return wish("batch", one.id, { type: random.weighted({ pause: 3, resume: 3, cancel: 1 }), requester });
  }

  #post(by: AccountId): Wish {
    const task = taskId(this.#nextId());
    this.tasks.push(task);
    return wish("account", by, { type: "hold", task, order: this.#order(), fresh: false });
  }

  #order(): TaskSpec {
    const random = this.#random;
    const isUnsolvable = random.chance(this.#unsolvable);
    return order({
      ...(isUnsolvable ? { schema: { const: "unguessed" }, exampleOutput: "unguessed" } : {}),
      budget: credits(random.int(5, 30)),
      maxSeconds: random.int(1, 6),
      ...(random.chance(0.5) ? { maxExtension: 4 } : {}),
      poolHours: random.pick([0.003, 0.003, 0.003, 0.03]),
      autoRetry: random.int(0, 1),
      windowMs: random.pick([0, 100, 500]),
      callbackUrl: random.chance(0.5) ? "https://example.com/hook" : null,
      quality: random.pick(["balanced", "cheapest"]),
      // Some results that pass the schema are not the known answer.
      ...(random.chance(0.2) ? { known: { name: random.pick(["Ada", "Bob"]) }, tellAfter: random.int(0, 3_000) } : {}),
    });
  }
}
