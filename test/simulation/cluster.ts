/** Simulated gateways and nodes, made of the parts that real ones are made of. */

import type { AnyMachineSnapshot } from "xstate";
import { Host } from "../../actors/host/host.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { OpenTasks } from "../../actors/ports/open-tasks.ts";
import { Router } from "../../actors/router.ts";
import { Node } from "../../actors/shards/node.ts";
import { entitiesUnder } from "../../machines/entities.ts";
import type { AnyEntity } from "../../machines/entity.ts";
import type { CreditTerms } from "../../machines/market/credit-line.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import { isRefusal, refuse } from "../../machines/refusal.ts";
import { JUDGING_MS_MAX } from "../../machines/task/decide.ts";
import type { Judgement, Question } from "../../machines/validation/judgement.ts";
import { judgeAtOnce, SILENT } from "../support/world.ts";
import { Network } from "./network.ts";
import type { Random } from "./random.ts";
import { openTasksOf } from "./reads.ts";
import { type Mutation, Store } from "./store.ts";
import { Process, Time } from "./time.ts";
import { PUBLISHED, tomorrow, upTo, type Version } from "./versions.ts";

/** What opens a credit line here: three times what was paid in, so that lines are short enough to be used up. */
export const TERMS: CreditTerms = { requires: "payment", multiple: 3, holdMs: 0 };
/** Here the failures of whoever is verified say something about a task, so that it comes to that often enough. */
const RULES = { ...MARKET_RULES, provenSettlements: 0 };
const ENTITIES = entitiesUnder(RULES);
const UNDER_TERMS = entitiesUnder({ ...RULES, credit: TERMS });

export const LEASE_MS = 2_000;
const DEADLINE_MS = 6_000;
const DRAIN_MS = 8_000;
/** Clocks of machines are off by up to this (ms). */
export const SKEW_MS_MAX = 500;
/** Matchers of each queue. */
export const PARTITIONS = 2;
const TOO_EXPENSIVE: Judgement = { because: "slow", unjudged: "takes too long", killed: true };

export interface SimNode {
  readonly process: Process;
  readonly version: Version;
  readonly node: Node;
  draining: boolean;
}

export interface SimGateway {
  readonly process: Process;
  readonly router: Router;
}

export class Cluster {
  readonly time = new Time();
  readonly store: Store;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  readonly gateways: SimGateway[] = [];
  readonly ids: Ids;
  /** What nodes were given that they cannot read. */
  readonly unreadable: string[] = [];
  /** When judging a result was given up (ms of simulated time). */
  readonly gaveUp: number[] = [];
  /** How likely a webhook attempt fails. */
  webhooksFail = 0;
  readonly #random: Random;
  readonly #mutation: Mutation;
  #lives = 0;

  readonly #note: (line: string) => void;

  constructor(random: Random, mutation: Mutation, note: (line: string) => void) {
    this.#random = random;
    this.#mutation = mutation;
    this.#note = note;
    this.store = new Store(this.time, random, mutation);
    this.network = new Network(this.time, random, mutation);
    let count = 0;
    this.ids = {
      next: () => {
        count += 1;
        const head = random.int(0, 0xffffffff).toString(16).padStart(8, "0");
        return `${head}-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
      },
    };
  }

  startGateway(): SimGateway {
    const process = this.#process("gateway");
    const transport = this.network.transportOf(process);
    const gateway = { process, router: new Router(transport, process, this.ids, DEADLINE_MS) };
    this.gateways.push(gateway);
    return gateway;
  }

  startNode(weight: number, version: Version = "today"): SimNode {
    const process = this.#process("node");
    const holder: { node?: Node } = {};
    const own = () => {
      if (holder.node === undefined) throw new Error("a node is made before it is asked");
      return holder.node;
    };
    const transport = this.network.transportOf(process, own);
    // Who was declared dead and does not know it may still read what newer members write; it can write nothing.
    const unreadable = (member: string) => (what: string) => {
      if (this.store.members.has(member)) this.unreadable.push(what);
    };
    const mutation = this.#mutation;
    const of = (member: string) => (entity: AnyEntity) => {
      const made = version === "tomorrow" ? tomorrow(entity) : upTo(PUBLISHED[version], entity, unreadable(member));
      return mutation === "refusal" ? stingy(made) : mutation === "stale" ? forgetful(made) : made;
    };
    const node = new Node(
      {
        registry: this.store.registryOf(process),
        routes: this.network.routesOf(process, own, () => own().look()),
        clock: process,
        ids: this.ids,
        log: this.#log(process),
        lagMs: () => 0,
        hostOf: (member, leased, fenced) =>
          new Host({
            entities: {
              task: of(member)(UNDER_TERMS.task),
              account: of(member)(mutation === "line" ? blind(ENTITIES.account) : UNDER_TERMS.account),
              batch: of(member)(UNDER_TERMS.batch),
            },
            formats: () => own().formats,
            journal: this.store.journalOf(process, member),
            validator: { judge: (question) => this.#judge(process, question) },
            calls: { make: () => this.#deliver(process) },
            clock: process,
            ids: this.ids,
            log: this.#log(process),
            writers: 2,
            besideFactsMin: 1,
            transport,
            matching: { notices: { newTask: () => {} }, index: this.#index(process), partitions: PARTITIONS },
            leased: mutation === "lease" ? () => true : leased,
            fenced,
          }),
      },
      { name: process.name, weight, leaseMs: LEASE_MS, formats: PUBLISHED[version] },
    );
    holder.node = node;
    const made = { process, version, node, draining: false };
    this.nodes.push(made);
    this.#join(node, process);
    return made;
  }

  /** What kill -9 does. */
  killNode(one: SimNode): void {
    one.process.kill();
    this.network.forget(one.process);
    const at = this.nodes.indexOf(one);
    if (at >= 0) this.nodes.splice(at, 1);
  }

  killGateway(one: SimGateway): void {
    one.process.kill();
    this.gateways.splice(this.gateways.indexOf(one), 1);
  }

  /** What SIGTERM does. */
  drainNode(one: SimNode): void {
    one.draining = true;
    void one.node.drain(DRAIN_MS).then(() => this.killNode(one));
  }

  /** As an operator's tool would start it again: until it has joined. */
  #join(node: Node, process: Process): void {
    void node.start().catch(() => process.run(500, () => this.#join(node, process)));
  }

  #log(process: Process): Log {
    const write = (fields: object, message: string) => {
      const { err, ...rest } = fields as { readonly err?: unknown };
      const why = err instanceof Error ? ` ${err.message} ${err.stack?.split("\n")[1]?.trim() ?? ""}` : "";
      if (process.alive) this.#note(`   ${process.name}: ${message} ${JSON.stringify(rest)}${why}`);
    };
    return { ...SILENT, info: write, warn: write, error: write };
  }

  #process(kind: string): Process {
    this.#lives += 1;
    const process = new Process(`${kind}-${this.#lives}`, this.time);
    process.skew = this.#random.int(-SKEW_MS_MAX, SKEW_MS_MAX);
    return process;
  }

  #index(process: Process): OpenTasks {
    const index = openTasksOf(this.store, process);
    return this.#mutation === "index"
      ? { ...index, page: () => Promise.reject(new StoreUnavailable("there is no index")) }
      : index;
  }

  /** At once, or in a thread that takes its time, or so long that it is too expensive; never known when the node dies. */
  #judge(process: Process, question: Question): Promise<Judgement> | Judgement {
    const random = this.#random;
    if (random.chance(0.5)) return judgeAtOnce(question);
    const answer = random.chance(0.05) ? TOO_EXPENSIVE : judgeAtOnce(question);
    return new Promise((resolve) => {
      process.run(random.delay(50, JUDGING_MS_MAX), () => {
        if (answer === TOO_EXPENSIVE) this.gaveUp.push(this.time.now);
        resolve(answer);
      });
    });
  }

  #deliver(process: Process) {
    const random = this.#random;
    const id = this.ids.next();
    return new Promise<{ id: string; ms: number } & ({ result: "delivered"; status: number } | Failed)>((resolve) => {
      process.run(random.delay(30, 2_000), () => {
        if (random.chance(this.webhooksFail)) resolve({ id, ms: 1, result: "failed", status: null, error: "refused" });
        else resolve({ id, ms: 1, result: "delivered", status: 200 });
      });
    });
  }
}

/** An account that refuses to hold more than half of what it has; everything else it does as it should. */
function stingy(entity: AnyEntity): AnyEntity {
  return {
    ...entity,
    decide: (state, command, ...rest) => {
      const decided = entity.decide(state, command, ...rest);
      if (command.type !== "hold" || isRefusal(decided) || 2 * command.order.budget <= state.context.available) return decided;
      return refuse("INSUFFICIENT_CREDITS", `you have ${state.context.available} NC`);
    },
  };
}

/** An account that holds by its rating alone, and says that it did so by the terms. */
function blind(entity: AnyEntity): AnyEntity {
  return {
    ...entity,
    decide: (state, command, ...rest) => {
      const decided = entity.decide(state, command, ...rest);
      if (isRefusal(decided)) return decided;
      return { ...decided, facts: decided.facts.map((fact) => (fact.type === "Held" ? { ...fact, terms: TERMS } : fact)) };
    },
  };
}

/** A batch that says how far it was when it was first asked here. */
function forgetful(entity: AnyEntity): AnyEntity {
  const first = new Map<string, AnyMachineSnapshot>();
  return {
    ...entity,
    decide: (state, command, ...rest) => {
      if (command.type !== "show") return entity.decide(state, command, ...rest);
      const known = first.get(state.context.id) ?? state;
      first.set(state.context.id, known);
      return entity.decide(known, command, ...rest);
    },
  };
}

interface Failed {
  result: "failed";
  status: null;
  error: string;
}
