/**
 * The matchers of one node: those whose queues are in its shards. They are made when they are first spoken to, and hear of tasks
 * from all nodes (announce).
 */

import type { Address } from "../../machines/address.ts";
import type { Announcement } from "../../machines/announcement.ts";
import type { CarriedCommand, CommandOf, CommandType } from "../../machines/protocols.ts";
import { type CommandResult, type Envelope, NOT_KNOWN, NOT_OWNER } from "../message.ts";
import { LiveMatcher, type MatcherPorts } from "./live-matcher.ts";
import { matcherAt, matcherOf, queueOf } from "./queues.ts";
import { Reconciler, type ReconcilerPorts } from "./reconcile.ts";
import { TurnedAway } from "./turned-away.ts";

/** Partitions of each queue. */
interface Partitioned {
  readonly partitions: number;
}

export type MatchingPorts = MatcherPorts & ReconcilerPorts & Partitioned;

/** The commands of a matcher; their fields were checked when they came from another process. */
const COMMANDS: { readonly [T in CommandType<"matcher">]: true } = {
  opened: true,
  closed: true,
  pull: true,
  check: true,
  leave: true,
  present: true,
  freed: true,
  look: true,
};
const isMatchersOwn = (command: CarriedCommand): command is CommandOf<"matcher"> & CarriedCommand =>
  Object.hasOwn(COMMANDS, command.type);

/** How long an announcement may take to arrive (ms). */
const ANNOUNCEMENT_MS = 2_000;

interface Here {
  readonly matcher: LiveMatcher;
  readonly reconciler: Reconciler;
}

export class Matching {
  readonly #ports: MatchingPorts;
  readonly #shardOf: (id: string) => number;
  readonly #shards = new Map<number, Map<string, Here>>();
  readonly #turnedAway = new TurnedAway();

  constructor(ports: MatchingPorts, shardOf: (id: string) => number) {
    this.#ports = ports;
    this.#shardOf = shardOf;
  }

  /** How many matchers are here. */
  get size(): number {
    let size = 0;
    for (const matchers of this.#shards.values()) size += matchers.size;
    return size;
  }

  /** Passes a command to its matcher; `isHere` says whether its shard is open. Never rejects. */
  async request({ id }: Pick<Envelope["to"], "id">, command: Envelope["command"], isHere: boolean): Promise<CommandResult> {
    const to = { kind: "matcher", id } as const;
    if (!isHere) return { ok: false, refusal: NOT_OWNER };
    const { partition } = queueOf(to);
    const isQueue = Number.isInteger(partition) && partition >= 0 && partition < this.#ports.partitions;
    if (!isQueue || !isMatchersOwn(command)) return { ok: false, refusal: NOT_KNOWN };
    return this.#matcher(to).matcher.request(command);
  }

  #matcher(address: Address<"matcher">): Here {
    const shard = this.#shardOf(address.id);
    const here = this.#shards.get(shard) ?? new Map<string, Here>();
    this.#shards.set(shard, here);
    const known = here.get(address.id);
    if (known !== undefined) return known;
    const { taskType, partition } = queueOf(address);
    const root = matcherAt(taskType, 0);
    const passOn = partition === 0 ? null : (command: CommandOf<"matcher">) => this.#send(root, command);
    const matcher = new LiveMatcher(address, this.#ports, passOn);
    const made = { matcher, reconciler: new Reconciler(matcher, partition, this.#ports) };
    here.set(address.id, made);
    made.reconciler.start();
    return made;
  }

  #send(to: Address<"matcher">, command: CommandOf<"matcher">): void {
    const { transport, ids, clock } = this.#ports;
    const deadline = clock.now() + ANNOUNCEMENT_MS;
    void transport.request({ to, command, commandId: ids.next(), origin: "actor", delivery: "first", deadline });
  }

  /** Takes in what an account here has answered to a command. */
  heard(envelope: Pick<Envelope, "to" | "command">, result: CommandResult): void {
    this.#turnedAway.hear(envelope, result);
  }

  /** Tells matchers, wherever they are, of what was committed here. */
  announce(announcements: readonly Announcement[]): void {
    for (const { taskType, about, command } of announcements) {
      for (const type of taskType === null ? this.#turnedAwayBut(about, announcements) : [taskType]) {
        for (const to of this.#matchersOf(type, about, command)) this.#send(to, command);
      }
    }
  }

  /** Where an account turned awards down, but for the task types that are named anyway. */
  #turnedAwayBut(account: string, announcements: readonly Announcement[]): readonly string[] {
    const named = new Set(announcements.map(({ taskType }) => taskType));
    return [...this.#turnedAway.take(account)].filter((taskType) => !named.has(taskType));
  }

  #matchersOf(taskType: string, about: string, { type }: CommandOf<"matcher">): readonly Address<"matcher">[] {
    const { partitions } = this.#ports;
    // A free slot may be wanted in any partition.
    if (type === "freed") return Array.from({ length: partitions }, (_, partition) => matcherAt(taskType, partition));
    return [matcherOf(taskType, about, partitions)];
  }

  /** Ends the matchers of a shard. */
  close(shard: number): void {
    for (const { matcher, reconciler } of this.#shards.get(shard)?.values() ?? []) {
      reconciler.stop();
      matcher.close();
    }
    this.#shards.delete(shard);
  }

  closeAll(): void {
    for (const shard of [...this.#shards.keys()]) this.close(shard);
  }
}
