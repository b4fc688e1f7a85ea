/** Clients of a simulated cluster: they ask through any gateway, ask again when no answer comes, and remember what they were told. */
import type { CommandResult } from "../../actors/message.ts";
import { type Address, addressKey } from "../../machines/address.ts";
import type { BatchProgress } from "../../machines/batch/protocol.ts";
import type { Refusal } from "../../machines/refusal.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { order, person } from "../support/world.ts";
import type { Cluster } from "./cluster.ts";
import { isTraceOf, type Span } from "./past.ts";
import type { Random } from "./random.ts";
import { ruleOf } from "./refusals.ts";
import { ACCOUNTS, type Wish, Wishes, wish } from "./wishes.ts";
import { PULLING, READY, Workers } from "./workers.ts";

/** An HTTP client gives up on an answer after this (ms). */
const WAIT_MAX_MS = 7_000;
const RETRY_MS = 150;
/** One in so many tasks has a key that lets the request be repeated. */
const KEYED = 0.7;
/** How likely a step looks at a row, or asks again for what was told. */
const LOOKS = 0.3;
const REPEATS = 0.08;

export interface Asked extends Wish {
  readonly commandId: string;
  /** Whether it may be sent again until it is answered. */
  readonly keyed: boolean;
  /** When it was sent first (ms of simulated time). */
  readonly since: number;
}

/** A no that is an answer. Asked again, a command may be told what was decided on it when it came before. */
export interface Refused {
  readonly what: Asked;
  readonly refusal: Refusal;
  /** When this attempt was sent, and when it was answered (ms of simulated time). */
  readonly sent: number;
  readonly at: number;
}

/** What was seen of an actor, in its row or, of a batch, as it says itself, and when that was asked for and told. */
export type Seen = Span & { readonly id: string } & (
    | { readonly kind: "task" | "account"; readonly shown: unknown }
    /** null when there is no such batch. */
    | { readonly kind: "batch"; readonly shown: BatchProgress | null }
  );

/** An answer that a client got, and when (ms of simulated time). */
export interface Told {
  readonly what: Asked;
  readonly answer: CommandResult;
  readonly at: number;
}

/** What changes nothing, and so leaves no trace, where the batch is so already, or the payment is known to be so. */
const isSteering = ({ kind, command }: Wish) => kind === "batch" || command.type === "payment";

export class Workload {
  readonly told: Told[] = [];
  readonly refused: Refused[] = [];
  readonly seen: Seen[] = [];
  readonly wrong: string[] = [];
  readonly wishes: Wishes;
  readonly workers: Workers;
  underWay = 0;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #note: (line: string) => void;

  constructor(cluster: Cluster, random: Random, note: (line: string) => void) {
    this.#cluster = cluster;
    this.#random = random;
    this.#note = note;
    this.wishes = new Wishes(random, () => cluster.ids.next());
    this.workers = new Workers(cluster, random, (wanted, keyed) => this.#start(wanted, keyed));
  }

  /** Registers the clients. */
  begin(): void {
    this.workers.begin();
    for (const n of ACCOUNTS) {
      const who = { account: person(n), email: `p${n}@example.com`, source: null, keyHash: `hash${n}` };
      this.#start(wish("account", person(n), { type: "register", ...who, grant: credits(60), marks: [] }), true);
    }
  }

  /** Gives everybody a rating with a line, by work of before. */
  rate(): void {
    const work = { taskType: order().taskType, payout: credits(0), firstTry: true, durationMs: 1, allowedMs: 2 };
    for (const n of ACCOUNTS) {
      for (let task = 0; task < 10; task += 1) {
        const requester = person(90 + (task % 3));
        const of = { task: taskId(this.#cluster.ids.next()), requester, requesterIdentity: requester };
        this.#start(wish("account", person(n), { type: "earn", ...work, ...of }), true);
      }
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
        minSeconds: 1,
        available: true,
      };
      const capability = { ...what, id: this.#cluster.ids.next() };
      this.#start(wish("account", person(n), { type: "registerCapability", capability }), true);
    }
  }

  /** Lets those who pull take tasks of any time, and verifies all who work: what they fail at says something about a task. */
  verify(): void {
    const any = {
      taskType: order().taskType,
      description: "",
      tags: [],
      price: null,
      concurrency: 1,
      minSeconds: 1,
      available: true,
    };
    for (const n of PULLING) {
      const capability = { ...any, id: this.#cluster.ids.next() };
      this.#start(wish("account", person(n), { type: "registerCapability", capability }), true);
    }
    for (const n of [...ACCOUNTS, ...PULLING, READY]) {
      const github = { id: `${n}`, login: `p${n}`, score: 1, token: "sealed" };
      this.#start(wish("account", person(n), { type: "linkGitHub", github }), true);
    }
  }

  /** Gives everybody what a batch may wait for, and lets the paused ones go on. */
  enrich(): void {
    for (const { id, requester } of this.wishes.batches) this.#start(wish("batch", id, { type: "resume", requester }), true);
    for (const n of ACCOUNTS) {
      const topup = this.#cluster.ids.next();
      this.#start(wish("account", person(n), { type: "topUp", topup, amount: credits(1_000) }), true);
    }
  }

  /** Asks for something, or for something that was asked before; and now and then looks at something. */
  act(): void {
    const random = this.#random;
    this.workers.act();
    if (random.chance(LOOKS)) this.#look(this.wishes.toSee());
    if (random.chance(REPEATS)) this.#repeat();
    else {
      const wanted = this.wishes.next();
      if (wanted !== undefined) this.#start(wanted, random.chance(KEYED));
    }
  }

  /** What was answered with success must have left its trace. */
  stillTrue(): readonly string[] {
    const { actors } = this.#cluster.store.journal;
    return this.told
      .filter(
        ({ what, answer }) =>
          answer.ok && !isSteering(what) && actors.get(addressKey({ kind: what.kind, id: what.to })) !== undefined,
      )
      .filter(
        ({ what }) => !actors.get(addressKey({ kind: what.kind, id: what.to }))?.facts.some((fact) => isTraceOf(fact, what)),
      )
      .map(({ what }) => `${what.command.type} ${what.commandId} was answered with success and has left no trace`);
  }

  #start(wanted: Wish, keyed: boolean): void {
    const { ids, time } = this.#cluster;
    const what = { ...wanted, commandId: ids.next(), keyed, since: time.now };
    this.underWay += 1;
    // Now and then the client's own retry overtakes the request.
    if (keyed && this.#random.chance(0.1)) void this.#once(what);
    void this.#call(what).then((answer) => {
      this.underWay -= 1;
      if (answer !== undefined) this.told.push({ what, answer, at: time.now });
    });
  }

  #repeat(): void {
    const before = this.told.at(-1 - this.#random.int(0, 5));
    if (before === undefined || !before.answer.ok || !before.what.keyed || isSteering(before.what)) return;
    const first = JSON.stringify(before.answer.value);
    this.underWay += 1;
    void this.#call(before.what).then((answer) => {
      this.underWay -= 1;
      if (answer?.ok !== true || JSON.stringify(answer.value) !== first) {
        const { command, commandId } = before.what;
        this.wrong.push(
          `${command.type} ${commandId} was answered ${first} first and ${JSON.stringify(answer)} when asked again`,
        );
      }
    });
  }

  /** Asks until there is an answer; undefined when there was none and it may not be asked again. */
  async #call(what: Asked): Promise<CommandResult | undefined> {
    for (;;) {
      const answer = await this.#once(what);
      const status = answer === undefined ? "no answer" : answer.ok ? "ok" : answer.refusal.refused;
      this.#note(`${what.command.type} ${what.to.slice(-4)} ${what.commandId.slice(-4)}: ${status}`);
      if (answer !== undefined && (answer.ok || ruleOf(answer.refusal.refused) !== undefined)) return answer;
      if (!what.keyed) return undefined;
      await this.#cluster.time.wait(RETRY_MS);
    }
  }

  #once(what: Asked): Promise<CommandResult | undefined> {
    const { gateways, time } = this.#cluster;
    if (gateways.length === 0) return Promise.resolve(undefined);
    const { router } = this.#random.pick(gateways);
    const { ask, commandId, keyed } = what;
    const sent = time.now;
    const asked = ask(router, keyed ? { commandId, again: true } : { commandId }).then((answer) => {
      this.#remember(what, sent, answer);
      return answer;
    });
    return Promise.race([asked, time.wait(WAIT_MAX_MS).then(() => undefined)]);
  }

  /** Every refusal is kept, also one that comes too late or to a retry. */
  #remember(what: Asked, sent: number, answer: CommandResult): void {
    if (answer.ok || ruleOf(answer.refusal.refused) === undefined) return;
    this.refused.push({ what, refusal: answer.refusal, sent, at: this.#cluster.time.now });
  }

  #look({ kind, id }: Address): void {
    const { gateways, store, time } = this.#cluster;
    const { router, process } = this.#random.pick(gateways);
    const from = time.now;
    if (kind !== "batch") {
      const lost = () => {};
      void store.row(process, { kind, id }).then((shown) => this.seen.push({ kind, id, shown, from, until: time.now }), lost);
      return;
    }
    const requester = this.wishes.batches.find((one) => one.id === id)?.requester ?? person(0);
    void router.ask({ kind, id }, { type: "show", requester }).then((answer) => {
      if (answer.ok) this.seen.push({ kind, id, shown: answer.value, from, until: time.now });
      else if (answer.refusal.refused === "BATCH_UNKNOWN") this.seen.push({ kind, id, shown: null, from, until: time.now });
    });
  }
}
