/** Journals of accounts in memory, as streams read them, with the rows that go with them. */
import type { PassThrough } from "node:stream";
import type { Feed, FeedPorts, Full, Opening } from "../../gateway/live/feed.ts";
import { SseSink } from "../../gateway/live/sse.ts";
import type { AccountNews, NewsPage, NewsQuery, StoredTask, Watched } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import { task } from "../../machines/task/index.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import { type AccountId, credits, type Millis, taskId } from "../../machines/vocabulary.ts";
import { Life } from "./life.ts";
import { id, order, person } from "./world.ts";

/** A fact: one of those that streams look for, or another. */
interface Fact {
  readonly type: AccountNews["type"] | "Held";
  readonly task: number;
  readonly at: Millis;
}

const ENDS: readonly Fact["type"][] = ["Settled", "Released"];

/** The row of an account that has this key. */
export function member(n: number, keyHash = `key ${n}`): AccountRow {
  const life = new Life(account, person(n));
  life.do(
    { type: "register", account: person(n), email: `${n}@test.example`, source: null, keyHash, grant: credits(50), marks: [] },
    1,
  );
  const row = account.row(person(n), life.state);
  if (row === undefined) throw new Error("who is registered has a row");
  return row;
}

/** An open task of the first person, with these changes of its row. */
export function openTask(n: number, changes: Partial<TaskRow> = {}, inputData = "text"): StoredTask {
  const spec = order({ inputData });
  const life = new Life(task, id(n));
  life.do({ type: "open", task: taskId(id(n)), requester: person(1), marks: [], order: spec, offers: [], createdAt: 1 }, 1);
  const row = task.row(id(n), life.state);
  if (row === undefined) throw new Error("an opened task has a row");
  return { row: { ...row, ...changes }, order: spec };
}

export class Journals {
  readonly facts = new Map<AccountId, Fact[]>();
  readonly accounts = new Map<AccountId, AccountRow>();
  readonly tasks = new Map<string, StoredTask>();
  /** What is open, for a stream that begins. */
  open: StoredTask[] = [];
  /** The names of the reads so far. */
  asked: string[] = [];
  /** Facts that one page looks through. */
  window = 500;
  /** Reads that fail. */
  readonly failing = new Set<string>();
  /** Called before a read is answered. */
  before: (read: string) => Promise<void> = async () => {};

  /** Appends a fact about a task to a person's journal. */
  add(n: number, type: Fact["type"], task: number, at: Millis = 1): void {
    const of = this.facts.get(person(n)) ?? [];
    of.push({ type, task, at });
    this.facts.set(person(n), of);
  }

  /** Gives a task's row, as it is from now on. */
  put(n: number, changes: Partial<TaskRow>): void {
    this.tasks.set(id(n), openTask(n, changes));
  }

  /** A task of the first person ends: its account's fact, and its row. */
  end(n: number, at: Millis = 1): void {
    this.add(1, "Released", n, at);
    this.put(n, { status: "CANCELLED" });
  }

  readonly reads: FeedPorts["reads"] = {
    account: (of) => this.#answer("account", () => this.accounts.get(of)),
    task: (of) => this.#answer("task", () => this.tasks.get(of)),
    open: () => this.#answer("open", () => ({ items: this.open, next: null })),
    tasksOf: (ids) => this.#answer("tasksOf", () => ids.flatMap((one) => this.tasks.get(one) ?? [])),
    accountNews: (query) => this.#answer("accountNews", () => this.#news(query)),
    factBefore: (of, at) => this.#answer("factBefore", () => this.#of(of).filter((fact) => at === null || fact.at < at).length),
    watched: (accounts) => this.#answer("watched", () => accounts.flatMap((one) => this.#watched(one))),
  };

  #of(account: AccountId): readonly Fact[] {
    return this.facts.get(account) ?? [];
  }

  #news({ account: of, after, ends, awards }: NewsQuery): NewsPage {
    const facts = this.#of(of);
    const upTo = Math.min(after + this.window, facts.length);
    const news = facts.slice(after, upTo).flatMap(({ type, task: n }, index): AccountNews[] => {
      if (type === "Held" || !(ENDS.includes(type) ? ends : awards)) return [];
      return [{ seq: after + index + 1, type, task: taskId(id(n)) }];
    });
    return { news, upTo, more: upTo < facts.length };
  }

  #watched(of: AccountId): readonly Watched[] {
    const row = this.accounts.get(of);
    if (row === undefined) return [];
    return [{ id: of, keyHash: row.keyHash, status: row.status, lastFact: this.#of(of).length }];
  }

  async #answer<T>(read: string, value: () => T): Promise<T> {
    this.asked.push(read);
    await this.before(read);
    if (this.failing.has(read)) throw new Error("no database");
    return value();
  }
}

/** An event as a client reads it. */
export interface Heard {
  readonly id: string;
  readonly name: string | undefined;
  readonly type: string;
  readonly task: string;
}

/** Reads what a stream sends. */
export function readEvents(text: string): readonly Heard[] {
  return text.split("\n\n").flatMap((block) => {
    const field = (name: string) =>
      block
        .split("\n")
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = field("data");
    if (data === undefined) return [];
    const event = JSON.parse(data);
    return [{ id: field("id") ?? "", name: field("event"), type: event.type, task: event.task.id }];
  });
}

/** Opens a stream of server-sent events; gives what it sends, or which limit was reached. */
export async function openSse(feed: Feed, opening: Omit<Opening, "sink">, named = false): Promise<PassThrough | Full> {
  const sink = new SseSink({ named, proof: null });
  const opened = await feed.open({ ...opening, sink });
  return typeof opened === "string" ? opened : sink.out;
}

/** What a stream has sent so far, and whether it has ended. */
export interface Hearing {
  text: string;
  ended: boolean;
}

/** Listens to what a feed has opened. */
export function hear(out: PassThrough): Hearing {
  const heard = { text: "", ended: false };
  out.on("data", (chunk) => {
    heard.text += String(chunk);
  });
  out.on("close", () => {
    heard.ended = true;
  });
  return heard;
}
