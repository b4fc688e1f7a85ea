/**
 * The listenings of fleets: for a time that it renews, a fleet is pushed what a stream of its account would carry (push.ts).
 *
 * L1  An account has one listening, because all its workers hear the same subject. Asking again renews it, with what is asked for
 *     then; its time is never shortened by that.
 * L2  Any gateway may be asked. The one that was asked last listens, and says so to the others, which stop. What is last is counted,
 *     so clocks do not matter: each time is one more than the gateway has heard of. Of two that count the same, because neither had
 *     heard of the other, the one with the higher id listens. Who counts too few, because it has just begun or did not hear of the
 *     last time, is told so by the one that listens, counts again and listens.
 * L3  An end names the last time that its gateway has heard of: who was asked later goes on. One that has heard of none ends all.
 * L4  Where word of a time is lost, both push until the older one's time is over, or one of them is asked again: some events come
 *     twice, none is lost. Where word of an end is lost, or it names too few times because an earlier word was, what it was to end goes
 *     on until its time is over. An end that arrives late ends a listening that began meanwhile only at a gateway that counts too few.
 * L5  A fleet says what it heard last. What was sent since is sent again, so that nothing is lost that the bus has lost, a gateway
 *     that died has not sent, or another one was about to send.
 * L6  A gateway whose place was taken hands over which new tasks it has told of; else all that are open would be told of again with
 *     each renewal.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { PushLine } from "../ports/fleet.ts";
import type { GatewaySignal, Signal, SignalHub } from "../ports/signals.ts";
import { AskedTimes } from "./asked-times.ts";
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
  /** How many times it was asked for when it was last. */
  times: number;
  until: Millis;
  cancel: () => void;
}

export class Listenings {
  readonly #ports: ListeningPorts;
  readonly #here = new Map<AccountId, Here>();
  /** None lasts longer than this without being asked for again. */
  readonly #asked: AskedTimes;
  #closed = false;

  constructor(ports: ListeningPorts) {
    this.#ports = ports;
    this.#asked = new AskedTimes(ports.clock, LISTEN_S_MAX * SECOND_MS);
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
  hear({ account, gateway, times }: Extract<Signal, { type: "listening" }>): void {
    const { signals, gateway: own, clock } = this.#ports;
    if (gateway === own) return;
    this.#asked.note(account, times);
    const here = this.#here.get(account);
    if (here === undefined) return;
    if (times < here.times || (times === here.times && gateway < own)) {
      signals.sendTo(gateway, { type: "asked", account, times: here.times });
      return;
    }
    const { stream, until } = here;
    stream.end("over");
    signals.sendTo(gateway, { type: "told", account, told: stream.told, left: until - clock.now() });
  }

  /** A gateway was asked to listen for an account no more. */
  hearEnd({ account, gateway, times }: Extract<Signal, { type: "unheard" }>): void {
    const here = this.#here.get(account);
    if (here === undefined || gateway === this.#ports.gateway) return;
    if (times === null || here.times <= times) here.stream.end("over");
  }

  /** Another gateway listens for an account, because this one has counted too few times. */
  sayAgain({ account, times }: Extract<GatewaySignal, { type: "asked" }>): void {
    this.#asked.note(account, times);
    const here = this.#here.get(account);
    if (here !== undefined && here.times <= times) this.#say(here);
  }

  /** A gateway whose place this one has taken hands over. */
  takeOver({ account, told, left }: Extract<GatewaySignal, { type: "told" }>): void {
    const here = this.#here.get(account);
    if (here === undefined) return;
    here.stream.remember(told);
    this.#extend(here, this.#ports.clock.now() + left);
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
    const here: Here = { stream, times: 0, until: before?.until ?? 0, cancel: () => {} };
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
    this.#extend(here, this.#ports.clock.now() + ms);
    this.#say(here);
  }

  /** Tells the others that it was asked for here, for one time more than was heard of. */
  #say(here: Here): void {
    const { signals, gateway } = this.#ports;
    const { account } = here.stream.subscription;
    here.times = Math.max(here.times, this.#asked.of(account) ?? 0) + 1;
    this.#asked.note(account, here.times);
    signals.send({ type: "listening", account, gateway, times: here.times });
  }

  #extend(here: Here, until: Millis): void {
    const { clock } = this.#ports;
    here.until = Math.max(here.until, Math.min(until, clock.now() + LISTEN_S_MAX * SECOND_MS));
    here.cancel();
    here.cancel = clock.after(here.until - clock.now(), () => here.stream.end("over"));
  }

  #stop(account: AccountId): Listening {
    const { signals, gateway, clock } = this.#ports;
    this.#here.get(account)?.stream.end("over");
    signals.send({ type: "unheard", account, gateway, times: this.#asked.of(account) });
    return { until: clock.now(), after: null };
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
