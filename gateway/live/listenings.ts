/**
 * The listenings of fleets: for a time that it renews, a fleet is pushed what a stream of its account would carry (push.ts).
 *
 * L1  An account has one listening, because all its workers hear the same subject. Asking again renews it, with what is asked for
 *     then; its time is never shortened by that.
 * L2  Any gateway may be asked. The one that was asked last listens, and says so to the others, which stop; of two that were asked
 *     at the same time, by their clocks, the one with the higher id. Where that word is lost, both push until the older one's time
 *     is over: some events come twice, none is lost.
 * L3  A fleet says what it heard last. What was sent since is sent again, so that nothing is lost that the bus has lost, a gateway
 *     that died has not sent, or another one was about to send.
 * L4  A gateway whose place was taken hands over which new tasks it has told of; else all that are open would be told of again with
 *     each renewal.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { PushLine } from "../ports/fleet.ts";
import type { GatewaySignal, Signal, SignalHub } from "../ports/signals.ts";
import type { Feed, Full } from "./feed.ts";
import { PushSink } from "./push.ts";
import type { EventStream, Subscription } from "./stream.ts";

/** How long a listening may last without being renewed (s): if nothing is said, and at most. */
export const LISTEN_S = 60;
export const LISTEN_S_MAX = 300;
const SECOND_MS = 1_000;

export interface ListeningPorts {
  readonly feed: Pick<Feed, "open">;
  readonly signals: Pick<SignalHub, "send" | "sendTo">;
  readonly clock: Clock;
  /** The id of this gateway. */
  readonly gateway: string;
}

export interface Listen extends Subscription {
  /** The id of the last event that the fleet has heard; null: it goes on where this gateway is, or begins now. */
  readonly last: number | null;
  /** Whether the account may take work. */
  readonly works: boolean;
  /** For how long (ms); 0 ends the listening. */
  readonly ms: Millis;
  readonly line: PushLine;
}

/** Until when a listening lasts (ms), and the id after which its events come; null where it has ended. */
export interface Listening {
  readonly until: Millis;
  readonly after: number | null;
}

interface Here {
  readonly stream: EventStream;
  /** When it was asked for last. */
  at: Millis;
  until: Millis;
  cancel: () => void;
}

export class Listenings {
  readonly #ports: ListeningPorts;
  readonly #here = new Map<AccountId, Here>();
  #closed = false;

  constructor(ports: ListeningPorts) {
    this.#ports = ports;
  }

  /** How many fleets are listened for here. */
  get size(): number {
    return this.#here.size;
  }

  /**
   * Begins to listen, or renews it. Says which limit on streams is reached, or that this gateway stops or the key has ended
   * meanwhile; then nothing was begun. Rejects with StoreUnavailable.
   */
  async listen(asked: Listen): Promise<Listening | Full | "ended"> {
    if (this.#closed) return "ended";
    const { account, ms } = asked;
    if (ms === 0) return this.#stop(account);
    const here = this.#here.get(account);
    if (here === undefined || !mayGoOn(here.stream, asked)) return this.#begin(asked);
    this.#renew(here, ms);
    return { until: here.until, after: here.stream.id };
  }

  /** A gateway was asked to listen for an account. */
  hear({ account, gateway, at }: Extract<Signal, { type: "listening" }>): void {
    const { signals, gateway: own } = this.#ports;
    const here = this.#here.get(account);
    if (here === undefined || gateway === own || at < here.at || (at === here.at && gateway < own)) return;
    const { stream, until } = here;
    stream.end("over");
    signals.sendTo(gateway, { type: "told", account, told: stream.told, until });
  }

  /** A gateway whose place this one has taken hands over. */
  takeOver({ account, told, until }: Extract<GatewaySignal, { type: "told" }>): void {
    const here = this.#here.get(account);
    if (here === undefined) return;
    here.stream.remember(told);
    this.#extend(here, until);
  }

  /** Ends all, and tells those who hear them; from then on nobody is listened for. */
  close(): void {
    this.#closed = true;
    for (const { stream } of [...this.#here.values()]) stream.end("gateway");
  }

  async #begin({ last, ms, line, works, ...subscription }: Listen): Promise<Listening | Full | "ended"> {
    const { feed, clock } = this.#ports;
    const before = this.#here.get(subscription.account)?.stream;
    const from = last ?? before?.id ?? null;
    const stream = await feed.open({
      ...subscription,
      works,
      sink: new PushSink(line, clock),
      last: from === null ? null : { after: from },
      instead: before,
      // Who goes on was told of what is open, here or at another gateway.
      unhurried: from !== null,
    });
    if (typeof stream === "string") return stream;
    if (this.#closed) stream.end("gateway");
    if (!stream.open) return "ended";
    return { until: this.#take(stream, ms), after: stream.begun };
  }

  /** Makes a stream the listening of its account, in place of the one that it has; gives until when it lasts (ms). */
  #take(stream: EventStream, ms: Millis): Millis {
    const { account } = stream.subscription;
    // Not the one from before it was opened, if several were asked for at once.
    const before = this.#here.get(account);
    const here: Here = { stream, at: 0, until: before?.until ?? 0, cancel: () => {} };
    this.#here.set(account, here);
    stream.onClose(() => {
      here.cancel();
      if (this.#here.get(account) === here) this.#here.delete(account);
    });
    if (before !== undefined) {
      stream.remember(before.stream.told);
      before.stream.end("over");
    }
    this.#renew(here, ms);
    return here.until;
  }

  #renew(here: Here, ms: Millis): void {
    const { signals, gateway, clock } = this.#ports;
    here.at = clock.now();
    this.#extend(here, here.at + ms);
    signals.send({ type: "listening", account: here.stream.subscription.account, gateway, at: here.at });
  }

  #extend(here: Here, until: Millis): void {
    const { clock } = this.#ports;
    here.until = Math.max(here.until, Math.min(until, clock.now() + LISTEN_S_MAX * SECOND_MS));
    here.cancel();
    here.cancel = clock.after(here.until - clock.now(), () => here.stream.end("over"));
  }

  #stop(account: AccountId): Listening {
    const { signals, gateway, clock } = this.#ports;
    const at = clock.now();
    this.#here.get(account)?.stream.end("over");
    signals.send({ type: "listening", account, gateway, at });
    return { until: at, after: null };
  }
}

/** Whether a stream does for what is asked: it is the same, and its fleet has all that it has sent. */
function mayGoOn(stream: EventStream, { last, ...asked }: Listen): boolean {
  return stream.open && isSame(stream.subscription, asked) && (last === null || stream.isAllUpTo(last));
}

function isSame(one: Subscription, other: Subscription): boolean {
  const [types, otherTypes] = [one.taskTypes, other.taskTypes].map((all) => all?.toSorted().join());
  return one.keyHash === other.keyHash && types === otherTypes && one.topics.toSorted().join() === other.topics.toSorted().join();
}
