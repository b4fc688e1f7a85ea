/** A market in one process on a clock that the test moves: hosts, a journal in memory, and the commands of clients. */

import { Host, type HostPorts } from "../../actors/host/host.ts";
import type { CommandResult, Envelope } from "../../actors/message.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { JudgedWhere, Validator } from "../../actors/ports/validator.ts";
import { auditBooks } from "../../machines/audit/books.ts";
import type { Delivery, DeliveryOutcome } from "../../machines/delivery.ts";
import { ENTITIES } from "../../machines/entities.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import type { TaskSpec } from "../../machines/task/events.ts";
import type { Judgement, Question } from "../../machines/validation/judgement.ts";
import { judgeResult } from "../../machines/validation/verdict.ts";
import { type AccountId, accountId, credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "./clock.ts";
import { MemoryJournal } from "./memory-journal.ts";

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
export const GOOD_RESULT = { name: "Ada" };
export const BAD_RESULT = { name: 7 };

/** The n-th id of a test: the same at every run. */
export function id(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

export const person = (n: number): AccountId => accountId(id(n));

export function order(changes: Partial<TaskSpec> = {}): TaskSpec {
  return {
    taskType: "json_extraction",
    inputData: "Ada wrote the first program.",
    schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    rules: [],
    exampleOutput: { name: "Grace" },
    budget: credits(20),
    maxSeconds: 120,
    quality: "balanced",
    minSkill: 0,
    poolHours: 1,
    autoRetry: 1,
    callbackUrl: null,
    windowMs: 3_000,
    ...changes,
  };
}

export const STANDING = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;

export function judgeAtOnce({ demands, result, input }: Question): Judgement {
  const judged = judgeResult(demands, result, input);
  return "problem" in judged ? { unjudged: judged.problem, because: judged.field } : judged;
}

export class World {
  readonly clock = new ManualClock();
  readonly journal = new MemoryJournal();
  host: Host;
  /** What each webhook attempt comes to. */
  deliver: (delivery: Delivery) => Promise<DeliveryOutcome | null> = async () => ({
    id: id(1),
    ms: 1,
    result: "delivered",
    status: 200,
  });
  /** What was judged, and where; replace it for another validator. */
  judge: Validator["judge"] = (question, where = "anywhere") => {
    this.judged.push(where);
    return judgeAtOnce(question);
  };
  readonly judged: JudgedWhere[] = [];
  /** What its actors are; for a host that is made after they were replaced. */
  entities: HostPorts["entities"] = ENTITIES;
  /** Told whose streams have more to tell; see HostPorts. */
  wake: NonNullable<HostPorts["wake"]> = () => {};
  /** What every member reads, of a host that is made afterwards; if absent, it is alone. */
  formats: HostPorts["formats"];
  /** Carries what one actor of a host sends or asks another; replace it for another network. */
  carry = (envelope: Envelope, host: Host): Promise<CommandResult> => host.request(envelope);
  /** Observes the live actors of a host that is made afterwards. */
  inspect: HostPorts["inspect"];
  #ids = 1_000;

  constructor() {
    this.host = this.makeHost();
  }

  nextId(): string {
    this.#ids += 1;
    return id(this.#ids);
  }

  makeHost(): Host {
    const host: Host = new Host({
      entities: this.entities,
      journal: this.journal,
      validator: { judge: (question, where) => this.judge(question, where) },
      calls: { make: ({ request }) => this.deliver(request) },
      transport: { request: (envelope) => this.carry(envelope, host) },
      wake: (account) => this.wake(account),
      inspect: this.inspect,
      ...(this.formats === undefined ? {} : { formats: this.formats }),
      clock: this.clock,
      ids: { next: () => this.nextId() },
      log: SILENT,
      writers: 1,
    });
    return host;
  }

  /** The process dies: what was in memory is gone. A new one starts on what was committed. */
  async crash(): Promise<void> {
    // The old host keeps nothing that the new one shares but the journal; its answers are never seen again.
    void this.host.stop(0);
    this.host = this.makeHost();
    await this.host.start();
  }

  ask(kind: "task" | "account" | "batch", to: string, command: CarriedCommand, commandId?: string): Promise<CommandResult> {
    return this.host.request({
      to: { kind, id: to },
      command,
      commandId: commandId ?? this.nextId(),
      origin: "client",
      delivery: commandId === undefined ? "first" : "again",
      deadline: this.clock.now() + 10_000,
    });
  }

  register(n: number, grant = 50): Promise<CommandResult> {
    const command = {
      type: "register",
      account: person(n),
      email: `p${n}@example.com`,
      source: null,
      keyHash: `hash${n}`,
      grant: credits(grant),
      marks: [],
    } as const;
    return this.ask("account", person(n), command);
  }

  post(n: number, task: TaskId, changes: Partial<TaskSpec> = {}, commandId?: string): Promise<CommandResult> {
    return this.ask(
      "account",
      person(n),
      { type: "hold", task, order: order(changes), fresh: commandId === undefined },
      commandId,
    );
  }

  newTask(): TaskId {
    return taskId(this.nextId());
  }

  bid(n: number, task: TaskId, amount: number | null, online: readonly AccountId[] | null = null): Promise<CommandResult> {
    const bid = {
      type: "bid",
      bid: this.nextId(),
      worker: person(n),
      credits: amount === null ? null : credits(amount),
      standing: STANDING,
      online,
    } as const;
    return this.ask("task", task, bid);
  }

  submit(n: number, task: TaskId, good: boolean, envelope: Partial<Envelope> = {}): Promise<CommandResult> {
    const result = good ? GOOD_RESULT : BAD_RESULT;
    const command = { type: "submit", submission: this.nextId(), worker: person(n), result } as const;
    const to = { kind: "task", id: task } as const;
    const deadline = this.clock.now() + 10_000;
    return this.host.request({
      ...{ to, command, commandId: this.nextId(), origin: "client", delivery: "first", deadline },
      ...envelope,
    });
  }

  /** Lets everything that can happen without time passing happen. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 12; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.clock.next !== null && this.clock.next <= this.clock.now()) this.clock.to(this.clock.now());
    }
  }

  /** Lets `ms` pass, stopping wherever something is due. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    await this.settle();
    for (let next = this.clock.next; next !== null && next <= until; next = this.clock.next) {
      this.clock.to(next);
      await this.settle();
    }
    this.clock.to(until);
    await this.settle();
  }

  /** Lets `ms` pass at once, as when a machine was asleep: everything that is due fires late. */
  async jump(ms: number): Promise<void> {
    await this.settle();
    this.clock.to(this.clock.now() + ms);
    await this.settle();
  }

  /** Waits for an answer while time passes as it must. */
  async answer(asked: Promise<CommandResult>): Promise<CommandResult> {
    let given: CommandResult | undefined;
    void asked.then((answer) => {
      given = answer;
    });
    for (let steps = 0; given === undefined && steps < 200; steps += 1) {
      await this.settle();
      if (given === undefined) await this.pass(100);
    }
    if (given === undefined) throw new Error("no answer");
    return given;
  }

  /** The promises that do not hold now; empty when all is well. */
  async broken(): Promise<readonly string[]> {
    return (await auditBooks(this.journal.books())).flatMap(({ wrong }) => [...wrong]);
  }

  row(kind: "task" | "account", of: string): { readonly [name: string]: unknown } {
    return (this.journal.actors.get(`${kind}:${of}`)?.row ?? {}) as { readonly [name: string]: unknown };
  }
}
