/** Clients of a simulated cluster: they ask through any gateway, ask again when no answer comes, and remember what they were told. */
import type { CommandResult } from "../../actors/message.ts";
import type { AskOptions, Router } from "../../actors/router.ts";
import { addressKey } from "../../machines/entity.ts";
import type { AnyCommand, CommandOf, CommandType, EntityKind } from "../../machines/protocols.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import { type AccountId, credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { BAD_RESULT, GOOD_RESULT, order, person, STANDING } from "../support/world.ts";
import type { Cluster } from "./cluster.ts";
import type { Random } from "./random.ts";

const ACCOUNTS = [1, 2, 3, 4];
/** Items of batches of one account that may open in any 60 s. */
const PACE = 4;
/** An HTTP client gives up on an answer after this (ms). */
const WAIT_MAX_MS = 7_000;
const RETRY_MS = 150;
/** One in so many tasks has a key that lets the request be repeated. */
const KEYED = 0.7;

/** What a client wants of an actor. */
interface Wish {
  readonly kind: EntityKind;
  readonly to: string;
  readonly command: string;
  readonly ask: (router: Router, options: AskOptions) => Promise<CommandResult>;
}

export interface Asked extends Wish {
  readonly commandId: string;
  /** Whether it may be sent again until it is answered. */
  readonly keyed: boolean;
}

function wish<K extends EntityKind, T extends CommandType<K>>(
  kind: K,
  to: string,
  command: { readonly type: T } & CommandOf<K, T> & AnyCommand,
): Wish {
  // What arrives at a gateway has come over a network, as JSON.
  const ask = (router: Router, options: AskOptions) => router.ask({ kind, id: to }, structuredClone(command), options);
  return { kind, to, command: command.type, ask };
}

export class Workload {
  readonly tasks: TaskId[] = [];
  readonly told: { readonly what: Asked; readonly answer: CommandResult }[] = [];
  readonly wrong: string[] = [];
  underWay = 0;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #note: (line: string) => void;

  constructor(cluster: Cluster, random: Random, note: (line: string) => void) {
    this.#cluster = cluster;
    this.#random = random;
    this.#note = note;
  }

  /** Registers the clients. */
  begin(): void {
    for (const n of ACCOUNTS) {
      const who = { account: person(n), email: `p${n}@example.com`, source: null, keyHash: `hash${n}` };
      this.#start(wish("account", person(n), { type: "register", ...who, grant: credits(60), marks: [] }), true);
    }
  }

  /** Lets half of them name a price at which they work without a bid. */
  offer(): void {
    for (const n of ACCOUNTS.slice(0, 2)) {
      const what = {
        taskType: order().taskType,
        description: "",
        tags: [],
        price: credits(6 + n),
        concurrency: 2,
        available: true,
      };
      const capability = { ...what, id: this.#cluster.ids.next() };
      this.#start(wish("account", person(n), { type: "registerCapability", capability }), true);
    }
  }

  /** Asks for something, or for something that was asked before. */
  act(): void {
    const random = this.#random;
    const what = random.weighted({ post: 4, bid: 7, submit: 7, start: 1, cancel: 1, topup: 1, repeat: 2, batch: 0.5 });
    if (what === "repeat") this.#repeat();
    else this.#start(this.#asked(what), random.chance(KEYED));
  }

  /** What was answered with success must have left its trace. */
  stillTrue(): readonly string[] {
    const { actors } = this.#cluster.store.journal;
    return this.told
      .filter(({ what, answer }) => answer.ok && actors.get(addressKey({ kind: what.kind, id: what.to })) !== undefined)
      .filter(
        ({ what }) =>
          !actors.get(addressKey({ kind: what.kind, id: what.to }))?.facts.some(({ cause }) => cause === what.commandId),
      )
      .map(({ what }) => `${what.command} ${what.commandId} was answered with success and has left no trace`);
  }

  #start(asked: Wish | undefined, keyed: boolean): void {
    if (asked === undefined) return;
    const what = { ...asked, commandId: this.#cluster.ids.next(), keyed };
    this.underWay += 1;
    // Now and then the client's own retry overtakes the request.
    if (keyed && this.#random.chance(0.1)) void this.#once(what);
    void this.#call(what).then((answer) => {
      this.underWay -= 1;
      if (answer !== undefined) this.told.push({ what, answer });
    });
  }

  #repeat(): void {
    const before = this.told.at(-1 - this.#random.int(0, 5));
    if (before === undefined || !before.answer.ok || !before.what.keyed) return;
    const first = JSON.stringify(before.answer.value);
    this.underWay += 1;
    void this.#call(before.what).then((answer) => {
      this.underWay -= 1;
      if (answer?.ok !== true || JSON.stringify(answer.value) !== first) {
        const { command, commandId } = before.what;
        this.wrong.push(`${command} ${commandId} was answered ${first} first and ${JSON.stringify(answer)} when asked again`);
      }
    });
  }

  /** Asks until there is an answer; undefined when there was none and it may not be asked again. */
  async #call(what: Asked): Promise<CommandResult | undefined> {
    for (;;) {
      const answer = await this.#once(what);
      const status = answer === undefined ? "no answer" : answer.ok ? "ok" : answer.refusal.refused;
      this.#note(`${what.command} ${what.to.slice(-4)} ${what.commandId.slice(-4)}: ${status}`);
      if (answer !== undefined && (answer.ok || !PASSING.has(answer.refusal.refused))) return answer;
      if (!what.keyed) return undefined;
      await this.#cluster.time.wait(RETRY_MS);
    }
  }

  #once({ ask, commandId, keyed }: Asked): Promise<CommandResult | undefined> {
    const { gateways, time } = this.#cluster;
    if (gateways.length === 0) return Promise.resolve(undefined);
    const { router } = this.#random.pick(gateways);
    const asked = ask(router, keyed ? { commandId, again: true } : { commandId });
    return Promise.race([asked, time.wait(WAIT_MAX_MS).then(() => undefined)]);
  }

  #asked(what: "post" | "bid" | "submit" | "start" | "cancel" | "topup" | "batch"): Wish | undefined {
    const random = this.#random;
    const by = person(random.pick(ACCOUNTS));
    const id = this.#cluster.ids.next();
    if (what === "topup") return wish("account", by, { type: "topUp", topup: id, amount: credits(random.int(1, 50)) });
    if (what === "post") return this.#post();
    if (what === "batch") return this.#batch(by);
    const to = this.tasks.at(-1 - random.int(0, 5));
    if (to === undefined) return undefined;
    switch (what) {
      case "bid": {
        const online = random.chance(0.3) ? [by] : null;
        const price = credits(random.int(1, 25));
        return wish("task", to, { type: "bid", bid: id, worker: by, credits: price, standing: STANDING, online });
      }
      case "submit": {
        const result = random.chance(0.7) ? GOOD_RESULT : BAD_RESULT;
        return wish("task", to, { type: "submit", submission: id, worker: by, result });
      }
      case "start":
        return wish("task", to, { type: "start", worker: by });
      case "cancel":
        return wish("task", to, { type: "cancel", requester: by });
      default:
        return what satisfies never;
    }
  }

  #batch(requester: AccountId): Wish {
    const tasks = Array.from({ length: 3 }, () => taskId(this.#cluster.ids.next()));
    this.tasks.push(...tasks);
    const items = tasks.map((task, n) => ({ task, inputData: `text ${n}` }));
    const template = this.#order();
    const batch = this.#cluster.ids.next();
    const what = { batch, request: requester, template, items, atOnce: this.#random.int(1, 3), perMinute: PACE, fresh: false };
    return wish("account", requester, { type: "startBatch", ...what });
  }

  /** Gives everybody what a batch may wait for. */
  enrich(): void {
    for (const n of ACCOUNTS) {
      const topup = this.#cluster.ids.next();
      this.#start(wish("account", person(n), { type: "topUp", topup, amount: credits(1_000) }), true);
    }
  }

  #post(): Wish {
    const random = this.#random;
    const task = taskId(this.#cluster.ids.next());
    this.tasks.push(task);
    const made = this.#order();
    const asked = ACCOUNTS.slice(0, random.int(0, 3));
    const offers = asked.map((n) => ({ worker: person(n), bid: this.#cluster.ids.next() }));
    const by = person(random.pick(ACCOUNTS));
    return wish("account", by, { type: "hold", task, order: made, offers, fresh: false });
  }

  #order(): TaskSpec {
    const random = this.#random;
    return order({
      budget: credits(random.int(5, 30)),
      maxSeconds: random.int(1, 6),
      poolHours: 0.003,
      autoRetry: random.int(0, 1),
      windowMs: random.pick([0, 100, 500]),
      callbackUrl: random.chance(0.5) ? "https://example.com/hook" : null,
      quality: random.pick(["balanced", "cheapest"]),
    });
  }
}

/** Told by the platform's troubles; the same request finds out later what became of it. */
const PASSING: ReadonlySet<string> = new Set(["UNAVAILABLE", "OVERLOADED", "CONTENDED", "NOT_OWNER"]);
