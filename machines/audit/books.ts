/**
 * The guarantees about money and tasks as checks over everything that is stored, which must be read as one consistent snapshot.
 * Only undelivered messages may explain a difference between two actors.
 */

import type { AccountFact } from "../account/events.ts";
import { account } from "../account/index.ts";
import type { AccountSnapshot } from "../account/machine.ts";
import { debtFloor } from "../account/power.ts";
import type { EntityKind } from "../address.ts";
import type { StoredFact } from "../fact.ts";
import type { CarriedCommand } from "../protocols.ts";
import type { TaskFact } from "../task/events.ts";
import { task } from "../task/index.ts";
import type { TaskSnapshot } from "../task/machine.ts";
import { hasEnded, isAwarded, takesBids } from "../task/tags.ts";
import type { TaskStatus } from "../vocabulary.ts";
import { type HoneypotBooks, mintedBy, overdrawn } from "./honeypots.ts";

/** Everything that is stored about one actor. */
export interface StoredHistory {
  readonly id: string;
  /** In order; read all of them before the next actor. */
  readonly facts: AsyncIterable<StoredFact> | Iterable<StoredFact>;
  readonly snapshot: { readonly seq: number; readonly state: unknown } | null;
  /** An account's row has balances (NC), a task's row has the status. */
  readonly row: { readonly available: number; readonly held: number } | { readonly status: string } | null;
  /** Sums of the account's ledger entries, in NC. */
  readonly ledger: { readonly available: number; readonly held: number } | null;
  /** The names of the timers that are set. */
  readonly timers: readonly string[];
}

export interface LedgerTotals {
  readonly transfers: number;
  readonly entries: number;
  readonly unbalanced: readonly string[];
  /** NC. */
  readonly total: number;
  readonly transit: number;
}

export interface PendingMessage {
  readonly id: string;
  readonly receiver: string;
  readonly command: CarriedCommand;
  readonly dead: string | null;
}

/** What the checks read. */
export interface Books {
  actors(kind: EntityKind): AsyncIterable<StoredHistory>;
  ledger(): Promise<LedgerTotals>;
  /** Messages that their receivers have not committed yet. */
  pending(): Promise<readonly PendingMessage[]>;
  /** Absent where no honeypots are posted. */
  readonly honeypots?: () => Promise<HoneypotBooks>;
}

/** The outcome of one guarantee. */
export interface Finding {
  readonly promise: string;
  readonly checked: number;
  readonly wrong: readonly string[];
}

const PROMISES = {
  balanced: "1 every transfer and the whole ledger sum to 0, and transit is what is in flight",
  equal: "2 balance in the actor = fold of its journal = sum of its ledger entries",
  held: "3 held = the budgets of open tasks",
  minted: "1 what honeypots minted on a day was taken out of its budget, for the house alone, which is nobody's counterparty",
  covered: "4 available was never below the usable credit line at a hold",
  ended: "5 a task ends once, is settled once, paid once, and its webhook is sent or will be",
  slots: "5 slots reserved = awards + bids by posted prices + what is in flight",
  fault: "5 a penalty is taken back at most once, of an award that failed, and by all whom the end of its task says",
  moving: "5 every open task has a timer or a message that moves it on, and no message is dead",
} as const;
type Promised = keyof typeof PROMISES;

class Tally {
  readonly #checked = new Map<Promised, number>();
  readonly #wrong = new Map<Promised, string[]>();

  /** Counts one check; keeps `what` if it fails. */
  check(promise: Promised, holds: boolean, what: () => string): void {
    this.#checked.set(promise, (this.#checked.get(promise) ?? 0) + 1);
    if (holds) return;
    const list = this.#wrong.get(promise) ?? [];
    list.push(what());
    this.#wrong.set(promise, list);
  }

  findings(): readonly Finding[] {
    const names = Object.keys(PROMISES) as Promised[];
    return names.map((name) => ({
      promise: PROMISES[name],
      checked: this.#checked.get(name) ?? 0,
      wrong: this.#wrong.get(name) ?? [],
    }));
  }
}

/** What the accounts' histories say, to compare the tasks' histories with. */
interface Accounts {
  /** Task -> the account that holds its budget, and how much. */
  readonly holds: Map<string, { readonly account: string; readonly budget: number }>;
  readonly settled: Set<string>;
  readonly earned: Set<string>;
  /** What each day has minted for honeypots (NC), and for whom. */
  readonly minted: Map<string, number>;
  readonly mintedFor: Set<string>;
  readonly counterparties: Set<string>;
  /** Awards that failed, and those whose penalties were taken back: task and worker. */
  readonly failed: Set<string>;
  readonly excused: Set<string>;
  /** The slots that workers reserve for tasks: task -> workers. */
  readonly slots: Map<string, Set<string>>;
}

/** Runs every check. */
export async function auditBooks(books: Books): Promise<readonly Finding[]> {
  const tally = new Tally();
  const pending = await books.pending();
  for (const { id, dead } of pending) tally.check("moving", dead === null, () => `message ${id} was refused: ${dead ?? ""}`);
  await checkLedger(books, pending, tally);
  const accounts = await checkAccounts(books, tally);
  await checkTasks(books, pending, accounts, tally);
  if (books.honeypots !== undefined) checkMinted(await books.honeypots(), accounts, tally);
  return tally.findings();
}

async function checkLedger(books: Books, pending: readonly PendingMessage[], tally: Tally): Promise<void> {
  const { transfers, entries, unbalanced, total, transit } = await books.ledger();
  for (let balanced = transfers - unbalanced.length; balanced > 0; balanced -= 1) tally.check("balanced", true, () => "");
  for (const transfer of unbalanced) tally.check("balanced", false, () => `transfer ${transfer} does not sum to 0`);
  tally.check("balanced", total === 0, () => `the ${entries} entries sum to ${total} NC, not to 0`);
  const inFlight = pending.reduce((sum, { command }) => sum + (command.type === "earn" ? command.payout : 0), 0);
  tally.check("balanced", transit === inFlight, () => `transit is ${transit} NC, and ${inFlight} NC are in flight`);
}

async function checkAccounts(books: Books, tally: Tally): Promise<Accounts> {
  const found: Accounts = {
    ...{ holds: new Map(), settled: new Set(), earned: new Set(), slots: new Map() },
    ...{ minted: new Map(), mintedFor: new Set(), counterparties: new Set() },
    ...{ failed: new Set(), excused: new Set() },
  };
  for await (const history of books.actors("account")) {
    const state = await foldAccount(history, found, tally);
    const { available, held, holds, slots, counterparties } = state.context;
    for (const counterparty of counterparties) found.counterparties.add(counterparty);
    for (const task of Object.keys(slots)) found.slots.set(task, (found.slots.get(task) ?? new Set()).add(history.id));
    const { row, ledger } = history;
    const rowEqual = row !== null && "available" in row && row.available === available && row.held === held;
    tally.check(
      "equal",
      rowEqual,
      () => `account ${history.id}: the row says ${JSON.stringify(row)}, its journal ${available} and ${held} NC`,
    );
    const ledgerEqual = (ledger?.available ?? 0) === available && (ledger?.held ?? 0) === held;
    tally.check(
      "equal",
      ledgerEqual,
      () => `account ${history.id}: the ledger says ${JSON.stringify(ledger)}, its journal ${available} and ${held} NC`,
    );
    let sum = 0;
    for (const leaf of Object.values(holds).flatMap((branch) => Object.values(branch))) {
      for (const [id, budget] of Object.entries(leaf)) {
        sum += budget;
        found.holds.set(id, { account: history.id, budget });
      }
    }
    tally.check("held", sum === held, () => `account ${history.id} holds ${held} NC, its holds are ${sum} NC`);
  }
  return found;
}

function checkMinted(honeypots: HoneypotBooks, { minted, mintedFor, counterparties }: Accounts, tally: Tally): void {
  tally.check("minted", true, () => "");
  for (const sentence of overdrawn(minted, honeypots)) tally.check("minted", false, () => sentence);
  const { isHouse } = honeypots;
  for (const id of mintedFor)
    tally.check("minted", isHouse(id), () => `account ${id} got a honeypot's budget and is not of the house`);
  for (const id of counterparties) {
    if (isHouse(id)) tally.check("minted", false, () => `account ${id} is of the house, and somebody's counterparty`);
  }
}

async function foldAccount(history: StoredHistory, found: Accounts, tally: Tally): Promise<AccountSnapshot> {
  let state = account.initial(history.id);
  let seq = 0;
  for await (const stored of history.facts) {
    seq += 1;
    checkNumber(history, stored, seq, tally);
    const fact: AccountFact = account.upcast(stored);
    state = account.evolve(state, fact).state;
    const { available, held } = state.context;
    if (fact.type === "Held") {
      const floor = debtFloor(state.context, fact.at);
      tally.check("covered", available >= floor, () => `account ${history.id} had ${available} NC after its fact ${stored.seq}`);
    }
    const mint = mintedBy(fact);
    if (mint !== undefined) {
      found.minted.set(mint.day, (found.minted.get(mint.day) ?? 0) + mint.amount);
      found.mintedFor.add(history.id);
    }
    if (fact.type === "Settled") once(found.settled, fact.task, "settled", tally);
    if (fact.type === "Earned") once(found.earned, fact.task, "paid", tally);
    noteFault(history.id, fact, found, tally);
    if (history.snapshot?.seq === stored.seq) {
      const saved = account.restore(history.id, history.snapshot.state).context;
      const same = saved.available === available && saved.held === held;
      tally.check(
        "equal",
        same,
        () => `account ${history.id}: its snapshot at ${stored.seq} has ${saved.available} NC, its journal ${available} NC`,
      );
    }
  }
  return state;
}

/** What says that a worker failed, and that this was taken back. */
function noteFault(worker: string, fact: AccountFact, { failed, excused }: Accounts, tally: Tally): void {
  if (fact.type !== "Failed" && fact.type !== "Excused") return;
  const award = `${fact.task} ${worker}`;
  if (fact.type === "Failed") {
    failed.add(award);
    return;
  }
  const isFirst = failed.has(award) && !excused.has(award);
  tally.check("fault", isFirst, () => `the penalty of ${worker} for task ${fact.task} was taken back twice, or there was none`);
  excused.add(award);
}

/** Whose penalties the end of a task takes back are those that were taken back, or a message is under way. */
function checkFault(
  { id }: StoredHistory,
  end: TaskFact | undefined,
  { excused }: Accounts,
  moves: ReadonlySet<string>,
  tally: Tally,
): void {
  const named = end?.type === "Expired" || end?.type === "Cancelled" ? (end.excused ?? []) : [];
  for (const { worker } of named) {
    const award = `${id} ${worker}`;
    const isDone = excused.delete(award) || moves.has(award);
    tally.check("fault", isDone, () => `the end of task ${id} excuses ${worker}, whose penalty was not taken back`);
  }
}

function once(seen: Set<string>, id: string, what: string, tally: Tally): void {
  tally.check("ended", !seen.has(id), () => `task ${id} was ${what} twice`);
  seen.add(id);
}

function checkNumber({ id }: StoredHistory, { seq }: StoredFact, wanted: number, tally: Tally): void {
  if (seq !== wanted) tally.check("equal", false, () => `the journal of ${id} has no fact ${wanted}, but ${seq}`);
}

async function checkTasks(books: Books, pending: readonly PendingMessage[], accounts: Accounts, tally: Tally): Promise<void> {
  const told = new Set(pending.map(({ receiver, command }) => `${command.type} ${receiver}`));
  const about = new Set(pending.map(({ command }) => `${command.type} ${"task" in command ? command.task : ""}`));
  const moves = slotMoves(pending);
  const excuses = new Set(
    pending.flatMap(({ receiver, command }) => (command.type === "excuse" ? [`${command.task} ${receiver}`] : [])),
  );
  for await (const history of books.actors("task")) {
    const { state, end } = await foldTask(history, tally);
    if (state.value === "NEW") continue;
    checkFault(history, end, accounts, excuses, tally);
    const { row } = history;
    tally.check(
      "ended",
      row !== null && "status" in row && row.status === state.value,
      () => `task ${history.id} is ${state.value}, its row says ${JSON.stringify(row)}`,
    );
    checkHold(state, state.value, accounts, { told, about }, tally);
    checkEnd(history, state, state.value, accounts, about, tally);
    checkSlots(state, state.value, accounts, moves, tally);
    if (!hasEnded(state.value)) {
      const moves = history.timers.length > 0 || about.has(`settle ${history.id}`) || told.has(`settled ${history.id}`);
      tally.check("moving", moves, () => `task ${history.id} is ${state.value}, and nothing will move it on`);
    }
  }
  for (const [id, workers] of accounts.slots) {
    tally.check("slots", false, () => `account ${[...workers].join(", ")} reserves a slot for ${id}, which is no task`);
  }
  for (const award of accounts.excused) tally.check("fault", false, () => `no end of a task says why ${award} is excused`);
  for (const [id, { account: owner, budget }] of accounts.holds) {
    tally.check("held", told.has(`open ${id}`), () => `account ${owner} holds ${budget} NC for ${id}, which is no open task`);
  }
}

/** The state of a task, and the fact that ended it. */
async function foldTask(history: StoredHistory, tally: Tally): Promise<{ state: TaskSnapshot; end: TaskFact | undefined }> {
  let state = task.initial(history.id);
  let end: TaskFact | undefined;
  let ends = 0;
  let seq = 0;
  for await (const stored of history.facts) {
    seq += 1;
    checkNumber(history, stored, seq, tally);
    const fact: TaskFact = task.upcast(stored);
    state = task.evolve(state, fact).state;
    if (fact.type === "Settled" || fact.type === "Expired" || fact.type === "Cancelled") {
      end = fact;
      ends += 1;
    }
  }
  const terminal = state.value !== "NEW" && hasEnded(state.value);
  tally.check("ended", ends === (terminal ? 1 : 0), () => `task ${history.id} is ${state.value} after ${ends} ends`);
  return { state, end };
}

interface InFlight {
  readonly told: ReadonlySet<string>;
  readonly about: ReadonlySet<string>;
}

function checkHold(
  { context }: TaskSnapshot,
  status: TaskStatus,
  { holds }: Accounts,
  { told, about }: InFlight,
  tally: Tally,
): void {
  const hold = holds.get(context.id);
  holds.delete(context.id);
  const budget = context.order?.budget;
  if (hold !== undefined) {
    const open = !hasEnded(status) || about.has(`release ${context.id}`);
    const same = hold.budget === budget && hold.account === context.requester;
    tally.check(
      "held",
      open && same,
      () => `account ${hold.account} holds ${hold.budget} NC for ${context.id}, which is ${status} at ${budget} NC`,
    );
    return;
  }
  const free = hasEnded(status) || (status === "COMPLETED" && told.has(`settled ${context.id}`));
  tally.check("held", free, () => `task ${context.id} is ${status} at ${budget} NC, and nothing is held for it`);
}

/** The messages from which it follows that a slot for a task becomes an award, or is freed: the task and the worker. */
function slotMoves(pending: readonly PendingMessage[]): ReadonlySet<string> {
  const all = pending.flatMap(({ receiver, command }) => {
    if (command.type === "standingBid") return [`${receiver} ${command.worker}`];
    const moves = command.type === "earn" || command.type === "fail" || command.type === "freed";
    return moves && "task" in command ? [`${command.task} ${receiver}`] : [];
  });
  return new Set(all);
}

/**
 * Takes the slots for this task from those that were found. Each must be for its award, for a bid by a posted price, or be under
 * way; and an award that came with a slot must have it until it ends. The worker may be paid before the task learns of it.
 */
function checkSlots(
  { context }: TaskSnapshot,
  status: TaskStatus,
  { slots }: Accounts,
  moves: ReadonlySet<string>,
  tally: Tally,
): void {
  const { id, award, bids, slot } = context;
  const workers = slots.get(id) ?? new Set<string>();
  slots.delete(id);
  const inCharge = isAwarded(status) || status === "COMPLETED" ? award?.worker : undefined;
  const bidders = takesBids(status) ? bids.filter(({ standing }) => standing === true).map(({ worker }) => worker) : [];
  const needed = new Set<string | undefined>([inCharge, ...bidders]);
  const idle = [...workers].filter((worker) => !needed.has(worker) && !moves.has(`${id} ${worker}`));
  tally.check("slots", idle.length === 0, () => `account ${idle.join(", ")} reserves a slot for task ${id}, which is ${status}`);
  if (award === null || !slot || !isAwarded(status)) return;
  tally.check("slots", workers.has(award.worker), () => `task ${id} is awarded to ${award.worker}, which has no slot for it`);
}

function checkEnd(
  history: StoredHistory,
  { context }: TaskSnapshot,
  status: TaskStatus,
  accounts: Accounts,
  about: ReadonlySet<string>,
  tally: Tally,
): void {
  const { id } = history;
  if (!hasEnded(status)) return;
  const settled = status === "SETTLED";
  tally.check(
    "ended",
    accounts.settled.has(id) === settled,
    () => `task ${id} is ${status}, and its requester ${settled ? "did not settle" : "settled"}`,
  );
  const paid = accounts.earned.has(id) || about.has(`earn ${id}`);
  tally.check("ended", paid === settled, () => `task ${id} is ${status}, and its worker was ${settled ? "not paid" : "paid"}`);
  if (context.order?.callbackUrl == null) return;
  const sent = context.webhook.attempts > 0 || history.timers.includes("webhook");
  tally.check("ended", sent, () => `task ${id} has ended, and its webhook was neither sent nor will be`);
}
