/**
 * Workers of a simulated cluster who wait for work: some pull, some are online with a posted price. They learn what they have from
 * the answers to their pulls, or from rows, and submit results.
 *
 * W1  What a pull gives was awarded to its worker for that pull, and no two pulls give one award.
 * W2  When the faults have stopped, whoever can take a task gets it: none that a ready worker can have is left in the pool.
 */
import { DoorRecipient } from "../../gateway/doors/recipient.ts";
import { Presence } from "../../gateway/live/presence.ts";
import { PULL_BYTES_MAX, Pulls } from "../../gateway/live/pulls.ts";
import { Queues } from "../../gateway/live/queues.ts";
import { Undelivered } from "../../gateway/live/undelivered.ts";
import type { Signal } from "../../gateway/ports/signals.ts";
import { addressKey } from "../../machines/address.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import { isAwarded, takesBids } from "../../machines/task/tags.ts";
import { type AccountId, credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { BAD_RESULT, GOOD_RESULT, order, person, SILENT } from "../support/world.ts";
import { type Cluster, PARTITIONS, type SimGateway } from "./cluster.ts";
import type { Random } from "./random.ts";
import { readsOf, storedTasks, wonBy } from "./reads.ts";
import { type Wish, wish } from "./wishes.ts";

const TYPE = order().taskType;
/** Who pulls, who is online with a posted price, and who comes when the faults have stopped. */
export const PULLING = [5, 6];
const ONLINE = [1, 2];
export const READY = 9;
/** How often the ready worker looks what it has (ms), and from when on it must have got what it can (ms after the faults). */
const LOOK_MS = 200;
const PATIENCE_MS = 45_000;

interface Edge {
  readonly pulls: Pulls;
  readonly undelivered: Undelivered;
  readonly presence: Presence;
}

export class Workers {
  readonly wrong: string[] = [];
  underWay = 0;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #start: (wanted: Wish, keyed: boolean) => void;
  readonly #edges = new Map<SimGateway, Edge>();
  /** Task and award -> the pull that gave it. */
  readonly #given = new Map<string, string>();
  readonly #submitted = new Set<string>();
  /** Tasks that were open when the ready worker must have got them. */
  #owed: readonly TaskId[] = [];

  /** `start` sends a command as a client does. */
  constructor(cluster: Cluster, random: Random, start: (wanted: Wish, keyed: boolean) => void) {
    this.#cluster = cluster;
    this.#random = random;
    this.#start = start;
  }

  /** Registers those who only work. */
  begin(): void {
    for (const n of [...PULLING, READY]) this.#register(n);
  }

  /** Somebody pulls, or is online for a while. */
  act(): void {
    const random = this.#random;
    if (random.chance(0.25)) void this.#pull(person(random.pick(PULLING)));
    if (random.chance(0.05)) this.#listen(person(random.pick(ONLINE)));
    if (random.chance(0.3)) this.#submitSome();
  }

  /** Somebody who has a task submits a result, of whom a client that picks tasks and workers at random rarely thinks. */
  #submitSome(): void {
    const had = storedTasks(this.#cluster.store.journal.actors).filter(({ row }) => row.worker !== null && isAwarded(row.status));
    const { row } = had.length === 0 ? { row: undefined } : this.#random.pick(had);
    if (row !== undefined && row.worker !== null) this.#submit(row.worker, taskId(row.id), this.#random.chance(0.5));
  }

  /** The faults have stopped: one worker takes whatever there is, at the lowest price. */
  async stayReady(): Promise<void> {
    const { time, gateways } = this.#cluster;
    const capability = {
      taskType: TYPE,
      description: "",
      tags: [],
      price: credits(1),
      concurrency: 100,
      minSeconds: 1,
      available: true,
    };
    this.#start(
      wish("account", person(READY), { type: "registerCapability", capability: { ...capability, id: this.#cluster.ids.next() } }),
      true,
    );
    // Whoever is online before it has named its price is told so again much later.
    while (!this.#hasPrice(person(READY))) await time.wait(LOOK_MS);
    for (const gateway of gateways) {
      this.#edge(gateway).presence.listens({ worker: person(READY), taskTypes: [TYPE], announce: true });
    }
    const from = time.now;
    for (;;) {
      await time.wait(LOOK_MS);
      this.#submitAll(person(READY));
      if (this.#owed.length === 0 && time.now >= from + PATIENCE_MS) this.#owed = this.#openTo(person(READY));
    }
  }

  /** How many awards were given back because no client had heard of them. */
  undelivered(): number {
    return storedTasks(this.#cluster.store.journal.actors).flatMap(({ row }) => this.#facts(row.id).filter(isUndelivered)).length;
  }

  /** How many penalties were taken back. */
  excused(): number {
    const all = [...this.#cluster.store.journal.actors.values()];
    return all.flatMap(({ facts }) => facts.filter(({ type }) => type === "Excused")).length;
  }

  /** W2, at the end. */
  leftOver(): readonly string[] {
    // On slow nodes the ready worker may be late three times in a row, and has to rest then as anybody has. And where nobody can solve some
    // of the tasks, these take its slots as long as they last.
    const had = this.#accountFacts(person(READY)).map(({ type }) => type);
    if (had.includes("CooldownStarted") || (this.#hasUnsolvable() && had.includes("Failed"))) return [];
    return this.#owed
      .filter((id) => this.#facts(id).at(-1)?.type === "Expired" && !this.#hadIt(id, person(READY)))
      .map((id) => {
        const told = this.#facts(id).map(({ type, at }) => `${type} ${at % 10_000_000}`);
        return `task ${id} expired in the pool, while a worker who could have taken it was there: ${told.join(", ")}`;
      });
  }

  /** Whether there are tasks that nobody can solve. */
  #hasUnsolvable(): boolean {
    return storedTasks(this.#cluster.store.journal.actors).some(({ order: { schema } }) => "const" in schema);
  }

  #register(n: number): void {
    const who = { account: person(n), email: `p${n}@example.com`, source: null, keyHash: `hash${n}` };
    this.#start(wish("account", person(n), { type: "register", ...who, grant: credits(0), marks: [] }), true);
  }

  #edge(gateway: SimGateway): Edge {
    const known = this.#edges.get(gateway);
    if (known !== undefined) return known;
    const { process, router } = gateway;
    const queues = new Queues(router, PARTITIONS);
    const ports = { queues, reads: readsOf(this.#cluster.store, process), clock: process, log: SILENT, gateway: process.name };
    const undelivered = new Undelivered({ ...ports, router, signals: { send: (signal) => this.#tell(signal) } });
    const pulls = new Pulls({ ...ports, undelivered });
    const edge = { pulls, undelivered, presence: new Presence({ ...ports, taskTypes: [TYPE] }) };
    this.#edges.set(gateway, edge);
    return edge;
  }

  /** Tells the other gateways what one keeps, or would give back; now and then one does not hear it. */
  #tell(signal: Signal): void {
    for (const { undelivered } of this.#edges.values()) {
      if (this.#random.chance(0.2)) continue;
      if (signal.type === "undelivered") undelivered.hearUndelivered(signal);
      if (signal.type === "kept") undelivered.hearKept(signal);
    }
  }

  async #pull(worker: AccountId): Promise<void> {
    const { gateways, ids, store, time } = this.#cluster;
    const random = this.#random;
    let gateway = random.pick(gateways);
    const key = ids.next();
    const reads = readsOf(store, gateway.process);
    const read = Promise.all([reads.account(worker), reads.capabilities(worker)]);
    const [row, capabilities = []] = await read.catch(() => []);
    if (row === undefined) return;
    const request = {
      key,
      terms: "terms",
      row,
      capabilities,
      taskTypes: [TYPE],
      most: random.int(1, 3),
      minPrice: random.int(1, 10),
      waitMs: random.int(0, 3_000),
      bytesMost: PULL_BYTES_MAX,
    };
    // A client that has no key for its request lets it be if the answer is lost.
    const hasKey = random.chance(0.7);
    this.underWay += 1;
    for (;;) {
      const client = new DoorRecipient();
      const { pulls } = this.#edge(gateway);
      const asked = pulls.pull({ ...request, again: hasKey, client }).catch(() => undefined);
      const patience = random.chance(0.2) ? random.int(0, request.waitMs) : request.waitMs + 10_000;
      const got = await Promise.race([asked, time.wait(patience).then(() => undefined)]);
      // Now and then the client leaves while its answer is on its way.
      if (got !== undefined && !random.chance(0.3)) {
        client.answered();
        if (typeof got === "string") this.wrong.push(`a pull of ${worker} was refused: ${got}`);
        else for (const { row: task } of got.tasks) this.#got(worker, key, taskId(task.id));
        break;
      }
      client.left();
      if (!hasKey) break;
      gateway = random.pick(gateways);
      if (!gateway.process.alive || random.chance(0.3)) break;
    }
    this.underWay -= 1;
  }

  /** W1. */
  #got(worker: AccountId, key: string, task: TaskId): void {
    const rows = this.#cluster.store.journal.actors;
    if (!wonBy(rows, worker, key).some(({ task: { row } }) => row.id === task)) {
      this.wrong.push(`a pull of ${worker} was given task ${task}, which it has not won`);
    }
    const before = this.#given.get(`${task} ${worker}`);
    if (before !== undefined && before !== key && !this.#facts(task).some(isUndelivered)) {
      this.wrong.push(`task ${task} was given to two pulls of ${worker}`);
    }
    this.#given.set(`${task} ${worker}`, key);
    if (this.#random.chance(0.85)) this.#submit(worker, task, this.#random.chance(0.85));
  }

  #listen(worker: AccountId): void {
    const { gateways } = this.#cluster;
    const leave = this.#edge(this.#random.pick(gateways)).presence.listens({ worker, taskTypes: [TYPE], announce: true });
    void this.#cluster.time.wait(this.#random.int(500, 8_000)).then(leave);
  }

  #submitAll(worker: AccountId): void {
    for (const { row } of storedTasks(this.#cluster.store.journal.actors)) {
      if (row.worker !== worker || row.status !== "AWARDED" || this.#submitted.has(row.id)) continue;
      this.#submitted.add(row.id);
      this.#submit(worker, taskId(row.id), true);
    }
  }

  #submit(worker: AccountId, task: TaskId, isGood: boolean): void {
    const submission = this.#cluster.ids.next();
    this.#start(wish("task", task, { type: "submit", submission, worker, result: isGood ? GOOD_RESULT : BAD_RESULT }), true);
  }

  #facts(id: string): readonly TaskFact[] {
    // The store holds facts as unknown; a task's actor made these.
    return (this.#cluster.store.journal.actors.get(addressKey({ kind: "task", id }))?.facts ?? []).map(
      ({ body }) => body as TaskFact,
    );
  }

  #accountFacts(worker: AccountId): readonly { readonly type: string }[] {
    return this.#cluster.store.journal.actors.get(addressKey({ kind: "account", id: worker }))?.facts ?? [];
  }

  #hasPrice(worker: AccountId): boolean {
    return (this.#cluster.store.journal.actors.get(addressKey({ kind: "account", id: worker }))?.parts.size ?? 0) > 0;
  }

  #hadIt(id: TaskId, worker: AccountId): boolean {
    return this.#facts(id).some((fact) => fact.type === "Awarded" && fact.bid.worker === worker);
  }

  #openTo(worker: AccountId): readonly TaskId[] {
    const isOpen = ({ status, closedTo }: TaskRow) => takesBids(status) && !closedTo.includes(worker);
    return storedTasks(this.#cluster.store.journal.actors).flatMap(({ row }) => (isOpen(row) ? [taskId(row.id)] : []));
  }
}

function isUndelivered(fact: TaskFact): boolean {
  return fact.type === "AwardReturned" && fact.how === "UNDELIVERED";
}
