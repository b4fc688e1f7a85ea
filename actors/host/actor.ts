/**
 * One actor in memory: its mailbox, its state folded from facts, and the gate that holds back what is not durable yet.
 *
 * A1  Commands are decided one at a time, in order, each on the state that the one before left, committed or not.
 * A2  Nothing leaves (result, message, timer, outbound call) before every fact that it depends on is committed. That includes
 *     refusals, which depend on the state that they saw.
 * A3  When a commit fails, everything that was decided after it is discarded, and nothing that was decided before it. When the
 *     earlier commits are done, the state is loaded again, and the commands are decided again (another writer was first) or
 *     refused (the journal cannot be reached).
 * A4  A result without a commit leaves only while the node is certain that it owns the actor: the state may be outdated if
 *     another node has written to it.
 * A5  A message that names the one before it is decided after that one, or refused for now: networks delay and lose messages.
 */
import type { AnyMachineSnapshot } from "xstate";
import { type Address, addressKey } from "../../machines/address.ts";
import type { Tell } from "../../machines/effect.ts";
import type { AnyEntity, Ask, Decision } from "../../machines/entity.ts";
import type { AnyFact } from "../../machines/fact.ts";
import { NewerFormat } from "../../machines/formats.ts";
import { isRefusal, type Refusal } from "../../machines/refusal.ts";
import { LIMITS } from "../limits.ts";
import {
  BROKEN,
  CONTENDED,
  type CommandResult,
  type Envelope,
  MAILBOX_FULL,
  NOT_OWNER,
  READ_FAILED,
  TOO_EARLY,
  UNDECIDED,
  UNREACHABLE,
  UNREADABLE,
} from "../message.ts";
import { type Entry, type OutboxMessage, StoreUnavailable } from "../ports/journal.ts";
import type { Validator } from "../ports/validator.ts";
import type { ActorPorts, Release } from "./actor-ports.ts";
import type { Outcome } from "./commit.ts";
import { entryOf, timerChange } from "./entry.ts";
import { Gate, type Gated } from "./gate.ts";
import { LiveActor } from "./live.ts";
import { WrittenParts } from "./parts.ts";
import { RecentCommand, RecentResults } from "./recent.ts";

/** A command, and where its result goes. */
interface PendingCommand {
  envelope: Envelope;
  tries: number;
  /** The message that must be decided before it. */
  readonly before: RecentCommand | undefined;
  readonly answer: (answer: CommandResult) => void;
}

/** What the journal knows about a command that may have come before: nothing, its result, or it could not be read. */
type Recalled = typeof NEW | typeof NOT_READ | { readonly answered: unknown };
const NEW = "new";
const NOT_READ = "not read";

const causeOf = ({ cause, commandId }: Envelope) => cause ?? commandId;

export class Actor {
  readonly address: Address;
  readonly #entity: AnyEntity;
  readonly #ports: ActorPorts;
  readonly #inbox: PendingCommand[] = [];
  readonly #gate = new Gate<PendingCommand>();
  readonly #recent = new RecentResults();
  readonly #written = new WrittenParts();
  /** Undefined until the state is loaded. */
  #live: LiveActor | undefined = undefined;
  #seq = 0;
  #snapshotSeq = 0;
  #generation = 0;
  #running = false;
  #abandoned = false;
  #notRead = UNREACHABLE;
  lastUsed = 0;

  constructor(address: Address, entity: AnyEntity, ports: ActorPorts) {
    this.address = address;
    this.#entity = entity;
    this.#ports = ports;
  }

  /** Accepts a command. Resolves with its result; never rejects. */
  receive(envelope: Envelope): Promise<CommandResult> {
    this.lastUsed = this.#ports.clock.now();
    const known = this.#recent.get(envelope.commandId);
    if (known !== undefined) return known.answer;
    if (this.#abandoned) return Promise.resolve({ ok: false, refusal: NOT_OWNER });
    const client = envelope.origin === "client";
    if (this.#inbox.length >= (client ? LIMITS.mailboxMax : LIMITS.mailboxMessagesMax)) {
      return Promise.resolve({ ok: false, refusal: MAILBOX_FULL });
    }
    const before = envelope.after === undefined ? undefined : this.#recent.get(envelope.after);
    if (envelope.after !== undefined && before?.refused !== false) return Promise.resolve({ ok: false, refusal: TOO_EARLY });
    const recent = new RecentCommand();
    this.#inbox.push({ envelope, tries: 0, before, answer: (given) => recent.tell(given) });
    // A timer's command is never sent twice.
    if (envelope.origin !== "timer") this.#recent.remember(envelope.commandId, recent);
    void this.#run();
    return recent.answer;
  }

  /** Gives the actor up: callers that wait are told that it is not here. The outcome of running commits no longer matters here. */
  abandon(): void {
    this.#abandoned = true;
    const waiting = [...this.#gate.discardFrom(), ...this.#inbox.splice(0)];
    this.#forgetState();
    for (const pending of waiting) pending.answer({ ok: false, refusal: NOT_OWNER });
  }

  /** Whether it is idle: nothing waits or is being processed. */
  get isIdle(): boolean {
    return !this.#running && this.#inbox.length === 0 && this.#gate.empty;
  }

  /** Whether it may be evicted at once. */
  get finished(): boolean {
    return this.#live === undefined || this.#entity.finished(this.#live.state);
  }

  /** The entry that saves the state before the actor is evicted; undefined if that is not worthwhile. */
  passivate(): Entry | undefined {
    if (this.#live === undefined || this.#seq - this.#snapshotSeq < LIMITS.snapshotOnLeaving) return undefined;
    const { state } = this.#live;
    this.#snapshotSeq = this.#seq;
    return this.#entry(state, state, [], true);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let pending = this.#inbox[0]; pending !== undefined; pending = this.#inbox[0]) {
        const generation = this.#generation;
        if (this.#waits) break;
        const ready = this.#live !== undefined || (await this.#load(pending));
        const known = ready && pending.envelope.delivery === "again" ? await this.#recall(pending) : NEW;
        // If a commit failed meanwhile, the state is gone, and the mailbox is processed from its start.
        if (this.#isSuperseded(generation, pending)) continue;
        const question = ready && known === NEW ? this.#ask(pending) : undefined;
        if (question !== undefined) await question;
        if (this.#isSuperseded(generation, pending)) continue;
        if (!ready || known === NOT_READ) pending.answer({ ok: false, refusal: this.#notRead });
        else if (known === NEW && pending.before?.refused === true) pending.answer({ ok: false, refusal: TOO_EARLY });
        else if (known === NEW && !this.#decide(pending)) continue;
        else if (known !== NEW) this.#pass(pending, { ok: true, value: known.answered });
        this.#inbox.shift();
      }
    } catch (error) {
      this.#broken(error);
    } finally {
      this.#running = false;
    }
    if (this.#inbox.length > 0 && !this.#waits) void this.#run();
    else this.#reportIdle();
  }

  /** Whether the state must be loaded again, but earlier decisions are still being committed. */
  get #waits(): boolean {
    return this.#live === undefined && !this.#gate.empty;
  }

  #isSuperseded(generation: number, pending: PendingCommand): boolean {
    return generation !== this.#generation || this.#inbox[0] !== pending;
  }

  #reportIdle(): void {
    if (this.isIdle) this.#ports.idle(this);
  }

  /** A bug: the command is refused and has changed nothing, and everything else continues. */
  #broken(error: unknown): void {
    this.#ports.log.error({ err: error, actor: addressKey(this.address) }, "an actor failed; this is a bug");
    this.#inbox.shift()?.answer({ ok: false, refusal: BROKEN });
  }

  /** Drops the state of an actor that is evicted or whose commit has failed. */
  #forgetState(): void {
    this.#generation += 1;
    this.#live?.stop();
    this.#live = undefined;
    this.#written.forget();
  }

  get #state(): AnyMachineSnapshot {
    if (this.#live === undefined) throw new Error("an actor must be loaded before it decides");
    return this.#live.state;
  }

  #createLive(state?: AnyMachineSnapshot): LiveActor {
    return new LiveActor(this.#entity, this.address.id, state, this.#ports.inspect);
  }

  async #load({ envelope }: PendingCommand): Promise<boolean> {
    const { id } = this.address;
    if (envelope.fresh === true && envelope.delivery === "first") {
      this.#begin(this.#createLive(), 0, 0);
      return true;
    }
    const generation = this.#generation;
    try {
      const { snapshot, facts } = await this.#ports.journal.load(this.address);
      if (generation !== this.#generation) return false;
      const live = this.#createLive(snapshot === null ? undefined : this.#entity.restore(id, snapshot.state));
      for (const fact of facts) live.replay(this.#entity.upcast(fact));
      const from = snapshot?.seq ?? 0;
      this.#begin(live, from + facts.length, from);
      return true;
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  /** What is stored could not be read, so the refusal of a command is not final. */
  #readFailed(error: unknown): false {
    if (error instanceof StoreUnavailable) this.#notRead = UNREACHABLE;
    else this.#notRead = error instanceof NewerFormat ? UNREADABLE : READ_FAILED;
    this.#ports.log.error({ err: error, actor: addressKey(this.address) }, this.#notRead.detail);
    return false;
  }

  #begin(live: LiveActor, seq: number, snapshotSeq: number): void {
    this.#live = live;
    this.#seq = seq;
    this.#snapshotSeq = snapshotSeq;
  }

  /** Looks up the result of a command that came before. */
  async #recall({ envelope }: PendingCommand): Promise<Recalled> {
    let facts: readonly AnyFact[];
    try {
      facts = (await this.#ports.journal.caused(this.address, causeOf(envelope))).map(this.#entity.upcast);
    } catch (error) {
      this.#readFailed(error);
      return NOT_READ;
    }
    if (facts.length === 0 || this.#live === undefined) return NEW;
    return { answered: this.#entity.recall(envelope.command, facts, this.#state) };
  }

  /** Gets the judgement that the decision needs; undefined if it needs none, so that no turn of the event loop is lost. */
  #ask(pending: PendingCommand): Promise<void> | undefined {
    const { command, lost = 0, arrived = this.#ports.clock.now() } = pending.envelope;
    const question = this.#entity.question(this.#state, command, arrived);
    if (question === undefined) return undefined;
    const put = (answer: Awaited<ReturnType<Validator["judge"]>>) => {
      const { envelope } = pending;
      pending.envelope = { ...envelope, command: this.#entity.answered(envelope.command, answer) };
    };
    const judged = this.#ports.validator.judge(question, lost >= LIMITS.lostMax ? "thread" : "anywhere");
    if (judged instanceof Promise) return judged.then(put);
    put(judged);
    return undefined;
  }

  /** Decides a command; false if it must be looked up first. */
  #decide(pending: PendingCommand): boolean {
    const at = this.#ports.clock.now();
    const { command, arrived = at } = pending.envelope;
    const decision = this.#entity.decide(this.#state, command, at, arrived);
    if (isRefusal(decision)) {
      // A network may deliver a message twice. The second would be refused because of what the first did, and that refusal
      // could arrive first, so refused commands are looked up. Others need not be: the journal rejects a second commit.
      const { delivery, origin } = pending.envelope;
      if (delivery === "first" && origin !== "timer") {
        pending.envelope = { ...pending.envelope, delivery: "again" };
        return false;
      }
      this.#pass(pending, { ok: false, refusal: decision });
    } else if (decision.facts.length === 0) this.#pass(pending, { ok: true, value: decision.reply }, decision);
    else this.#stage(pending, decision);
    return true;
  }

  /** Releases a result as soon as the commits before it are done. */
  #pass(pending: PendingCommand, answer: CommandResult, { calls = [], ask }: Partial<Decision<AnyFact, unknown>> = {}): void {
    this.#gate.pass(pending, () => {
      if (!this.#ports.leased()) {
        pending.answer({ ok: false, refusal: NOT_OWNER });
        return;
      }
      const nothing = { messages: [], fresh: new Set<string>(), timers: [], announcements: [], wakes: [] };
      void this.#ports.release({ address: this.address, ...nothing, calls });
      this.#conclude(pending, answer, ask);
    });
  }

  #stage(pending: PendingCommand, decision: Decision<AnyFact, unknown>): void {
    const { entry, fresh } = this.#entryOf(pending, decision);
    const announcements = this.#entity.announce(this.#state, decision.facts);
    const wakes = this.#entity.wakes(this.#state, decision.facts);
    const { messages, timers, parts } = entry;
    this.#written.note(parts);
    this.#seq += decision.facts.length;
    if (entry.snapshot !== undefined) this.#snapshotSeq = this.#seq;
    const { calls = [], reply, afterDelivery = false, ask } = decision;
    const gated = this.#gate.commit(pending, () => {
      const delivered = this.#ports.release({ address: this.address, messages, fresh, timers, calls, announcements, wakes });
      this.#conclude(pending, { ok: true, value: reply }, ask, afterDelivery ? delivered : undefined);
    });
    this.#ports.committer.submit(entry, (outcome) => {
      if (gated.discarded) return;
      if (outcome === "committed") this.#committed();
      else this.#fail(gated, outcome);
    });
  }

  /**
   * Sends the facts of a decision to the live actor and makes their entry. If anything throws, which is a bug, nothing has
   * happened: the actor is created again as it was before.
   */
  #entryOf(
    pending: PendingCommand,
    { facts, carry = [] }: Decision<AnyFact, unknown>,
  ): Pick<Release, "fresh"> & { readonly entry: Entry } {
    const before = this.#state;
    try {
      const effects = facts.flatMap((fact) => this.#live?.send(fact) ?? []);
      const tells = [...carry, ...effects.filter((effect) => effect.type === "tell")];
      const messages = tells.map((tell, leg) => this.#message(tell, leg));
      const fresh = new Set(messages.filter((_, index) => tells[index]?.fresh === true).map(({ id }) => id));
      const snapshotDue = this.#seq + facts.length - this.#snapshotSeq >= LIMITS.snapshotEvery;
      const timers = effects.flatMap(timerChange);
      const cause = causeOf(pending.envelope);
      return { entry: { ...this.#entry(before, this.#state, facts, snapshotDue), cause, messages, timers }, fresh };
    } catch (error) {
      this.#live = this.#createLive(before);
      throw error;
    }
  }

  #message(tell: Tell, leg: number): OutboxMessage {
    return { id: this.#ports.ids.next(), from: this.address, seq: this.#seq, leg, to: tell.to, command: tell.command };
  }

  /** The entry of the facts that come next and lead from `before` to `state`, with a snapshot of it if that is due. */
  #entry(before: AnyMachineSnapshot, state: AnyMachineSnapshot, facts: readonly AnyFact[], saves: boolean): Entry {
    const { address } = this;
    const at = this.#ports.clock.now();
    const format = this.#ports.formats()[address.kind];
    return entryOf(this.#entity, this.#written, { address, after: this.#seq, facts, before, state, saves, at, format });
  }

  /** Answers, or asks another actor first. Deliveries that it must wait for do not take it past the deadline: the commit is done. */
  #conclude({ envelope, answer }: PendingCommand, result: CommandResult, ask?: Ask, delivered?: Promise<void>): void {
    if (ask !== undefined) {
      const asked = this.#ports.ask(this.address, ask, envelope.commandId);
      if (ask.apart !== true) void asked.then(answer);
      else answer(envelope.origin === "timer" ? UNDECIDED : result);
    } else if (delivered === undefined) answer(result);
    else {
      const { clock } = this.#ports;
      const left = envelope.deadline - clock.now() - LIMITS.replyMarginMs;
      const cancel = clock.after(Math.max(0, left), () => answer(result));
      void delivered.then(() => {
        cancel();
        answer(result);
      });
    }
  }

  #committed(): void {
    this.#gate.committed();
    if (this.#inbox.length > 0) void this.#run();
    else this.#reportIdle();
  }

  #fail(gated: Gated<PendingCommand>, outcome: Exclude<Outcome, "committed">): void {
    const discarded = this.#gate.discardFrom(gated);
    this.#forgetState();
    const again: PendingCommand[] = [];
    for (const [index, pending] of discarded.entries()) {
      // Commands behind an entry that cannot be written are decided again without it. That is not counted as a try, because
      // each time one command fewer is left.
      if (outcome === "broken" && index > 0) {
        again.push(pending);
        continue;
      }
      pending.tries += 1;
      if (outcome === "fenced") pending.answer({ ok: false, refusal: NOT_OWNER });
      else if (outcome === "unavailable") pending.answer({ ok: false, refusal: UNREACHABLE });
      else if (outcome === "broken") pending.answer({ ok: false, refusal: BROKEN });
      else if (pending.tries >= LIMITS.triesMax) pending.answer({ ok: false, refusal: this.#contended() });
      else again.push(pending);
    }
    for (const pending of again) pending.envelope = { ...pending.envelope, delivery: "again" };
    this.#inbox.unshift(...again);
    void this.#run();
  }

  #contended(): Refusal {
    this.#ports.log.error({ actor: addressKey(this.address) }, "another process writes to this database; stop one of them");
    return CONTENDED;
  }
}
