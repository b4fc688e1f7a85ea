/** A fleet that listens as docs/fleets.md says: it asks again before its time is over, and at once where something may be missing. */
import type { Fleet } from "./fleet.ts";

const KNOWN = /^(task\.(new|awarded|terminal)|listen\.ended)$/;

export interface Pushed {
  readonly id: number;
  readonly after: number;
  readonly type: string;
  readonly reason?: string;
  readonly task?: { readonly id: string; readonly status: string; readonly [field: string]: unknown };
}

export class Listener {
  /** All that came, in its order. */
  readonly heard: Pushed[] = [];
  /** Why it was asked again beside the time. */
  readonly missed: string[] = [];
  readonly #fleet: Fleet;
  readonly #fields: object;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #last: number | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  /** `everyMs`: how often it asks again; null: only where something is missing. */
  private constructor(fleet: Fleet, account: string, fields: object, everyMs: number | null, told: (event: Pushed) => void) {
    this.#fleet = fleet;
    this.#fields = fields;
    fleet.connection.subscribe(`${fleet.prefix}.push.v1.${account}`, {
      callback: (error, message) => {
        if (error !== null) return;
        const event: Pushed = message.json();
        // There may be others one day.
        if (!KNOWN.test(event.type)) return;
        this.heard.push(event);
        if (event.type === "listen.ended") this.#again(event.reason ?? "");
        else if (this.#last !== undefined && event.after > this.#last) this.#again("gap");
        else {
          this.#last = event.id;
          told(event);
        }
      },
    });
    void this.#watch();
    if (everyMs !== null) this.#timer = setInterval(() => this.#again("time"), everyMs);
  }

  static async start(
    fleet: Fleet,
    account: string,
    fields: object = {},
    everyMs: number | null = null,
    told: (event: Pushed) => void = () => {},
  ): Promise<Listener> {
    const listener = new Listener(fleet, account, fields, everyMs, told);
    await listener.ask();
    return listener;
  }

  /** Asks, until it is answered. */
  async ask(): Promise<void> {
    for (let tries = 0; tries < 60 && !this.#fleet.connection.isClosed(); tries += 1) {
      const options = { timeoutMs: 1_000 };
      const reply = await this.#fleet
        .ask("work.listen", { ...this.#fields, last_event_id: this.#last }, options)
        .catch(() => undefined);
      if (reply?.status === 0) {
        this.#last = reply.body.last_event_id;
        return;
      }
      if (reply !== undefined && reply.status !== 503) throw new Error(JSON.stringify(reply.body));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** The tasks of the events of this type, each once, in the order in which they were first heard of. */
  tasks(type: string): readonly string[] {
    return [...new Set(this.heard.flatMap((event) => (event.type === type && event.task !== undefined ? [event.task.id] : [])))];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #again(why: string): void {
    if (why !== "time") this.missed.push(why);
    this.#asking = this.#asking.then(() => this.ask()).catch((error: unknown) => this.missed.push(String(error)));
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#fleet.connection.status()) if (type === "reconnect") this.#again("reconnect");
  }
}
