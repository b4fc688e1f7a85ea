/** One seed, one history: a cluster, its clients, everything that goes wrong, and what must hold all the same. */
import { batch } from "../../machines/batch/index.ts";
import { openItems } from "../../machines/batch/state.ts";
import type { StoredFact } from "../../machines/fact.ts";
import { FORMATS } from "../../machines/formats.ts";
import { TERMINAL_STATUSES } from "../../machines/task/tags.ts";
import { wrongAnswers } from "./answers.ts";
import { Checker } from "./checker.ts";
import { Cluster, LEASE_MS, type SimNode } from "./cluster.ts";
import { Random } from "./random.ts";
import type { Mutation } from "./store.ts";
import { stripped, type Version } from "./versions.ts";
import { Workload } from "./workload.ts";

export const STEPS_DEFAULT = 150;
const STEP_MS_MAX = 200;
const AUDIT_EVERY = 25;
const NODES = 3;
const NODES_MAX = 5;
/** After the faults have stopped, everything must have come to its end within this (ms of simulated time). */
const END_MS = 400_000;
const TERMINAL: ReadonlySet<unknown> = new Set(TERMINAL_STATUSES);

export interface Outcome {
  readonly seed: number;
  /** What did not hold; empty when all is well. */
  readonly wrong: readonly string[];
  readonly history: readonly string[];
  readonly answers: number;
  readonly tasks: number;
  /** Awards that clients of pulls had not heard of. */
  readonly undelivered: number;
  /** Commits of a node that began while another of its was under way. */
  readonly beside: number;
  /** How many penalties were taken back. */
  readonly excused: number;
  /** Ms of simulated time. */
  readonly elapsed: number;
}

const FAULTS = {
  none: 60,
  kill: 3,
  sleep: 3,
  cutStore: 2,
  cutNetwork: 2,
  heal: 6,
  weather: 3,
  storeAway: 1,
  storeErrors: 3,
  killGateway: 1,
  drain: 1.5,
  join: 3,
  skew: 1,
} as const;

const VERSIONS = { tomorrow: 6, today: 1, before: 1 } as const;

class Simulation {
  readonly history: string[] = [];
  readonly random: Random;
  readonly cluster: Cluster;
  readonly checker: Checker;
  readonly workload: Workload;

  constructor(seed: number, mutation: Mutation) {
    this.random = new Random(seed);
    this.cluster = new Cluster(this.random, mutation, (line) => this.note(line));
    this.checker = new Checker(this.cluster.store);
    this.workload = new Workload(this.cluster, this.random, (line) => this.note(line));
  }

  note(line: string): void {
    this.history.push(`${String(this.cluster.time.now).padStart(7)} ${line}`);
  }

  get wrong(): readonly string[] {
    const { checker, workload, cluster } = this;
    return [...checker.wrong, ...workload.wrong, ...workload.workers.wrong, ...cluster.unreadable];
  }

  async begin(): Promise<void> {
    for (let n = 0; n < NODES; n += 1) this.cluster.startNode(this.random.pick([1, 1, 2]), this.#version());
    for (let n = 0; n < 2; n += 1) this.cluster.startGateway();
    await this.pass(LEASE_MS);
    this.workload.begin();
    await this.pass(LEASE_MS);
    this.workload.rate();
    this.workload.offer();
    this.workload.verify();
    await this.pass(LEASE_MS);
  }

  /** The version that the next node runs: an update is under way, and may be taken back. */
  #version(): Version {
    return this.random.weighted(VERSIONS);
  }

  pass(ms: number): Promise<void> {
    return this.cluster.time.run(this.cluster.time.now + ms);
  }

  /** One thing goes wrong, or nothing. */
  disturb(): void {
    const { cluster, random } = this;
    const { network, store, nodes } = cluster;
    const fault = random.weighted(FAULTS);
    if (fault === "none") return;
    const node = nodes.length === 0 ? undefined : random.pick(nodes);
    this.note(`-- ${fault} ${node?.process.name ?? ""}`);
    switch (fault) {
      case "kill":
        if (node !== undefined) cluster.killNode(node);
        return;
      case "sleep":
        node?.process.sleep(random.int(100, LEASE_MS * 3));
        return;
      case "cutStore":
        if (node !== undefined) store.cut.add(node.process.name);
        return;
      case "cutNetwork":
        if (node !== undefined) network.cut.add(node.process.name);
        return;
      case "heal":
        store.cut.clear();
        network.cut.clear();
        return;
      case "weather":
        network.dropped = random.pick([0, 0.02, 0.15]);
        network.doubled = random.pick([0, 0.05, 0.3]);
        network.slow = random.pick([0, 0.05, 0.3]);
        return;
      case "storeAway":
        store.awayUntil = cluster.time.now + random.int(100, LEASE_MS * 2);
        return;
      case "storeErrors":
        store.refused = random.pick([0, 0.05, 0.2]);
        store.lost = random.pick([0, 0.05, 0.2]);
        cluster.webhooksFail = random.pick([0, 0.5]);
        return;
      case "killGateway":
        cluster.killGateway(random.pick(cluster.gateways));
        cluster.startGateway();
        return;
      case "drain":
        if (node !== undefined && !node.draining) cluster.drainNode(node);
        return;
      case "join":
        if (nodes.length < NODES_MAX) cluster.startNode(random.pick([1, 2]), this.#version());
        return;
      case "skew":
        if (node !== undefined) node.process.skew = random.int(-500, 500);
        return;
      default:
        fault satisfies never;
    }
  }

  /** The faults stop; what is broken for good is replaced. */
  async calm(): Promise<void> {
    const { network, store, nodes } = this.cluster;
    this.note("-- the faults stop");
    store.cut.clear();
    network.cut.clear();
    network.dropped = 0;
    network.doubled = 0;
    network.slow = 0;
    store.awayUntil = 0;
    store.refused = 0;
    store.lost = 0;
    this.cluster.webhooksFail = 0;
    // Those of before may not be let in any more.
    const able = ({ draining, version }: SimNode) => !draining && version === "tomorrow";
    // The update is brought to its end: until then nobody may do what older nodes do not know.
    for (const node of nodes) if (node.version === "before" && !node.draining) this.cluster.drainNode(node);
    while (nodes.filter(able).length < 2) this.cluster.startNode(1, "tomorrow");
    this.workload.enrich();
    void this.workload.workers.stayReady();
    for (let passed = 0; passed < END_MS && !this.ended(); passed += LEASE_MS) await this.pass(LEASE_MS);
  }

  /** Whether nothing is left to be done. */
  ended(): boolean {
    const { actors, messages, dues } = this.cluster.store.journal;
    if (this.workload.underWay + this.workload.workers.underWay > 0 || messages.size > 0) return false;
    if ([...dues.values()].some(({ name }) => name !== "cooldown" && name !== "debt")) return false;
    return [...actors.values()].every(({ address, facts, row }) => {
      if (facts.length === 0 || address.kind === "account") return true;
      return address.kind === "task" ? isEnded(row) : isDone(address.id, facts);
    });
  }

  /** What is wrong at the end. */
  async close(): Promise<void> {
    await this.checker.audit();
    this.checker.wrong.push(...this.workload.workers.leftOver());
    this.checker.wrong.push(...this.workload.stillTrue(), ...wrongAnswers(this.workload, this.cluster));
    if (this.ended()) return;
    const { actors, messages, dues } = this.cluster.store.journal;
    const open = [...actors.values()].filter(
      ({ address, facts, row }) => address.kind === "task" && facts.length > 0 && !isEnded(row),
    );
    for (const { id, from, to, command } of messages.values()) {
      this.note(
        `left: ${command.type} ${id.slice(-4)} from ${from.kind} ${from.id} to ${to.kind} ${to.id}, owned by ${this.cluster.store.ownerOf(from.id)}`,
      );
    }
    for (const { address, name } of dues.values()) {
      this.note(`left: timer ${name} of ${address.kind} ${address.id}, owned by ${this.cluster.store.ownerOf(address.id)}`);
    }
    this.checker.wrong.push(
      `not at its end: ${open.length} tasks are open, ${messages.size} messages and ${dues.size} timers are left, ${this.workload.underWay} requests wait`,
    );
  }
}

/** Whether nothing will happen to a batch: one that was paused last of all stays so. */
function isDone(id: string, facts: readonly StoredFact[]): boolean {
  const read = (fact: StoredFact) => batch.upcast(stripped(fact, FORMATS.batch));
  const state = facts.reduce((before, fact) => batch.evolve(before, read(fact)).state, batch.initial(id));
  return !state.hasTag("ongoing") || (state.value === "PAUSED" && openItems(state.context).length === 0);
}

function isEnded(row: unknown): boolean {
  return typeof row === "object" && row !== null && "status" in row && TERMINAL.has(row.status);
}

/** Runs one seed. The same seed, steps and mutation give the same history. */
export async function simulate(seed: number, steps = STEPS_DEFAULT, mutation: Mutation = "none"): Promise<Outcome> {
  const simulation = new Simulation(seed, mutation);
  await simulation.begin();
  for (let step = 1; step <= steps && simulation.wrong.length === 0; step += 1) {
    simulation.disturb();
    simulation.workload.act();
    await simulation.pass(simulation.random.int(0, STEP_MS_MAX));
    if (step % AUDIT_EVERY === 0) await simulation.checker.audit();
  }
  if (simulation.wrong.length === 0) {
    await simulation.calm();
    await simulation.close();
  }
  const { workload, history, cluster } = simulation;
  for (const { process } of [...cluster.nodes, ...cluster.gateways]) process.kill();
  return {
    seed,
    wrong: simulation.wrong,
    history,
    answers: workload.told.length,
    tasks: workload.wishes.tasks.length,
    undelivered: workload.workers.undelivered(),
    beside: cluster.store.beside,
    excused: workload.workers.excused(),
    elapsed: cluster.time.now,
  };
}
